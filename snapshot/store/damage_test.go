package store

import (
	"bytes"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"healthaudit/snapshot"
)

// A known is everything that was put into a store.
type known struct {
	models  map[string]model
	blobs   [][]byte
	obs     map[uint64][]byte
	headers []Header
	journal int
	cache   map[string][]byte
}

// fill makes a store with several levels of pages, deltas, removals and free pages.
func fill(t testing.TB, s *Store, r *mrand.Rand) *known {
	k := &known{models: map[string]model{"item": {}, "finding": {}}, obs: map[uint64][]byte{}, cache: map[string][]byte{}}
	var last []byte
	for i := range 12 {
		update(t, s, func(tx *Tx) error {
			h := Header{ID: fmt.Sprintf("01DAMAGE%04d", i), At: noon.Add(time.Duration(i) * time.Hour), Score: int32(r.IntN(10000)), Body: changing(r, fmt.Sprint("run ", i/5))}
			k.headers = append(k.headers, h)
			seq, err := tx.AppendSnapshot(h)
			if err != nil {
				return err
			}
			k.put(r, tx, seq, i)
			last = append(bytes.Clone(last), fmt.Sprintf("line %d %x\n", i, r.Uint64())...)
			big := make([]byte, r.IntN(12000))
			for j := range big {
				big[j] = byte(r.Uint32())
			}
			base := ""
			if n := len(k.blobs); n > 1 {
				base = snapshot.Sum(k.blobs[n-2])
			}
			k.blobs = append(k.blobs, last, big)
			k.obs[seq] = fmt.Append(nil, "obs", r.Uint64())
			_, jerr := tx.AppendJournal(fmt.Append(nil, "entry ", i), 0)
			k.journal++
			key := fmt.Sprint("derived", i)
			k.cache[key] = bytes.Repeat([]byte(key), 1+r.IntN(200))
			return errors.Join(jerr, tx.PutBlob(snapshot.Sum(last), last, base), tx.PutBlob(snapshot.Sum(big), big, ""),
				tx.PutObs(seq, "pm2", k.obs[seq]), tx.PutCache(key, k.cache[key]), tx.PutMeta("m", []byte("v")))
		})
	}
	if n := restsIn(t, s); n < 25 {
		t.Fatalf("only %d versions were kept as differences", n)
	}
	return k
}

func (k *known) put(r *mrand.Rand, tx *Tx, seq uint64, i int) {
	n := 40
	if i == 0 {
		n = 250
	}
	for j := range n {
		name := []string{"item", "finding"}[r.IntN(2)]
		id := fmt.Sprintf("scripts/%03d", r.IntN(300))
		if j%2 == 1 { // a few change often
			id = fmt.Sprintf("scripts/%03d", r.IntN(12))
		}
		v := fmt.Append(nil, "state of ", id, " ", r.Uint64())
		switch r.IntN(20) {
		case 0:
			v = bytes.Repeat(v, 100)
		case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15:
			v = changing(r, id)
		}
		if i > 0 && r.IntN(6) == 0 {
			k.models[name].set(seq, id, nil)
			tx.Table(name).Delete(seq, id)
			continue
		}
		k.models[name].set(seq, id, v)
		tx.Table(name).Put(seq, id, v)
	}
}

// read compares everything with what was put: right, or a *CorruptError.
func (k *known) read(tx *Tx) error {
	var bad []error
	check := func(what string, right bool, err error) {
		var c *CorruptError
		if err != nil && !errors.As(err, &c) {
			bad = append(bad, fmt.Errorf("%s: an error that names no damage: %w", what, err))
		}
		if err == nil && !right {
			bad = append(bad, fmt.Errorf("%s: a wrong answer", what))
		}
	}
	for i, want := range k.headers {
		h, ok, err := tx.Header(uint64(i + 1))
		check(fmt.Sprint("header ", i+1), ok && fmt.Sprint(h) == fmt.Sprint(want), err)
		ids := tx.ByID(want.ID)
		check("by id", len(ids) == 1 && ids[0] == uint64(i+1), tx.Err())
	}
	n := 0
	err := tx.Headers(0, true, func(seq uint64, h Header) bool {
		n++
		check("headers", seq <= uint64(len(k.headers)) && fmt.Sprint(h) == fmt.Sprint(k.headers[seq-1]), nil)
		return true
	})
	check("headers", n == len(k.headers), err)
	for _, b := range k.blobs {
		has := tx.HasBlob(snapshot.Sum(b))
		check("has blob", has, tx.Err())
		got, err := tx.Blob(snapshot.Sum(b))
		check("blob", bytes.Equal(got, b), err)
	}
	for seq, want := range k.obs {
		got, err := tx.Obs(seq, "pm2")
		check("obs", bytes.Equal(got, want), err)
	}
	for key, want := range k.cache {
		got := tx.Cache(key)
		check("cache", got == nil || bytes.Equal(got, want), nil)
	}
	n = 0
	err = tx.Journal(0, func(i uint64, raw []byte) bool {
		n++
		check("journal", string(raw) == fmt.Sprint("entry ", i-1), nil)
		return true
	})
	check("journal", n == k.journal, err)
	check("journal head", tx.JournalHead() == uint64(k.journal), tx.Err())
	check("meta", string(tx.Meta("m")) == "v", tx.Err())
	k.readTables(tx, check)
	return errors.Join(bad...)
}

