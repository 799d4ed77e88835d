//go:build unix

package collect

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// counting counts the reads, runs a hook before each, and has a clock that may
// run ahead: for an hour later every file is old.
type counting struct {
	host.Host
	ahead time.Duration
	hook  func(p string)
	mu    sync.Mutex
	reads []string
}

func (c *counting) Now() time.Time { return time.Now().Add(c.ahead) }

func (c *counting) Read(p string, limit int64) ([]byte, error) {
	c.mu.Lock()
	c.reads = append(c.reads, p)
	c.mu.Unlock()
	if c.hook != nil {
		c.hook(p)
	}
	return c.Host.Read(p, limit)
}

// next is the capture of the next run, knowing what the last one left.
func next(h *counting, last *Capture) *Capture {
	h.reads = nil
	known := map[string]Stamp{}
	for p := range last.files {
		if last.Known != nil {
			if s, ok := last.Known(p); ok {
				known[p] = s
			}
		}
	}
	maps.Copy(known, last.Stamps())
	return &Capture{Host: h, Known: func(p string) (Stamp, bool) { s, ok := known[p]; return s, ok }}
}

func TestCapture(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "sub/a.sh", "echo\n", 0o755)
	write(t, dir, "empty", "", 0o644)
	write(t, dir, ".env", "KEY=clear", 0o600)
	write(t, dir, "locked", "x", 0o000)
	must(t, os.Symlink("sub/a.sh", filepath.Join(dir, "link")), os.Symlink("sub/a.sh", filepath.Join(dir, ".env.link")),
		os.Mkdir(filepath.Join(dir, "dir"), 0o755), os.Chmod(filepath.Dir(dir), 0o755),
		os.WriteFile(filepath.Join(dir, "large"), nil, 0o644), os.Truncate(filepath.Join(dir, "large"), MaxFile+1),
		os.WriteFile(filepath.Join(dir, "limit"), nil, 0o644), os.Truncate(filepath.Join(dir, "limit"), MaxFile))
	h := &counting{Host: machine(t, dir, nil)}
	kept := map[string]string{}
	c := &Capture{Host: h, Keep: func(sum string, b []byte) { kept[sum] = string(b) }}
	link := snapshot.Sum([]byte("sub/a.sh"))
	asNobody(t, func() {
		for _, tc := range []struct {
			want  snapshot.File
			err   error
			bytes bool
		}{
			{snapshot.File{Path: "sub/a.sh", Mode: 0o755, Size: 5, SHA256: snapshot.Sum([]byte("echo\n"))}, nil, true},
			{snapshot.File{Path: "empty", Mode: 0o644, SHA256: snapshot.Sum(nil)}, nil, true},
			{snapshot.File{Path: "limit", Mode: 0o644, Size: MaxFile, SHA256: snapshot.Sum(make([]byte, MaxFile))}, nil, true},
			{snapshot.File{Path: "link", Mode: fs.ModeSymlink | 0o777, Size: 8, Link: "sub/a.sh", SHA256: link}, nil, false},
			{snapshot.File{Path: ".env.link", Mode: fs.ModeSymlink | 0o777, Size: 8, Link: "sub/a.sh", SHA256: link}, nil, false},
			{snapshot.File{Path: ".env", Mode: 0o600, Size: 9}, ErrSensitive, false},
			{snapshot.File{Path: "large", Mode: 0o644, Size: MaxFile + 1}, host.ErrTooLarge, false},
			{snapshot.File{Path: "locked", Mode: 0, Size: 1}, fs.ErrPermission, false},
			{snapshot.File{Path: "nothing"}, fs.ErrNotExist, false},
			{snapshot.File{Path: "../x"}, errAny, false},
		} {
			got, err := c.File(tc.want.Path, snapshot.Own)
			if got != tc.want || !errors.Is(err, tc.err) && (tc.err != errAny || err == nil) {
				t.Errorf("%+v, %v\nwant %+v, %v", got, err, tc.want, tc.err)
			}
			if err != nil && strings.Contains(err.Error(), dir) {
				t.Errorf("absolute path in %v", err)
			}
			if _, ok := kept[got.SHA256]; ok != tc.bytes {
				t.Errorf("%s: bytes kept %v, want %v", tc.want.Path, ok, tc.bytes)
			}
			if b, err := c.Bytes(got); (err == nil) != tc.bytes || tc.bytes && snapshot.Sum(b) != got.SHA256 {
				t.Errorf("%s: bytes %d, %v", tc.want.Path, len(b), err)
			}
		}
	})
	if f, err := c.File("dir", snapshot.Own); !errors.Is(err, host.ErrNotRegular) || !f.Mode.IsDir() || f.SHA256 != "" {
		t.Errorf("folder: %+v, %v", f, err)
	}
	if f, _ := c.File("sub/a.sh", snapshot.Shared); f.Role != snapshot.Shared {
		t.Errorf("role %q", f.Role)
	}
	if f, _ := c.File("sub/a.sh", snapshot.Own); f.Role != "" {
		t.Errorf("role %q", f.Role)
	}
	if slices.Contains(h.reads, ".env") || slices.Contains(h.reads, "large") {
		t.Errorf("read: %q", h.reads)
	}
}

