//go:build unix

package pipeline

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
)

// A killer ends the process, as kill -9 does, before or after one of the calls.
type killer struct {
	rules.Site
	left int
}

func (k *killer) tick() {
	if k.left--; k.left == 0 {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (k *killer) Look(ctx context.Context, key snapshot.Key, fn func(*rules.Subject, *rules.Preparation) error) error {
	k.tick()
	defer k.tick()
	return k.Site.Look(ctx, key, fn)
}

func (k *killer) Commit(st rules.State, e rules.Entry, before []rules.Write) error {
	k.tick()
	defer k.tick()
	return k.Site.Commit(st, e, before)
}

func (k *killer) Write(w rules.Write) error {
	k.tick()
	defer k.tick()
	return k.Site.Write(w)
}

// TestKilledChild is the process that TestApply_survives_kill_9 kills.
func TestKilledChild(t *testing.T) {
	root, at := os.Getenv("AUDIT_TEST_ROOT"), os.Getenv("AUDIT_TEST_KILL")
	if root == "" {
		t.Skip("it is started by another test")
	}
	n, _ := strconv.Atoi(at)
	p := &project{t: t, root: root, now: time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)}
	q := Request{wrap: func(s rules.Site) rules.Site { return &killer{s, n} }}
	if _, _, err := p.runner("apply").Apply(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

// Killed before and after every step, the next runs bring the file back, with
// an unbroken journal, at most one more attempt, and nothing left behind.
func TestApply_survives_kill_9(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes")
	}
	killed := 0
	for at := 1; at < 30; at++ {
		p := newProject(t)
		p.run("plan")
		p.write("tools/x.sh", badScript)
		p.run("plan")
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$", "-test.v")
		cmd.Env = append(os.Environ(), "AUDIT_TEST_ROOT="+p.root, "AUDIT_TEST_KILL="+strconv.Itoa(at))
		out, err := cmd.CombinedOutput()
		if err == nil {
			break // there is no such step any more
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("killed at %d: %v\n%s", at, err, out)
		}
		killed++
		p.now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
		p.run("apply")
		p.run("apply")
		journal := p.journal()
		if p.read("tools/x.sh") != goodScript || len(journal) == 0 || journal[len(journal)-1] != "done" {
			t.Errorf("killed at %d: the file is %q, the journal says %v", at, p.read("tools/x.sh"), journal)
		}
		if n := strings.Count(strings.Join(journal, " "), "intent"); n > 2 || n != len(journal)-n {
			t.Errorf("killed at %d: journal %v", at, journal)
		}
		left, _ := filepath.Glob(filepath.Join(p.root, "tools", ".*"))
		if len(left) > 0 {
			t.Errorf("killed at %d: left behind %v", at, left)
		}
	}
	if killed < 10 {
		t.Errorf("killed at %d moments only", killed)
	}
}
