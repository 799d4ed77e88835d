package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"testing"
	"time"
)

// TestLazy flips structural bytes of a store that is read page by page: whatever
// is asked first, the answer is right, or names the damage.
func TestLazy(t *testing.T) {
	r := random(t)
	s := create(t)
	k := fill(t, s, r)
	size, path := s.fileBytes(t), s.Path()
	s.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	branches := 0
	places := structural(t, b[:size], &branches)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	trials, refused := 400, 0
	if testing.Short() {
		trials = 100
	}
	for range trials {
		at := places[r.IntN(len(places))]
		bit := byte(1) << r.IntN(8)
		if _, err := f.WriteAt([]byte{b[at] ^ bit}, int64(at)); err != nil {
			t.Fatal(err)
		}
		err := readLazily(path, k)
		if c := (*CorruptError)(nil); errors.As(err, &c) {
			refused++
		} else if err != nil {
			t.Errorf("byte %d of page %d, bit %d: %v", at%pageSize, at/pageSize, bits.TrailingZeros8(bit), err)
		}
		if _, err := f.WriteAt(b[at:at+1], int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d flips refused at open", refused, trials)
	if err := readLazily(path, k); err != nil {
		t.Errorf("the whole store: %v", err)
	}
}

// readLazily reads everything that is known of a store. Its error is no
// *CorruptError where an answer was wrong.
func readLazily(path string, k *known) error {
	s, err := Open(path, Options{ReadOnly: true, Lazy: true})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.View(k.read)
}

// TestLazy_pointers lets branches point at every other page that begins with the
// right key: older versions of their children, which are free, and pages below
// or above.
func TestLazy_pointers(t *testing.T) {
	s := create(t)
	k := fill(t, s, random(t))
	k.deepen(t, s)
	size, path := s.fileBytes(t), s.Path()
	s.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begins := map[string][]uint64{} // first key → pages
	for id := uint64(2); id < uint64(size/pageSize); id++ {
		if e := entriesAt(b, id); len(e) > 0 {
			begins[string(e[0].key)] = append(begins[string(e[0].key)], id)
		}
	}
	l, err := readLayout(bytes.NewReader(b), size)
	if err != nil {
		t.Fatal(err)
	}
	l.begin()
	if err := l.free(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tried := map[bool]int{} // whether the page is free
	for id := uint64(2); id < uint64(size/pageSize); id++ {
		p := parsePage(b[id*pageSize:])
		if p.flags != flagBranch || l.used[id] {
			continue
		}
		for i, e := range entriesAt(b, id) {
			for _, other := range begins[string(e.key)] {
				if other == e.child || tried[l.used[other]] >= 100 {
					continue
				}
				tried[l.used[other]]++
				at := int64(id*pageSize + pageHead + uint64(i)*elemLen + 8)
				f.WriteAt(binary.NativeEndian.AppendUint64(nil, other), at)
				err := readLazily(path, k)
				if c := (*CorruptError)(nil); err != nil && !errors.As(err, &c) {
					t.Errorf("entry %d of page %d points at %d (free: %v): %v", i, id, other, l.used[other], err)
				}
				f.WriteAt(binary.NativeEndian.AppendUint64(nil, e.child), at)
			}
		}
	}
	t.Logf("tried %d free pages and %d others", tried[true], tried[false])
	if tried[true] == 0 || tried[false] == 0 {
		t.Error("nothing was tried")
	}
}

// deepen puts so many rows into a bucket that its tree has three levels.
func (k *known) deepen(t *testing.T, s *Store) {
	update(t, s, func(tx *Tx) error {
		h := Header{ID: "01DEEP", At: noon.Add(100 * time.Hour), Score: -1, Body: []byte("body")}
		seq, err := tx.AppendSnapshot(h)
		k.headers = append(k.headers, h)
		for i := range 4000 {
			id := fmt.Sprintf("scripts/deep/%04d", i)
			v := []byte("state of " + id)
			k.models["item"].set(seq, id, v)
			err = errors.Join(err, tx.Table("item").Put(seq, id, v))
		}
		return err
	})
}

// entriesAt returns what stands on a page of a whole store, free ones included.
func entriesAt(b []byte, id uint64) []element {
	p := parsePage(b[id*pageSize:])
	if p.id != id || p.flags != flagBranch && p.flags != flagLeaf || (p.id+p.overflow+1)*pageSize > uint64(len(b)) {
		return nil
	}
	p.data = b[id*pageSize : (id+p.overflow+1)*pageSize]
	e, err := elements(p, nil, nil, nil)
	if err != nil {
		return nil
	}
	return e
}
