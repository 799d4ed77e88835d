package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/report/reporttest"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// A world is what the collector of the test finds; tests change it between runs.
type world struct {
	t     *testing.T
	root  string
	store string
	now   time.Time
	items map[string]string // name → mood: ok, sick, dead; unread is an item that cannot be judged
	fail  error             // the listing fails
	lost  string            // the source that fails
	cfg   Config
	panic bool
	trips bool // Follow panics
	epoch int
	tool  string // the version; empty: test
}

func newWorld(t *testing.T, names ...string) *world {
	w := &world{t: t, root: t.TempDir(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), items: map[string]string{}, epoch: 1}
	w.store = filepath.Join(w.root, ".audit", "audit.db")
	for _, n := range names {
		w.items[n] = "ok"
	}
	return w
}

func (w *world) collector() *collect.Collector {
	follow := func(context.Context, *collect.Session, []string) ([]*snapshot.Item, error) {
		if w.trips {
			panic("follow")
		}
		return nil, nil
	}
	return &collect.Collector{System: snapshot.Scripts, Epoch: w.epoch, Follow: follow, Collect: func(_ context.Context, s *collect.Session) (collect.Result, error) {
		if w.fail != nil {
			return collect.Result{}, w.fail
		}
		if w.panic {
			panic("collector")
		}
		r := collect.Result{Sources: []snapshot.Source{{Name: "left", OK: !strings.Contains(w.lost, "left"), Message: "torn"}, {Name: "right", OK: !strings.Contains(w.lost, "right"), Message: "torn"}}}
		for name, mood := range w.items {
			src := "right"
			if strings.HasPrefix(name, "l") {
				src = "left"
			}
			if strings.Contains(w.lost, src) {
				continue
			}
			it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, name), Name: name, Kind: "script", Source: src, State: "there"}
			if mood == "unread" {
				it.Unknown = "no permission"
			} else {
				it.Add(snapshot.Semantic, "mood", snapshot.Text(mood))
			}
			it.Add(snapshot.Volatile, "tick", snapshot.Number(s.Host.Now().Unix()))
			it.Metrics = []snapshot.Metric{{Name: "size", Value: float64(len(mood))}}
			r.Items = append(r.Items, it)
		}
		return r, nil
	}}
}

var checks = []*audit.Check{
	{ID: "script-sick", System: snapshot.Scripts, Severity: audit.High, Title: "sick", Hint: "cure it", Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if v, _ := it.Fact("mood"); v.Str() == "hidden" {
				p.Doubt(it.Key, "")
				continue
			}
			v, known := it.Fact("mood")
			if v.Str() == "poison" {
				panic(it.Name)
			}
			if small, ok := strings.CutPrefix(v.Str(), "sore "); ok {
				n, _ := strconv.Atoi(small)
				for i := range n {
					p.Report(audit.Report{Item: it.Key, Severity: audit.Low, Discriminator: fmt.Sprint(i), Message: it.Name + " is sore"})
				}
				continue
			}
			if known && !strings.HasPrefix(v.Str(), "swell") && v.Str() != "ok" && (v.Str() != "weary" || p.Limits["script-sick.weary"] > 0) {
				r := audit.Report{Item: it.Key, Message: it.Name + " is " + v.Str()}
				if v.Str() == "dead" {
					r.Severity = audit.Critical
				}
				p.Report(r)
			}
		}
	}},
	{ID: "script-swells", System: snapshot.Scripts, Severity: audit.Low, Title: "it swells", Trend: true, Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			sizes := p.Series(it, "size", audit.Window{Since: p.Now.At.Add(-3 * time.Hour), Most: 9})
			rising := len(sizes) >= 3 && !slices.IsSortedFunc(sizes, func(a, b audit.Sample) int { return cmp.Compare(b.Metric.Value, a.Metric.Value) }) &&
				slices.IsSortedFunc(sizes, func(a, b audit.Sample) int { return cmp.Compare(a.Metric.Value, b.Metric.Value) })
			if v, _ := it.Fact("mood"); rising && strings.HasPrefix(v.Str(), "swell") {
				p.Report(audit.Report{Item: it.Key, Message: it.Name + " swells"})
			}
		}
	}},
	{ID: "audit-blind", Needs: []snapshot.System{snapshot.Auditor}, Severity: audit.Low, Title: "blind", Judge: func(p *audit.Pass) {
		if n := p.Failing[snapshot.Scripts]; n >= 3 {
			p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Scripts), Message: fmt.Sprintf("blind for %d runs", n)})
		}
	}},
	{ID: "audit-item-vanished", Needs: []snapshot.System{snapshot.Auditor}, Severity: audit.Medium, Title: "vanished", Judge: func(p *audit.Pass) {
		for _, g := range p.Gone {
			p.Report(audit.Report{Item: g.Item, Message: g.Name + " is gone"})
		}
	}},
}