var errAny = errors.New("any error")

func TestCapture_reads_a_file_once_in_its_life(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", "one", 0o644)
	h := &counting{Host: machine(t, dir, nil), ahead: time.Hour}
	first := &Capture{Host: h}
	want, err := first.File("a", "")
	must(t, err)
	first.File("a", "")
	if len(h.reads) != 1 {
		t.Fatalf("first run: %d reads", len(h.reads))
	}
	second := next(h, first)
	second.Keep = func(string, []byte) { t.Error("bytes of an unchanged file given to the store again") }
	for i, c := 2, second; i < 5; i, c = i+1, next(h, c) {
		if got, err := c.File("a", ""); got != want || err != nil || len(h.reads) != 0 {
			t.Errorf("run %d: %+v, %v, %d reads", i, got, err, len(h.reads))
		}
	}
	if b, err := second.Bytes(want); string(b) != "one" || err != nil {
		t.Errorf("bytes of a file that was not read: %q, %v", b, err)
	}
}

// Each change keeps the size; the time of the bytes is set back where it would move.
func TestCapture_sees_a_change_of_the_same_size(t *testing.T) {
	old := time.Now().Add(-24 * time.Hour)
	for name, change := range map[string]func(t *testing.T, dir string){
		"written in place": func(t *testing.T, dir string) {
			write(t, dir, "a", "two", 0o644)
			must(t, os.Chtimes(filepath.Join(dir, "a"), old, old))
		},
		"replaced": func(t *testing.T, dir string) {
			write(t, dir, "b", "two", 0o644)
			must(t, os.Chtimes(filepath.Join(dir, "b"), old, old), os.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "a")))
		},
		"newer": func(t *testing.T, dir string) { write(t, dir, "a", "two", 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a", "one", 0o644)
			must(t, os.Chtimes(filepath.Join(dir, "a"), old, old))
			h := &counting{Host: machine(t, dir, nil), ahead: time.Hour}
			first := &Capture{Host: h}
			_, err := first.File("a", "")
			must(t, err)
			if len(first.Stamps()) != 1 {
				t.Fatal("no stamp")
			}
			// The clock that stamps inodes ticks every few milliseconds.
			for before := stat(t, dir); stat(t, dir).CTime == before.CTime; {
				change(t, dir)
			}
			if f, err := next(h, first).File("a", ""); err != nil || f.SHA256 != snapshot.Sum([]byte("two")) {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
}

func stat(t *testing.T, dir string) host.Stat {
	t.Helper()
	st, err := machine(t, dir, nil).Stat("a")
	must(t, err)
	return st
}

func TestCapture_gives_no_stamp(t *testing.T) {
	for name, tc := range map[string]struct {
		ahead time.Duration
		set   func(dir string) error
		hook  func(dir string)
	}{
		"to a file just written": {},
		"to a file just written whose time was set back": {set: func(dir string) error {
			return os.Chtimes(filepath.Join(dir, "a"), time.Unix(0, 0), time.Unix(0, 0))
		}},
		"to a file of the future": {ahead: time.Hour, set: func(dir string) error {
			f := time.Now().Add(48 * time.Hour)
			return os.Chtimes(filepath.Join(dir, "a"), f, f)
		}},
		"to a file that grows while it is read": {ahead: time.Hour, hook: func(dir string) {
			os.WriteFile(filepath.Join(dir, "a"), []byte("longer"), 0o644)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a", "one", 0o644)
			if tc.set != nil {
				must(t, tc.set(dir))
			}
			h := &counting{Host: machine(t, dir, nil), ahead: tc.ahead}
			if tc.hook != nil {
				h.hook = func(string) { tc.hook(dir) }
			}
			c := &Capture{Host: h}
			f, err := c.File("a", "")
			if s := c.Stamps(); err != nil || usable(s) != 0 {
				t.Errorf("%+v, %v", s, err)
			}
			if b, err := c.Bytes(f); err != nil || int64(len(b)) != f.Size {
				t.Errorf("file and bytes do not agree: %d, %d, %v", f.Size, len(b), err)
			}
		})
	}
}

func TestBytes_fails_when_the_file_changed_meanwhile(t *testing.T) {
	for name, change := range map[string]func(p string) error{
		"other bytes": func(p string) error { return os.WriteFile(p, []byte("two"), 0o644) },
		"gone":        os.Remove,
		"a link now":  func(p string) error { return errors.Join(os.Remove(p), os.Symlink("/etc/passwd", p)) },
	} {
		dir := t.TempDir()
		write(t, dir, "a", "one", 0o644)
		c := &Capture{Host: machine(t, dir, nil)}
		f, err := c.File("a", "")
		must(t, err, change(filepath.Join(dir, "a")))
		if b, err := c.Bytes(f); err != nil || string(b) != "one" { // what was captured, at hand once
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if b, err := c.Bytes(f); err == nil {
			t.Errorf("%s: %q", name, b)
		}
	}
}

func TestCapture_at_once_from_many(t *testing.T) {
	dir := t.TempDir()
	names := []string{"a", "b", "c", "d"}
	for _, n := range names {
		write(t, dir, n, n, 0o644)
	}
	h := &counting{Host: machine(t, dir, nil), ahead: time.Hour}
	// A file that changes with every read must still be one file to everybody.
	h.hook = func(p string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		os.WriteFile(filepath.Join(dir, p), []byte(strings.Repeat("x", len(h.reads))), 0o644)
	}
	var mu sync.Mutex
	sums := map[string]map[string]bool{}
	c := &Capture{Host: h, Keep: func(string, []byte) {}}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for _, n := range names {
				f, err := c.File(n, snapshot.Shared)
				if err != nil {
					t.Error(err)
				}
				for range c.Stamps() { // walked while others write
				}
				mu.Lock()
				if sums[n] == nil {
					sums[n] = map[string]bool{}
				}
				sums[n][f.SHA256] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, n := range names {
		if len(sums[n]) != 1 {
			t.Errorf("%s: %d digests", n, len(sums[n]))
		}
	}
	if len(h.reads) != len(names) {
		t.Errorf("%d reads of %d files", len(h.reads), len(names))
	}
}

func TestSensitive(t *testing.T) {
	for want, names := range map[bool]string{
		true: ".env .ENV .env.local .env.production .env-prod .env_prod .envrc .env.district production.env app.env sub/.env .npmrc web/.npmrc .netrc .pgpass " +
			".git-credentials credentials.json module_conf.json .htpasswd id_rsa id_ed25519 dump.pm2 dump.pm2.bak server.pem tls.KEY a.p12 a.pfx",
		false: ".env.example .env.sample .env.production.example .env-template .env.dist .env.defaults example.env .environment/x env a.environment id_rsa.pub keys.js " +
			"package.json pem key.go dump.js .env/x",
	} {
		for _, n := range strings.Fields(names) {
			if Sensitive(n) != want {
				t.Errorf("%s: %v", n, !want)
			}
		}
	}
}

func TestContext(t *testing.T) {
	dir := repository(t)
	write(t, dir, ".gitignore", "out/\nbuilt/.nvmrc\n", 0o644)
	for _, n := range []string{"package.json", "web/package.json", ".nvmrc", ".node-version", "pnpm-workspace.yaml", ".env", ".env.example", "web/.env.sample", "production.env.example",
		"node_modules/x/package.json", "web/vendor/package.json", "out/package.json", "built/.nvmrc", "other.json", "gone/package.json", "run/package.json"} {
		write(t, dir, n, n, 0o644)
	}
	must(t, os.Chmod(filepath.Join(dir, "run/package.json"), 0o755), os.Mkdir(filepath.Join(dir, "linked"), 0o755),
		os.Symlink("../package.json", filepath.Join(dir, "linked/package.json")))
	run(t, dir, "add", "-f", ".")
	run(t, dir, "rm", "-q", "--cached", "out/package.json", "built/.nvmrc")
	must(t, os.Remove(filepath.Join(dir, "gone/package.json")))
	h := machine(t, dir, nil)
	_, tr, _, _ := tree(t, h)
	var got []string
	for _, f := range Context(&Session{Host: h, Tree: tr, Files: &Capture{Host: h}}) {
		got = append(got, f.Path)
		if f.Role != snapshot.Shared || f.SHA256 != snapshot.Sum([]byte(f.Path)) {
			t.Errorf("%+v", f)
		}
	}
	same(t, got, ".env.example", ".node-version", ".nvmrc", "package.json", "pnpm-workspace.yaml", "run/package.json", "web/.env.sample", "web/package.json")
}

func TestVendored(t *testing.T) {
	for p, want := range map[string]bool{"node_modules/x": true, "a/vendor/b/c": true, "vendor": false, "a/vendor": false, "vendored/x": false, "a/.venv/lib/x.py": true, "x": false, "build/x": false} {
		if Vendored(p) != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
}

// usable counts the stamps that can match a file.
func usable(m map[string]Stamp) (n int) {
	for _, s := range m {
		if s.Stat != (host.Stat{}) {
			n++
		}
	}
	return n
}

func TestCapture_reads_a_file_once(t *testing.T) {
	dir := t.TempDir()
	h := &counting{Host: machine(t, dir, nil)}
	c := &Capture{Host: h}
	for i := range 200 {
		n := strconv.Itoa(i)
		write(t, dir, n, n, 0o644)
		f, err := c.File(n, "")
		must(t, err)
		if b, err := c.Bytes(f); err != nil || string(b) != n {
			t.Fatalf("%q, %v", b, err)
		}
	}
	if len(h.reads) != 200 {
		t.Errorf("200 files were read %d times", len(h.reads))
	}
}
