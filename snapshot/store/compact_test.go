package store

import (
	"bytes"
	"errors"
	"maps"
	mrand "math/rand/v2"
	"os"
	"testing"

	"healthaudit/snapshot"
)

// TestCompact: the file becomes smaller, and everything reads as before.
func TestCompact(t *testing.T) {
	s := create(t)
	r := random(t)
	k := fill(t, s, r)
	noise := make([]byte, 3<<20)
	mrand.NewChaCha8([32]byte{}).Read(noise)
	update(t, s, func(tx *Tx) error { return tx.PutBlob(snapshot.Sum(noise), noise, "") })
	update(t, s, func(tx *Tx) error {
		key, _ := blobKey(snapshot.Sum(noise))
		n, err := tx.DropBlob(Digest(key))
		if n < 3<<20 {
			t.Errorf("%d bytes went", n)
		}
		return err
	})
	id, key := s.ID(), s.Key()
	s.Close()
	before, after, err := Compact(t.Context(), s.Path())
	fi, _ := os.Stat(s.Path())
	if err != nil || after >= before-2<<20 || fi.Size() != after || fi.Mode().Perm() != 0o600 {
		t.Fatalf("%d bytes, then %d, the file has %d and mode %v: %v", before, after, fi.Size(), fi.Mode(), err)
	}
	s = mustOpen(t, s.Path(), Options{})
	if s.ID() != id || !bytes.Equal(s.Key(), key) {
		t.Error("it is another store")
	}
	verified(t, s)
	view(t, s, k.read)
	s.Close()
	again, same, err := Compact(t.Context(), s.Path())
	if err != nil || again != after || same != after {
		t.Errorf("the second time: %d, then %d: %v", again, same, err)
	}
}

func TestCompactLeavesDamageAlone(t *testing.T) {
	s := create(t)
	update(t, s, func(tx *Tx) error { return tx.Table("item").Put(snap(t, tx), "scripts/x", []byte("state of scripts")) })
	s.Close()
	b, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("state of scripts"))] ^= 1
	os.WriteFile(s.Path(), b, 0o600)
	var c *CorruptError
	if _, _, err := Compact(t.Context(), s.Path()); !errors.As(err, &c) {
		t.Errorf("got %v", err)
	}
	if now, _ := os.ReadFile(s.Path()); !bytes.Equal(now, b) {
		t.Error("the file changed")
	}
}

// TestUnreferenced: what a version refers to stays, and what that is a difference from.
func TestUnreferenced(t *testing.T) {
	s := create(t)
	text := func(n byte) []byte {
		b := make([]byte, 4000)
		mrand.NewChaCha8([32]byte{}).Read(b)
		b[2000] = n
		return b
	}
	sum := func(n byte) string { return snapshot.Sum(text(n)) }
	update(t, s, func(tx *Tx) error {
		first := snap(t, tx)
		err := errors.Join(tx.PutBlob(sum(1), text(1), ""), tx.PutBlob(sum(2), text(2), sum(1)), tx.PutBlob(sum(3), text(3), sum(1)), tx.PutBlob(sum(4), text(4), ""),
			tx.Table("item").Put(first, "a", []byte(sum(3))))
		return errors.Join(err, tx.Table("item").Put(snap(t, tx), "a", []byte(sum(2))))
	})
	refers := func(_, _ string, value []byte, need func(string)) error { need(string(value)); return nil }
	dead := func(keep func(string) bool) map[Digest]bool {
		list, err := s.Unreferenced(t.Context(), refers, keep)
		if err != nil {
			t.Fatal(err)
		}
		out := map[Digest]bool{}
		for _, d := range list {
			out[d] = true
		}
		return out
	}
	digest := func(n byte) Digest { k, _ := blobKey(sum(n)); return Digest(k) }
	if got := dead(nil); !maps.Equal(got, map[Digest]bool{digest(4): true}) {
		t.Errorf("dead are %v", got)
	}
	if got := dead(func(sha string) bool { return sha == sum(4) }); len(got) > 0 {
		t.Errorf("dead are %v, though kept", got)
	}
	update(t, s, func(tx *Tx) error { _, err := tx.Drop(1, nil); return err })
	if got := dead(nil); !maps.Equal(got, map[Digest]bool{digest(3): true, digest(4): true}) {
		t.Errorf("after the first snapshot went dead are %v", got)
	}
}
