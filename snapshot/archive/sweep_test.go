package archive

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// What is younger than was asked for stays: another restore may be about to give
// it its place. The other name of an old file is as young as its folder.
func TestSweep_leftovers_of_a_restore(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	age := func(n string, by time.Duration) {
		t.Helper()
		if err := os.Chtimes(filepath.Join(dir, n), now, now.Add(-by)); err != nil {
			t.Fatal(err)
		}
	}
	old, other, young := "tools/"+temporary+"0011", "tools/"+temporary+"0011"+asBefore, "tools/"+temporary+"0012"
	for _, n := range []string{"tools/x.sh", old, other, young, temporary + "elsewhere"} {
		file := filepath.Join(dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		age(n, 2*time.Hour)
	}
	age(young, time.Minute)
	for _, c := range []struct {
		folder time.Duration
		want   []string
	}{{time.Minute, []string{old}}, {2 * time.Hour, []string{old, other}}} {
		age("tools", c.folder)
		if got, err := Litter(root, "tools/x.sh", now.Add(-time.Hour)); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("a folder of %s: %v %v, want %v", c.folder, got, err, c.want)
		}
	}
	for _, c := range []struct {
		before time.Time
		left   int
	}{{now.Add(-time.Hour), 2}, {now, 1}} {
		if err := Sweep(root, "tools/x.sh", c.before); err != nil {
			t.Fatal(err)
		}
		age("tools", 2*time.Hour)
		for n, want := range map[string]int{"tools": c.left, ".": 2} {
			list, err := os.ReadDir(filepath.Join(dir, n))
			if err != nil || len(list) != want {
				t.Errorf("%s: %v %v", n, list, err)
			}
		}
	}
}
