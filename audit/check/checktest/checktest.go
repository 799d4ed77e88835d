// Package checktest runs the documented cases of checks.
//
// Every check has testdata/check/<id>/bad.txtar and good.txtar. The text before
// the first file describes the case and is printed in the documentation; then:
//
//	tree/…        the project now
//	before/…      the project at the reference (optional)
//	git           the project is a git repository, and all that it does not ignore is tracked (optional)
//	new.json      items added to the snapshot, or replacing one of the same key (optional)
//	old.json      the same for the reference (optional)
//	history       what earlier snapshots measured: lines "HOURS-AGO ITEM METRIC VALUE [INCARNATION]" (optional)
//	systems.json  system → status, replacing what the collectors said (optional)
//	gone          keys of items that vanished without explanation, with their level (optional)
//	backups.json  what is known of the archives, as audit.Backups (optional)
//	self.json     what the run knows of the auditor itself, an audit.Watch (optional)
//	foreign.json  what plugins and hooks said, an audit.Foreign (optional)
//	expect        keys of items that the configuration expects, with the line of audit.yaml (optional)
//	want          a line per expected finding: "severity item path:line", path:line "-" without a place
package checktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

// Dir returns the folder of the cases of one check.
func Dir(t testing.TB, id string) string {
	t.Helper()
	d, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return filepath.Join(d, "testdata", "check", id)
		}
	}
	t.Fatal("no go.mod above the working folder")
	return ""
}

// Run runs bad.txtar and good.txtar of every check with these collectors.
func Run(t *testing.T, checks []*audit.Check, collectors ...*collect.Collector) {
	for _, c := range checks {
		for _, name := range []string{"bad", "good"} {
			t.Run(c.ID+"/"+name, func(t *testing.T) {
				a, err := txtar.ParseFile(filepath.Join(Dir(t, c.ID), name+".txtar"))
				if err != nil {
					t.Fatal(err)
				}
				got, want := Case(t, c, a, collectors...)
				if name == "bad" && len(want) == 0 {
					t.Fatal("a bad case that wants no finding")
				}
				if name == "good" && len(want) != 0 {
					t.Fatal("a good case that wants findings")
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("findings (-want +got):\n%s", d)
				}
				if strings.TrimSpace(string(a.Comment)) == "" {
					t.Error("the case has no description")
				}
			})
		}
	}
}

// track makes a folder a git repository that tracks what is in it; origin is the address
// of where it was cloned from, if it was.
func track(t *testing.T, dir, origin string) {
	t.Helper()
	bin, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git on PATH")
	}
	commands := [][]string{{"init", "-q"}, {"add", "-A"}}
	if origin != "" {
		commands = append(commands, []string{"remote", "add", "origin", origin})
	}
	for _, args := range commands {
		c := exec.Command(bin, args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

// Case judges one case and returns the findings as lines, and those it wants.
func Case(t *testing.T, c *audit.Check, a *txtar.Archive, collectors ...*collect.Collector) (got, want []string) {
	t.Helper()
	now, old := t.TempDir(), t.TempDir()
	files := map[string][]byte{}
	before := false
	for _, f := range a.Files {
		files[f.Name] = f.Data
		if p, ok := strings.CutPrefix(f.Name, "tree/"); ok {
			collecttest.WriteFile(t, now, p, f.Data)
		} else if p, ok := strings.CutPrefix(f.Name, "before/"); ok {
			collecttest.WriteFile(t, old, p, f.Data)
			before = true
		}
	}
	if files["git"] != nil {
		track(t, now, strings.TrimSpace(string(files["git"])))
	}
	w := &audit.World{Before: snapshot.Nothing, Derived: &snapshot.Derived{}}
	sess := collecttest.Session(t, now)
	if before || files["old.json"] != nil {
		os := collecttest.Session(t, old)
		prev := collecttest.Snapshot(t, os, collectors...)
		merge(t, prev, files["old.json"], files["systems.json"])
		w.Before, sess.Previous = prev, prev
	}
	w.Now = collecttest.Snapshot(t, sess, collectors...)
	merge(t, w.Now, files["new.json"], files["systems.json"])
	if prev, ok := w.Before.(*snapshot.Snapshot); ok && prev != nil {
		w.Changes = snapshot.Diff(prev, w.Now, nil)
	}
	if h := files["history"]; h != nil {
		w.History = measured(t, w.Now.At, h)
	}
	for line := range strings.Lines(string(files["gone"])) {
		key, level, _ := strings.Cut(strings.TrimSpace(line), " ")
		w.Gone = append(w.Gone, audit.Gone{Item: snapshot.Key(key), Name: snapshot.Key(key).Name(), Level: audit.Level(level)})
	}
	for line := range strings.Lines(string(files["expect"])) {
		key, at, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(at)
		if err != nil {
			t.Fatal(err)
		}
		w.Expect = append(w.Expect, audit.Expected{Item: snapshot.Key(key), At: audit.Location{Path: "audit.yaml", Line: n}})
	}
	for line := range strings.Lines(string(files["want"])) {
		if s := strings.TrimSpace(line); s != "" {
			want = append(want, s)
		}
	}
	if b := files["backups.json"]; b != nil {
		w.Backups = &audit.Backups{}
		if err := json.Unmarshal(b, w.Backups); err != nil {
			t.Fatal(err)
		}
	}
	if b := files["recovery.json"]; b != nil {
		w.Recovery = &audit.Recovery{}
		if err := json.Unmarshal(b, w.Recovery); err != nil {
			t.Fatal(err)
		}
	}
	if b := files["self.json"]; b != nil {
		w.Self = &audit.Watch{FreeBytes: -1}
		if err := json.Unmarshal(b, w.Self); err != nil {
			t.Fatal(err)
		}
	}
	if b := files["foreign.json"]; b != nil {
		w.Foreign = &audit.Foreign{}
		if err := json.Unmarshal(b, w.Foreign); err != nil {
			t.Fatal(err)
		}
	}
	shellSaid(t, w.Derived, files)
	w.All, w.Waivers = append(stubs(t, files["found"]), c), pipeline.Waivers(sess.Files.Waiving(), w.Now.Content)
	for _, f := range audit.Judge(w.All, w).Findings {
		if f.Check != c.ID {
			continue
		}
		place := "-"
		if f.At.Path != "" {
			place = fmt.Sprintf("%s:%d", f.At.Path, f.At.Line)
		}
		got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Item, place))
	}
	slices.Sort(got)
	slices.Sort(want)
	return got, want
}