func (k *known) readTables(tx *Tx, check func(string, bool, error)) {
	for name, m := range k.models {
		tab := tx.Table(name)
		for _, id := range m.ids() {
			for _, seq := range []uint64{1, 6, uint64(len(k.headers))} {
				want, wantOK := m.at(seq, id)
				got, _, ok, err := tab.At(seq, id)
				check("at", ok == wantOK && bytes.Equal(got, want.value), err)
			}
			n, right := 0, true
			err := tab.History(id, func(seq uint64, v []byte) bool {
				n++
				w := m[id][max(0, len(m[id])-n)]
				right = right && w.seq == seq && bytes.Equal(w.value, v)
				return true
			})
			check("history", right && n == len(m[id]), err)
		}
		for _, seq := range []uint64{1, 6, uint64(len(k.headers))} {
			want, n, right := 0, 0, true
			for _, id := range m.ids() {
				if _, ok := m.at(seq, id); ok {
					want++
				}
			}
			err := tab.Scan(seq, "", func(id string, v []byte, _ uint64) error {
				n++
				w, ok := m.at(seq, id)
				right = right && ok && bytes.Equal(w.value, v)
				return nil
			})
			check("scan", right && (err != nil || n == want), err)
		}
	}
}

// damages are the ways in which a file is hurt.
var damages = []struct {
	name string
	do   func(r *mrand.Rand, b []byte) []byte
}{
	{"bit flip", func(r *mrand.Rand, b []byte) []byte { b[r.IntN(len(b))] ^= 1 << r.IntN(8); return b }},
	{"byte in a page header", func(r *mrand.Rand, b []byte) []byte {
		b[r.IntN(len(b)/pageSize)*pageSize+r.IntN(pageHead)] = byte(r.Uint32())
		return b
	}},
	{"byte in the entries of a page", func(r *mrand.Rand, b []byte) []byte {
		b[r.IntN(len(b)/pageSize)*pageSize+pageHead+r.IntN(20*elemLen)] ^= byte(1 + r.IntN(255))
		return b
	}},
	{"byte of a meta page", func(r *mrand.Rand, b []byte) []byte {
		b[r.IntN(2)*pageSize+r.IntN(pageHead+metaLen)] ^= byte(1 + r.IntN(255))
		return b
	}},
	{"page zeroed", func(r *mrand.Rand, b []byte) []byte {
		p := r.IntN(len(b)/pageSize) * pageSize
		clear(b[p : p+pageSize])
		return b
	}},
	{"sector zeroed", func(r *mrand.Rand, b []byte) []byte {
		p := r.IntN(len(b)/512) * 512
		clear(b[p : p+512])
		return b
	}},
	{"page of noise", func(r *mrand.Rand, b []byte) []byte {
		p := r.IntN(len(b)/pageSize) * pageSize
		for i := range pageSize {
			b[p+i] = byte(r.Uint32())
		}
		return b
	}},
	{"pages exchanged", func(r *mrand.Rand, b []byte) []byte {
		p, q := r.IntN(len(b)/pageSize)*pageSize, r.IntN(len(b)/pageSize)*pageSize
		x := bytes.Clone(b[p : p+pageSize])
		copy(b[p:], b[q:q+pageSize])
		copy(b[q:], x)
		return b
	}},
	{"cut off", func(r *mrand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] }},
}

