package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/audit/condition"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/rules/action"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

const mending = `version: 1
rules:
  - id: mend
    system: scripts
    when: 'finding("script-syntax")'
    for: 1
    cooldown: 1m
    action: {type: file.restore}
`

const goodScript, badScript = "#!/bin/sh\necho good\n", "#!/bin/sh\nif true; then\n"

// A project is a folder with one script and a store, with the real collectors
// and checks.
type project struct {
	t     *testing.T
	root  string
	now   time.Time
	rules string
}

func newProject(t *testing.T) *project {
	p := &project{t: t, root: t.TempDir(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), rules: mending}
	p.write("tools/x.sh", goodScript)
	return p
}

// write writes a file that was last changed two hours ago.
func (p *project) write(name, text string) {
	p.t.Helper()
	file := filepath.Join(p.root, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o755), os.Chtimes(file, p.now, p.now.Add(-2*time.Hour))); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) read(name string) string {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.root, filepath.FromSlash(name)))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

func (p *project) runner(mode string) *Runner {
	p.t.Helper()
	h, err := host.New(p.root, func(k string) string { return map[string]string{"PATH": os.Getenv("PATH"), "HOME": p.root}[k] }, func() time.Time { p.now = p.now.Add(time.Millisecond); return p.now })
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { h.Close() })
	ids := []string{}
	for _, c := range check.All() {
		ids = append(ids, c.ID)
	}
	set, err := rules.Parse("audit.rules.yaml", []byte(p.rules), rules.Vocabulary{Vocabulary: condition.Vocabulary{Checks: ids}, Actions: action.All()})
	if err != nil {
		p.t.Fatal(err)
	}
	set.Trust()
	return &Runner{Host: h, Config: &Config{Only: []snapshot.System{snapshot.Scripts}}, Collectors: all.Collectors, Checks: check.All(), Store: filepath.Join(p.root, ".audit", "audit.db"),
		Version: "test", Recovery: mode, Rules: set}
}

// run audits a quarter of an hour after the run before.
func (p *project) run(mode string) *report.Document {
	p.t.Helper()
	p.now = p.now.Add(15 * time.Minute)
	doc, err := p.runner(mode).Run(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return doc
}

// journal returns the phases of what recovery did, in order.
func (p *project) journal() (out []string) {
	p.t.Helper()
	p.entries(func(e rules.Entry) { out = append(out, e.Phase) })
	return out
}

// steps returns the ids of what recovery did, each once.
func (p *project) steps() (out []string) {
	p.t.Helper()
	p.entries(func(e rules.Entry) {
		if id := e.Data["id"]; !slices.Contains(out, id) {
			out = append(out, id)
		}
	})
	return out
}

// entries goes through what recovery wrote into the journal of its steps.
func (p *project) entries(fn func(rules.Entry)) {
	p.t.Helper()
	st, err := store.Open(filepath.Join(p.root, ".audit", "audit.db"), store.Options{ReadOnly: true})
	if err != nil {
		p.t.Fatal(err)
	}
	defer st.Close()
	err = st.View(func(tx *store.Tx) error {
		_, err := VerifyJournal(tx, func(e rules.Entry, _ string) {
			if e.Command == "recover" && !strings.Contains(e.What, "what an interrupted action left") {
				fn(e)
			}
		})
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// The bytes that an action overwrites are those that an undo brings back.
func TestUndo(t *testing.T) {
	p := newProject(t)
	p.run("plan")
	p.write("tools/x.sh", badScript)
	doc := p.run("apply")
	if p.read("tools/x.sh") != goodScript || len(doc.Recovery.Steps) != 1 || doc.Recovery.Steps[0].Status != "done" {
		t.Fatalf("%q, %+v", p.read("tools/x.sh"), doc.Recovery)
	}
	id := doc.Recovery.Steps[0].ID
	if _, err := p.runner("apply").Undo(id); err != nil {
		t.Fatal(err)
	}
	if p.read("tools/x.sh") != badScript {
		t.Errorf("%q", p.read("tools/x.sh"))
	}
	p.write("tools/x.sh", "#!/bin/sh\n# another hand\n")
	if _, err := p.runner("apply").Undo(id); err == nil || p.read("tools/x.sh") != "#!/bin/sh\n# another hand\n" {
		t.Errorf("an undo overwrites what it did not write: %v", err)
	}
}

// A version of which a check found something bad is not good, however new it is.
func TestLastGood(t *testing.T) {
	p := newProject(t)
	p.run("plan")
	p.write("tools/x.sh", badScript)
	p.run("plan")
	p.write("tools/x.sh", "#!/bin/sh\nif false; then\n")
	p.run("plan")
	st, err := store.Open(filepath.Join(p.root, ".audit", "audit.db"), store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	err = st.View(func(tx *store.Tx) error {
		v, err := Load(tx, tx.Seq(), all.Collectors, check.All())
		if err != nil {
			return err
		}
		f, seq, err := Sources(t.Context(), p.runner("plan").Host, tx, v).LastGood(v.Snapshot.Item("scripts/tools/x.sh"), audit.High)
		if err != nil || seq != 1 || f.SHA256 != snapshot.Sum([]byte(goodScript)) {
			t.Errorf("#%d %s %v", seq, f.SHA256, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// That an incident is given up is told once, and nothing more is done about it.
func TestGivenUp(t *testing.T) {
	p := newProject(t)
	p.run("plan")
	p.write("tools/x.sh", badScript)
	for range 8 { // somebody breaks it again and again
		p.run("apply")
		p.write("tools/x.sh", badScript)
	}
	journal := strings.Join(p.journal(), " ")
	if strings.Count(journal, "intent") != 3 || strings.Count(journal, "given up") != 1 {
		t.Errorf("%s", journal)
	}
}

// Whatever a store says, nothing is written into the folders of git and of audit.
func TestWrite_nowhere_else(t *testing.T) {
	p := newProject(t)
	p.run("plan")
	s, done, err := p.runner("apply").site()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	for _, name := range []string{".git/hooks/post-checkout", ".GIT/config", "./.git/x", ".audit/.gitignore", "../x", "/tmp/x"} {
		if err := s.Write(rules.Write{Path: name, Sum: snapshot.Sum([]byte("x")), Mode: 0o755, New: []byte("x")}); err == nil || p.has(name) && name != ".audit/.gitignore" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Write(rules.Write{Path: "tools/new.sh", Sum: snapshot.Sum([]byte("x")), Mode: 0o755, New: []byte("x")}); err != nil || !p.has("tools/new.sh") {
		t.Errorf("%v", err)
	}
}
