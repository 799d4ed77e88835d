package store

import (
	"bytes"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"testing"
)

// kinds says of every older version of an id, the newest first, how it is kept: w whole,
// r a difference, x a removal.
func kinds(t *testing.T, tx *Tx, id string) (out string) {
	prefix := append(tx.Table("item").curKey(id), 0)
	err := tx.walk(bVer, prefix, prefix, func(_, row []byte) (bool, error) {
		switch {
		case isRest(row):
			out += "r"
		case row[0] == tombstone:
			out += "x"
		default:
			out += "w"
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// versionsOf puts so many values under an id, each in a snapshot of its own.
func versionsOf(t *testing.T, s *Store, r *mrand.Rand, id string, n int) (values [][]byte) {
	for range n {
		update(t, s, func(tx *Tx) error {
			seq, v := snap(t, tx), fmt.Appendf(changing(r, id), "%x", r.Uint64())
			values = append(values, v)
			return tx.Table("item").Put(seq, id, v)
		})
	}
	return values
}

// same checks that the snapshots from one on show these values; nil is a removal.
func same(t *testing.T, s *Store, id string, from uint64, values [][]byte) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		for i, want := range values {
			got, _, ok, err := tx.Table("item").At(from+uint64(i), id)
			if err != nil || ok != (want != nil) || !bytes.Equal(got, want) {
				t.Errorf("%s at %d is %q %v, want %q", id, from+uint64(i), got, err, want)
			}
		}
		return nil
	})
}

func TestRest(t *testing.T) {
	t.Run("what changes little rests on the newest, so many and no more", func(t *testing.T) {
		s := create(t)
		values := versionsOf(t, s, random(t), "a", 40)
		same(t, s, "a", 1, values)
		view(t, s, func(tx *Tx) error {
			run := 0
			for _, k := range kinds(t, tx, "a") {
				if run++; k != 'r' {
					run = 0
				}
				if run > maxResting {
					t.Errorf("%s: more than %d rest on one", kinds(t, tx, "a"), maxResting)
				}
			}
			if n := restsIn(t, s); n < 35 {
				t.Errorf("%d of 39 are differences: %s", n, kinds(t, tx, "a"))
			}
			return nil
		})
		verified(t, s)
	})
	t.Run("what changes much stays whole, and what rests on it stays", func(t *testing.T) {
		s, r := create(t), random(t)
		values := versionsOf(t, s, r, "a", 3)
		noise := make([]byte, 1500)
		mrand.NewChaCha8([32]byte{}).Read(noise)
		update(t, s, func(tx *Tx) error { return tx.Table("item").Put(snap(t, tx), "a", noise) })
		values = append(values, noise)
		values = append(values, versionsOf(t, s, r, "a", 3)...)
		same(t, s, "a", 1, values)
		view(t, s, func(tx *Tx) error {
			if got := kinds(t, tx, "a"); got != "rrwwrr" {
				t.Errorf("kept as %s", got)
			}
			return nil
		})
		verified(t, s)
	})
	t.Run("nothing rests on what stands beyond a removal", func(t *testing.T) {
		s, r := create(t), random(t)
		values := versionsOf(t, s, r, "a", 4)
		update(t, s, func(tx *Tx) error { return tx.Table("item").Delete(snap(t, tx), "a") })
		values = append(append(values, nil), versionsOf(t, s, r, "a", 3)...)
		same(t, s, "a", 1, values)
		view(t, s, func(tx *Tx) error {
			if got := kinds(t, tx, "a"); got != "rrxwrrr" {
				t.Errorf("kept as %s", got)
			}
			return nil
		})
		verified(t, s)
	})
	t.Run("values too long for a dictionary stay whole", func(t *testing.T) {
		s := create(t)
		long := make([]byte, maxRest+1)
		mrand.NewChaCha8([32]byte{}).Read(long)
		other := append(bytes.Clone(long), 1)
		update(t, s, func(tx *Tx) error { return tx.Table("item").Put(snap(t, tx), "a", long) })
		update(t, s, func(tx *Tx) error { return tx.Table("item").Put(snap(t, tx), "a", other) })
		same(t, s, "a", 1, [][]byte{long, other})
		view(t, s, func(tx *Tx) error {
			if got := kinds(t, tx, "a"); got != "w" {
				t.Errorf("kept as %s", got)
			}
			return nil
		})
	})
}

// TestRestOfDropped: what rests on a version whose snapshot goes is made anew on another.
func TestRestOfDropped(t *testing.T) {
	noise := make([]byte, 1500)
	mrand.NewChaCha8([32]byte{}).Read(noise)
	for _, c := range []struct {
		name string
		end  []byte // what follows four values; nil is a removal
		more int    // values after that
		drop []uint64
		want string // how the versions that are left are kept
	}{
		{"the one before a removal", nil, 0, []uint64{4}, "xwrr"},
		{"two before a removal", nil, 0, []uint64{4, 3}, "xwr"},
		{"one that rests", nil, 0, []uint64{2}, "xwrr"},
		{"the removal", nil, 1, []uint64{5}, "wrrr"},
		{"the whole one after which others come", noise, 2, []uint64{5, 4}, "rrrr"},
		{"all but the oldest", noise, 2, []uint64{6, 5, 4, 3, 2}, "r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, r := create(t), random(t)
			values := append(versionsOf(t, s, r, "a", 4), c.end)
			update(t, s, func(tx *Tx) error {
				if seq := snap(t, tx); c.end != nil {
					return tx.Table("item").Put(seq, "a", c.end)
				}
				return tx.Table("item").Delete(5, "a")
			})
			values = append(values, versionsOf(t, s, r, "a", c.more)...)
			update(t, s, func(tx *Tx) error { snap(t, tx); return nil })
			update(t, s, func(tx *Tx) (err error) {
				for _, seq := range c.drop {
					_, e := tx.Drop(seq, nil)
					err = errors.Join(err, e)
				}
				return err
			})
			for i, v := range values {
				if !slices.Contains(c.drop, uint64(i+1)) {
					same(t, s, "a", uint64(i+1), [][]byte{v})
				}
			}
			view(t, s, func(tx *Tx) error {
				if got := kinds(t, tx, "a"); got != c.want {
					t.Errorf("kept as %s, want %s", got, c.want)
				}
				return nil
			})
			verified(t, s)
		})
	}
}

