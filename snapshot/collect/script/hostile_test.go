//go:build unix

package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

func TestCollect_hostile(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("as root an unreadable file is readable: that part is not tried")
	}
	s := session(t, "-- scripts/ok.sh --\necho ok\n-- scripts/locked.sh --\nx\n-- bad/package.json --\n{\"scripts\": {\"a\": \"b\"},\n")
	dir := s.Host.Root()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mkfifo(filepath.Join(dir, "scripts/pipe.sh"), 0o644))
	must(os.WriteFile(filepath.Join(dir, "scripts/a\x1b\nb.sh"), []byte("echo odd\n"), 0o644))
	must(os.WriteFile(filepath.Join(dir, "scripts/huge.sh"), make([]byte, 9<<20), 0o644))
	must(os.WriteFile(filepath.Join(dir, "scripts/big.sh"), []byte(strings.Repeat("echo\n", 1<<18)), 0o644))
	must(os.WriteFile(filepath.Join(dir, "scripts/binary.sh"), []byte("\x7fELF\x00\x00"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "scripts/deep.js"), []byte(strings.Repeat("(", 1<<20)), 0o644))
	must(os.WriteFile(filepath.Join(dir, "scripts/deep.py"), []byte("x = "+strings.Repeat("(", 100_000)), 0o644))
	must(os.WriteFile(filepath.Join(dir, "scripts/latin.py"), []byte("x = '\xe9'\n"), 0o644))
	must(os.Symlink("/etc/passwd", filepath.Join(dir, "scripts/out.sh")))
	must(os.Symlink("loop.sh", filepath.Join(dir, "scripts/loop.sh")))
	must(os.Symlink("ok.sh", filepath.Join(dir, "scripts/link.sh")))
	must(os.Chmod(filepath.Join(dir, "scripts/locked.sh"), 0))
	tree, _, _, err := collect.ReadTree(t.Context(), s.Host)
	must(err)
	s.Tree = tree
	begun := time.Now()
	snap := collecttest.Snapshot(t, s, Collector)
	if d := time.Since(begun); d > 20*time.Second {
		t.Errorf("took %s", d)
	}
	for key, want := range map[snapshot.Key]string{
		"scripts/scripts/ok.sh":         "",
		"scripts/scripts/pipe.sh":       "not a regular file",
		"scripts/scripts/huge.sh":       "larger than 8 MiB: not read",
		"scripts/scripts/big.sh":        "larger than 1 MiB: not read",
		"scripts/scripts/binary.sh":     "it is not text",
		"scripts/scripts/out.sh":        "a symbolic link that leads out of the project",
		"scripts/scripts/link.sh":       "",
		"scripts/scripts/a%1B%0Ab.sh":   "",
		"scripts/file:bad/package.json": "",
	} {
		it := snap.Item(key)
		if it == nil {
			t.Errorf("%s is not listed", key)
		} else if it.Unknown != want {
			t.Errorf("%s: unknown %q, want %q", key, it.Unknown, want)
		}
	}
	if it := snap.Item("scripts/scripts/locked.sh"); os.Getuid() != 0 && it.Unknown != "no permission to read it" {
		t.Errorf("locked: %+v", it)
	}
	if f := snap.System(snapshot.Scripts).Failed(); len(f) != 1 || f["npm:bad/package.json"].Message == "" {
		t.Errorf("failed sources: %v", f)
	}
	if _, err := s.Host.Look("python3"); err != nil {
		return
	}
	if v, _ := snap.Item("scripts/scripts/deep.py").Fact("syntax"); v.Str() == syntaxOK {
		t.Error("deep.py is ok")
	}
	if v, _ := snap.Item("scripts/scripts/latin.py").Fact("syntax"); v.Str() != syntaxBroken {
		t.Error("latin.py is ok: one file that is refused must not end the process for the others")
	}
}

func TestCollect_executes_nothing(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "canary")
	s := session(t, fmt.Sprintf(`
-- package.json --
{"scripts": {"preinstall": "touch %[1]s", "a": "$(touch %[1]s)"}}
-- scripts/a.sh* --
#!/bin/sh
touch %[1]s
-- scripts/a.js* --
require('fs').writeFileSync('%[1]s', '')
-- scripts/a.py* --
open('%[1]s', 'w')
-- scripts/sitecustomize.py --
open('%[1]s', 'w')
-- sitecustomize.py --
open('%[1]s', 'w')
-- python3* --
#!/bin/sh
touch %[1]s
-- ast.py --
open('%[1]s', 'w')
-- crontab --
* * * * * touch %[1]s
`, canary))
	collecttest.Snapshot(t, s, Collector)
	if _, err := os.Stat(canary); err == nil {
		t.Fatal("something of the project was executed")
	}
	var made []string
	filepath.WalkDir(s.Host.Root(), func(p string, d os.DirEntry, _ error) error {
		if strings.Contains(p, "__pycache__") {
			made = append(made, p)
		}
		return nil
	})
	if len(made) > 0 {
		t.Errorf("left behind: %v", made)
	}
}