// TestDamage hurts copies of a store: each must be refused, or give only right
// answers and named errors, also after a write.
func TestDamage(t *testing.T) {
	r := random(t)
	s := create(t)
	k := fill(t, s, r)
	view(t, s, k.read)
	size := s.fileBytes(t)
	s.Close()
	whole, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	whole = whole[:size]
	path := filepath.Join(t.TempDir(), "audit.db")
	trials := 60
	if testing.Short() {
		trials = 15
	}
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			refused, met := 0, 0
			for range trials {
				if err := os.WriteFile(path, d.do(r, bytes.Clone(whole)), 0o600); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					at, err := k.trial(t, path)
					if err != nil {
						t.Error(err)
					}
					refused, met = refused+at[0], met+at[1]
				}()
				select {
				case <-done:
				case <-time.After(20 * time.Second):
					t.Fatal("hangs")
				}
			}
			t.Logf("%d trials: %d refused at open, %d met while reading or writing", trials, refused, met)
		})
	}
}

func (s *Store) fileBytes(t testing.TB) int64 {
	st, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return st.FileBytes
}

// trial opens a damaged store, reads all of it and writes into it.
func (k *known) trial(t *testing.T, path string) (count [2]int, err error) {
	var c *CorruptError
	if lazy, err := Open(path, Options{ReadOnly: true, Lazy: true}); err == nil {
		err = lazy.View(k.read)
		lazy.Close()
		if err != nil && !errors.As(err, &c) {
			return count, fmt.Errorf("read bucket by bucket: %w", err)
		}
	} else if !errors.As(err, &c) {
		return count, err
	}
	s, err := Open(path, Options{})
	if err != nil {
		if !errors.As(err, &c) {
			return count, err
		}
		return [2]int{1, 0}, nil
	}
	defer s.Close()
	damagedView := s.View(k.read)
	if damagedView != nil && !errors.As(damagedView, &c) {
		return count, damagedView
	}
	found, err := s.Verify(t.Context(), true)
	if err != nil {
		return count, err
	}
	if damagedView != nil && len(found) == 0 {
		return count, fmt.Errorf("verify found nothing, but: %w", damagedView)
	}
	err = s.Update(func(tx *Tx) error {
		seq, err := tx.AppendSnapshot(Header{ID: "01NEXT", At: noon})
		for i := range 300 {
			id := fmt.Sprintf("scripts/%03d", i)
			err = errors.Join(err, tx.Table("item").Put(seq, id, []byte("changed")), tx.Table("finding").Delete(seq, id))
		}
		return err
	})
	if err != nil && !errors.As(err, &c) {
		return count, err
	}
	if damagedView != nil || len(found) > 0 || err != nil {
		count[1] = 1
	}
	if err == nil && len(found) == 0 {
		if after, err := s.Verify(t.Context(), true); err != nil || len(after) > 0 {
			return count, fmt.Errorf("a write made it worse: %v %v", after, err)
		}
	}
	return count, nil
}

// TestDamagedKeyIsNoAbsence: a key that was changed but is still in order hides
// its row from a lookup, which must not take that for "not there".
func TestDamagedKeyIsNoAbsence(t *testing.T) {
	s := create(t)
	update(t, s, func(tx *Tx) error {
		seq := snap(t, tx)
		for i := 100; i < 500; i += 2 {
			if err := tx.Table("item").Put(seq, fmt.Sprint("id", i), fmt.Append(nil, "value", i)); err != nil {
				return err
			}
		}
		return nil
	})
	s.Close()
	whole, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	met := 0
	for i := 110; i < 500; i += 30 {
		for _, to := range []int{i - 1, i + 1} {
			b := bytes.ReplaceAll(whole, fmt.Append(nil, "item\x00id", i), fmt.Append(nil, "item\x00id", to))
			if err := os.WriteFile(s.Path(), b, 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := Open(s.Path(), Options{})
			if err != nil { // the key also stands in a branch
				continue
			}
			var c *CorruptError
			err = d.View(func(tx *Tx) error {
				_, _, _, err := tx.Table("item").At(1, fmt.Sprint("id", i))
				return err
			})
			if !errors.As(err, &c) {
				t.Errorf("id%d as id%d: %v", i, to, err)
			}
			d.Close()
			met++
		}
	}
	if met < 10 {
		t.Errorf("only %d of the stores opened", met)
	}
}
