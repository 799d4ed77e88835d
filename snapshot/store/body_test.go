package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
)

// bodies appends so many snapshots whose bodies say much the same.
func bodies(t *testing.T, s *Store, n int) (all [][]byte) {
	r := random(t)
	update(t, s, func(tx *Tx) error {
		for i := range n {
			body := fmt.Appendf(changing(r, "run"), "started %d %x", i, r.Uint64())
			if _, err := tx.AppendSnapshot(Header{ID: fmt.Sprint("01BODY", i), At: noon, Body: body, Brief: []byte("brief")}); err != nil {
				return err
			}
			all = append(all, body)
		}
		return nil
	})
	return all
}

// bases returns the snapshots whose bodies are kept whole, and how many bytes all rows take.
func bases(t *testing.T, s *Store) (seqs []uint64, size int) {
	view(t, s, func(tx *Tx) error {
		return tx.walk(bSnap, nil, nil, func(key, v []byte) (bool, error) {
			size += len(v)
			_, packed, err := decodeHead(v)
			if !isDelta(packed) {
				seqs = append(seqs, numberAt(key))
			}
			return true, err
		})
	})
	return seqs, size
}

func sameBodies(t *testing.T, s *Store, all [][]byte, gone ...uint64) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		for _, desc := range []bool{false, true} {
			n := 0
			err := tx.Headers(0, desc, func(seq uint64, h Header) bool {
				n++
				if !bytes.Equal(h.Body, all[seq-1]) || string(h.Brief) != "brief" {
					t.Errorf("body of %d is %q", seq, h.Body)
				}
				return true
			})
			if err != nil || n != len(all)-len(gone) {
				t.Errorf("%d headers, %v", n, err)
			}
		}
		for i, want := range all {
			h, ok, err := tx.Header(uint64(i + 1))
			if err != nil || ok == slices.Contains(gone, uint64(i+1)) || ok && !bytes.Equal(h.Body, want) {
				t.Errorf("body of %d is %q %v %v", i+1, h.Body, ok, err)
			}
		}
		return nil
	})
	verified(t, s)
}

func TestBodies(t *testing.T) {
	s := create(t)
	all := bodies(t, s, 100)
	sameBodies(t, s, all)
	whole, size := bases(t, s)
	if !slices.Equal(whole, []uint64{1, 33, 65, 97}) || size > 100*200 {
		t.Errorf("whole are %d, all take %d bytes", whole, size)
	}
	update(t, s, func(tx *Tx) error {
		var err error
		for _, seq := range []uint64{40, 33, 34, 1, 2, 99, 97} {
			_, e := tx.Drop(seq, nil)
			err = errors.Join(err, e)
		}
		return err
	})
	sameBodies(t, s, all, 1, 2, 33, 34, 40, 97, 99)
	if whole, _ := bases(t, s); !slices.Equal(whole, []uint64{3, 35, 65, 98}) {
		t.Errorf("whole are %d", whole)
	}
	for _, seq := range []uint64{100, 65} { // one that is a difference, one from which others are
		all[seq-1] = append(bytes.Clone(all[seq-1]), "amended"...)
		update(t, s, func(tx *Tx) error {
			return tx.Amend(seq, Header{ID: fmt.Sprint("01BODY", seq-1), At: noon, Body: all[seq-1], Brief: []byte("brief")})
		})
	}
	sameBodies(t, s, all, 1, 2, 33, 34, 40, 97, 99)
}

