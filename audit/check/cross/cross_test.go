package cross

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"healthaudit/audit/check/checktest"
	"healthaudit/snapshot/analyze/litter"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/script"
)

func TestMain(m *testing.M) { collecttest.Main(m) }

func TestCases(t *testing.T) { checktest.Run(t, All, all.Collectors...) }

// What this check calls litter, the collector of scripts must not list.
func TestClassify_agrees_with_the_collector(t *testing.T) {
	a, err := txtar.ParseFile(filepath.Join(checktest.Dir(t, BackupLitter.ID), "bad.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		if p, ok := strings.CutPrefix(f.Name, "tree/"); ok {
			collecttest.WriteFile(t, dir, p+"*", f.Data)
		}
	}
	for _, name := range []string{"sync-old.sh", "sync.backup.sh", "sync (2).sh", "sync-20250821.sh", "sync_1755991399.sh", "sync copy 3.sh"} {
		collecttest.WriteFile(t, dir, "scripts/"+name, []byte("echo\n"))
	}
	s := collecttest.Session(t, dir)
	for _, it := range collecttest.Snapshot(t, s, script.Collector).Items {
		if l, ok := litter.Classify(it.Path); ok && (l.Sure || s.Tree.HasFile(l.Live)) {
			t.Errorf("%s is listed as a script and is litter of the family %s", it.Path, l.Family)
		}
	}
}
