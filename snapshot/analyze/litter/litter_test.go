package litter

import "testing"

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		path, family, live string
		sure               bool
	}{
		{".github/workflows/ci.yml.bak", "*.bak", ".github/workflows/ci.yml", true},
		{".github/workflows/ci.yml.backup5", "*.backup", ".github/workflows/ci.yml", true},
		{".github/workflows/ci.yml.backup_targeted", "*.backup", ".github/workflows/ci.yml", true},
		{".github/workflows/ci.yml.backup.backup.1755991399", "*.backup", ".github/workflows/ci.yml", true},
		{".github/workflows/ci.yml.hold", "*.yml.*", ".github/workflows/ci.yml", true},
		{"netlify/functions/a.js.backup-1755991529", "*.backup", "netlify/functions/a.js", true},
		{"functions-manifest.json.backup.1755990346", "*.backup", "functions-manifest.json", true},
		{"scripts/sync.sh~", "*~", "scripts/sync.sh", true},
		{"scripts/sync.old.js", "*-old.*", "scripts/sync.js", false},
		{"scripts/sync.disabled.js", "*-disabled.*", "scripts/sync.js", false},
		{"scripts/sync copy 2.js", "* copy", "scripts/sync.js", false},
		{"scripts/sync (1).js", "* copy", "scripts/sync.js", false},
		{"scripts/sync-20250821.js", "*-<date>", "scripts/sync.js", false},
		{"scripts/sync.js.20250821", "*.<date>", "scripts/sync.js", true},
		{"crontab.old", "*.old", "crontab", false},
		{".history/src/a_20250821.js", ".history/", "", true},
		{".github/workflows.disabled/x.yml", "workflows.disabled/", "", true},
		{"ops/backup-20250821/x.sh", "backup-20250821/", "", true},
	} {
		l, ok := Classify(c.path)
		if want := (Copy{c.family, c.live, c.sure}); !ok || l != want {
			t.Errorf("%s: %+v, %v", c.path, l, ok)
		}
	}
	for _, p := range []string{"scripts/backup.sh", "scripts/backup/run.sh", "infra/backup/crontab", "scripts/db-restore.sh", "src/copy.js", ".github/workflows/ci.yml",
		"README.md", "scripts/copy-files.js", "a/b.old/c.js", "lib/orig.js", "x.json", "v1.2.3.txt", "logo@2x.png",
		"src/session/provider-disabled.ts", "icons/link_broken.svg"} {
		if l, ok := Classify(p); ok {
			t.Errorf("%s is taken for %+v", p, l)
		}
	}
}
