package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
)

// A file behind what cannot be looked at is neither done nor before, and its restore is
// not over; what somebody put in its place is seen, without being read where it is huge.
func TestStand(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	collecttest.Write(t, dir, "-- there/done.sh --\nnew\n-- there/before.sh --\nold\n-- there/other.sh --\nelse\n")
	if err := os.Symlink(outside, filepath.Join(dir, "linked")); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "there", "folder.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(dir, "there", "huge.sh")
	if err := os.WriteFile(huge, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, maxStands+1); err != nil {
		t.Fatal(err)
	}
	is, was := snapshot.Sum([]byte("new\n")), snapshot.Sum([]byte("old\n"))
	st, err := os.Stat(filepath.Join(dir, "there", "done.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]stood{
		"there/done.sh":   {done: 1},
		"there/before.sh": {before: 1},
		"there/other.sh":  {},
		"there/gone.sh":   {},
		"there/folder.sh": {},
		"there/huge.sh":   {},
		"linked/x.sh":     {unseen: 1},
		"unmounted/x.sh":  {unseen: 1},
	} {
		got, err := stand(dir, []undone{{Path: []byte(name), Was: was, Mode: st.Mode(), Is: is, Mode2: st.Mode()}})
		if err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", name, got, err, want)
		}
	}
	// What a restore was to make in a folder that it did not come to.
	got, err := stand(dir, []undone{{Path: []byte("new/x.sh"), Is: is, Mode2: st.Mode()}})
	if want := (stood{before: 1, unseen: 1}); err != nil || got != want {
		t.Errorf("%+v %v, want %+v", got, err, want)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if f, err := standsAt(root, "there/huge.sh"); err != nil || f.SHA256 != "" {
		t.Errorf("a huge file was read: %v %v", f, err)
	}
}
