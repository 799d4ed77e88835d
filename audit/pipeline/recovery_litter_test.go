package pipeline

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/host"
)

const tidying = `version: 1
rules:
  - {id: tidy, system: scripts, when: 'finding("cross-backup-litter")', for: 1, cooldown: 1m, action: {type: litter.archive}}
`

// littered is a project with copies beside a script.
func littered(t *testing.T) *project {
	p := newProject(t)
	p.rules = tidying
	p.write("tools/x.sh.bak", "old\n")
	p.write("tools/x.sh~", "older\n")
	p.write("tools/y.sh", "#!/bin/sh\nsh tools/used.sh.old\n")
	p.write("tools/used.sh.old", "in use\n")
	p.write("tools/.env.bak", "TOKEN=Tr0ub4dor\n")
	return p
}

func (p *project) has(name string) bool {
	_, err := os.Lstat(filepath.Join(p.root, filepath.FromSlash(name)))
	return err == nil
}

// Copies go into the store and come back from there, whole; what is in use, holds
// secrets, or was changed just now stays; that it stays is no failure.
func TestLitterArchive(t *testing.T) {
	p := littered(t)
	p.run("plan")
	p.write("tools/fresh.sh.bak", "x\n")
	if err := os.Chtimes(filepath.Join(p.root, "tools/fresh.sh.bak"), p.now, p.now.Add(14*time.Minute)); err != nil {
		t.Fatal(err)
	}
	doc := p.run("apply")
	if s := doc.Recovery.Steps; len(s) != 1 || s[0].Status != "done" || s[0].Item != "scripts/(system)" || strings.Join(s[0].Files, " ") != "tools/x.sh.bak tools/x.sh~" {
		t.Fatalf("%+v", s)
	}
	for name, want := range map[string]bool{"tools/x.sh.bak": false, "tools/x.sh~": false, "tools/used.sh.old": true, "tools/.env.bak": true, "tools/fresh.sh.bak": true} {
		if p.has(name) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
	if len(doc.Regressions) != 0 {
		t.Errorf("%+v", doc.Regressions)
	}
	id := doc.Recovery.Steps[0].ID
	p.now = p.now.Add(-5 * time.Minute)
	for range 3 { // what stays is refused, and no attempt is made or counted
		doc = p.run("apply")
		for _, s := range doc.Recovery.Steps {
			if s.Status != "skipped" && !strings.Contains(strings.Join(s.Files, " "), "fresh") {
				t.Errorf("%+v", s)
			}
		}
		if len(doc.Regressions) != 0 || len(stands(doc, "audit-recovery-exhausted")) != 0 {
			t.Errorf("%+v", doc.Regressions)
		}
	}
	if _, err := p.runner("apply").Undo(id); err != nil || p.read("tools/x.sh.bak") != "old\n" || p.read("tools/x.sh~") != "older\n" {
		t.Errorf("%v", err)
	}
	if st, err := os.Stat(filepath.Join(p.root, "tools/x.sh.bak")); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", st, err)
	}
	if doc := p.run("apply"); doc.Recovery.Steps[0].Skip != "exhausted" || !p.has("tools/x.sh.bak") {
		t.Errorf("what a person undid is done again: %+v", doc.Recovery.Steps)
	}
}

// A counting host counts how often git is asked for its folder.
type countingHost struct {
	host.Host
	asked int
}

func (h *countingHost) Run(ctx context.Context, c host.Command) (host.Result, error) {
	if slices.Contains(c.Args, "--absolute-git-dir") {
		h.asked++
	}
	return h.Host.Run(ctx, c)
}

// In the middle of a merge no copy is moved, however many there are, and git is
// asked once.
func TestLitterArchive_in_a_merge(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git")
	}
	p := littered(t)
	for i := range 30 {
		p.write(fmt.Sprintf("tools/x.sh.%02d.bak", i), "old\n")
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "tools/x.sh"}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"}, {"update-ref", "MERGE_HEAD", "HEAD"}} {
		cmd := exec.Command(git, args...)
		cmd.Dir = p.root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	p.now = p.now.Add(time.Hour)
	r := p.runner("plan")
	h := &countingHost{Host: r.Host}
	r.Host = h
	doc, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := doc.Recovery.Steps; len(s) != 1 || s[0].Status != "skipped" || h.asked != 1 {
		t.Errorf("%+v, git was asked %d times", s, h.asked)
	}
}

// Bytes that cannot be read back from where they are kept are not taken away.
func TestLitterArchive_reads_back(t *testing.T) {
	p := littered(t)
	p.run("plan")
	q := Request{wrap: lossy}
	d, _, err := p.runner("apply").Apply(t.Context(), q)
	if err != nil || d.Plan.Steps[0].Status != "failed" || !p.has("tools/x.sh.bak") || !p.has("tools/x.sh~") {
		t.Errorf("%v, %+v", err, d.Plan.Steps)
	}
}

// lossy is a site whose store does not keep what it is given.
func lossy(s rules.Site) rules.Site { return &losing{s} }

type losing struct{ rules.Site }

func (l *losing) Commit(st rules.State, e rules.Entry, _ []rules.Write) error {
	return l.Site.Commit(st, e, nil)
}
