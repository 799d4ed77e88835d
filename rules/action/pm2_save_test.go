//go:build unix

package action

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"healthaudit/rules"
)

// What never was saved is not said to be taken back; what was is, though audit did
// not live to say so.
func TestPM2Save_interrupted(t *testing.T) {
	for _, before := range []bool{true, false} {
		b := newBed(t)
		b.Add("api", "online", nil)
		b.Add("new", "online", nil)
		b.app("api", "online")
		b.app("new", "online")
		dump := filepath.Join(b.Home, "dump.pm2")
		if before {
			b.Dump(b.Entry("api"))
		}
		old, _ := os.ReadFile(dump)
		e, err := b.prepare(PM2Save, "pm2/daemon", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := PM2Save.Undo(t.Context(), b.hand(), *e.Deed); !errors.Is(err, rules.ErrNothing) {
			t.Errorf("planned only: %v", err)
		}
		h, known := b.hand(), rules.Deed{}
		h.Keep = func(d rules.Deed) error { known = d; return errPower }
		if _, err := PM2Save.Do(t.Context(), h, *e.Deed); !errors.Is(err, errPower) {
			t.Fatal(err)
		}
		if err := PM2Save.Undo(t.Context(), b.hand(), known); !errors.Is(err, rules.ErrNothing) {
			t.Errorf("before the list took its place: %v", err)
		}
		h.Keep = func(d rules.Deed) error { known = d; return nil }
		if _, err := PM2Save.Do(t.Context(), h, *e.Deed); err != nil {
			t.Fatal(err)
		}
		if err := PM2Save.Undo(t.Context(), b.hand(), rules.Deed{Of: "save", Args: e.Deed.Args, Was: e.Deed.Was}); err == nil || errors.Is(err, rules.ErrNothing) {
			t.Errorf("of a deed of an older audit, which noted nothing: %v", err)
		}
		if err := PM2Save.Undo(t.Context(), b.hand(), known); err != nil {
			t.Errorf("after it did: %v", err)
		}
		now, err := os.ReadFile(dump)
		if string(now) != string(old) || errors.Is(err, os.ErrNotExist) == before {
			t.Errorf("the list is %q, %v, was %q", now, err, old)
		}
		if left, _ := filepath.Glob(filepath.Join(b.Home, "*audit*")); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	}
}

func TestPM2Save(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	b.Add("new", "online", nil)
	b.Dump(b.Entry("api"))
	b.app("api", "online")
	b.app("new", "online")
	before, _ := os.ReadFile(filepath.Join(b.Home, "dump.pm2"))
	d, err := b.act(PM2Save, "pm2/daemon", nil)
	if err != nil || len(b.Calls()) != 0 {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	entries, err := readDump(b.host, b.Home)
	if err != nil || dumpTally(entries) != "default:api default:new" || entries[0].get("env.API_KEY").Str != "s3cret" || entries[0].get("pm_id").Exists() {
		t.Errorf("%v, %s", err, dumpTally(entries))
	}
	if text, _ := json.Marshal(d); strings.Contains(string(text), "s3cret") {
		t.Errorf("a secret in %s", text)
	}
	if st, _ := os.Stat(filepath.Join(b.Home, "dump.pm2")); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %s", st.Mode())
	}
	left, _ := filepath.Glob(filepath.Join(b.Home, "*audit*"))
	if bak, _ := os.ReadFile(filepath.Join(b.Home, "dump.pm2.bak")); string(bak) != string(before) || len(left) != 0 {
		t.Errorf("the one before is %s; left %v", bak, left)
	}
	if err := PM2Save.Undo(t.Context(), b.hand(), d); err != nil {
		t.Error(err)
	}
	if now, _ := os.ReadFile(filepath.Join(b.Home, "dump.pm2")); string(now) != string(before) {
		t.Error("not undone")
	}
	if err := PM2Save.Undo(t.Context(), b.hand(), d); err == nil || !strings.Contains(err.Error(), "somebody saved since") {
		t.Errorf("undone twice: %v", err)
	}
}

// What does not get onto the disk whole replaces nothing.
func TestReplace_on_a_full_disk(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.WriteFile(dumpName, []byte("[good]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replace(fullDisk{root}, []byte("[torn]"), dumpNew, dumpName); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want no space", err)
	}
	if b, err := root.ReadFile(dumpName); err != nil || string(b) != "[good]" {
		t.Errorf("%q %v", b, err)
	}
}

// fullDisk is a folder in which nothing more can be written.
type fullDisk struct{ *os.Root }

func (fullDisk) OpenFile(string, int, fs.FileMode) (*os.File, error) {
	return os.OpenFile("/dev/full", os.O_WRONLY, 0)
}
