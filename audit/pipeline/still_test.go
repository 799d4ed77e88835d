package pipeline

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// TestStillWorld: a check that is Still looks again when anything changed that it
// can see, and not when nothing did; what it found is found all the same.
func TestStillWorld(t *testing.T) {
	w := newWorld(t, "lamp", "rug")
	w.items["lamp"] = "sick"
	if err := os.WriteFile(filepath.Join(w.root, "a.txt"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	looks := 0
	still := &audit.Check{ID: "script-still", System: snapshot.Scripts, Severity: audit.Low, Title: "sick", Still: true,
		Limits: []audit.Limit{{Name: "most"}}, Judge: func(p *audit.Pass) {
			looks++
			for _, it := range p.Items() {
				switch v, _ := it.Fact("mood"); v.Str() {
				case "poison":
					panic("poison")
				case "hidden":
					p.Doubt(it.Key, "")
				case "ok":
				default:
					p.Report(audit.Report{Item: it.Key, Message: it.Name + " is " + v.Str(), At: audit.Location{Path: "a.txt"}, Evidence: []audit.Evidence{{Name: "mood", Value: v.Str()}}})
				}
			}
		}}
	list := append(slices.Clone(checks), still)
	build := "one"
	run := func() *report.Document {
		t.Helper()
		w.now = w.now.Add(time.Hour)
		r := w.runner()
		r.Checks, r.Build = list, build
		doc, err := r.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	of := func(d *report.Document) (out []report.Finding) {
		for _, f := range d.Findings {
			if f.Check == still.ID {
				f.Status = ""
				out = append(out, f)
			}
		}
		return out
	}
	first := run()
	if looks != 1 || len(of(first)) != 1 {
		t.Fatalf("%d looks, %v", looks, of(first))
	}
	for range 3 { // though time, metrics and volatile facts went on
		if again := run(); looks != 1 || text(t, &report.Document{Findings: of(again)}) != text(t, &report.Document{Findings: of(first)}) {
			t.Fatalf("%d looks\n%v\n%v", looks, of(first), of(again))
		}
	}
	for _, c := range []struct {
		what   string
		change func()
		finds  int
	}{
		{"a fact", func() { w.items["rug"] = "dead" }, 2},
		{"a new item", func() { w.items["mat"] = "sick" }, 3},
		{"an item gone", func() { delete(w.items, "mat") }, 3}, // until a person accepts that
		{"a path", func() { _ = os.WriteFile(filepath.Join(w.root, "b.txt"), nil, 0o600) }, 3},
		{"a mode", func() { _ = os.Chmod(filepath.Join(w.root, "b.txt"), 0o700) }, 3},
		{"a limit", func() { w.cfg.Limits = map[string]float64{"script-still.most": 2} }, 3},
		{"a source that fails", func() { w.lost = "left" }, 3},
		{"the source again", func() { w.lost = "" }, 3},
		{"how a system is read", func() { w.epoch = 2 }, 3},
		{"another build", func() { build = "two" }, 3},
		{"the rule", func() { other := *still; other.Version = 2; list[len(list)-1] = &other }, 3},
	} {
		c.change()
		before := looks
		doc := run()
		if looks == before {
			t.Errorf("%s changed, and nobody looked", c.what)
		}
		if n := len(of(doc)); n != c.finds {
			t.Errorf("%s changed: %d findings, want %d", c.what, n, c.finds)
		}
		run() // an item that went away is still compared with
		before = looks
		if run(); looks != before {
			t.Errorf("%s changed, and it is looked at for ever", c.what)
		}
	}
}

// TestStillWorld_crash: what a check that crashed would have found is not known.
func TestStillWorld_crash(t *testing.T) {
	w := newWorld(t, "lamp")
	looks, falls := 0, true
	r := w.runner()
	r.Build = "one"
	r.Checks = []*audit.Check{{ID: "script-still", System: snapshot.Scripts, Severity: audit.Low, Title: "falls", Still: true, Judge: func(p *audit.Pass) {
		if looks++; falls {
			panic("it falls")
		}
	}}}
	for i, want := range []bool{true, true, false, false} {
		falls = want
		before := looks
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i < 3 && looks == before {
			t.Errorf("run %d: a check that crashed was taken for one that found nothing", i+1)
		}
		if i == 3 && looks != before {
			t.Error("what it found when it no longer crashed was not kept")
		}
	}
}

// TestKeepFound: nothing is kept that may be another when it is read back or
// looked for again, nor more than is worth it.
func TestKeepFound(t *testing.T) {
	found := func(path string) map[string]audit.Found {
		return map[string]audit.Found{"script-still": {Findings: []audit.Finding{{Check: "script-still", Severity: audit.Low, Item: "scripts/x", At: audit.Location{Path: path, Line: 1, Column: 1}}}}}
	}
	for _, c := range []struct {
		what  string
		build string
		blind bool
		found map[string]audit.Found
		kept  bool
	}{
		{"what was found", "one", false, found("a.sh"), true},
		{"a sign for what is no text", "one", false, found("\uFFFD.sh"), true},
		{"a name that is no text", "one", false, found("a\xff.sh"), false},
		{"with bytes that could not be read", "one", true, found("a.sh"), false},
		{"by a program that nobody can tell from others", "", false, found("a.sh"), false},
		{"more than is worth it", "one", false, found(strings.Repeat("<", maxStandstill/6)), false},
	} {
		s := &session{Runner: &Runner{Build: c.build}, memo: &memo{fresh: map[string]made{}}}
		s.unread.any.Store(c.blind)
		s.keepFound("world", c.found)
		b := s.memo.fresh[standstillKey].value
		if (b != nil) != c.kept {
			t.Errorf("%s: kept %.200s", c.what, b)
		}
		var back standstill
		if c.kept && (json.Unmarshal(b, &back) != nil || back.World != "world" || !reflect.DeepEqual(back.Found, c.found)) {
			t.Errorf("%s: read back as %+v", c.what, back)
		}
	}
}

// TestStillWorld_unread: a damaged blob is not taken for one that says nothing.
func TestStillWorld_unread(t *testing.T) {
	for _, c := range []struct {
		err  error
		note bool
	}{{nil, false}, {errNoBytes("x"), false}, {fmt.Errorf("blob: %w", store.ErrNoBlob), false}, {&store.CorruptError{}, true}} {
		var failed unread
		n := noting{failed: &failed}
		n.note(c.err)
		if _, bad := c.err.(*store.CorruptError); failed.any.Load() != c.note || failed.damage.Load() != nil != bad {
			t.Errorf("%v: noted %v, damage %v", c.err, failed.any.Load(), failed.damage.Load())
		}
	}
}
