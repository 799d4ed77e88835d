package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// oldHeader is a header as schema 1 wrote it.
func oldHeader(t *testing.T, h Header) []byte {
	v, err := encodeHeader(Header{ID: h.ID, At: h.At, Score: h.Score, Items: h.Items, Findings: h.Findings, Flags: h.Flags})
	if err != nil {
		t.Fatal(err)
	}
	v = v[:headFixed+len(h.ID)] // without brief and body
	v[headFixed-5] &^= 0x80     // the highest bit of the flags
	return append(append(v, codecRaw), h.Body...)
}

// older makes a store say that it has another schema.
func older(t *testing.T, s *Store, schema int) {
	update(t, s, func(tx *Tx) error {
		a := s.about
		a.Schema, a.MinReader = schema, schema
		b, err := json.Marshal(a)
		return errors.Join(err, tx.put(bMeta, aboutKey, b))
	})
}

// TestMigrate: a store of schema 1 is read as it is, and becomes one of today's
// when it is opened for writing; no row of it is lost.
func TestMigrate(t *testing.T) {
	s := create(t)
	old := Header{ID: "01OLD", At: noon, Score: 7130, Items: 3, Findings: 2, Flags: 5, Body: []byte(`{"id":"01OLD"}`)}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.put(bSnap, be64(1), oldHeader(t, old)), tx.put(bSnapID, []byte(old.ID), be64(1)), tx.PutCache("script.file:x", []byte("derived")))
	})
	older(t, s, 1)
	s.Close()
	check := func(s *Store) {
		t.Helper()
		verified(t, s)
		view(t, s, func(tx *Tx) error {
			h, ok, err := tx.Header(1)
			if err != nil || !ok || h.ID != old.ID || !h.At.Equal(old.At) || h.Flags != 5 || h.Score != 7130 || !bytes.Equal(h.Body, old.Body) || h.Brief != nil {
				t.Errorf("%+v %v %v", h, ok, err)
			}
			if got := tx.Cache("script.file:x"); string(got) != "derived" {
				t.Errorf("cached is %q", got)
			}
			return nil
		})
	}
	r := mustOpen(t, s.Path(), Options{ReadOnly: true})
	check(r)
	if r.about.Schema != 1 {
		t.Errorf("a reader made it schema %d", r.about.Schema)
	}
	r.Close()
	w := mustOpen(t, s.Path(), Options{})
	check(w)
	update(t, w, func(tx *Tx) error { snap(t, tx); return nil })
	w.Close()
	again := mustOpen(t, s.Path(), Options{ReadOnly: true})
	check(again)
	if again.about.Schema != Schema || again.about.MinReader != Schema || again.ID() != s.ID() {
		t.Errorf("%+v", again.about)
	}
}

// TestMigrations: every schema before today's has a way to the next.
func TestMigrations(t *testing.T) {
	for v := 1; v < Schema; v++ {
		if migrations[v] == nil {
			t.Errorf("there is no way from schema %d", v)
		}
	}
	s := create(t)
	older(t, s, 0)
	s.Close()
	var c *CorruptError
	if _, err := Open(s.Path(), Options{}); !errors.As(err, &c) {
		t.Errorf("a schema that never was: %v", err)
	}
}

func TestBrief(t *testing.T) {
	s := create(t)
	h := Header{ID: "01X", At: noon, Brief: []byte("brief"), Body: bytes.Repeat([]byte("body "), 100)}
	update(t, s, func(tx *Tx) error { _, err := tx.AppendSnapshot(h); return err })
	view(t, s, func(tx *Tx) error {
		n := 0
		err := tx.Heads(0, true, func(seq uint64, got Header) bool {
			n++
			if string(got.Brief) != "brief" || got.Body != nil || got.ID != h.ID || got.Flags != 0 {
				t.Errorf("%+v", got)
			}
			return true
		})
		if got, _, err := tx.Header(1); err != nil || !bytes.Equal(got.Body, h.Body) || string(got.Brief) != "brief" {
			t.Errorf("%+v %v", got, err)
		}
		if n != 1 {
			t.Errorf("%d heads", n)
		}
		return err
	})
	if err := s.Update(func(tx *Tx) error { _, err := tx.AppendSnapshot(Header{ID: "01Y", Flags: briefed}); return err }); err == nil {
		t.Error("a flag of the store's own was taken")
	}
}

// TestDropStale: what was made of bytes that are no longer current goes, all else stays.
func TestDropStale(t *testing.T) {
	s := create(t)
	begin := func(n byte) Begin { return Begin{n, 1} }
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutMade("a", []byte("of one"), []Begin{begin(1)}), tx.PutMade("b", []byte("of two"), []Begin{begin(1), begin(2)}),
			tx.PutMade("c", []byte("of none"), nil), tx.PutMade("d", []byte("of many"), make([]Begin, 256)))
	})
	update(t, s, func(tx *Tx) error {
		n, err := tx.DropStale(func(b Begin) bool { return b == begin(1) })
		if n != 1 {
			t.Errorf("%d went", n)
		}
		return err
	})
	verified(t, s)
	view(t, s, func(tx *Tx) error {
		for key, want := range map[string]string{"a": "of one", "b": "", "c": "of none", "d": "of many"} {
			if got := string(tx.Cache(key)); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		return nil
	})
}
