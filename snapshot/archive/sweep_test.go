package archive

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSweep_leftovers_of_a_restore(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, n := range []string{"tools/x.sh", "tools/" + temporary + "0011", "tools/" + temporary + "0011.before", temporary + "elsewhere"} {
		file := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(root, "tools/x.sh"); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string]int{"tools": 1, ".": 2} {
		list, err := os.ReadDir(filepath.Join(dir, n))
		if err != nil || len(list) != want {
			t.Errorf("%s: %v %v", n, list, err)
		}
	}
}
