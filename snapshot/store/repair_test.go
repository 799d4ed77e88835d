package store

import (
	"bytes"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"healthaudit/snapshot"
)

// TestRepair hurts copies of a store in every way: what a repair makes of them is
// sound, holds nothing but what was put, and says so where something is lost.
func TestRepair(t *testing.T) {
	r := random(t)
	s := create(t)
	k := fill(t, s, r)
	size := s.fileBytes(t)
	s.Close()
	whole, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	whole = whole[:size]
	path := filepath.Join(t.TempDir(), "audit.db")
	trials := 5
	if testing.Short() {
		trials = 2
	}
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			nothing, lost := 0, 0
			for range trials {
				if err := os.WriteFile(path, d.do(r, bytes.Clone(whole)), 0o600); err != nil {
					t.Fatal(err)
				}
				n, err := k.repaired(t, path)
				if err != nil {
					t.Error(err)
				}
				if n < 0 {
					nothing++
				} else {
					lost += n
				}
			}
			t.Logf("%d trials: nothing could be saved of %d, %d rows and pages were lost of the others", trials, nothing, lost)
		})
	}
}

// repaired repairs the store at path and returns how much was lost, -1 for all.
func (k *known) repaired(t *testing.T, path string) (int, error) {
	before, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	rep, err := Salvage(path, noon, "ada")
	var c *CorruptError
	if errors.As(err, &c) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, before) {
		return 0, errors.New("the damaged file was changed")
	}
	aside := path + ".aside"
	if err := rep.Place(aside); err != nil {
		return 0, err
	}
	s, err := Open(path, Options{})
	if err != nil {
		return 0, fmt.Errorf("what was repaired does not open: %w", err)
	}
	defer s.Close()
	found, err := s.Verify(t.Context(), true)
	if err != nil {
		return 0, err
	}
	for _, p := range found {
		if !strings.HasPrefix(p.Where, "journal ") { // what is lost of the journal stays lost
			return 0, fmt.Errorf("what was repaired is not sound: %v", p)
		}
	}
	wrong, missing := 0, 0
	err = s.View(func(tx *Tx) error { return k.remains(tx, &wrong, &missing) })
	if wrong > 0 {
		err = errors.Join(err, fmt.Errorf("%d wrong answers, lost: %v", wrong, rep.Lost))
	}
	if missing > 0 && len(rep.Lost) == 0 {
		err = errors.Join(err, fmt.Errorf("%d things are missing and nothing was said", missing))
	}
	return len(rep.Lost), err
}

// remains counts what is wrong and what is missing.
func (k *known) remains(tx *Tx, wrong, missing *int) error {
	count := func(there, right bool) {
		switch {
		case !there:
			*missing++
		case !right:
			*wrong++
		}
	}
	for i, want := range k.headers {
		h, ok, err := tx.Header(uint64(i + 1))
		if err != nil {
			return err
		}
		count(ok, fmt.Sprint(h) == fmt.Sprint(want))
	}
	for _, b := range k.blobs {
		got, err := tx.Blob(snapshot.Sum(b))
		if err != nil && !errors.Is(err, ErrNoBlob) {
			return err
		}
		count(err == nil, bytes.Equal(got, b))
	}
	for name, m := range k.models {
		for _, id := range m.ids() {
			for seq := uint64(1); seq <= tx.Seq(); seq++ {
				if _, ok, _ := tx.Header(seq); !ok {
					continue
				}
				want, wantOK := m.at(seq, id)
				got, _, ok, err := tx.Table(name).At(seq, id)
				if err != nil {
					return err
				}
				if wantOK || ok {
					count(ok, wantOK && bytes.Equal(got, want.value))
				}
			}
		}
	}
	return nil
}

// TestRepairOfOneRow: a repair names the very row, and loses nothing else.
func TestRepairOfOneRow(t *testing.T) {
	s := create(t)
	noise := make([]byte, 3000)
	mrand.NewChaCha8([32]byte{}).Read(noise)
	update(t, s, func(tx *Tx) error {
		seq := snap(t, tx)
		return errors.Join(tx.Table("item").Put(seq, "scripts/a", []byte("the state of a")), tx.Table("item").Put(seq, "scripts/b", []byte("the state of b")),
			tx.PutBlob(snapshot.Sum(noise), noise, ""))
	})
	s.Close()
	for _, c := range []struct {
		find []byte
		want Place
	}{
		{[]byte("the state of a"), Place{Bucket: "ver", Table: "item", ID: "scripts/a", Seq: 1, Name: string(Table{name: "item"}.verKey("scripts/a", 1))}},
		{noise[100:200], Place{Bucket: "blob", Blob: snapshot.Sum(noise), Name: func() string { b, _ := blobKey(snapshot.Sum(noise)); return string(b) }()}},
	} {
		path := filepath.Join(t.TempDir(), "audit.db")
		b, err := os.ReadFile(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		b[bytes.Index(b, c.find)] ^= 4
		os.WriteFile(path, b, 0o600)
		rep, err := Salvage(path, noon, "ada")
		if err != nil {
			t.Fatal(err)
		}
		named := false
		for _, p := range rep.Lost {
			named = named || p.Place() == c.want
		}
		if !named {
			t.Errorf("lost is %+v, want %+v among it", rep.Lost, c.want)
		}
		verified(t, rep.Store)
		view(t, rep.Store, func(tx *Tx) error {
			if v, _, ok, err := tx.Table("item").At(1, "scripts/b"); !ok || err != nil || string(v) != "the state of b" {
				t.Errorf("b is %q, %v", v, err)
			}
			return nil
		})
		if rep.Store.ID() != s.ID() || !bytes.Equal(rep.Store.Key(), s.Key()) {
			t.Error("it is another store")
		}
		if err := rep.Discard(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path + ".repair"); err == nil {
			t.Error("something was left behind")
		}
	}
}
