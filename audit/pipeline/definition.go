package pipeline

import (
	"fmt"

	"healthaudit/snapshot"
)

// Definition returns how the app of an item is started, by the names of its
// facts: what is secret is told by its name alone.
func Definition(it *snapshot.Item) map[string]string {
	out := map[string]string{}
	for f := range definition(it) {
		if f.Class == snapshot.Secret {
			out[f.Name] = "(not shown)"
			continue
		}
		out[f.Name] = fmt.Sprint(f.Value.Any())
	}
	return out
}

// DefinedOtherwise returns the names of what two versions of an app start otherwise.
func DefinedOtherwise(a, b *snapshot.Item) []string {
	out := []string{}
	if b == nil {
		return out
	}
	if c := snapshot.Compare(a, b, true, nil); c != nil {
		for _, f := range c.Facts {
			if !doing[f.Name] && f.Name != "state" {
				out = append(out, f.Name)
			}
		}
	}
	return out
}
