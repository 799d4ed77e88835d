package pipeline

import (
	"encoding/json"
	"iter"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A writer writes rows until the first error. It writes them in the order of
// their keys: the pages of a new store are then filled once and in turn.
type writer struct {
	tx  *store.Tx
	seq uint64
	err error
}

func (w *writer) do(f func() error) {
	if w.err == nil {
		w.err = f()
	}
}

func (w *writer) put(table, id string, value []byte) {
	w.do(func() error { return w.tx.Table(table).Put(w.seq, id, value) })
}

func (w *writer) json(table, id string, v any) {
	b, err := json.Marshal(v)
	w.do(func() error { return err })
	w.put(table, id, b)
}

func (w *writer) blobs(s *stage, bases map[string]string) {
	sums := slices.DeleteFunc(s.digests(), w.tx.HasBlob)
	type blob struct {
		plain, packed []byte
		err           error
	}
	read := ahead(len(sums), func(i int) (b blob) {
		if bases[sums[i]] != "" {
			b.plain, _, b.err = s.read(sums[i])
		}
		if b.err == nil {
			b.packed, b.err = s.packed(sums[i])
		}
		return b
	})
	for i, b := range read {
		w.do(func() error { return b.err })
		w.do(func() error { return w.tx.PutPacked(sums[i], b.packed, bases[sums[i]], b.plain) })
		if w.err != nil {
			return
		}
	}
}

func (w *writer) items(c *comparison) {
	r, err := c.dirty.read()
	w.do(func() error { return err })
	for w.err == nil {
		it, state, err := r.next()
		if it == nil {
			break
		}
		w.do(func() error { return err })
		w.put(tableItem, string(it.Key), state)
	}
	for _, it := range c.gone {
		w.do(func() error { return w.tx.Table(tableItem).Delete(w.seq, string(it.Key)) })
	}
}

// ahead returns do(0) to do(n-1) in turn, some of them made beforehand on
// another core.
func ahead[T any](n int, do func(int) T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		made, stop := make(chan T, 32), make(chan struct{})
		defer close(stop)
		go func() {
			for i := range n {
				select {
				case made <- do(i):
				case <-stop:
					return
				}
			}
		}()
		for i := range n {
			if !yield(i, <-made) {
				return
			}
		}
	}
}

// readings keeps the metrics and volatile facts of every system that was read
// in this run, also of items carried because one source of it failed: what is
// known of a system is always in its last reading.
func (w *writer) readings(s *snapshot.Snapshot) {
	for sys, m := range readingsIn(s) {
		b, err := encodeReadings(m)
		w.do(func() error { return err })
		w.do(func() error { return w.tx.PutObs(w.seq, string(sys), b) })
	}
}

func readingsIn(s *snapshot.Snapshot) map[snapshot.System]map[snapshot.Key]readings {
	all := map[snapshot.System]map[snapshot.Key]readings{}
	for _, it := range s.Items {
		if !s.System(it.System()).Status.Listed() {
			continue
		}
		r := readings{Metrics: it.Metrics}
		for _, f := range it.Facts {
			if f.Class == snapshot.Volatile {
				r.Facts = append(r.Facts, f)
			}
		}
		if len(r.Metrics)+len(r.Facts) == 0 {
			continue
		}
		sys := it.System()
		if all[sys] == nil {
			all[sys] = map[snapshot.Key]readings{}
		}
		all[sys][it.Key] = r
	}
	return all
}

func (w *writer) findings(v *View) {
	for _, t := range v.findings {
		if t.Changed {
			w.json(tableFinding, t.ID, t.Record)
		}
	}
	for _, r := range v.Regressions {
		w.json(tableRegression, r.ID(), r)
	}
	for _, r := range v.closed {
		w.json(tableRegression, r.ID(), r)
	}
}

func (w *writer) tree(b []byte, old string) {
	sum := snapshot.Sum(b)
	if sum == old {
		return
	}
	w.do(func() error { return w.tx.PutBlob(sum, b, old) })
	w.json(tableState, rowTree, sum)
}
