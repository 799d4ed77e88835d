package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"healthaudit/report"
)

// stands returns the findings of one check, as a report shows them.
func stands(doc *report.Document, check string) (out []string) {
	for _, f := range doc.Findings {
		if f.Check == check && f.Status != "resolved" {
			out = append(out, fmt.Sprintf("%s %s %s", f.Severity, f.Item, f.Message))
		}
	}
	return out
}

// That a rule gave an item up stands in the report of the same run, and of every
// one after it, until the item is well.
func TestStanding_given_up(t *testing.T) {
	p := newProject(t)
	p.run("plan")
	p.write("tools/x.sh", badScript)
	given := false
	for i := range 10 { // somebody breaks it again and again
		doc := p.run("apply")
		got := stands(doc, "audit-recovery-exhausted")
		given = given || strings.Contains(strings.Join(p.journal(), " "), "given up")
		if given != (len(got) == 1) {
			t.Errorf("run %d: given up is %v, and the report says %q", i, given, got)
		}
		for _, r := range doc.Regressions {
			if r.Item == "audit/(system)" {
				t.Errorf("run %d: it is a regression of audit: %+v", i, r)
			}
		}
		p.write("tools/x.sh", badScript)
	}
	if !given {
		t.Fatal("it was never given up")
	}
	p.write("tools/x.sh", goodScript)
	if got := stands(p.run("apply"), "audit-recovery-exhausted"); len(got) != 0 {
		t.Errorf("it is well: %q", got)
	}
}

// Ten scripts of fifteen break at once: none is written, and one finding says why.
func TestStanding_breaker(t *testing.T) {
	p := newProject(t)
	for i := range 14 {
		p.write(fmt.Sprintf("tools/s%02d.sh", i), fmt.Sprintf("#!/bin/sh\necho %d\n", i))
	}
	p.run("plan")
	for i := range 10 {
		p.write(fmt.Sprintf("tools/s%02d.sh", i), badScript)
	}
	for range 2 { // the second time nothing is judged twice, and it is the same
		doc := p.run("apply")
		got := stands(doc, "audit-recovery-breaker")
		if len(got) != 1 || !strings.HasPrefix(got[0], "high audit/(system) Recovery holds 10 actions back: 66 % of scripts are unwell") {
			t.Errorf("%q", got)
		}
		if p.read("tools/s03.sh") != badScript || doc.Recovery.Totals["skipped"] != 10 || len(p.journal()) != 0 {
			t.Errorf("%v, journal %v", doc.Recovery.Totals, p.journal())
		}
	}
	for i := range 8 {
		p.write(fmt.Sprintf("tools/s%02d.sh", i), fmt.Sprintf("#!/bin/sh\necho %d\n", i))
	}
	if got := stands(p.run("apply"), "audit-recovery-breaker"); len(got) != 0 {
		t.Errorf("little is unwell: %q", got)
	}
}

// What a person deleted is no longer unwell: its findings stay until that is accepted,
// and do not hold back what is done to others.
func TestStanding_breaker_gone(t *testing.T) {
	p := newProject(t)
	for i := range 14 {
		p.write(fmt.Sprintf("tools/s%02d.sh", i), goodScript)
	}
	p.run("plan")
	for i := range 10 {
		p.write(fmt.Sprintf("tools/s%02d.sh", i), badScript)
	}
	if got := stands(p.run("plan"), "audit-recovery-breaker"); len(got) != 1 {
		t.Fatalf("%q", got)
	}
	for i := range 9 {
		if err := os.Remove(filepath.Join(p.root, "tools", fmt.Sprintf("s%02d.sh", i))); err != nil {
			t.Fatal(err)
		}
	}
	doc := p.run("apply")
	if got := stands(doc, "audit-item-vanished"); len(got) != 9 {
		t.Errorf("%q", got)
	}
	if p.read("tools/s09.sh") != goodScript || doc.Recovery.Totals["done"] != 1 {
		t.Errorf("%v", doc.Recovery.Totals)
	}
}

// What may take longer than a run waits is ended by a later one, in whatever mode
// that runs, and a report shows it meanwhile.
func TestAwait(t *testing.T) {
	for mode, want := range map[string]string{"apply": "rolled_back", "plan": "failed"} {
		p := newProject(t)
		p.rules = strings.Replace(mending, "    action:", "    verify: {after: 10m, timeout: 1h, expect: 'item.state == \"never\"'}\n    action:", 1)
		p.run("plan")
		p.write("tools/x.sh", badScript)
		doc := p.run("apply")
		if s := doc.Recovery.Steps; len(s) != 1 || s[0].Status != "pending" || p.read("tools/x.sh") != goodScript {
			t.Fatalf("%+v", s)
		}
		if s := p.run("plan").Recovery.Steps; len(s) != 1 || s[0].Status != "pending" {
			t.Errorf("%+v", s)
		}
		p.now = p.now.Add(2 * time.Hour)
		s := p.run(mode).Recovery.Steps
		if len(s) != 1 || s[0].Status != want {
			t.Errorf("%s: %+v", mode, s)
		}
		if back := p.read("tools/x.sh") == badScript; back != (mode == "apply") {
			t.Errorf("%s: what stood there is back: %v", mode, back)
		}
		if j := strings.Join(p.journal(), " "); j != "intent pending "+want {
			t.Errorf("%s: journal %s", mode, j)
		}
	}
	p := newProject(t)
	p.rules = strings.Replace(mending, "    action:", "    verify: {after: 10m, timeout: 1h}\n    action:", 1)
	p.run("plan")
	p.write("tools/x.sh", badScript)
	id := p.run("apply").Recovery.Steps[0].ID
	if _, err := p.runner("apply").Undo(id); err != nil || p.read("tools/x.sh") != badScript {
		t.Errorf("%v, %q", err, p.read("tools/x.sh"))
	}
	if s := p.run("plan").Recovery.Steps; len(s) != 1 || s[0].Status == "pending" {
		t.Errorf("what was undone is awaited: %+v", s)
	}
	p = newProject(t)
	p.rules = strings.Replace(mending, "    action:", "    verify: {after: 10m, timeout: 1h}\n    action:", 1)
	p.run("plan")
	p.write("tools/x.sh", badScript)
	p.run("apply")
	if s := p.run("apply").Recovery.Steps; len(s) != 1 || s[0].Status != "done" {
		t.Errorf("%+v", s)
	}
}
