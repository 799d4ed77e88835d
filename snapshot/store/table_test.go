package store

import (
	"bytes"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
)

// A model is the naive temporal table: every version of every id, oldest first.
type model map[string][]modelVersion

type modelVersion struct {
	seq   uint64
	value []byte // nil: removed
}

func (m model) top(id string) (modelVersion, bool) {
	if v := m[id]; len(v) > 0 {
		return v[len(v)-1], true
	}
	return modelVersion{}, false
}

// set mirrors Put and Delete; false means that it is refused.
func (m model) set(seq uint64, id string, value []byte) bool {
	same := func() bool {
		t, _ := m.top(id)
		return (t.value == nil) == (value == nil) && bytes.Equal(t.value, value)
	}
	if same() {
		return true
	}
	if t, ok := m.top(id); ok && seq < t.seq {
		return false
	} else if ok && seq == t.seq {
		m[id] = m[id][:len(m[id])-1]
	}
	if !same() {
		m[id] = append(m[id], modelVersion{seq, value})
	}
	return true
}

func (m model) at(seq uint64, id string) (modelVersion, bool) {
	for _, v := range slices.Backward(m[id]) {
		if v.seq <= seq {
			return v, v.value != nil
		}
	}
	return modelVersion{}, false
}

func (m model) ids() []string {
	var out []string
	for id := range m {
		out = append(out, id)
	}
	sort.Strings(out)
	return out
}

var modelIDs = []string{"a", "a\x01", "a/b", "ab", "b", "b#0", "pm2/api", "pm2/api#0", "pm2/apj", "ü", "\xff", strings.Repeat("long/", 300)}

func modelValue(r *mrand.Rand) []byte {
	switch r.IntN(10) {
	case 0:
		return []byte{}
	case 1:
		return bytes.Repeat([]byte{byte(r.IntN(3))}, 3000)
	case 2, 3, 4, 5:
		return changing(r, "a")
	}
	return []byte(fmt.Sprint("value ", r.IntN(4)))
}

func TestTable(t *testing.T) {
	t.Run("agrees with the model", func(t *testing.T) {
		r, rests := random(t), 0
		for range 12 {
			s := create(t)
			models := map[string]model{"item": {}, "it": {}}
			for range 40 {
				update(t, s, func(tx *Tx) error { modelStep(t, r, tx, models); return nil })
			}
			view(t, s, func(tx *Tx) error { compareAll(t, tx, models); return nil })
			s.Close()
			s = mustOpen(t, s.Path(), Options{ReadOnly: true})
			view(t, s, func(tx *Tx) error { compareAll(t, tx, models); return nil })
			verified(t, s)
			rests += restsIn(t, s)
			s.Close()
			if t.Failed() {
				return
			}
		}
		if rests < 100 {
			t.Errorf("only %d versions were kept as differences", rests)
		}
	})
	t.Run("steps over long histories", func(t *testing.T) {
		s := create(t)
		models := map[string]model{"item": {}}
		update(t, s, func(tx *Tx) error {
			for i := range 60 {
				seq := snap(t, tx)
				for _, id := range modelIDs[:5] {
					v := []byte(fmt.Sprint(id, i))
					models["item"].set(seq, id, v)
					if err := tx.Table("item").Put(seq, id, v); err != nil {
						return err
					}
				}
			}
			return nil
		})
		view(t, s, func(tx *Tx) error { compareAll(t, tx, models); return nil })
	})
	t.Run("refuses what cannot be", func(t *testing.T) {
		s := create(t)
		update(t, s, func(tx *Tx) error {
			snap(t, tx)
			for _, err := range []error{
				tx.Table("").Put(1, "a", nil), tx.Table("a\x00").Put(1, "a", nil), tx.Table("a").Put(1, "", nil),
				tx.Table("a").Put(1, "a\x00b", nil), tx.Table("a").Put(1, strings.Repeat("x", maxID+1), nil), tx.Table("a").Put(2, "a", nil),
			} {
				if err == nil {
					t.Error("no error")
				}
			}
			return nil
		})
		view(t, s, func(tx *Tx) error {
			if err := tx.Table("a").Put(1, "a", nil); !errors.Is(err, errReadOnly) {
				t.Errorf("put in a view: %v", err)
			}
			return nil
		})
	})
}

// changing returns one of many values that differ from each other in a few places, as
// those of an item do.
func changing(r *mrand.Rand, of string) []byte {
	b := make([]byte, 0, 1200)
	for i := range 40 {
		b = fmt.Appendf(b, "%s, fact %d: %08x\n", of, i, i*2654435761)
	}
	for range 1 + r.IntN(3) {
		copy(b[r.IntN(20)*40:], fmt.Sprintf("%d", r.IntN(3)))
	}
	return b
}

