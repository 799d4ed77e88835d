package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// TestStatesSeen: what the states of the items come to is taken from an earlier run
// only while every row is as it was then; else they are read.
func TestStatesSeen(t *testing.T) {
	w := newWorld(t, "lamp", "rug")
	looks := 0
	still := &audit.Check{ID: "script-still", System: snapshot.Scripts, Severity: audit.Low, Title: "looks", Still: true, Judge: func(*audit.Pass) { looks++ }}
	run := func() (seq uint64) {
		t.Helper()
		w.now = w.now.Add(time.Hour)
		r := w.runner()
		r.Checks, r.Build = []*audit.Check{still}, "one"
		doc, err := r.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return doc.Run.Seq
	}
	kept := func() (s sighting) {
		t.Helper()
		w.view(func(tx *store.Tx) error { return json.Unmarshal(tx.Cache(sightingKey), &s) })
		return s
	}
	keep := func(s sighting) {
		t.Helper()
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) error { return tx.PutCache(sightingKey, b) })
	}
	first := run()
	run()
	run()
	if s := kept(); s.Seq != first || s.Count != 2 || looks != 1 {
		t.Fatalf("%d looks, kept %+v", looks, s)
	}
	w.items["rug"] = "dead"
	second := run()
	newest := run()
	sound := kept()
	if sound.Seq != second || looks != 2 {
		t.Fatalf("%d looks, kept %+v", looks, sound)
	}
	for _, c := range []struct {
		what    string
		change  func(*sighting)
		trusted bool
	}{
		{"as it was", func(*sighting) {}, true},
		{"a later run", func(s *sighting) { s.Seq, s.Run = newest, idOf(t, w, newest) }, true},
		{"a run that was not kept", func(s *sighting) { s.Run = "01JDXYZ" }, false},
		{"a run that there is not", func(s *sighting) { s.Seq = 999 }, false},
		{"before an item changed", func(s *sighting) { s.Seq, s.Run = first, idOf(t, w, first) }, false},
		{"before an item went away", func(s *sighting) { s.Count++ }, false},
	} {
		keep(sound)
		run()
		other := sound
		c.change(&other)
		other.Sum = []byte("another")
		keep(other)
		before := looks
		run()
		if trusted := looks > before; trusted != c.trusted { // the world was another by it
			t.Errorf("%s: trusted %v, want %v", c.what, trusted, c.trusted)
		}
		if s := kept(); !c.trusted && string(s.Sum) != string(sound.Sum) {
			t.Errorf("%s: kept %+v", c.what, s)
		}
	}
}

// TestStatesSeen_damaged: the run in which the states were seen is not needed.
func TestStatesSeen_damaged(t *testing.T) {
	w := newWorld(t, "lamp", "rug")
	run := func() (*report.Document, error) {
		w.now = w.now.Add(time.Hour)
		r := w.runner()
		r.Build = "one"
		return r.Run(t.Context())
	}
	for range 40 { // more than a document tells of
		if _, err := run(); err != nil {
			t.Fatal(err)
		}
	}
	change(t, w.store, damaged("snap", binary.BigEndian.AppendUint64(nil, 1)))
	if doc, err := run(); err != nil || doc.Run.Seq != 41 {
		t.Errorf("%v: %+v", err, doc)
	}
}

func idOf(t *testing.T, w *world, seq uint64) (id string) {
	t.Helper()
	w.view(func(tx *store.Tx) error {
		h, _, err := tx.Header(seq)
		id = h.ID
		return err
	})
	return id
}
