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
	p := &project{t: t, root: root, now: time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC), rules: os.Getenv("AUDIT_TEST_RULES")}
	q := Request{wrap: func(s rules.Site) rules.Site { return &killer{s, n} }}
	if _, _, err := p.runner("apply").Apply(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

// killedAt has another process apply the rules, and be killed at that call; false
// is that there is no such call.
func (p *project) killedAt(at int) bool {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$", "-test.v")
	cmd.Env = append(os.Environ(), "AUDIT_TEST_ROOT="+p.root, "AUDIT_TEST_KILL="+strconv.Itoa(at), "AUDIT_TEST_RULES="+p.rules)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		p.t.Fatalf("killed at %d: %v\n%s", at, err, out)
	}
	return true
}

// Killed before and after every step, the next runs bring the file back, with
// an unbroken journal, at most one more attempt, and nothing left behind.
func TestApply_survives_kill_9(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes: make test runs it")
	}
	killed, swept, later := 0, 0, 0
	for at := 1; at < 30; at++ {
		p := newProject(t)
		p.run("plan")
		p.write("tools/x.sh", badScript)
		p.run("plan")
		if !p.killedAt(at) {
			break // there is no such step any more
		}
		killed++
		p.now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
		p.write("tools/.audit-restore-0000000000000000", "of another restore, which is under way")
		mine := filepath.Join(p.root, "tools", ".audit-restore-0000000000000000")
		p.write("tools/.audit-restore-1111111111111111", "of the one that was killed")
		p.aged("tools", mine)
		p.run("apply")
		if !p.has("tools/.audit-restore-0000000000000000") {
			t.Errorf("killed at %d: what is under way was swept", at)
		}
		p.run("apply") // 15 minutes later nothing is under way any more
		if os.Remove(mine) != nil {
			later++
		}
		if os.Remove(filepath.Join(p.root, "tools", ".audit-restore-1111111111111111")) != nil {
			swept++
		}
		journal := p.journal()
		if p.read("tools/x.sh") != goodScript || len(journal) == 0 || journal[len(journal)-1] != "done" {
			t.Errorf("killed at %d: the file is %q, the journal says %v", at, p.read("tools/x.sh"), journal)
		}
		if n := strings.Count(strings.Join(journal, " "), "intent"); n > 2 || n != len(journal)-n {
			t.Errorf("killed at %d: journal %v", at, journal)
		}
		for _, id := range p.steps() {
			p.runner("apply").Undo(id)
		}
		if p.read("tools/x.sh") != badScript {
			t.Errorf("killed at %d: an undo brings back %q", at, p.read("tools/x.sh"))
		}
		left, _ := filepath.Glob(filepath.Join(p.root, "tools", ".*"))
		if len(left) > 0 {
			t.Errorf("killed at %d: left behind %v", at, left)
		}
	}
	if killed < 10 || swept == 0 || later == 0 {
		t.Errorf("killed at %d moments only, and swept after %d of them, later after %d", killed, swept, later)
	}
}

// aged makes what a kill left in a folder an hour old, but for one file, which is new.
func (p *project) aged(folder, young string) {
	p.t.Helper()
	left, _ := filepath.Glob(filepath.Join(p.root, folder, ".audit-restore-*"))
	for _, file := range append(left, filepath.Join(p.root, folder)) {
		old := p.now.Add(-time.Hour)
		if file == young {
			old = p.now.Add(15 * time.Minute) // when the next run is
		}
		if err := os.Chtimes(file, old, old); err != nil {
			p.t.Fatal(err)
		}
	}
}

// writeMender writes a program that notes its run in a file, does something more,
// and mends the script that it is given.
func writeMender(t *testing.T, tool, ran, more string) {
	t.Helper()
	text := "#!/bin/sh\necho x >>" + ran + "\n" + more + "printf '#!/bin/sh\\necho good\\n' >\"$1\"\n"
	if err := os.WriteFile(tool, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// A program that may run once only has run once at most, whenever audit is
// killed, the program itself included; the next run knows how it is, and does
// not do it again before its time.
func TestCommand_survives_kill_9(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes: make test runs it")
	}
	killed := 0
	for at := 0; at < 30; at++ { // 0: the program kills audit in the middle of what it does
		p := newProject(t)
		ran, tool := filepath.Join(t.TempDir(), "ran"), filepath.Join(t.TempDir(), "tool")
		kill := ""
		if at == 0 {
			kill = "kill -9 $PPID\n"
		}
		writeMender(t, tool, ran, kill)
		p.rules = "version: 1\nrules:\n  - {id: mend, system: scripts, when: 'finding(\"script-syntax\")', for: 1, cooldown: 12h, action: {type: command, argv: [" + tool + ", \"{{item.path}}\"]}}\n"
		p.run("plan")
		p.write("tools/x.sh", badScript)
		p.run("plan")
		if !p.killedAt(at) {
			break
		}
		killed++
		for range 100 { // the program outlives audit, for a moment
			if at > 0 || p.read("tools/x.sh") == goodScript {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		p.now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
		p.run("apply")
		p.run("apply")
		b, _ := os.ReadFile(ran)
		journal := strings.Join(p.journal(), " ")
		if n := strings.Count(string(b), "x"); n > 1 || strings.Count(journal, "intent") > 1 || strings.HasSuffix(journal, "intent") || strings.HasSuffix(journal, "executed") {
			t.Errorf("killed at %d: it ran %d times, journal %s", at, n, journal)
		}
		if good := p.read("tools/x.sh") == goodScript; good != strings.HasSuffix(journal, "done") {
			t.Errorf("killed at %d: mended is %v, the journal says %s", at, good, journal)
		}
	}
	if killed < 9 {
		t.Errorf("killed at %d moments only", killed)
	}
}

// Copies that are moved are never lost: whenever audit is killed, each stands in
// the project, or in the store, from where it comes back.
func TestLitterArchive_survives_kill_9(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes: make test runs it")
	}
	killed := 0
	for at := 1; at < 30; at++ {
		p := littered(t)
		p.run("plan")
		if !p.killedAt(at) {
			break
		}
		killed++
		p.now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
		p.run("apply")
		p.run("apply")
		if p.has("tools/x.sh.bak") || p.has("tools/x.sh~") || !p.has("tools/used.sh.old") {
			t.Errorf("killed at %d: it does not converge, journal %v", at, p.journal())
		}
		journal := strings.Join(p.journal(), " ")
		if strings.HasSuffix(journal, "intent") || strings.Count(journal, "intent") > 2 {
			t.Errorf("killed at %d: journal %s", at, journal)
		}
		for _, id := range p.steps() {
			p.runner("apply").Undo(id)
		}
		if p.read("tools/x.sh.bak") != "old\n" || p.read("tools/x.sh~") != "older\n" {
			t.Errorf("killed at %d: the copies are not what they were", at)
		}
	}
	if killed < 9 {
		t.Errorf("killed at %d moments only", killed)
	}
}
