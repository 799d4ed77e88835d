package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A meter is a reader that refuses what lies outside the file and counts.
type meter struct {
	t    *testing.T
	b    []byte
	read int
}

func (m *meter) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(m.b)) {
		m.t.Fatalf("reads %d bytes at %d of a file of %d", len(p), off, len(m.b))
	}
	m.read += len(p)
	return copy(p, m.b[off:]), nil
}

// resum makes the checksums of the meta pages right, so that the fuzzer gets behind them.
func resum(b []byte) {
	for i := range 2 {
		if len(b) < 2*pageSize {
			return
		}
		m := b[i*pageSize+pageHead:]
		h := fnv.New64a()
		h.Write(m[:metaSum])
		binary.NativeEndian.PutUint64(m[metaSum:], h.Sum64())
	}
}

// FuzzLayout: the structural check never panics, reads every page at most once
// and nothing outside the file, and what it accepts bbolt can read to the end.
func FuzzLayout(f *testing.F) {
	empty, some := create(f), create(f)
	for range 2 { // a few pages of every kind, some of them free
		update(f, some, func(tx *Tx) error {
			seq := snap(f, tx)
			for i := range 40 {
				tx.Table("item").Put(seq, fmt.Sprint("id", i), bytes.Repeat([]byte{byte(i + int(seq))}, 300))
			}
			return tx.put(bJournal, be64(seq), bytes.Repeat([]byte("overflow"), 700))
		})
	}
	var bases [][]byte
	for _, s := range []*Store{empty, some} {
		size := s.fileBytes(f)
		s.Close()
		b, err := os.ReadFile(s.Path())
		if err != nil {
			f.Fatal(err)
		}
		bases = append(bases, b[:size])
	}
	for which := range bases {
		f.Add(byte(which), uint32(0), []byte{})
		f.Add(byte(which), uint32(5000), []byte{})
		for _, at := range []uint16{16, 32 + pageHead, 40 + pageHead, 2*pageSize + 8, 3*pageSize + 10, 3*pageSize + 20, 5*pageSize + 12} {
			f.Add(byte(which), uint32(0), append(binary.BigEndian.AppendUint16(nil, at), 1))
		}
		for id := range uint16(15) { // pages that go on over others
			f.Add(byte(which), uint32(0), append(binary.BigEndian.AppendUint16(nil, id*pageSize+12), 1<<(id%5)))
			f.Add(byte(which), uint32(0), append(binary.BigEndian.AppendUint16(nil, id*pageSize+12), 16))
		}
	}
	// Whole files as input would keep the fuzzer busy minimising; edits of two
	// bytes of place and one of difference do not.
	f.Fuzz(func(t *testing.T, which byte, cut uint32, edits []byte) {
		b := bytes.Clone(bases[int(which)%len(bases)])
		for ; len(edits) >= 3; edits = edits[3:] {
			b[int(binary.BigEndian.Uint16(edits))%len(b)] ^= edits[2]
		}
		resum(b)
		b = b[:len(b)-int(cut)%len(b)]
		m := &meter{t: t, b: b}
		l, err := readLayout(m, int64(len(b)))
		if err == nil {
			err = l.walk()
		}
		if limit := len(b) + 2*(pageHead+metaLen); m.read > limit {
			t.Fatalf("read %d bytes of a file of %d", m.read, len(b))
		}
		var d damage
		if err != nil && !errors.As(err, &d) {
			t.Fatalf("an error that names no damage: %v", err)
		}
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "audit.db")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, Options{})
		if err != nil { // not our schema any more
			return
		}
		defer s.Close()
		if _, err := s.Verify(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, b) {
			t.Fatalf("reading changed the file: %v", err)
		}
	})
}

func fixed() *mrand.Rand { return mrand.New(mrand.NewPCG(1, 1)) }

// FuzzRow: a row decodes to what was sealed, and to nothing else than itself.
func FuzzRow(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), uint16(0), byte(0))
	f.Add([]byte("key"), bytes.Repeat([]byte("value"), 500), uint16(9), byte(1))
	f.Add([]byte{}, []byte{}, uint16(3), byte(128))
	r := fixed()
	f.Add(changing(r, "a"), changing(r, "a"), uint16(3), byte(1))
	f.Add(changing(r, "a"), append(bytes.Repeat([]byte("b"), 200), changing(r, "a")...), uint16(3), byte(1))
	f.Fuzz(func(t *testing.T, key, value []byte, at uint16, flip byte) {
		p, err := pack(value, 64)
		if err != nil {
			t.Fatal(err)
		}
		row := seal(bCache, key, p)
		got, err := unseal(bCache, key, row)
		if err == nil {
			got, err = unpack(got)
		}
		if err != nil || !bytes.Equal(got, value) {
			t.Fatalf("%q became %q, %v", value, got, err)
		}
		if _, err := unseal(bStat, key, row); err == nil {
			t.Fatal("a row passes in another bucket")
		}
		if d := newGround(key).difference(value); d != nil {
			if got, err := addRest(d, key, nil); !restsOn(d, key) || err != nil || !bytes.Equal(got, value) {
				t.Fatalf("%q as a difference from %q became %q, %v", value, key, got, err)
			}
			if restsOn(d, append(bytes.Clone(key), 0)) {
				t.Fatal("a difference passes on another value")
			}
		}
		row[int(at)%len(row)] ^= flip
		if _, err := unseal(bCache, key, row); (err == nil) != (flip == 0) {
			t.Fatalf("flip %d: %v", flip, err)
		}
	})
}

// FuzzDecode: foreign bytes behind a right check give a value or an error.
func FuzzDecode(f *testing.F) {
	body := bytes.Repeat([]byte("body"), 999)
	h, _ := encodeHeader(Header{ID: "01X", At: noon, Body: body})
	f.Add(h)
	f.Add(h[:headFixed])
	r := fixed()
	ground := newGround(changing(r, "a"))
	f.Add(ground.difference(changing(r, "a")))
	f.Add(ground.difference(append(bytes.Repeat([]byte("else "), 99), ground.value...)))
	f.Add(ground.difference(ground.value))
	f.Add([]byte{codecDelta})
	f.Add([]byte{codecZstd, 0x28, 0xb5, 0x2f, 0xfd})
	s := create(f)
	bodies(f, s, bodyRun)
	view(f, s, func(tx *Tx) error {
		v, _, err := tx.get(bSnap, be64(2))
		f.Add(bytes.Clone(v))
		return err
	})
	tx, err := s.Begin()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { tx.Rollback() })
	f.Fuzz(func(t *testing.T, v []byte) {
		if h, err := tx.decodeHeader(2, v); err == nil {
			again, err := encodeHeader(h)
			if h.ID != "" && !bytes.Contains([]byte(h.ID), []byte{0}) {
				h2, err2 := tx.decodeHeader(2, again)
				if err != nil || err2 != nil || fmt.Sprint(h2) != fmt.Sprint(h) {
					t.Fatalf("%v became %v: %v %v", h, h2, err, err2)
				}
			}
		}
		if out, err := unpack(v); err == nil && len(out) > maxValue {
			t.Fatalf("%d bytes", len(out))
		}
		if out, err := addRest(v, ground.value, nil); err == nil && len(out) > maxRest {
			t.Fatalf("%d bytes", len(out))
		}
		tx.content(v)
		tx.Table("t").decodeCur(nil, v)
		tx.Table("t").decodeVer(v, v)
	})
}
