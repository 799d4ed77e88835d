package audit

import (
	"strings"

	"healthaudit/snapshot"
)

// hintFor returns the hint of a check for one item: its commands name the item where
// they say ITEM, so that they can be typed as they stand.
func hintFor(hint string, item snapshot.Key) string {
	if item == snapshot.Pseudo(item.System()) {
		return hint
	}
	return strings.ReplaceAll(hint, " ITEM", " "+snapshot.ShellWord(string(item)))
}