// restsIn counts the versions that are kept as differences.
func restsIn(t testing.TB, s *Store) (n int) {
	view(t, s, func(tx *Tx) error {
		return tx.walk(bVer, nil, nil, func(_, row []byte) (bool, error) {
			if isRest(row) {
				n++
			}
			return true, nil
		})
	})
	return n
}

func modelStep(t *testing.T, r *mrand.Rand, tx *Tx, models map[string]model) {
	if tx.Seq() == 0 || r.IntN(2) == 0 {
		snap(t, tx)
	}
	newest := tx.Seq()
	for range r.IntN(12) {
		name := []string{"item", "item", "it"}[r.IntN(3)]
		seq, id := newest, modelIDs[r.IntN(len(modelIDs))]
		if r.IntN(8) == 0 {
			seq = uint64(r.IntN(int(newest) + 1))
		}
		value := modelValue(r)
		if r.IntN(4) == 0 {
			value = nil
		}
		ok := models[name].set(seq, id, value)
		var err error
		if value == nil {
			err = tx.Table(name).Delete(seq, id)
		} else {
			err = tx.Table(name).Put(seq, id, value)
		}
		if ok != (err == nil) || err != nil && !errors.Is(err, errPast) {
			t.Fatalf("%s %q at %d: %v, the model says %v", name, id, seq, err, ok)
		}
	}
}

func compareAll(t *testing.T, tx *Tx, models map[string]model) {
	t.Helper()
	for name, m := range models {
		tab := tx.Table(name)
		for seq := range tx.Seq() + 2 {
			for _, id := range append(m.ids(), "nobody", "a\x02", "zz") {
				want, wantOK := m.at(seq, id)
				got, since, ok, err := tab.At(seq, id)
				if err != nil || ok != wantOK || ok && (!bytes.Equal(got, want.value) || since != want.seq) {
					t.Fatalf("%s %q at %d: %q since %d %v %v, want %q since %d %v", name, id, seq, got, since, ok, err, want.value, want.seq, wantOK)
				}
			}
			for _, prefix := range []string{"", "a", "pm2/api", "x"} {
				compareScan(t, tab, m, seq, prefix)
			}
			compareRanges(t, tab, m, seq)
			compareChanged(t, tab, m, seq/2, seq)
		}
		for _, id := range m.ids() {
			var got []modelVersion
			err := tab.History(id, func(seq uint64, v []byte) bool { got = append(got, modelVersion{seq, v}); return true })
			slices.Reverse(got)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(m[id]) && len(got)+len(m[id]) > 0 {
				t.Fatalf("history of %s %q: %v %v, want %v", name, id, got, err, m[id])
			}
		}
	}
}

func compareScan(t *testing.T, tab Table, m model, seq uint64, prefix string) {
	t.Helper()
	var got, want []string
	err := tab.Scan(seq, prefix, func(id string, v []byte, since uint64) error {
		got = append(got, fmt.Sprintf("%q=%q@%d", id, v, since))
		return nil
	})
	for _, id := range m.ids() {
		if v, ok := m.at(seq, id); ok && strings.HasPrefix(id, prefix) {
			want = append(want, fmt.Sprintf("%q=%q@%d", id, v.value, v.seq))
		}
	}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("scan %q at %d: %v\n got %v\nwant %v", prefix, seq, err, got, want)
	}
}

// compareRanges: ranges that follow one another give every id once, also where a bound
// is an id, the beginning of some, or beyond all.
func compareRanges(t *testing.T, tab Table, m model, seq uint64) {
	t.Helper()
	var got, want []string
	bounds := []string{"", "a", "a\x01", "pm2/", "pm2/api", "zz", ""}
	for i, from := range bounds[1:] {
		err := tab.ScanLazy(seq, bounds[i], from, func(id string, v Lazy) error {
			text, err := v.Text()
			got = append(got, fmt.Sprintf("%q=%q", id, text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range m.ids() {
		if v, ok := m.at(seq, id); ok {
			want = append(want, fmt.Sprintf("%q=%q", id, v.value))
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("ranges at %d:\n got %v\nwant %v", seq, got, want)
	}
}

func compareChanged(t *testing.T, tab Table, m model, after, upto uint64) {
	t.Helper()
	var got, want []string
	err := tab.Changed(after, upto, func(id string) error { got = append(got, id); return nil })
	for _, id := range m.ids() {
		if slices.ContainsFunc(m[id], func(v modelVersion) bool { return v.seq > after && v.seq <= upto }) {
			want = append(want, id)
		}
	}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("changed (%d, %d]: %q %v, want %q", after, upto, got, err, want)
	}
}
