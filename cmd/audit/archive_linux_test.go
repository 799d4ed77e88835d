package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A disk of one megabyte that is full: the run is kept on the other one, with
// exit 5 and its finding; the archive from before is as it was, and nothing half
// written stays. Read-only, the same.
func TestArchive_on_a_full_disk(t *testing.T) {
	root, disk := t.TempDir(), t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		if errors.Is(err, syscall.EPERM) {
			t.Skip("no right to mount here")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, 0) })
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("package.json", `{"scripts": {"a": "sh a.sh"}}`)
	put("a.sh", "#!/bin/sh\necho a\n")
	put("audit.yaml", "archive: {dir: "+disk+"/archives}\n")
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		p := &Process{Args: append([]string{"--root", root}, args...), Stdout: &out, Stderr: &out, Env: func(string) string { return "" }, Now: time.Now}
		if code := Main(t.Context(), p); code != want {
			t.Fatalf("%v: exit %d, want %d\n%s", args, code, want, out.String())
		}
		return out.String()
	}
	run(exitOK, "run", "--fail-on", "never")
	before := folder(t, disk)
	if err := os.WriteFile(filepath.Join(disk, "full"), make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	full := folder(t, disk)
	put("a.sh", "#!/bin/sh\necho b\n")
	out := run(exitAction, "run")
	if !strings.Contains(out, "audit-archive-failed") || !strings.Contains(out, "no space left on device") || !strings.Contains(out, "make room") {
		t.Error(out)
	}
	run(exitAction, "archive", "create")
	run(exitAction, "archive", "create", "--kind", "full")
	if now := folder(t, disk); now != full {
		t.Errorf("the disk holds %s, and before %s", now, full)
	}
	if out := run(exitOK, "list"); !strings.Contains(out, "     2  ") {
		t.Errorf("the run was not kept: %s", out)
	}
	run(exitOK, "archive", "verify")

	os.Remove(filepath.Join(disk, "full"))
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if out := run(exitAction, "run"); !strings.Contains(out, "read-only") {
		t.Error(out)
	}
	if now := folder(t, disk); now != before {
		t.Errorf("the disk holds %s, and before %s", now, before)
	}
	if out := run(exitAction, "restore", "latest", "--target", disk+"/archives"); !strings.Contains(out, "read-only") {
		t.Error(out)
	}
}

// TestDrill_on_a_full_disk: wherever there is no room for what an archive holds, the
// drill could not be done, and nothing is said of the archive.
func TestDrill_on_a_full_disk(t *testing.T) {
	root := t.TempDir()
	for i := range 6 {
		text := fmt.Sprintf("#!/bin/sh\n# %s\n: %d\n", strings.Repeat("x", 100<<10), i)
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("a%d.sh", i)), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		p := &Process{Args: append([]string{"--root", root}, args...), Stdout: &out, Stderr: &out, Env: func(string) string { return "" }, Now: time.Now}
		if code := Main(t.Context(), p); code != want {
			t.Errorf("%v: exit %d, want %d\n%s", args, code, want, out.String())
		}
		return out.String()
	}
	run(exitOK, "run", "--fail-on", "never", "--archive", "always")
	run(exitOK, "archive", "create", "--kind", "full")
	for _, c := range []struct{ kind, size, at string }{
		{"slim", "64k", "audit-archive-"}, // taken out of the archive
		{"full", "64k", "archived.db"},    // unpacked
		{"slim", "1m", ".sh: "},           // restored
		{"full", "512k", ".sh: "},
	} {
		disk := t.TempDir()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+c.size); err != nil {
			if errors.Is(err, syscall.EPERM) {
				t.Skip("no right to mount here")
			}
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Unmount(disk, 0) })
		list, err := filepath.Glob(filepath.Join(root, ".audit", "archives", "*."+c.kind+".*"))
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		t.Setenv("TMPDIR", disk)
		out := run(exitAction, "archive", "drill", list[0])
		for _, want := range []string{"the drill could not be done: ", c.at, "no space left on device", "TMPDIR names another folder"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s on %s: no %q in %s", c.kind, c.size, want, out)
			}
		}
	}
	if out := run(exitOK, "journal"); strings.Contains(out, "did not come back") {
		t.Error(out)
	}
}

// folder lists names and sizes below a folder.
func folder(t *testing.T, dir string) (out string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err == nil {
			out += p + " " + st.ModTime().String() + "\n"
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
