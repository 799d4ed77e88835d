//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot/collect/collecttest"
)

// large makes a project of which a first run keeps so much that it begins with that
// before the run is known to be kept.
func large(t *testing.T) string {
	t.Helper()
	dir := site(t)
	for i := range 60 {
		collecttest.WriteFile(t, dir, fmt.Sprintf("scripts/large%d.sh", i), []byte("echo "+strings.Repeat(noise()+" ", 150)+"\n"))
	}
	return dir
}

func storeStats(t *testing.T, dir string) (s report.StatsView) {
	t.Helper()
	r := invoke(t, dir, nil, "--root", dir, "store", "stats", "--format", "json")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		t.Fatalf("exit %d %s: %v", r.code, r.err, err)
	}
	return s
}

// toldOf is what a run tells of items and findings, of a first run that was untroubled.
func toldOf(d *report.Document) string {
	var b strings.Builder
	for _, it := range d.Items {
		fmt.Fprintln(&b, it.Key, it.Level, it.Files)
	}
	for _, f := range d.Findings {
		fmt.Fprintln(&b, f.ID, f.Status, f.Message)
	}
	return b.String()
}

// A large first run that is killed, or for which the disk is too small, leaves at most
// what is known by its content: the next one is the first, and as if nothing had been.
func TestFirstRun_that_fails(t *testing.T) {
	r := faults(t)
	dir := large(t)
	first, took := document(t, dir, nil)
	want := toldOf(first)
	again := func(what string) {
		t.Helper()
		if v := invoke(t, dir, nil, "--root", dir, "store", "verify"); v.code != exitOK && v.code != exitUsage {
			t.Fatalf("%s: exit %d\n%s%s", what, v.code, v.out, v.err)
		}
		if _, err := os.Stat(filepath.Join(dir, ".audit", "audit.db")); err == nil {
			if storeStats(t, dir).Snapshots == 1 {
				return // killed after it was kept
			}
		}
		d, run := document(t, dir, nil)
		if d.Run.Seq != 1 || toldOf(d) != want || d.Archive == nil {
			t.Fatalf("%s: the next run is #%d, exit %d, and tells something else\n%s", what, d.Run.Seq, run.code, run.err)
		}
		if v := invoke(t, dir, nil, "--root", dir, "archive", "verify"); v.code != exitOK {
			t.Fatalf("%s: exit %d\n%s%s", what, v.code, v.out, v.err)
		}
	}
	for i := range 3 {
		os.RemoveAll(filepath.Join(dir, ".audit"))
		cmd := exec.Command("audit", "--root", dir, "-q", "--fail-on", "never")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(took.took/2+time.Duration(r.Int64N(int64(took.took/2))), func() { cmd.Process.Kill() })
		cmd.Wait()
		timer.Stop()
		again(fmt.Sprintf("after kill %d", i))
	}
	size := int(storeStats(t, dir).FileBytes / 512)
	for range 3 {
		os.RemoveAll(filepath.Join(dir, ".audit"))
		limit := size/2 + r.IntN(size/2)
		cmd := exec.Command("sh", "-c", fmt.Sprintf("ulimit -f %d; trap '' XFSZ; exec %s --root %s -q --fail-on never", limit, exePath(t), dir))
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != exitAction && code != exitOK {
			t.Errorf("room for %d blocks: exit %d: %s", limit, code, out)
		}
		again(fmt.Sprintf("room for %d blocks", limit))
	}
}

// A large first run whose archive fails is judged again with that, and kept.
func TestFirstRun_whose_archive_fails(t *testing.T) {
	dir := large(t)
	collecttest.WriteFile(t, dir, "audit.yaml", []byte("archive: {copy_to: README.md/no}\n"))
	d, r := document(t, dir, nil, "--fail-on", "never")
	found := false
	for _, f := range d.Findings {
		found = found || f.Check == "audit-archive-failed"
	}
	if r.code != exitAction || !found || d.Archive != nil || d.Run.Seq != 1 {
		t.Errorf("exit %d, archive %v, run #%d, the finding is there: %v\n%s", r.code, d.Archive, d.Run.Seq, found, r.err)
	}
	if s := storeStats(t, dir); s.Snapshots != 1 || s.Blobs < 60 {
		t.Errorf("%+v", s)
	}
	if v := invoke(t, dir, nil, "--root", dir, "store", "verify"); v.code != exitOK {
		t.Errorf("exit %d\n%s%s", v.code, v.out, v.err)
	}
	if list, _ := os.ReadDir(filepath.Join(dir, ".audit", "archives")); len(list) > 0 {
		t.Errorf("left behind: %v", list)
	}
}