func (w *world) runner() *Runner {
	h, err := host.New(w.root, func(k string) string {
		if k == "PATH" {
			return os.Getenv("PATH")
		}
		return ""
	}, func() time.Time { w.now = w.now.Add(time.Millisecond); return w.now })
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { h.Close() })
	return &Runner{Host: h, Config: &w.cfg, Collectors: []*collect.Collector{w.collector()}, Checks: checks, Store: w.store, Version: cmp.Or(w.tool, "test"),
		Actor: rules.Actor{User: "tester", Via: "other"}, Recovery: "plan"}
}

// run audits and holds the document against the one read back from the store.
func (w *world) run() *report.Document {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	doc, err := w.runner().Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := reporttest.Validate([]byte(text(w.t, doc))); err != nil {
		w.t.Error(err)
	}
	if d := gocmp.Diff(text(w.t, doc), w.load(doc.Run.Seq)); d != "" {
		w.t.Errorf("run %d reads back differently (-run +saved):\n%s", doc.Run.Seq, d)
	}
	return doc
}

func (w *world) load(seq uint64) (out string) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		v, err := Load(tx, seq, []*collect.Collector{w.collector()}, checks)
		if err == nil {
			out = text(w.t, v.Document(cmp.Or(w.tool, "test")))
		}
		return err
	})
	return out
}

