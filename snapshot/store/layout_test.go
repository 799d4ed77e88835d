package store

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

// wholeFile returns the bytes of a store with branches, overflow and free pages.
func wholeFile(t *testing.T) []byte {
	s := create(t)
	fill(t, s, random(t))
	size := s.fileBytes(t)
	s.Close()
	b, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	return b[:size]
}

func walkBytes(b []byte) error {
	l, err := readLayout(bytes.NewReader(b), int64(len(b)))
	if err == nil {
		err = l.walk()
	}
	return err
}

// TestLayout: whatever bit changes in a header, an
// entry, a key of a branch or the list of free pages, the check sees it.
func TestLayout(t *testing.T) {
	b := wholeFile(t)
	if err := walkBytes(b); err != nil {
		t.Fatal(err)
	}
	t.Run("every structural byte counts", func(t *testing.T) {
		n, branches := 0, 0
		for _, at := range structural(t, b, &branches) {
			for _, bit := range []byte{1, 0x80} {
				b[at] ^= bit
				if err := walkBytes(b); err == nil {
					t.Fatalf("byte %d of page %d, bit %#x: nothing was seen", at%pageSize, at/pageSize, bit)
				}
				b[at] ^= bit
				n++
			}
			if testing.Short() && n > 2000 {
				break
			}
		}
		t.Logf("%d flips", n)
		if branches == 0 {
			t.Error("the store has no branch page")
		}
	})
	t.Run("names what is wrong", func(t *testing.T) {
		for want, cut := range map[string]int{"is empty": 0, "cut off or no store": 5000, "pages are needed": len(b) - 1} {
			if err := walkBytes(b[:cut]); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("cut at %d: %v", cut, err)
			}
		}
	})
}

// structural returns the places of all bytes that send bbolt somewhere: at most
// every 5th of the entries, so that the test ends soon.
func structural(t *testing.T, b []byte, branches *int) (at []int) {
	l, err := readLayout(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	list := parsePage(b[l.freelist*pageSize:])
	free := map[uint64]bool{}
	for i := range list.count {
		place := int(l.freelist)*pageSize + pageHead + 8*i
		free[binary.NativeEndian.Uint64(b[place:])] = true
		at = append(at, place+i%8)
	}
	for id := uint64(2); id < l.high; id++ {
		if free[id] {
			continue
		}
		p := parsePage(b[id*pageSize:])
		start := int(id) * pageSize
		for i := range pageHead {
			if id != l.freelist || i < 12 {
				at = append(at, start+i)
			}
		}
		switch p.flags {
		case flagBranch:
			*branches++
			keys := pageHead + p.count*elemLen
			last := start + pageHead + (p.count-1)*elemLen
			end := last - start + int(binary.NativeEndian.Uint32(b[last:])+binary.NativeEndian.Uint32(b[last+4:]))
			for i := pageHead; i < end; i++ {
				if i < keys || i%3 == 0 {
					at = append(at, start+i)
				}
			}
		case flagLeaf:
			for i := range p.count * elemLen {
				// Where the last entry ends only its row's check can tell.
				if last := p.count*elemLen - 8; i/elemLen%5 == 0 && i < last {
					at = append(at, start+pageHead+i)
				}
			}
		}
		id += p.overflow
	}
	return at
}
