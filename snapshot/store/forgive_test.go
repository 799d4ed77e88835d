package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// hurt damages one row of a store: its value, or its key, which stays in order.
// It returns false where no other key fits.
func hurt(t *testing.T, path string, b bucket, n int, inKey bool) (done bool) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(names[b])).Cursor()
		key, row := c.First()
		before := []byte(nil)
		for range n {
			before = bytes.Clone(key)
			key, row = c.Next()
		}
		key, row = bytes.Clone(key), bytes.Clone(row)
		after, _ := c.Next()
		if !inKey {
			row[len(row)-1] ^= 1
			done = true
			return tx.Bucket([]byte(names[b])).Put(key, row)
		}
		for at := len(key) - 1; at >= 0 && !done; at-- {
			for _, bit := range []byte{1, 2, 4} {
				other := bytes.Clone(key)
				other[at] ^= bit
				if bytes.Compare(before, other) < 0 && (after == nil || bytes.Compare(other, after) < 0) {
					done = true
					return errors.Join(tx.Bucket([]byte(names[b])).Delete(key), tx.Bucket([]byte(names[b])).Put(other, row))
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// A transaction that forgives gives everything but what stood in the damaged
// row, whichever that is, names that, and never an older value for it.
func TestForgive(t *testing.T) {
	r := random(t)
	s := create(t)
	k := fill(t, s, r)
	s.Close()
	whole, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "audit.db")
	rows, lost := 25, 0
	if testing.Short() {
		rows = 5
	}
	for _, b := range []bucket{bCur, bVer, bChg} {
		n := 0
		view(t, mustOpen(t, s.Path(), Options{ReadOnly: true}), func(tx *Tx) error { n = tx.b[b].Stats().KeyN; return nil })
		for i := range 2 * rows {
			inKey := i%2 == 1
			at := r.IntN(n)
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if !hurt(t, path, b, at, inKey) {
				continue
			}
			d := mustOpen(t, path, Options{ReadOnly: true, Lazy: true})
			err := d.View(func(tx *Tx) error {
				tx.Forgive()
				err := k.forgiven(tx)
				lost += len(tx.Lost())
				return err
			})
			if err != nil {
				t.Errorf("row %d of %s, in its key: %v: %v", at, names[b], inKey, err)
			}
			d.Close()
		}
	}
	if lost == 0 {
		t.Error("nothing was ever lost")
	}
}

// forgiven holds what a damaged store gives against what was put into it.
func (k *known) forgiven(tx *Tx) error {
	for name, m := range k.models {
		tab := tx.Table(name)
		for _, seq := range []uint64{1, 5, uint64(len(k.headers))} {
			if err := m.scanned(tab, name, seq); err != nil {
				return err
			}
			want := []string{}
			for _, id := range m.ids() {
				if slices.ContainsFunc(m[id], func(v modelVersion) bool { return v.seq > seq-1 && v.seq <= seq+3 }) {
					want = append(want, id)
				}
			}
			got := []string{}
			if err := tab.Changed(seq-1, seq+3, func(id string) error { got = append(got, id); return nil }); err != nil || !slices.Equal(got, want) {
				return fmt.Errorf("changed from %d: %d ids, want %d, %v", seq-1, len(got), len(want), err)
			}
		}
		for _, id := range m.ids() {
			if err := m.past(tab, name, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m model) scanned(tab Table, name string, seq uint64) error {
	got := map[string]bool{}
	err := tab.Scan(seq, "", func(id string, v []byte, since uint64) error {
		got[id] = true
		if want, ok := m.at(seq, id); !ok || since != want.seq || !bytes.Equal(v, want.value) {
			return fmt.Errorf("%s at %d is not what was put", id, seq)
		}
		return nil
	})
	if err := cmp.Or(err, m.ranges(tab, seq, got)); err != nil {
		return err
	}
	missing := 0
	for _, id := range m.ids() {
		if _, ok := m.at(seq, id); !ok || got[id] {
			continue
		}
		missing++
		_, _, ok, err := tab.At(seq, id)
		if ok || !tab.tx.Bear(err) {
			return fmt.Errorf("%s at %d is lost, and At says %v, %v", id, seq, ok, err)
		}
		if !slices.Contains(tab.tx.Lost(), Place{Bucket: "cur", Table: name, ID: id, Seq: seq}) {
			return fmt.Errorf("%s at %d is left out, and nothing says so", id, seq)
		}
	}
	if missing > 1 {
		return fmt.Errorf("%d are left out at %d for one row", missing, seq)
	}
	return nil
}

// ranges holds what two scans at once give against what one gave.
func (m model) ranges(tab Table, seq uint64, want map[string]bool) error {
	ids := m.ids()
	middle := ids[len(ids)/2]
	var got [2][]string
	var errs [2]error
	var wg sync.WaitGroup
	for i, r := range []idRange{{"", middle}, {middle, ""}} {
		wg.Go(func() {
			errs[i] = tab.ScanLazy(seq, r.from, r.until, func(id string, _ Lazy) error { got[i] = append(got[i], id); return nil })
		})
	}
	wg.Wait()
	all := slices.Concat(got[0], got[1])
	if slices.Equal(all, slices.Sorted(maps.Keys(want))) {
		return errors.Join(errs[:]...)
	}
	return fmt.Errorf("two scans at %d give %d ids, one %d: %w", seq, len(all), len(want), errors.Join(errs[:]...))
}

func (m model) past(tab Table, name, id string) error {
	given := map[uint64]bool{}
	right := true
	err := tab.History(id, func(seq uint64, v []byte) bool {
		given[seq] = true
		i := slices.IndexFunc(m[id], func(w modelVersion) bool { return w.seq == seq })
		right = right && i >= 0 && (v == nil) == (m[id][i].value == nil) && bytes.Equal(v, m[id][i].value)
		return true
	})
	if err != nil || !right {
		return fmt.Errorf("history of %s: %v, %v", id, right, err)
	}
	for _, v := range m[id] {
		if !given[v.seq] && !slices.Contains(tab.tx.Lost(), Place{Bucket: "cur", Table: name, ID: id, Seq: v.seq}) {
			return fmt.Errorf("version %d of %s is left out, and nothing says so", v.seq, id)
		}
	}
	return nil
}
