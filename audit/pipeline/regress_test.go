package pipeline

import (
	"testing"

	"healthaudit/report"
	"healthaudit/snapshot/store"
)

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	st, err := store.Open(w.store, store.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	if err := st.Update(fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) pin(seq uint64) {
	w.update(func(tx *store.Tx) error { _, err := Pin(tx, seq, "tester"); return err })
}

// codes are the codes of the open regressions, in order.
func codes(d *report.Document) (out string) {
	for _, r := range d.Regressions {
		out += r.Code
	}
	return out
}

// A score that falls by a few points in every run.
func TestRun_slide(t *testing.T) {
	slide := []string{"ok", "sore 1", "sore 2", "sore 3"} // 100, 96, 92.2, 88.5
	t.Run("against_a_baseline", func(t *testing.T) {
		w := newWorld(t, "rug")
		w.run()
		w.pin(1)
		for i, mood := range slide {
			w.items["rug"] = mood
			want := ""
			if i == 3 {
				want = "R3"
			}
			if d := w.run(); codes(d) != want {
				t.Errorf("%s: %q, want %q", mood, codes(d), want)
			}
		}
		if d := w.run(); codes(d) != "R3" || d.Regressions[0].Was != "100.0" || d.Regressions[0].Now != "88.4" || d.Gate.Exit != 1 {
			t.Errorf("%+v", d.Regressions)
		}
		w.pin(5)
		if d := w.run(); codes(d) != "" || d.Gate.Exit != 0 {
			t.Errorf("with another baseline: %+v", d.Regressions)
		}
		w.tool, w.items["rug"] = "next", "ok"
		w.run()
		w.update(Unpin)
		w.run()
	})
	t.Run("against_the_usual", func(t *testing.T) {
		w := newWorld(t, "rug")
		for range 6 {
			w.run()
		}
		for i, mood := range []string{"sore 2", "sore 4", "sore 4", "sore 4"} { // 92.2, 84.9: no step of ten
			w.items["rug"] = mood
			want := ""
			if i >= 2 {
				want = "R4"
			}
			if d := w.run(); codes(d) != want {
				t.Errorf("run %d, %s: %q, want %q", i, mood, codes(d), want)
			}
		}
		if d := w.run(); codes(d) != "R4" || d.Regressions[0].Was != "100.0" {
			t.Errorf("%+v", d.Regressions)
		}
		w.items["rug"] = "ok"
		if d := w.run(); codes(d) != "" {
			t.Errorf("it is open: %+v", d.Regressions)
		}
	})
}

// What another tool finds on an item that is as it was is no regression, in this
// run or in a later one; what changed together with the tool is one.
func TestRun_upgrade(t *testing.T) {
	w := newWorld(t, "lamp", "rug")
	w.items["lamp"] = "weary" // which only the next tool knows to be a sickness
	w.run()
	w.pin(1)
	w.tool, w.items["rug"], w.cfg.Limits = "next", "sick", map[string]float64{"script-sick.weary": 1}
	d := w.run()
	want(t, d, "scripts/lamp script-sick new; scripts/rug R1; scripts/rug R2; scripts/rug R3; scripts/rug changed; scripts/rug script-sick new")
	if d = w.run(); codes(d) != "R1R2R3" {
		t.Errorf("%+v", d.Regressions)
	}
	w.items["rug"] = "ok"
	want(t, w.run(), "scripts/lamp script-sick persisting; scripts/rug changed; scripts/rug script-sick resolved")
}

// What the baseline has is none, and neither is what only another collector sees;
// what the same tool finds is one, whatever changed.
func TestRun_baseline(t *testing.T) {
	t.Run("what_it_has", func(t *testing.T) {
		w := newWorld(t, "rug")
		w.items["rug"] = "sick"
		w.run()
		w.pin(1)
		want(t, w.run(), "scripts/rug script-sick persisting")
	})
	t.Run("another_collector", func(t *testing.T) {
		w := newWorld(t, "rug")
		w.run()
		w.pin(1)
		w.epoch, w.items["rug"] = 2, "sick"
		want(t, w.run(), "scripts/rug rebased; scripts/rug script-sick new")
		want(t, w.run(), "scripts/rug script-sick persisting")
	})
	t.Run("the_same_tool", func(t *testing.T) {
		w := newWorld(t, "rug")
		w.items["rug"] = "weary"
		w.run()
		w.pin(1)
		w.cfg.Limits = map[string]float64{"script-sick.weary": 1}
		if d := w.run(); codes(d) != "R1R2R3" {
			t.Errorf("%+v", d.Regressions)
		}
	})
}

// Runs that could not look tell nothing of what is usual.
func TestRun_usualNeedsFive(t *testing.T) {
	w := newWorld(t, "rug")
	for range 3 {
		w.run()
	}
	w.lost = "right"
	for range 3 {
		w.run()
	}
	w.lost = ""
	for _, mood := range []string{"sore 2", "sore 4", "sore 4"} {
		w.items["rug"] = mood
		if d := w.run(); codes(d) != "" {
			t.Errorf("%s: %+v", mood, d.Regressions)
		}
	}
}

// What goes to and fro is told as such, until it has been quiet for long.
func TestRun_flapping(t *testing.T) {
	w := newWorld(t, "lamp", "rug")
	flaps := func() *float64 {
		for _, it := range w.run().Items {
			if it.Key == "scripts/rug" {
				return it.Flapping
			}
			if it.Flapping != nil {
				t.Error("the lamp flaps")
			}
		}
		t.Fatal("no rug")
		return nil
	}
	w.run()
	for i := range 6 {
		w.items["rug"] = []string{"sick", "ok"}[i%2]
		// 6 changes, the newest: 7.2 of 20
		if f := flaps(); (f != nil) != (i == 5) || f != nil && *f != 35.5 {
			t.Errorf("after %d changes: %v", i+1, f)
		}
	}
	w.items["rug"] = "unread"
	if f := flaps(); f == nil {
		t.Error("what is not known ends it")
	}
	w.items["rug"] = "ok"
	quiet := 0
	for flaps() != nil {
		if quiet++; quiet > 21 {
			t.Fatal("it never ends")
		}
	}
	if quiet < 10 {
		t.Errorf("it ended after %d quiet runs", quiet)
	}
}

// A check asks what earlier snapshots measured; what it finds is a regression
// although the level is what it was.
func TestRun_trend(t *testing.T) {
	w := newWorld(t, "lamp", "rug")
	w.run()
	for i, mood := range []string{"swell", "swelll", "swelll", "swell", "swell"} {
		w.items["rug"] = mood
		want := ""
		if i == 1 || i == 2 { // of the two runs before and this one it was "ok" first
			want = "R5"
		}
		d := w.run()
		if codes(d) != want {
			t.Errorf("run %d: %q, want %q", i+2, codes(d), want)
		}
		if want == "R5" && (d.Regressions[0].Now != "it swells" || d.Gate.Exit != 1) {
			t.Errorf("%+v, exit %d", d.Regressions[0], d.Gate.Exit)
		}
	}
}
