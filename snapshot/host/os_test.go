//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot/host"
)

// The test binary plays the program that Self runs.
func TestMain(m *testing.M) {
	if os.Getenv("HOST_TEST_PLAY") == "environment" {
		in, _ := io.ReadAll(os.Stdin)
		dir, _ := os.Getwd()
		fmt.Printf("%s\n%q\n%q\n%s\n", strings.Join(os.Environ(), " "), os.Args, in, dir)
		os.Exit(7)
	}
	os.Exit(m.Run())
}

func machine(t *testing.T, dir string, env map[string]string) *host.OS {
	t.Helper()
	h, err := host.New(dir, func(k string) string { return env[k] }, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func write(t *testing.T, p, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// project is a root with one of everything, and a folder beside it.
func project(t *testing.T) (h *host.OS, dir string) {
	t.Helper()
	outer := t.TempDir()
	dir = filepath.Join(outer, "root")
	write(t, filepath.Join(dir, "sub/ten"), "0123456789", 0o640)
	write(t, filepath.Join(outer, "beside/secret"), "s", 0o644)
	must(t,
		os.Symlink("sub", filepath.Join(dir, "inside")),
		os.Symlink("ten", filepath.Join(dir, "sub/link")),
		os.Symlink("../beside", filepath.Join(dir, "out")),
		os.Symlink("../../beside/secret", filepath.Join(dir, "sub/out")),
		os.Symlink(filepath.Join(outer, "beside"), filepath.Join(dir, "absolute")),
		os.Symlink("nowhere", filepath.Join(dir, "dangling")),
		syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	l, err := net.Listen("unix", filepath.Join(dir, "sock"))
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return machine(t, dir, nil), dir
}

func TestFiles(t *testing.T) {
	h, dir := project(t)
	f, err := h.Outside(dir)
	must(t, err)
	defer f.Close()
	methods := map[string]func(p string) error{
		"read": func(p string) error { _, err := f.Read(p, 100); return err },
		"tail": func(p string) error { _, err := f.Tail(p, 0, 100); return err },
		"stat": func(p string) error { _, err := f.Stat(p); return err },
		"link": func(p string) error { _, err := f.Link(p); return err },
		"list": func(p string) error { _, err := f.List(p, 100); return err },
	}
	any := errors.New("any error")
	for _, tc := range []struct {
		methods, path string
		want          error // nil: it works
	}{
		{"read tail stat", "sub/ten", nil},
		{"read tail stat", "inside/ten", nil},
		{"read tail stat link", "sub/link", nil},
		{"list stat", "sub", nil},
		{"list stat", ".", nil},
		{"list", "inside", nil},
		{"stat link", "out", nil}, // the link itself lies in the root
		{"stat link", "dangling", nil},
		{"stat", "fifo", nil},
		{"read tail", "fifo", host.ErrNotRegular},
		{"read tail", "sock", host.ErrNotRegular},
		{"read tail", "sub", host.ErrNotRegular},
		{"read tail", ".", host.ErrNotRegular},
		{"list", "fifo", any},
		{"list", "sub/ten", any},
		{"link", "sub/ten", any},
		{"read tail stat link list", "nothing", fs.ErrNotExist},
		{"read tail stat link list", "sub/nothing", fs.ErrNotExist},
		{"read tail list", "dangling", fs.ErrNotExist},
		{"read tail stat link", "out/secret", any},
		{"read tail stat link", "absolute/secret", any},
		{"read tail stat link", "inside/../../beside/secret", any},
		{"read tail", "sub/out", any},
		{"read tail list", "out", any},
		{"read tail stat link list", "../beside", any},
		{"read tail stat link list", "sub/../../beside", any},
		{"read tail stat link list", dir, any},
		{"read tail stat link list", "", any},
		{"read tail stat link list", "sub\x00/ten", any},
	} {
		for _, m := range strings.Fields(tc.methods) {
			err := methods[m](tc.path)
			switch {
			case tc.want == nil && err != nil, tc.want == any && err == nil, tc.want != nil && tc.want != any && !errors.Is(err, tc.want):
				t.Errorf("%s %q: %v, want %v", m, tc.path, err, tc.want)
			case err != nil && tc.path != dir && (strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), tc.path)):
				t.Errorf("%s %q: the error does not carry the relative path: %v", m, tc.path, err)
			}
		}
	}
}

func TestRead(t *testing.T) {
	h, dir := project(t)
	write(t, filepath.Join(dir, "empty"), "", 0o600)
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", 10_000), 0o600)
	f, err := h.Outside(dir)
	must(t, err)
	for _, tc := range []struct {
		path          string
		tail          bool
		offset, limit int64
		want          string
		err           error
	}{
		{path: "sub/ten", limit: 10, want: "0123456789"},
		{path: "sub/ten", limit: 9, err: host.ErrTooLarge},
		{path: "sub/ten", limit: 0, err: host.ErrTooLarge},
		{path: "sub/ten", limit: -1, err: host.ErrTooLarge},
		{path: "empty", limit: 0},
		{path: "large", limit: 10_000, want: strings.Repeat("x", 10_000)},
		{path: "sub/ten", tail: true, offset: 7, limit: 10, want: "789"},
		{path: "sub/ten", tail: true, offset: 2, limit: 3, want: "234"},
		{path: "sub/ten", tail: true, offset: 10, limit: 3},
		{path: "sub/ten", tail: true, offset: 99, limit: 3},
		{path: "sub/ten", tail: true, offset: -5, limit: 3, want: "012"},
		{path: "sub/ten", tail: true, offset: 2, limit: 0},
		{path: "sub/ten", tail: true, offset: 2, limit: -1},
	} {
		read := func() ([]byte, error) { return f.Read(tc.path, tc.limit) }
		if tc.tail {
			read = func() ([]byte, error) { return f.Tail(tc.path, tc.offset, tc.limit) }
		}
		if b, err := read(); string(b) != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%+v: %.20q, %v", tc, b, err)
		}
	}
}

// A file of /proc says that it is empty and is not: like one that grows
// between being looked at and being read.
func TestRead_bounds_a_file_that_grows(t *testing.T) {
	h, _ := project(t)
	f, err := h.Outside("/proc/self")
	if err != nil {
		t.Skip("no /proc")
	}
	defer f.Close()
	if b, err := f.Read("status", 1<<20); err != nil || len(b) < 100 {
		t.Errorf("whole: %d bytes, %v", len(b), err)
	}
	if b, err := f.Read("status", 50); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("bounded: %d bytes, %v", len(b), err)
	}
	if b, err := f.Tail("status", 0, 50); err != nil || len(b) != 50 {
		t.Errorf("tail: %d bytes, %v", len(b), err)
	}
}

