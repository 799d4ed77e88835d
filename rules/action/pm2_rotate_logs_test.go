//go:build unix

package action

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// One run rotates so many bytes and no more, the largest first, and only what its
// disk has room for together.
func TestAffordable(t *testing.T) {
	disk := func(size, free int64) *host.Space { return &host.Space{Size: size, Free: free} }
	for name, c := range map[string]struct {
		logs []large
		want string // of files; a refusal when it is none of them
	}{
		"all":                       {[]large{{"a", 1, 60, nil}, {"b", 2, 40, nil}}, "a b"},
		"the_largest":               {[]large{{"a", 1, 60, nil}, {"b", 2, 50, nil}}, "a"},
		"what_fits_beside_it":       {[]large{{"a", 1, 60, nil}, {"b", 2, 50, nil}, {"c", 3, 30, nil}}, "a c"},
		"one_that_is_too_large":     {[]large{{"a", 1, 101, nil}}, "a has 0 MB, and at most 0 MB are rotated"},
		"beside_one_too_large":      {[]large{{"a", 1, 101, nil}, {"b", 2, 50, nil}}, "b"},
		"room_for_each_but_not_all": {[]large{{"a", 1, 50, disk(1000, 13)}, {"b", 2, 40, disk(1000, 13)}}, "a"},
		"room_on_two_disks":         {[]large{{"a", 1, 50, disk(1000, 13)}, {"b", 2, 40, disk(2000, 13)}}, "a b"},
		"no_room":                   {[]large{{"a", 1, 50, disk(1000, 11)}}, "the disk has no room to compress a"},
	} {
		files, bytes, err := affordable(c.logs, 100)
		var got []string
		var sum int64
		for _, l := range c.logs {
			if inode, ok := files[l.file]; ok && inode == l.inode {
				got, sum = append(got, l.file), sum+l.bytes
			}
		}
		if err != nil {
			got = []string{refusal(t, err)}
		}
		if s := strings.Join(got, " "); !strings.HasPrefix(s, c.want) || bytes != sum || len(s) > len(c.want) && err == nil {
			t.Errorf("%s: %q, %d bytes of %d", name, s, bytes, sum)
		}
	}
}

// What is left of an earlier rotation is compressed as well, and so it counts.
func TestOversized(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	b.Add("web", "online", map[string]any{"pm_log_path": filepath.Join(b.Home, "logs", "web.log")})
	b.file("logs/web.log", strings.Repeat("x", 800))
	b.file("logs/api-out.log", strings.Repeat("x", 1000))
	b.file("logs/api-out.log.20260101T000000Z", strings.Repeat("x", 500))
	b.file("logs/api-out.log.20250101T000000Z.gz", strings.Repeat("x", 5000))
	b.file("logs/web-out.log", strings.Repeat("x", 1200))
	b.file("logs/web-error.log", "x")
	procs, err := listed(t.Context(), b.host, b.Home)
	if err != nil {
		t.Fatal(err)
	}
	logs, err := oversized(b.host, procs, 100)
	if err != nil || len(logs) != 3 || filepath.Base(logs[0].file) != "api-out.log" || logs[0].bytes != 1500 || logs[1].bytes != 1200 || filepath.Base(logs[2].file) != "web.log" || logs[0].inode == 0 {
		t.Errorf("%+v, %v", logs, err)
	}
}

// What one run leaves, the next rotates.
func TestPM2RotateLogs_in_portions(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	b.app("api", "online").Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
	b.file("logs/api-out.log", strings.Repeat("precious\n", 170_000))
	b.file("logs/api-error.log", strings.Repeat("precious\n", 160_000))
	params := map[string]string{"min_mb": "1", "max_mb": "2"}
	for _, want := range []string{"api-out.log", "api-error.log"} {
		e, err := b.prepare(PM2RotateLogs, "pm2/daemon", params)
		if err != nil || !strings.HasPrefix(e.What, "rotate "+want+" (1 MB)") || strings.HasSuffix(e.What, "; 1 more wait for a later run") != (want == "api-out.log") {
			t.Fatalf("%+v, %v", e, err)
		}
		if _, err := b.act(PM2RotateLogs, "pm2/daemon", params); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(b.Home, "logs", want+".*Z.gz")); len(left) != 1 {
			t.Errorf("%s: %v", want, left)
		}
	}
	if _, err := b.prepare(PM2RotateLogs, "pm2/daemon", params); !strings.Contains(refusal(t, err), "no log of an app has 1 MB") {
		t.Errorf("%v", err)
	}
}

