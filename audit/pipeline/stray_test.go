package pipeline

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A run that brings much keeps bytes and stamps before it finds that the store is
// damaged where it would be kept itself. Nothing refers to them: more runs add none,
// and after a repair they are swept, with what would have the next run count on them.
func TestRun_damaged_leaves_strays(t *testing.T) {
	w, sums := bulkyWorld(t)
	if _, err := w.fileRunner().Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	text := bytes.Repeat([]byte("another text that is long\n"), bulk/20)
	if err := os.WriteFile(filepath.Join(w.root, "new.txt"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	stray, size := snapshot.Sum(text), int64(0)
	change(t, w.store, damaged("snapid", nil))
	for i := range 3 {
		w.now = w.now.Add(time.Hour)
		var blind *UnkeptError
		if _, err := w.fileRunner().Run(t.Context()); !errors.As(err, &blind) {
			t.Fatal(err)
		}
		st, err := os.Stat(w.store)
		if err != nil || i > 0 && st.Size() != size {
			t.Errorf("run %d: %d bytes, %d before: %v", i, st.Size(), size, err)
		}
		size = st.Size()
	}
	w.holds(stray, true)

	rep, err := store.Salvage(w.store, w.now, "test")
	if err != nil {
		t.Fatal(err)
	}
	if err := rep.Place(w.store + ".damaged"); err != nil {
		t.Fatal(err)
	}
	w.holds(stray, true)
	st, err := store.Open(w.store, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Sweep(t.Context(), st)
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	w.holds(stray, false)
	for _, sum := range sums {
		w.holds(sum, true)
	}
	w.now = w.now.Add(time.Hour)
	if doc, err := w.fileRunner().Run(t.Context()); err != nil || doc.Run.Seq != 2 {
		t.Fatalf("%v: %+v", err, doc)
	}
	w.holds(stray, true)
}

// holds tells whether the store has bytes.
func (w *world) holds(sum string, want bool) {
	w.t.Helper()
	w.view(func(tx *store.Tx) error {
		if tx.HasBlob(sum) != want {
			w.t.Errorf("the bytes %.12s are there: %v", sum, !want)
		}
		return nil
	})
}