func TestStat(t *testing.T) {
	h, dir := project(t)
	p := filepath.Join(dir, "sub/ten")
	must(t, os.Chtimes(p, time.Time{}, time.Unix(1_000_000_000, 5)))
	st, err := h.Stat("sub/ten")
	if err != nil || st.Mode != 0o640 || st.Size != 10 || st.MTime != 1_000_000_000_000_000_005 || st.CTime <= st.MTime || st.Inode == 0 || st.UID != uint32(os.Getuid()) {
		t.Errorf("%+v, %v", st, err)
	}
	if again, _ := h.Stat("inside/ten"); again != st {
		t.Errorf("through a link inside: %+v", again)
	}
	if l, err := h.Stat("sub/link"); err != nil || l.Mode.Type() != fs.ModeSymlink {
		t.Errorf("link: %+v, %v", l, err)
	}
	must(t, os.Remove(filepath.Join(dir, "out")), os.Rename(filepath.Join(dir, "sub"), filepath.Join(dir, "out")))
	if _, err := h.Stat("out/ten"); err != nil {
		t.Errorf("a folder that took the place of a link: %v", err)
	}
}

func TestList(t *testing.T) {
	h, _ := project(t)
	for limit, want := range map[int]error{2: host.ErrTooLarge, 3: nil} {
		list, err := h.List("sub", limit)
		if !errors.Is(err, want) {
			t.Errorf("limit %d: %v", limit, err)
		}
		var names []string
		for _, e := range list {
			names = append(names, e.Name())
		}
		if want == nil && !slices.Equal(names, []string{"link", "out", "ten"}) {
			t.Errorf("limit %d: %q", limit, names)
		}
	}
}