func (w *world) view(fn func(*store.Tx) error) {
	w.t.Helper()
	st, err := store.Open(w.store, store.Options{ReadOnly: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	if err := st.View(fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) accept(key snapshot.Key) {
	w.t.Helper()
	st, err := store.Open(w.store, store.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	if err := st.Update(func(tx *store.Tx) error { return AcceptRemoval(tx, key) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) inUse() int64 {
	st, err := store.Open(w.store, store.Options{ReadOnly: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	s, err := st.Stats()
	if err != nil {
		w.t.Fatal(err)
	}
	return s.InUseBytes
}

func text(t *testing.T, d *report.Document) string {
	t.Helper()
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// brief says what a document says of findings, changes and regressions.
func brief(d *report.Document) string {
	var out []string
	for _, f := range d.Findings {
		s := f.Item + " " + f.Check + " " + f.Status
		if f.Carried {
			s += " carried"
		}
		out = append(out, s)
	}
	for _, c := range d.Changes {
		out = append(out, c.Item+" "+c.Op)
	}
	for _, r := range d.Regressions {
		out = append(out, r.Item+" "+r.Code)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func want(t *testing.T, d *report.Document, want string) {
	t.Helper()
	if got := brief(d); got != want {
		t.Errorf("run %d: %s\nwant   %s", d.Run.Seq, got, want)
	}
}

func TestRun(t *testing.T) {
	t.Run("an_unchanged_project_says_nothing_new", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		first := w.run()
		want(t, first, "scripts/rug script-sick new")
		before := w.inUse()
		second := w.run()
		want(t, second, "scripts/rug script-sick persisting")
		if grown := w.inUse() - before; grown >= 4096 {
			t.Errorf("an unchanged run took %d bytes", grown)
		}
		if *second.Score.Value != *first.Score.Value || *second.Score.Delta != 0 {
			t.Errorf("score %v then %v, delta %v", *first.Score.Value, *second.Score.Value, *second.Score.Delta)
		}
		if first.Run.ID == second.Run.ID {
			t.Error("two runs have one id")
		}
	})
	t.Run("it_gets_worse_and_better", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.run()
		w.items["rug"] = "sick"
		d := w.run()
		want(t, d, "scripts/rug R1; scripts/rug R2; scripts/rug changed; scripts/rug script-sick new")
		if d.Gate.Exit != 1 || d.Gate.Passed || !slices.Contains(d.Gate.Why, "1 regression") {
			t.Errorf("gate %+v", d.Gate)
		}
		want(t, w.run(), "scripts/rug R1; scripts/rug R2; scripts/rug script-sick persisting")
		w.items["rug"] = "ok"
		d = w.run()
		want(t, d, "scripts/rug changed; scripts/rug script-sick resolved")
		if d.Gate.Exit != 0 {
			t.Errorf("gate %+v", d.Gate)
		}
		want(t, w.run(), "")
		w.items["rug"] = "dead"
		want(t, w.run(), "scripts/rug R1; scripts/rug R2; scripts/rug changed; scripts/rug script-sick reopened")
	})
	t.Run("a_failed_listing_changes_nothing", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		w.run()
		w.fail = errors.New("no way in")
		d := w.run()
		want(t, d, "scripts/rug script-sick persisting carried")
		if d.Gate.Exit != 3 || d.Systems[0].Status != "error" || d.Score.Coverage != 0 || len(d.Errors) != 1 {
			t.Errorf("exit %d, %+v, coverage %v", d.Gate.Exit, d.Systems[0], d.Score.Coverage)
		}
		for _, it := range d.Items {
			if it.Level != "unknown" || it.Score != nil || it.Change != "unknown" {
				t.Errorf("unread item %+v", it)
			}
		}
		w.fail, w.panic = nil, true
		want(t, w.run(), "scripts/rug script-sick persisting carried")
		w.panic = false
		want(t, w.run(), "scripts/rug script-sick persisting")
	})
	t.Run("runs_in_a_row_without_a_listing_are_counted", func(t *testing.T) {
		w := newWorld(t, "lamp")
		w.fail = errors.New("no way in")
		w.run()
		want(t, w.run(), "")
		w.fail = nil
		want(t, w.run(), "scripts/lamp added")
		w.fail = errors.New("no way in")
		w.run()
		want(t, w.run(), "")
		d := w.run()
		want(t, d, "scripts/(system) audit-blind new")
		if d = w.run(); d.Findings[0].Message != "blind for 4 runs." {
			t.Error(d.Findings[0].Message)
		}
	})
	t.Run("a_failed_source_keeps_its_items", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["lamp"] = "sick"
		w.run()
		w.lost = "left"
		d := w.run()
		want(t, d, "scripts/lamp script-sick persisting carried")
		if d.Systems[0].Status != "partial" || d.Gate.Exit != 0 && d.Gate.Exit != 1 {
			t.Errorf("%+v", d.Systems[0])
		}
		w.lost = ""
		want(t, w.run(), "scripts/lamp script-sick persisting")
	})
	t.Run("a_finding_that_could_not_be_looked_for_stays", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["lamp"] = "sick"
		w.run()
		w.items["lamp"], w.items["rug"] = "hidden", "hidden"
		want(t, w.run(), "scripts/lamp changed; scripts/lamp script-sick persisting carried; scripts/rug changed")
		w.items["lamp"], w.items["rug"] = "sick", "ok"
		want(t, w.run(), "scripts/lamp changed; scripts/lamp script-sick persisting; scripts/rug changed")
	})
	t.Run("a_filtered_run_changes_nothing", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		w.run()
		w.cfg.Skip = []snapshot.System{snapshot.Scripts}
		d := w.run()
		want(t, d, "scripts/rug script-sick persisting carried")
		if d.Score.Delta != nil {
			t.Errorf("a filtered run is compared: delta %v", *d.Score.Delta)
		}
		w.cfg.Skip = nil
		want(t, w.run(), "scripts/rug script-sick persisting")
	})
	t.Run("a_vanished_item_stays_missing_until_accepted", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.run()
		delete(w.items, "rug")
		want(t, w.run(), "scripts/rug R6; scripts/rug audit-item-vanished new; scripts/rug removed")
		want(t, w.run(), "scripts/rug R6; scripts/rug audit-item-vanished persisting")
		w.accept("scripts/rug")
		want(t, w.run(), "scripts/rug audit-item-vanished resolved")
		want(t, w.run(), "")
	})
	t.Run("an_acceptance_ends_when_the_item_is_back", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.run()
		delete(w.items, "rug")
		w.run()
		w.accept("scripts/rug")
		w.run()
		w.items["rug"] = "ok"
		w.run()
		delete(w.items, "rug")
		want(t, w.run(), "scripts/rug R6; scripts/rug audit-item-vanished reopened; scripts/rug removed")
		want(t, w.run(), "scripts/rug R6; scripts/rug audit-item-vanished persisting")
		w.accept("scripts/rug")
		want(t, w.run(), "scripts/rug audit-item-vanished resolved")
	})
	t.Run("an_accepted_removal_ends_every_regression_of_the_item", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.run()
		w.items["rug"] = "sick"
		w.run()
		delete(w.items, "rug")
		want(t, w.run(), "scripts/rug R1; scripts/rug R2; scripts/rug R6; scripts/rug audit-item-vanished new; scripts/rug removed; scripts/rug script-sick persisting carried")
		w.accept("scripts/rug")
		want(t, w.run(), "scripts/rug audit-item-vanished resolved; scripts/rug script-sick resolved")
	})
	t.Run("deleting_what_fails_mends_no_score", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		before := w.run()
		delete(w.items, "rug")
		if after := w.run(); *after.Score.Value > *before.Score.Value {
			t.Errorf("the score rose from %v to %v", *before.Score.Value, *after.Score.Value)
		}
	})
	t.Run("an_item_that_cannot_be_read_resolves_nothing", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		before := w.run()
		w.items["rug"] = "unread"
		for range 2 {
			d := w.run()
			if *d.Score.Value > *before.Score.Value {
				t.Errorf("the score rose from %v to %v", *before.Score.Value, *d.Score.Value)
			}
			if f := d.Findings; len(f) != 1 || f[0].Status != "persisting" || !f[0].Carried {
				t.Errorf("findings: %+v", f)
			}
			for _, it := range d.Items {
				if it.Name == "rug" && (it.Level != "unknown" || it.Unknown != "no permission") {
					t.Errorf("the item is %s, because %q", it.Level, it.Unknown)
				}
			}
		}
		w.items["rug"] = "ok"
		want(t, w.run(), "scripts/rug script-sick resolved")
	})
	t.Run("ok_unread_failing_is_a_regression_against_ok", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		first := w.run()
		w.items["rug"] = "unread"
		w.run()
		w.run()
		w.items["rug"] = "sick"
		d := w.run()
		want(t, d, "scripts/rug R1; scripts/rug R2; scripts/rug script-sick new")
		for _, r := range d.Regressions {
			if r.Reference.Run != first.Run.ID {
				t.Errorf("%s is compared with %s, want the run that last judged it", r.Code, r.Reference.Run)
			}
		}
	})
	t.Run("first_seen_unread_then_failing_is_none", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "unread"
		w.run()
		w.items["rug"] = "sick"
		want(t, w.run(), "scripts/rug script-sick new")
	})
	t.Run("a_failed_source_is_no_reference", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		first := w.run()
		w.lost = "right"
		w.run()
		w.lost, w.items["rug"] = "", "sick"
		for _, r := range w.run().Regressions {
			if r.Reference.Run != first.Run.ID {
				t.Errorf("%s is compared with %s, want the run that last read its source", r.Code, r.Reference.Run)
			}
		}
	})
	t.Run("when_every_source_fails_the_listing_did", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		w.run()
		w.lost = "left right"
		d := w.run()
		want(t, d, "scripts/rug script-sick persisting carried")
		if s := d.Systems[0]; s.Status != "error" || s.Reason == "" || d.Gate.Exit != 3 && d.Gate.Exit != 1 {
			t.Errorf("%+v, exit %d", s, d.Gate.Exit)
		}
		if len(d.Errors) != 2 {
			t.Errorf("errors: %+v", d.Errors)
		}
	})
	t.Run("a_check_that_is_off_resolves_nothing", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		w.run()
		w.cfg.ChecksOff = []string{"script-sick"}
		want(t, w.run(), "")
		w.cfg.ChecksOff = nil
		want(t, w.run(), "scripts/rug script-sick persisting")
	})
	t.Run("another_epoch_rebases_also_after_a_run_that_did_not_look", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.run()
		w.epoch, w.cfg.Skip = 2, []snapshot.System{snapshot.Scripts}
		w.run()
		w.cfg.Skip, w.items["rug"] = nil, "sick"
		want(t, w.run(), "scripts/rug rebased; scripts/rug script-sick new") // the collector may read more now
		want(t, w.run(), "scripts/rug script-sick persisting")
		w.items["rug"] = "dead"
		want(t, w.run(), "scripts/rug R1; scripts/rug R2; scripts/rug changed; scripts/rug script-sick persisting")
	})
	t.Run("a_check_that_panics_loses_one_item_for_a_while", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.items["rug"] = "sick"
		w.run()
		w.items["rug"], w.items["lamp"] = "poison", "sick"
		d := w.run()
		want(t, d, "scripts/lamp R1; scripts/lamp R2; scripts/lamp changed; scripts/lamp script-sick new; scripts/rug changed; scripts/rug script-sick persisting carried")
		if len(d.Errors) != 1 || !strings.Contains(d.Errors[0].Message, "at scripts/rug: panic with a value of type string at pipeline/pipeline_test.go:") {
			t.Errorf("%+v", d.Errors)
		}
		w.items["rug"] = "ok"
		want(t, w.run(), "scripts/lamp R1; scripts/lamp R2; scripts/lamp script-sick persisting; scripts/rug changed; scripts/rug script-sick resolved")
	})
	t.Run("a_follow_that_panics_fails_its_source_only", func(t *testing.T) {
		w := newWorld(t, "lamp")
		w.trips = true
		if d := w.run(); d.Systems[0].Status != "partial" || d.Systems[0].Items != 1 {
			t.Errorf("%+v", d.Systems[0])
		}
	})
	t.Run("the_document_asks_nothing_of_a_closed_store", func(t *testing.T) { // says so under -race
		w := newWorld(t, "lamp")
		for i := range 3 {
			if err := os.WriteFile(filepath.Join(w.root, "package.json"), fmt.Appendf(nil, `{"name": "p%d"}`, i), 0o644); err != nil {
				t.Fatal(err)
			}
			w.run()
		}
	})
	t.Run("a_new_store_replaces_one_with_a_damaged_row", func(t *testing.T) {
		w := newWorld(t, "lamp", "rug")
		w.run()
		b, err := os.ReadFile(w.store)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.LastIndex(b, []byte("scripts/rug"))
		b[at+len("scripts/r")] ^= 1 // in the item's value: its page is sound
		if err := os.WriteFile(w.store, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var bad *store.CorruptError
		if _, err := w.runner().Run(t.Context()); !errors.As(err, &bad) {
			t.Fatalf("a damaged row: %v", err)
		}
		r := w.runner()
		r.NewStore = true
		if doc, err := r.Run(t.Context()); err != nil || doc.Run.Seq != 1 {
			t.Fatalf("--new-store: %v", err)
		}
		if aside, _ := filepath.Glob(w.store + ".damaged-*"); len(aside) != 1 {
			t.Errorf("set aside: %q", aside)
		}
		want(t, w.run(), "")
	})
	t.Run("an_interrupted_run_keeps_nothing", func(t *testing.T) {
		w := newWorld(t, "lamp")
		w.run()
		before, _ := os.ReadFile(w.store)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("stop"))
		if _, err := w.runner().Run(ctx); err == nil {
			t.Fatal("it went on")
		}
		if after, _ := os.ReadFile(w.store); !bytes.Equal(before, after) {
			t.Error("the store changed")
		}
		left, _ := filepath.Glob(filepath.Join(w.root, ".audit", "audit-stage-*"))
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	t.Run("what_a_killed_run_left_goes", func(t *testing.T) {
		w := newWorld(t, "lamp")
		w.run()
		left := filepath.Join(w.root, ".audit", "audit-stage-1234")
		if err := os.WriteFile(left, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		w.run()
		if _, err := os.Stat(left); err == nil {
			t.Error("it is still there")
		}
	})
	t.Run("ephemeral_keeps_nothing", func(t *testing.T) {
		w := newWorld(t, "lamp")
		r := w.runner()
		r.Ephemeral = true
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(w.root, ".audit")); err == nil {
			t.Error("there is a store")
		}
	})
}

func TestGate(t *testing.T) {
	under := func(f float64) *float64 { return &f }
	for name, c := range map[string]struct {
		on    []string
		under *float64
		exit  int
	}{
		"default":               {nil, nil, 0},
		"high_is_reached":       {[]string{"high"}, nil, 1},
		"low_includes_high":     {[]string{"low"}, nil, 1},
		"critical_is_not":       {[]string{"critical"}, nil, 0},
		"new_needs_a_reference": {[]string{"new"}, nil, 0},
		"never":                 {[]string{"never"}, nil, 0},
		"threshold_is_met":      {[]string{"never"}, under(62.3), 0},
		"threshold_is_not_met":  {[]string{"never"}, under(62.4), 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "rug")
			w.items["rug"] = "sick" // scores 70 · 0.89 = 62.3
			w.cfg.FailOn, w.cfg.FailUnder = c.on, c.under
			d := w.run()
			if d.Gate.Exit != c.exit || d.Gate.Passed != (c.exit == 0) || (len(d.Gate.Why) == 0) != d.Gate.Passed {
				t.Errorf("exit %d, why %v, score %v", d.Gate.Exit, d.Gate.Why, *d.Score.Value)
			}
		})
	}
}

