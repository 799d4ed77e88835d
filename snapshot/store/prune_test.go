package store

import (
	"errors"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"slices"
	"testing"
)

// states is what every snapshot shows: table and id → value.
type states map[uint64]map[string]string

func readStates(t *testing.T, tx *Tx, seqs []uint64) states {
	out := states{}
	for _, seq := range seqs {
		out[seq] = map[string]string{}
		for _, name := range []string{"item", "finding"} {
			err := tx.Table(name).Scan(seq, "", func(id string, v []byte, _ uint64) error {
				out[seq][name+" "+id] = string(v)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// versionsOf are the versions a store has that never had other snapshots.
func (s states) versionsOf(seqs []uint64, name string) (out []string) {
	last, had := "", false
	for _, seq := range seqs {
		v, ok := s[seq][name]
		if ok != had || v != last {
			out = append(out, fmt.Sprintf("%d %v %q", seq, ok, v))
		}
		last, had = v, ok
	}
	slices.Reverse(out)
	return out
}

func tableSteps(t *testing.T, s *Store, r *mrand.Rand, n int) {
	for range n {
		update(t, s, func(tx *Tx) error {
			seq := snap(t, tx)
			var err error
			for range r.IntN(12) {
				tab, id := tx.Table([]string{"item", "finding"}[r.IntN(2)]), fmt.Sprint("id", r.IntN(10))
				if r.IntN(4) == 0 {
					err = errors.Join(err, tab.Delete(seq, id))
				} else { // few values, so that some come back
					v := fmt.Appendf(nil, "value %d of some length, so that it is worth packing: %d", r.IntN(3), r.IntN(2))
					if r.IntN(3) > 0 {
						v = changing(r, id)
					}
					err = errors.Join(err, tab.Put(seq, id, v))
				}
			}
			return errors.Join(err, tx.PutObs(seq, "pm2", fmt.Append(nil, seq)), tx.PutObs(seq, "scripts", fmt.Append(nil, seq)))
		})
	}
}

// TestDrop: what is left reads as before, and the store is as if the snapshots
// that went had never been, in whatever order they go.
func TestDrop(t *testing.T) {
	r := random(t)
	for range 12 {
		s := create(t)
		const n = 30
		tableSteps(t, s, r, n)
		if rests := restsIn(t, s); rests < 10 {
			t.Fatalf("only %d versions are kept as differences", rests)
		}
		var kept, drop []uint64
		for seq := uint64(1); seq <= n; seq++ {
			if seq == n || r.IntN(3) == 0 {
				kept = append(kept, seq)
			} else {
				drop = append(drop, seq)
			}
		}
		var before states
		view(t, s, func(tx *Tx) error { before = readStates(t, tx, kept); return nil })
		r.Shuffle(len(drop), func(i, j int) { drop[i], drop[j] = drop[j], drop[i] })
		for part := range slices.Chunk(drop, 4) {
			update(t, s, func(tx *Tx) (err error) {
				for _, seq := range part {
					_, e := tx.Drop(seq, func(name string) bool { return seq == 3 && name == "pm2" })
					err = errors.Join(err, e)
				}
				return err
			})
			verified(t, s)
		}
		view(t, s, func(tx *Tx) error {
			compareDropped(t, tx, before, kept)
			if v, err := tx.Obs(3, "pm2"); err != nil || string(v) != "3" {
				t.Errorf("the reading that was to stay is %q, %v", v, err)
			}
			for _, seq := range drop {
				if v, _ := tx.Obs(seq, "scripts"); v != nil {
					t.Errorf("reading of %d is still there", seq)
				}
				if _, ok, _ := tx.Header(seq); ok {
					t.Errorf("header of %d is still there", seq)
				}
			}
			return nil
		})
		s.Close()
	}
}

func compareDropped(t *testing.T, tx *Tx, before states, kept []uint64) {
	t.Helper()
	after := readStates(t, tx, kept)
	for seq, want := range before {
		if !maps.Equal(after[seq], want) {
			t.Errorf("snapshot %d shows %v, before %v", seq, after[seq], want)
		}
	}
	for _, table := range []string{"item", "finding"} {
		for i := range 10 {
			id := fmt.Sprint("id", i)
			var got []string
			err := tx.Table(table).History(id, func(seq uint64, v []byte) bool {
				got = append(got, fmt.Sprintf("%d %v %q", seq, v != nil, v))
				return true
			})
			if want := before.versionsOf(kept, table+" "+id); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s %s has the versions %v, want %v (%v)", table, id, got, want, err)
			}
		}
	}
	var seqs []uint64
	err := tx.Headers(0, false, func(seq uint64, _ Header) bool { seqs = append(seqs, seq); return true })
	if err != nil || !slices.Equal(seqs, kept) {
		t.Errorf("left are %v, want %v (%v)", seqs, kept, err)
	}
}

func TestDropRefuses(t *testing.T) {
	s := create(t)
	tableSteps(t, s, random(t), 3)
	for _, seq := range []uint64{3, 4, 0} {
		if err := s.Update(func(tx *Tx) error { _, err := tx.Drop(seq, nil); return err }); err == nil {
			t.Errorf("snapshot %d went", seq)
		}
	}
	view(t, s, func(tx *Tx) error {
		if _, err := tx.Drop(1, nil); !errors.Is(err, errReadOnly) {
			t.Errorf("a reader drops: %v", err)
		}
		return nil
	})
}