func TestNew_opens_the_folder_behind_a_link(t *testing.T) {
	_, dir := project(t)
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	real, _ := filepath.EvalSymlinks(dir)
	if h := machine(t, link, nil); h.Root() != real {
		t.Errorf("%s, want %s", h.Root(), real)
	}
	if _, err := host.New(filepath.Join(dir, "nothing"), nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := machine(t, dir, nil).Outside("sub"); err == nil {
		t.Error("a relative folder was opened as one outside")
	}
}

func TestLook(t *testing.T) {
	outer := t.TempDir()
	root := filepath.Join(outer, "root")
	write(t, filepath.Join(root, "bin/tool"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(outer, "usr/tool"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(outer, "dull/tool"), "text", 0o644)
	must(t, os.MkdirAll(filepath.Join(outer, "folder/tool"), 0o755), os.Mkdir(filepath.Join(outer, "linked"), 0o755),
		os.Symlink(root, filepath.Join(outer, "rootlink")),
		os.Symlink(filepath.Join(root, "bin"), filepath.Join(outer, "binlink")),
		os.Symlink("../root/bin/tool", filepath.Join(outer, "linked/tool")),
		os.Symlink("usr", filepath.Join(outer, "usrlink")))
	t.Chdir(root)
	at := func(names ...string) string {
		for i, n := range names {
			if n != "" && n != "." && n != "bin" {
				names[i] = filepath.Join(outer, n)
			}
		}
		return strings.Join(names, ":")
	}
	for _, tc := range []struct{ path, want string }{
		{at("usr"), "usr/tool"},
		{at("usrlink"), "usrlink/tool"},
		{at("nothing", "dull", "folder", "usr"), "usr/tool"},
		{at("root/bin", "usr"), "usr/tool"},
		{at("rootlink/bin", "usr"), "usr/tool"},
		{at("binlink", "linked", "usr"), "usr/tool"},
		{at("bin", ".", "", "usr"), "usr/tool"},
		{at("root/bin", "rootlink/bin", "binlink", "linked", "bin", "dull", "folder"), ""},
		{"", ""},
	} {
		got, err := machine(t, root, map[string]string{"PATH": tc.path}).Look("tool")
		if tc.want == "" && !errors.Is(err, fs.ErrNotExist) || tc.want != "" && got != filepath.Join(outer, tc.want) {
			t.Errorf("PATH %s: %s, %v; want %s", tc.path, got, err, tc.want)
		}
	}
	if got, err := machine(t, root, map[string]string{"PATH": at("usr")}).Look("./tool"); err == nil {
		t.Errorf("a path was looked up: %s", got)
	}
}

func TestRun(t *testing.T) {
	t.Setenv("AMBIENT_SECRET", "leaks")
	dir := t.TempDir()
	h := machine(t, dir, map[string]string{"OTHER": "no"})
	sh := func(script string) host.Command {
		return host.Command{Program: "/bin/sh", Args: []string{"-c", script}, Timeout: time.Minute, MaxOut: 1000}
	}
	run := func(c host.Command) (host.Result, error) { return h.Run(t.Context(), c) }

	t.Run("gives exactly that environment, input, folder and name", func(t *testing.T) {
		res, err := run(host.Command{Program: host.Self, Args: []string{"a", "b c"}, Env: []string{"HOST_TEST_PLAY=environment", "A=1"}, In: []byte("in"), Timeout: time.Minute, MaxOut: 1000})
		want := fmt.Sprintf("HOST_TEST_PLAY=environment A=1\n%q\n%q\n%s\n", []string{"audit", "a", "b c"}, "in", h.Root())
		if err != nil || string(res.Out) != want || res.Code != 7 {
			t.Errorf("%v, %+v\n%s\nwant\n%s", err, res, res.Out, want)
		}
	})
	t.Run("gives no environment when there is none", func(t *testing.T) {
		c := sh("/usr/bin/env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=")
		if res, err := run(c); err != nil || len(res.Out) > 0 {
			t.Errorf("%q, %v", res.Out, err)
		}
	})
	t.Run("tells exit codes and signals", func(t *testing.T) {
		for script, want := range map[string]int{"exit 0": 0, "exit 3": 3, "kill -9 $$": -1} {
			if res, err := run(sh(script)); err != nil || res.Code != want || res.TimedOut {
				t.Errorf("%s: %+v, %v", script, res, err)
			}
		}
	})
	t.Run("keeps standard error up to its bound", func(t *testing.T) {
		c := sh("head -c 100000 /dev/zero >&2; echo done")
		if res, err := run(c); err != nil || len(res.Err) != 4096 || string(res.Out) != "done\n" {
			t.Errorf("%d bytes, %q, %v", len(res.Err), res.Out, err)
		}
		c.MaxError = 5000
		if res, _ := run(c); len(res.Err) != 5000 {
			t.Errorf("%d bytes, want 5000", len(res.Err))
		}
	})
	t.Run("ends a program that prints too much", func(t *testing.T) {
		res, err := run(sh("exec cat /dev/zero"))
		if !errors.Is(err, host.ErrTooLarge) || len(res.Out) != 1000 || res.Code != -1 || res.TimedOut {
			t.Errorf("%d bytes, code %d, %v", len(res.Out), res.Code, err)
		}
		if res, err := run(sh("head -c 1000 /dev/zero")); err != nil || len(res.Out) != 1000 {
			t.Errorf("as much as allowed: %d bytes, %v", len(res.Out), err)
		}
	})
	t.Run("ends a program that takes too long", func(t *testing.T) {
		c := sh("echo begun; exec sleep 600")
		c.Timeout = 300 * time.Millisecond
		if res, err := run(c); !errors.Is(err, context.DeadlineExceeded) || !res.TimedOut || res.Code != -1 || string(res.Out) != "begun\n" {
			t.Errorf("%+v, %v", res, err)
		}
	})
	t.Run("refuses what has no bounds or no absolute path", func(t *testing.T) {
		for _, c := range []host.Command{{Program: "/bin/true", Timeout: 1}, {Program: "/bin/true", MaxOut: 1}, {Program: "true", Timeout: time.Minute, MaxOut: 1}, {Program: "./true", Timeout: time.Minute, MaxOut: 1}} {
			if _, err := run(c); err == nil {
				t.Errorf("%+v ran", c)
			}
		}
		if _, err := run(host.Command{Program: filepath.Join(dir, "nothing"), Timeout: time.Minute, MaxOut: 1}); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
}

// What a program started ends with it. The grandchild holds a FIFO open: its
// reader sees the end exactly when the grandchild is gone.
func TestRun_leaves_no_grandchild(t *testing.T) {
	for name, script := range map[string]string{
		"when the context ends":        "(exec sleep 600 >fifo) & wait",
		"when only its parent is gone": "(exec 3>fifo; exec sleep 600) & read line <started",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600), syscall.Mkfifo(filepath.Join(dir, "started"), 0o600))
			ctx, cancel := context.WithCancel(t.Context())
			gone := make(chan error, 1)
			go func() {
				f, err := os.Open(filepath.Join(dir, "fifo")) // waits for the grandchild
				if strings.Contains(script, "started") {
					err = errors.Join(err, os.WriteFile(filepath.Join(dir, "started"), []byte("go\n"), 0))
				} else {
					cancel()
				}
				if err == nil {
					_, err = io.ReadAll(f)
				}
				gone <- err
			}()
			_, err := machine(t, dir, nil).Run(ctx, host.Command{Program: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/usr/bin:/bin"}, Timeout: time.Minute, MaxOut: 100})
			if err == nil {
				t.Error("no error, although something was left running")
			}
			select {
			case err := <-gone:
				must(t, err)
			case <-time.After(20 * time.Second):
				t.Error("the grandchild lives")
			}
			cancel()
		})
	}
}

func TestDial(t *testing.T) {
	h, dir := project(t)
	c, err := h.Dial(t.Context(), filepath.Join(dir, "sock"))
	must(t, err)
	c.Close()
}