// TestBodyOfDamagedBase: what is a difference from a damaged body is damaged as well, lists
// show it all the same, and a repair keeps all else.
func TestBodyOfDamagedBase(t *testing.T) {
	s := create(t)
	all := bodies(t, s, 40)
	update(t, s, func(tx *Tx) error { return tx.Table("item").Put(40, "a", []byte("state")) })
	s.Close()
	if !hurt(t, s.Path(), bSnap, 32, false) { // the row of snapshot 33
		t.Fatal("nothing was hurt")
	}
	d := mustOpen(t, s.Path(), Options{ReadOnly: true})
	view(t, d, func(tx *Tx) error {
		tx.Forgive()
		heads, headers := 0, 0
		err := errors.Join(tx.Heads(0, true, func(uint64, Header) bool { heads++; return true }),
			tx.Headers(0, true, func(seq uint64, h Header) bool {
				headers++
				if !bytes.Equal(h.Body, all[seq-1]) {
					t.Errorf("body of %d is %q", seq, h.Body)
				}
				return true
			}))
		if err != nil || heads != 39 || headers != 32 || len(tx.Lost()) != 8 {
			t.Errorf("%d heads, %d headers, lost are %v: %v", heads, headers, tx.Lost(), err)
		}
		_, _, err = tx.Header(35)
		var c *CorruptError
		if !errors.As(err, &c) || *c.Row() != (Place{Bucket: "snap", Seq: 35, Name: string(be64(35))}) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if found, err := d.Verify(t.Context(), false); err != nil || len(found) < 8 {
		t.Errorf("verify: %v %v", found, err)
	}
	d.Close()
	rep, err := Salvage(s.Path(), noon, "ada")
	if err != nil {
		t.Fatal(err)
	}
	verified(t, rep.Store)
	view(t, rep.Store, func(tx *Tx) error {
		if tx.Seq() != 32 || len(rep.Lost) < 8 {
			t.Errorf("the newest is %d, lost are %v", tx.Seq(), rep.Lost)
		}
		return nil
	})
	if err := rep.Discard(); err != nil {
		t.Error(err)
	}
}

// TestBodyHostile: a difference from a difference, from itself, from a later one or from
// nothing is an error, whatever its check says.
func TestBodyHostile(t *testing.T) {
	for name, base := range map[string]uint64{"from a difference": 2, "from itself": 3, "from a later one": 33, "from nothing": 99, "from what was another": 1} {
		t.Run(name, func(t *testing.T) {
			s := create(t)
			all := bodies(t, s, 40)
			update(t, s, func(tx *Tx) error {
				v, _, err := tx.get(bSnap, be64(3))
				if err != nil {
					return err
				}
				_, packed, _ := decodeHead(v)
				from := bytes.Clone(all[min(base, 40)-1])
				if base == 1 {
					from[5] ^= 1
				}
				body, err := packBody(all[2], &bodyBase{seq: base, body: from})
				return errors.Join(err, tx.put(bSnap, be64(3), slices.Concat(v[:len(v)-len(packed)], body)))
			})
			var c *CorruptError
			if err := s.View(func(tx *Tx) error { _, _, err := tx.Header(3); return err }); !errors.As(err, &c) {
				t.Errorf("it reads: %v", err)
			}
			if found, err := s.Verify(t.Context(), false); err != nil || len(found) == 0 {
				t.Errorf("verify: %v %v", found, err)
			}
		})
	}
}

// TestOlderSchema: a store of schema 2 is read as it is, and what is written from then on is
// kept in today's form.
func TestOlderSchema(t *testing.T) {
	s, r := create(t), random(t)
	tab := Table{name: "item"}
	old := [][]byte{changing(r, "a"), append(changing(r, "a"), 1), append(changing(r, "a"), 2)}
	update(t, s, func(tx *Tx) (err error) {
		for i, v := range old {
			h, e := encodeHeader(Header{ID: fmt.Sprint("01OLD", i), At: noon, Body: changing(r, "run"), Brief: []byte("brief")}, nil)
			seq := uint64(i + 1)
			p, e2 := pack(v, coldMin)
			err = errors.Join(err, e, e2, tx.put(bSnap, be64(seq), h), tx.put(bSnapID, []byte(fmt.Sprint("01OLD", i)), be64(seq)), tx.put(bChg, tab.chgKey("a", seq), nil))
			if i < 2 {
				err = errors.Join(err, tx.put(bVer, tab.verKey("a", seq), p))
			} else {
				err = errors.Join(err, tx.put(bCur, tab.curKey("a"), append(be64(seq), p...))) // as an undo left it
			}
		}
		return err
	})
	older(t, s, 2)
	s.Close()
	before, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	ro := mustOpen(t, s.Path(), Options{ReadOnly: true})
	same(t, ro, "a", 1, old)
	verified(t, ro)
	ro.Close()
	if now, _ := os.ReadFile(s.Path()); !bytes.Equal(now, before) {
		t.Error("a reader changed it")
	}
	w := mustOpen(t, s.Path(), Options{})
	values := append(old, versionsOf(t, w, r, "a", 3)...)
	same(t, w, "a", 1, values)
	view(t, w, func(tx *Tx) error {
		if got := kinds(t, tx, "a"); got != "rrrww" {
			t.Errorf("kept as %s", got)
		}
		return nil
	})
	verified(t, w)
	if w.about.Schema != Schema || w.about.MinReader != Schema {
		t.Errorf("%+v", w.about)
	}
}