// When the time is over, a log is whole under its new name, and the next rotation
// of it compresses that too.
func TestPM2RotateLogs_out_of_time(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	b.app("api", "online").Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
	log := "logs/api-out.log"
	b.file(log, "precious")
	e, err := b.prepare(PM2RotateLogs, "pm2/daemon", map[string]string{"min_mb": "0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := b.hand()
	h.Pause = func(context.Context, time.Duration) { cancel() } // while it comes to rest
	_, err = PM2RotateLogs.Do(ctx, h, *e.Deed)
	left, _ := filepath.Glob(filepath.Join(b.Home, log+".*"))
	if err == nil || !strings.Contains(err.Error(), "the time for it is over") || len(left) != 1 || !strings.HasSuffix(left[0], "Z") {
		t.Fatalf("%v, left %v", err, left)
	}
	if text, err := os.ReadFile(left[0]); string(text) != "precious" {
		t.Errorf("%q, %v", text, err)
	}
	if err := os.Rename(left[0], filepath.Join(b.Home, log+".20260101T000000Z")); err != nil { // or the second is put aside in the same second
		t.Fatal(err)
	}
	b.file(log, "and more")
	if _, err := b.act(PM2RotateLogs, "pm2/daemon", map[string]string{"min_mb": "0"}); err != nil {
		t.Fatal(err)
	}
	if left, _ = filepath.Glob(filepath.Join(b.Home, log+".*")); len(left) != 2 || slices.ContainsFunc(left, func(s string) bool { return !strings.HasSuffix(s, ".gz") }) {
		t.Errorf("left %v", left)
	}
}

func TestPM2RotateLogs(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	it := b.app("api", "online")
	it.Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
	log := filepath.Join(b.Home, "logs", "api-out.log")
	write := func(text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o755), os.WriteFile(log, []byte(text), 0o640)); err != nil {
			t.Fatal(err)
		}
	}
	for i, stamp := range []string{"20200101T000000Z", "20210101T000000Z", "20220101T000000Z"} {
		write("x")
		if err := os.Rename(log, log+"."+stamp+".gz"); err != nil {
			t.Fatal(i, err)
		}
	}
	write(strings.Repeat("line\n", 1000))
	if err := os.WriteFile(log+".mine", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := b.act(PM2RotateLogs, "pm2/daemon", map[string]string{"min_mb": "0", "keep": "2"}); err != nil || !slices.Equal(b.Calls(), []string{"reloadLogs"}) {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	left, _ := filepath.Glob(log + "*")
	if len(left) != 4 || left[1] != log+".20220101T000000Z.gz" || !strings.HasSuffix(left[2], "Z.gz") || left[3] != log+".mine" {
		t.Errorf("left: %q", left)
	}
	if st, err := os.Stat(left[2]); err != nil || st.Mode().Perm() != 0o640 || st.Size() == 0 || st.Size() > 1000 {
		t.Errorf("%v %v", st, err)
	}
}

// A log that PM2 does not open anew gets its name back.
func TestPM2RotateLogs_deaf_daemon(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	b.app("api", "online").Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
	log := filepath.Join(b.Home, "logs", "api-out.log")
	if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o755), os.WriteFile(log, []byte("precious"), 0o640)); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"args":[{}]}`, `{"error":"s3cret"}`} {
		b.Answer("reloadLogs", body)
		_, err := b.act(PM2RotateLogs, "pm2/daemon", map[string]string{"min_mb": "0"})
		text, rerr := os.ReadFile(log)
		if err == nil || string(text) != "precious" || rerr != nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, the log is %q, %v", body, err, text, rerr)
		}
	}
}

// A log that cannot be packed under its name stays.
func TestPack_where_its_name_is_taken(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := errors.Join(root.WriteFile("api.log.1", []byte("lines"), 0o600), root.MkdirAll("api.log.1.gz/x", 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := pack(t.Context(), root, "api.log.1", 5); err == nil {
		t.Error("it was packed")
	}
	if b, err := root.ReadFile("api.log.1"); err != nil || string(b) != "lines" {
		t.Errorf("%q %v", b, err)
	}
	if _, err := root.Lstat("api.log.1.gz.audit-new"); err == nil {
		t.Error("a part is left")
	}
}
