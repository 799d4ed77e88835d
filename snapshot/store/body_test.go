package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// bodies appends so many snapshots whose bodies say much the same.
func bodies(t testing.TB, s *Store, n int) (all [][]byte) {
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
	if !slices.Equal(whole, []uint64{16, 32, 48, 64, 80, 96, 97, 98, 99, 100}) || size > 100*250 {
		t.Errorf("whole are %d, all take %d bytes", whole, size)
	}
	update(t, s, func(tx *Tx) error {
		var err error
		for _, seq := range []uint64{40, 31, 32, 34, 1, 2, 99, 96} {
			_, e := tx.Drop(seq, nil)
			err = errors.Join(err, e)
		}
		return err
	})
	sameBodies(t, s, all, 1, 2, 31, 32, 34, 40, 96, 99)
	if whole, _ := bases(t, s); slices.Contains(whole, 3) || !slices.Contains(whole, 30) || !slices.Contains(whole, 82) {
		t.Errorf("whole are %d", whole)
	}
	for _, seq := range []uint64{100, 64, 10} { // the newest, one from which others are differences, one that is a difference
		all[seq-1] = append(bytes.Clone(all[seq-1]), "amended"...)
		update(t, s, func(tx *Tx) error {
			return tx.Amend(seq, Header{ID: fmt.Sprint("01BODY", seq-1), At: noon, Body: all[seq-1], Brief: []byte("brief")})
		})
	}
	sameBodies(t, s, all, 1, 2, 31, 32, 34, 40, 96, 99)
}

// TestBodyOfDamagedBase: what is a difference from a damaged body is damaged as well, lists
// show it all the same, and a repair keeps all else.
func TestBodyOfDamagedBase(t *testing.T) {
	s := create(t)
	all := bodies(t, s, 40)
	update(t, s, func(tx *Tx) error { return tx.Table("item").Put(40, "a", []byte("state")) })
	s.Close()
	if !hurt(t, s.Path(), bSnap, 31, false) { // the row of snapshot 32
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
		if err != nil || heads != 39 || headers != 24 || len(tx.Lost()) != 16 {
			t.Errorf("%d heads, %d headers, lost are %v: %v", heads, headers, tx.Lost(), err)
		}
		_, _, err = tx.Header(25)
		var c *CorruptError
		if !errors.As(err, &c) || *c.Row() != (Place{Bucket: "snap", Seq: 25, Name: string(be64(25))}) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if found, err := d.Verify(t.Context(), false); err != nil || len(found) < 16 {
		t.Errorf("verify: %v %v", found, err)
	}
	d.Close()
	rep, err := Salvage(s.Path(), noon, "ada")
	if err != nil {
		t.Fatal(err)
	}
	verified(t, rep.Store)
	view(t, rep.Store, func(tx *Tx) error {
		n := 0
		err := tx.Headers(0, false, func(uint64, Header) bool { n++; return true })
		if tx.Seq() != 40 || n != 24 || len(rep.Lost) < 16 {
			t.Errorf("the newest is %d of %d, lost are %v", tx.Seq(), n, rep.Lost)
		}
		return err
	})
	if err := rep.Discard(); err != nil {
		t.Error(err)
	}
}

// TestBodyHostile: a difference from a difference, from itself, from an older one, from one
// far away, from nothing or from what was another is an error, whatever its check says.
func TestBodyHostile(t *testing.T) {
	for name, base := range map[string]uint64{"from a difference": 20, "from itself": 18, "from an older one": 16, "from one far away": 48, "from nothing": 33, "from what was another": 32} {
		t.Run(name, func(t *testing.T) {
			s := create(t)
			bodies(t, s, 48)
			update(t, s, func(tx *Tx) error {
				if base == 33 {
					if _, err := tx.Drop(33, nil); err != nil {
						return err
					}
				}
				v, _, err := tx.get(bSnap, be64(18))
				if err != nil {
					return err
				}
				_, packed, _ := decodeHead(v)
				_, sum, frame, err := baseOf(packed)
				switch base {
				case 32:
					sum++
				case 16, 48: // made from that one indeed
					h, _, e := tx.Header(base)
					own, _, e2 := tx.Header(18)
					z, e3 := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(1, h.Body))
					err = errors.Join(err, e, e2, e3)
					sum, frame = xxhash.Sum64(h.Body), z.EncodeAll(own.Body, nil)
				}
				row := binary.AppendUvarint(append(bytes.Clone(v[:len(v)-len(packed)]), codecDelta), base)
				row = append(binary.BigEndian.AppendUint64(row, sum), frame...)
				return errors.Join(err, tx.put(bSnap, be64(18), row))
			})
			var c *CorruptError
			if err := s.View(func(tx *Tx) error { _, _, err := tx.Header(18); return err }); !errors.As(err, &c) {
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
			h, e := encodeHeader(Header{ID: fmt.Sprint("01OLD", i), At: noon, Body: changing(r, "run"), Brief: []byte("brief")})
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