// TestRestHostile: a difference on a difference, on itself, of another id or on nothing is
// an error, whatever its check says.
func TestRestHostile(t *testing.T) {
	r := random(t)
	whole, other, third := changing(r, "a"), append(changing(r, "a"), "other"...), append(changing(r, "a"), "third"...)
	row := newGround(whole).difference(other)
	for name, put := range map[string]func(tx *Tx, t Table) error{
		"on itself": func(tx *Tx, tab Table) error { return tx.put(bVer, tab.verKey("a", 1), row) },
		"on a difference": func(tx *Tx, tab Table) error {
			return errors.Join(tx.put(bVer, tab.verKey("a", 2), row), tx.put(bVer, tab.verKey("a", 1), newGround(other).difference(third)))
		},
		"of another id": func(tx *Tx, tab Table) error {
			return errors.Join(tx.put(bVer, tab.verKey("a", 1), row), tab.Put(3, "b", whole))
		},
		"on an older one": func(tx *Tx, tab Table) error {
			p, err := pack(whole, 0)
			return errors.Join(err, tx.put(bVer, tab.verKey("a", 1), row), tx.put(bVer, tab.verKey("a", 0), p))
		},
		"beyond a removal": func(tx *Tx, tab Table) error {
			p, err := pack(whole, 0)
			return errors.Join(err, tx.put(bVer, tab.verKey("a", 1), row), tx.put(bVer, tab.verKey("a", 2), []byte{tombstone}), tx.put(bVer, tab.verKey("a", 3), p))
		},
		"on one that is gone": func(tx *Tx, tab Table) error {
			return errors.Join(tab.Put(3, "a", third), tx.put(bVer, tab.verKey("a", 1), row))
		},
		"current": func(tx *Tx, tab Table) error { return tx.put(bCur, tab.curKey("a"), append(be64(1), row...)) },
		"cut off": func(tx *Tx, tab Table) error {
			return errors.Join(tab.Put(3, "a", whole), tx.put(bVer, tab.verKey("a", 1), row[:9]))
		},
		"too long": func(tx *Tx, tab Table) error {
			long := slices.Concat(row[:9], []byte{0xff, 0xff, 0x3f, 0}, row[11:])
			return errors.Join(tab.Put(3, "a", whole), tx.put(bVer, tab.verKey("a", 1), long))
		},
		"of a length that fills the memory": func(tx *Tx, tab Table) error {
			bomb := slices.Concat(row[:9], []byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
			return errors.Join(tab.Put(3, "a", whole), tx.put(bVer, tab.verKey("a", 1), bomb))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := create(t)
			update(t, s, func(tx *Tx) error {
				snap(t, tx)
				snap(t, tx)
				snap(t, tx)
				return put(tx, tx.Table("item"))
			})
			var c *CorruptError
			err := s.View(func(tx *Tx) error {
				_, _, _, err := tx.Table("item").At(1, "a")
				return err
			})
			if !errors.As(err, &c) {
				t.Errorf("it reads: %v", err)
			}
			err = s.View(func(tx *Tx) error {
				return tx.Table("item").ScanLazy(1, "", "", func(_ string, v Lazy) error { _, err := v.Text(); return err })
			})
			if !errors.As(err, &c) {
				t.Errorf("a scan reads it: %v", err)
			}
			if found, err := s.Verify(t.Context(), true); err != nil || len(found) == 0 {
				t.Errorf("verify: %v %v", found, err)
			}
		})
	}
}

// TestRestAfterRepair: what is left of an id of which one version was lost rests on nothing
// beyond the gap, also when the id changes again.
func TestRestAfterRepair(t *testing.T) {
	s, r := create(t), random(t)
	values := versionsOf(t, s, r, "a", 4)
	s.Close()
	if !hurt(t, s.Path(), bVer, 1, false) { // version 2
		t.Fatal("nothing was hurt")
	}
	rep, err := Salvage(s.Path(), noon, "ada")
	if err != nil {
		t.Fatal(err)
	}
	verified(t, rep.Store)
	values[1] = nil
	same(t, rep.Store, "a", 1, values)
	values = append(values, versionsOf(t, rep.Store, r, "a", 2)...)
	same(t, rep.Store, "a", 1, values)
	verified(t, rep.Store)
	if err := rep.Discard(); err != nil {
		t.Error(err)
	}
}

// TestRestBesideDamage: an id changes also where an older version of it is damaged, and what
// is not damaged stays.
func TestRestBesideDamage(t *testing.T) {
	s, r := create(t), random(t)
	values := versionsOf(t, s, r, "a", 4)
	s.Close()
	if !hurt(t, s.Path(), bVer, 1, false) {
		t.Fatal("nothing was hurt")
	}
	s = mustOpen(t, s.Path(), Options{})
	values = append(values, versionsOf(t, s, r, "a", 3)...)
	for _, i := range []int{0, 2, 3, 4, 5, 6} {
		same(t, s, "a", uint64(i+1), values[i:i+1])
	}
	if found, err := s.Verify(t.Context(), true); err != nil || len(found) != 1 || found[0].Place().Seq != 2 {
		t.Errorf("verify: %v %v", found, err)
	}
}
