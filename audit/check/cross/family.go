package cross

import (
	"path"
	"regexp"
	"strings"
)

// A leftover is one file that looks like a copy of another.
type leftover struct {
	family string // the pattern a person knows it by: "*.bak", ".history/"
	live   string // path of the file it is a copy of, if the name tells
	sure   bool   // the name alone is enough; otherwise the live file must be there
}

var (
	// x.yml.bak, x.yml.backup5, x.js.backup.1755991399, x.yml.backup_targeted
	suffix = regexp.MustCompile(`(?i)^(.+?)\.(bak|backup|old|orig|save|saved|rej|disabled|broken|bkp)\d*(?:[._-][\w.-]*)?$`)
	// x.backup.js, x-old.yml: a copy that kept its extension
	infix = regexp.MustCompile(`(?i)^(.+?)[._-](bak|backup|old|orig|disabled|broken|copy)(?:[._-]?\d+)*(\.\w{1,5})$`)
	// x copy.js, x copy 2.js, x - Copy.js, x (1).js
	copied = regexp.MustCompile(`^(.+?)(?: - Copy| copy| Copy)?(?: ?\(\d+\)| copy \d+| copy| - Copy)(\.\w{1,5})$`)
	// x-20250821.yml, x.1755991399.js, x_20250821-101500.sh
	stamped = regexp.MustCompile(`^(.+?)[._-](?:20\d{6}|1[67]\d{8}(?:\d{3})?)(?:[T_-]?\d{4,6})?(\.\w{1,5})$`)
	// x.js.1755991399, x.sh.20250821
	stampLast = regexp.MustCompile(`^(.+\.\w{1,5})[._-](?:20\d{6}|1[67]\d{8}(?:\d{3})?)(?:[T_-]?\d{4,6})?$`)
	// ci.yml.anything: GitHub reads only .yml and .yaml
	unloaded = regexp.MustCompile(`^(.+\.ya?ml)\.[\w.-]+$`)

	historyDir = regexp.MustCompile(`^\.history$`)
	// backup-20250821, backup_1755991399: dated, or workflows.disabled, workflows-backup
	backupDir = regexp.MustCompile(`(?i)^(?:backups?[-_.]\d[\w.-]*|(?:workflows|functions|scripts|automation)[-_.](?:backup|bak|disabled|old|broken)s?[\w.-]*)$`)
)

// endings are those that the suffix pattern may catch in the middle but that
// make the name one of its own: x.old.js is judged by the infix pattern.
var endings = map[string]bool{".js": true, ".mjs": true, ".cjs": true, ".ts": true, ".tsx": true, ".jsx": true, ".py": true, ".sh": true, ".yml": true,
	".yaml": true, ".json": true, ".md": true, ".toml": true, ".go": true, ".css": true, ".html": true, ".sql": true, ".txt": true, ".png": true}

// classify tells whether a path looks like a leftover copy.
func classify(p string) (leftover, bool) {
	dir, base := path.Split(p)
	for part := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		switch {
		case historyDir.MatchString(part):
			return leftover{".history/", "", true}, true
		case backupDir.MatchString(part):
			return leftover{part + "/", "", true}, true
		}
	}
	if live, ok := strings.CutSuffix(base, "~"); ok && live != "" {
		return leftover{"*~", dir + live, true}, true
	}
	ext := strings.ToLower(path.Ext(base))
	if m := suffix.FindStringSubmatch(base); m != nil && !endings[ext] {
		return leftover{"*." + strings.ToLower(m[2]), dir + m[1], strings.Contains(m[1], ".")}, true
	}
	if m := infix.FindStringSubmatch(base); m != nil {
		return leftover{"*-" + strings.ToLower(m[2]) + ".*", dir + m[1] + m[3], false}, true
	}
	if m := copied.FindStringSubmatch(base); m != nil {
		return leftover{"* copy", dir + m[1] + m[2], false}, true
	}
	if m := stamped.FindStringSubmatch(base); m != nil {
		return leftover{"*-<date>", dir + m[1] + m[2], false}, true
	}
	if m := stampLast.FindStringSubmatch(base); m != nil {
		return leftover{"*.<date>", dir + m[1], true}, true
	}
	if m := unloaded.FindStringSubmatch(base); m != nil && strings.Contains(dir, ".github/workflows/") && ext != ".md" {
		return leftover{"*.yml.*", dir + m[1], true}, true
	}
	return leftover{}, false
}