// stubs are other checks, each with one finding: lines "CHECK ITEM PATH:LINE",
// "CHECK panics ITEM" of one that panics when it looks at that item, or the id
// alone of a check that finds nothing.
func stubs(t *testing.T, found []byte) (out []*audit.Check) {
	t.Helper()
	for line := range strings.Lines(string(found)) {
		f := strings.Fields(line)
		c := &audit.Check{ID: f[0], Severity: audit.Medium, Judge: func(*audit.Pass) {}}
		if len(f) == 3 && f[1] == "panics" {
			c.Judge = func(p *audit.Pass) {
				for _, it := range p.Items() {
					if string(it.Key) == f[2] {
						panic(it.Name)
					}
				}
			}
		} else if len(f) == 3 {
			path, at, _ := strings.Cut(f[2], ":")
			n, err := strconv.Atoi(at)
			if err != nil {
				t.Fatal(err)
			}
			c.Judge = func(p *audit.Pass) {
				p.Report(audit.Report{Item: snapshot.Key(f[1]), At: audit.Location{Path: path, Line: n}})
			}
		}
		out = append(out, c)
	}
	return out
}

// shellSaid keeps what a shellcheck says: lines "PATH LINE CODE error|warning TEXT".
func shellSaid(t *testing.T, d *snapshot.Derived, files map[string][]byte) {
	t.Helper()
	said := map[string]workflow.ShellVerdict{}
	for line := range strings.Lines(string(files["shellcheck"])) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 5)
		n, err := strconv.Atoi(f[1])
		code, err2 := strconv.Atoi(f[2])
		if err = errors.Join(err, err2); err != nil || len(f) != 5 {
			t.Fatal(line, err)
		}
		sum := snapshot.Sum(files["tree/"+f[0]])
		v := said[sum]
		v.Said = append(v.Said, workflow.ShellMessage{Pos: workflow.Pos{Line: n, Column: 1}, Code: code, Error: f[3] == "error", Where: "a/step", Text: f[4]})
		said[sum] = v
	}
	for sum, v := range said {
		workflow.KeepShell(d, sum, v)
	}
}

func merge(t *testing.T, s *snapshot.Snapshot, items, systems []byte) {
	t.Helper()
	if items != nil {
		var list []struct {
			snapshot.Item
			Metrics []snapshot.Metric `json:"metrics"`
		}
		if err := json.Unmarshal(items, &list); err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			it := e.Item
			it.Metrics = e.Metrics
			it.Sort()
			s.Items = slices.DeleteFunc(s.Items, func(o *snapshot.Item) bool { return o.Key == it.Key })
			s.Items = append(s.Items, &it)
		}
		s.Sort()
	}
	if systems != nil {
		var m map[snapshot.System]snapshot.Status
		if err := json.Unmarshal(systems, &m); err != nil {
			t.Fatal(err)
		}
		for _, sys := range snapshot.Systems {
			st, ok := m[sys]
			if !ok {
				continue
			}
			s.Systems = slices.DeleteFunc(s.Systems, func(o snapshot.SystemState) bool { return o.System == sys })
			s.Systems = append(s.Systems, snapshot.SystemState{System: sys, Status: st, Reason: "as the case says"})
		}
	}
}
