//go:build unix

package action

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"healthaudit/rules"
)

// One entry that does not start is no reason to leave those after it down; of a
// daemon that dies no more is asked.
func TestRevive(t *testing.T) {
	b := newBed(t)
	b.Dump(b.Entry("a"), b.Entry("bad"), b.Entry("c"), b.Entry("d"))
	entries, err := resurrectable(b.host, b.Home)
	if err != nil {
		t.Fatal(err)
	}
	b.Deny("bad")
	err = revive(t.Context(), b.host, b.Home, entries)
	if err == nil || !strings.HasPrefix(err.Error(), "bad did not start: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"a", "c", "d"} {
		if len(b.Of(name)) != 1 {
			t.Errorf("%s is not listed: %v", name, b.Calls())
		}
	}
	b.Forget()
	b.Answer("getMonitorData", "")
	if err := revive(t.Context(), b.host, b.Home, entries); err == nil || !strings.Contains(err.Error(), "after 2 of 4 processes the daemon does not answer") || len(b.Calls()) != 2 {
		t.Errorf("%v, %v", err, b.Calls())
	}
}

// A process that survived the daemon is found by the pid file that the saved list
// names, wherever that lies, and whatever number PM2 put into its name.
func TestOrphans(t *testing.T) {
	sleep := exec.Command("sleep", "1000")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sleep.Process.Kill(); _ = sleep.Wait() }()
	pid := strconv.Itoa(sleep.Process.Pid)
	for name, c := range map[string]struct {
		saved, there string // pid file as the list has it, and as it stands; below the home, or run
		want         bool
	}{
		"in_the_home":         {"home/pids/api-0.pid", "home/pids/api-0.pid", true},
		"in_the_home_unsaved": {"home/pids/api-0.pid", "home/pids/gone-7.pid", true},
		"elsewhere":           {"run/api-0.pid", "run/api-0.pid", true},
		"another_number":      {"run/api-0.pid", "run/api-12.pid", true},
		"as_it_was_declared":  {"run/api.pid", "run/api-3.pid", true},
		"somebody_elses":      {"run/api-0.pid", "run/postgres.pid", false},
		"no_folder":           {"none/api.pid", "run/postgres.pid", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			run := t.TempDir()
			at := func(file string) string {
				if rest, ok := strings.CutPrefix(file, "home/"); ok {
					return filepath.Join(b.Home, rest)
				}
				return filepath.Join(run, file)
			}
			if err := os.MkdirAll(filepath.Dir(at(c.there)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at(c.there), []byte(pid+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			b.Dump(b.changed("api", "pm_pid_path", at(c.saved)))
			entries, err := resurrectable(b.host, b.Home)
			if err != nil {
				t.Fatal(err)
			}
			err = orphans(b.host, b.Home, entries)
			if _, refused := err.(*rules.Refusal); refused != c.want || (err != nil) != c.want || c.want && !strings.Contains(err.Error(), "process "+pid+", which PM2 started, still runs") {
				t.Errorf("%v", err)
			}
		})
	}
}
