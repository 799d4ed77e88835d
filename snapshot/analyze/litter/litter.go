// Package litter tells from its name whether a file is a copy or a backup of
// another. It looks at names only, and neither judges nor removes.
package litter

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// A Copy is one file that looks like a copy of another.
type Copy struct {
	Family string // the pattern a person knows it by: "*.bak", ".history/"
	Live   string // path of the file it is a copy of, if the name tells
	Sure   bool   // the name alone is enough; otherwise the live file must be there
}

var (
	// x.yml.bak, x.yml.backup5, x.js.backup.1755991399, x.yml.backup_targeted
	suffix = lazyregexp.New(`(?i)^(.+?)\.(bak|backup|old|orig|save|saved|rej|disabled|broken|bkp)\d*(?:[._-][\w.-]*)?$`)
	// x.backup.js, x-old.yml: a copy that kept its extension
	infix = lazyregexp.New(`(?i)^(.+?)[._-](bak|backup|old|orig|disabled|broken|copy)(?:[._-]?\d+)*(\.\w{1,5})$`)
	// x copy.js, x copy 2.js, x - Copy.js, x (1).js
	copied = lazyregexp.New(`^(.+?)(?: - Copy| copy| Copy)?(?: ?\(\d+\)| copy \d+| copy| - Copy)(\.\w{1,5})$`)
	// x-20250821.yml, x.1755991399.js, x_20250821-101500.sh
	stamped = lazyregexp.New(`^(.+?)[._-](?:20\d{6}|1[67]\d{8}(?:\d{3})?)(?:[T_-]?\d{4,6})?(\.\w{1,5})$`)
	// x.js.1755991399, x.sh.20250821
	stampLast = lazyregexp.New(`^(.+\.\w{1,5})[._-](?:20\d{6}|1[67]\d{8}(?:\d{3})?)(?:[T_-]?\d{4,6})?$`)
	// ci.yml.anything: GitHub reads only .yml and .yaml
	unloaded = lazyregexp.New(`^(.+\.ya?ml)\.[\w.-]+$`)

	historyDir = lazyregexp.New(`^\.history$`)
	// backup-20250821, backup_1755991399: dated, or workflows.disabled, workflows-backup
	backupDir = lazyregexp.New(`(?i)^(?:backups?[-_.]\d[\w.-]*|(?:workflows|functions|scripts|automation)[-_.](?:backup|bak|disabled|old|broken)s?[\w.-]*)$`)
)

// endings are those that the suffix pattern may catch in the middle but that
// make the name one of its own: x.old.js is judged by the infix pattern.
var endings = map[string]bool{".js": true, ".mjs": true, ".cjs": true, ".ts": true, ".tsx": true, ".jsx": true, ".py": true, ".sh": true, ".yml": true,
	".yaml": true, ".json": true, ".md": true, ".toml": true, ".go": true, ".css": true, ".html": true, ".sql": true, ".txt": true, ".png": true}

// hints are letters of which every copy's name has some: most names have none,
// and need no pattern.
var hints = []string{"bak", "bkp", "backup", "old", "orig", "save", "rej", "disabled", "broken", "copy", "history", "~", "("}

func suspicious(p string) bool {
	digits := 0
	for i := range len(p) {
		if p[i] < '0' || p[i] > '9' {
			digits = 0
		} else if digits++; digits == 8 { // a date or an epoch
			return true
		}
	}
	lower := strings.ToLower(p)
	return strings.Contains(lower, ".yml.") || strings.Contains(lower, ".yaml.") ||
		slices.ContainsFunc(hints, func(h string) bool { return strings.Contains(lower, h) })
}

// state reports whether the name says a state of what the file is about and not
// of the file: button-disabled.ts, link_broken.svg.
func state(base string, m []string) bool {
	word := strings.ToLower(m[2])
	return (word == "disabled" || word == "broken") && base[len(m[1])] != '.'
}

// Classify tells whether a path looks like a copy.
func Classify(p string) (Copy, bool) {
	if !suspicious(p) {
		return Copy{}, false
	}
	dir, base := path.Split(p)
	for part := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		switch {
		case historyDir().MatchString(part):
			return Copy{".history/", "", true}, true
		case backupDir().MatchString(part):
			return Copy{part + "/", "", true}, true
		}
	}
	if live, ok := strings.CutSuffix(base, "~"); ok && live != "" {
		return Copy{"*~", dir + live, true}, true
	}
	ext := strings.ToLower(path.Ext(base))
	if m := suffix().FindStringSubmatch(base); m != nil && !endings[ext] {
		return Copy{"*." + strings.ToLower(m[2]), dir + m[1], strings.Contains(m[1], ".")}, true
	}
	if m := infix().FindStringSubmatch(base); m != nil && !state(base, m) {
		return Copy{"*-" + strings.ToLower(m[2]) + ".*", dir + m[1] + m[3], false}, true
	}
	if m := copied().FindStringSubmatch(base); m != nil {
		return Copy{"* copy", dir + m[1] + m[2], false}, true
	}
	if m := stamped().FindStringSubmatch(base); m != nil {
		return Copy{"*-<date>", dir + m[1] + m[2], false}, true
	}
	if m := stampLast().FindStringSubmatch(base); m != nil {
		return Copy{"*.<date>", dir + m[1], true}, true
	}
	if m := unloaded().FindStringSubmatch(base); m != nil && strings.Contains(dir, ".github/workflows/") && ext != ".md" {
		return Copy{"*.yml.*", dir + m[1], true}, true
	}
	return Copy{}, false
}