// A key that a collector made of another key is bounded too.
func TestUnique_boundsKeys(t *testing.T) {
	long := snapshot.Key("pm2/api#" + strings.Repeat("x", 40_000))
	got := unique([]*snapshot.Item{{Key: long}, {Key: long}, {Key: "pm2/api"}})
	if len(got) != 2 || len(got[0].Key) > 1100 {
		t.Errorf("%d items, the first key of %d bytes", len(got), len(got[0].Key))
	}
}

// An app that is scaled down loses processes, and nothing vanished.
func TestMissing_instances(t *testing.T) {
	none := snapshot.NewTree(false, nil)
	now := &snapshot.Snapshot{Tree: none}
	gone := []*snapshot.Item{{Key: "pm2/api", Name: "api", Kind: "app"}, {Key: "pm2/api#2", Name: "api #2", Kind: "instance"}}
	list, err := missing(gone, &judged{}, now, 2, func() (*snapshot.Tree, error) { return none, nil })
	if err != nil || len(list) != 1 || list[0].Item != "pm2/api" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestJournalIsChained(t *testing.T) {
	w := newWorld(t, "lamp")
	w.run()
	st, err := store.Open(w.store, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for i := range 5 {
		if err := st.Update(func(tx *store.Tx) error { return Append(tx, rules.Entry{What: fmt.Sprint(i)}) }); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	err = st.View(func(tx *store.Tx) error {
		_, err := VerifyJournal(tx, func(rules.Entry, string) { n++ })
		return err
	})
	if err != nil || n != 6 {
		t.Errorf("%d entries, %v", n, err)
	}
	bare, err := store.Open(filepath.Join(t.TempDir(), "audit.db"), store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	err = bare.View(func(tx *store.Tx) error { _, err := VerifyJournal(tx, nil); return err })
	if chain := (*rules.ChainError)(nil); !errors.As(err, &chain) {
		t.Errorf("a journal without its head passes: %v", err)
	}
}
