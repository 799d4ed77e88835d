package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A Problem is one thing that Verify found wrong.
type Problem struct {
	Where string // page structure, or bucket and key
	What  string

	bucket bucket
	key    []byte // of the row; nil for the page structure
	upto   uint64 // see Place
}

// StateLost is what is wrong with a version that a repair had to leave out: in its
// place stands a removal.
const StateLost = "lost"

// A Place is the row that a problem is about, in the terms of Tx's methods.
type Place struct {
	Bucket string // snap, snapid, cur, ver, chg, obs, blob, cache, stat, journal or meta; empty for the page structure
	Blob   string // digest
	Table  string // of cur, ver and chg, with the id
	ID     string
	Seq    uint64 // of snap, ver, chg, obs and journal
	Upto   uint64 // of ver: the last snapshot that shows it; 0 where that is not known
	Name   string // of an obs: its name; else the key
}

// Place returns which row the problem is about.
func (p Problem) Place() Place {
	if p.key == nil {
		return Place{}
	}
	at, key := Place{Bucket: names[p.bucket], Name: string(p.key)}, p.key
	switch p.bucket {
	case bBlob:
		at.Blob = hex.EncodeToString(key)
	case bSnap, bJournal:
		at.Seq = numberAt(key)
	case bObs:
		at.Seq, at.Name = numberAt(key), string(key[min(8, len(key)):])
	case bChg:
		at.Seq = numberAt(key)
		at.Table, at.ID, _ = strings.Cut(string(key[min(8, len(key)):]), "\x00")
	case bVer:
		at.Seq, at.Upto = ^numberAt(key[max(0, len(key)-8):]), p.upto
		at.Table, at.ID, _ = strings.Cut(string(key[:max(0, len(key)-9)]), "\x00")
	case bCur:
		at.Table, at.ID, _ = strings.Cut(string(key), "\x00")
	}
	return at
}

func numberAt(key []byte) uint64 {
	if len(key) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key)
}

// maxProblems bounds a report on a store of which nothing is left.
const maxProblems = 1000

// Verify checks the page structure, every row's check and decoding, and the
// references between rows; full also the sha256 of every blob. It returns what
// it found, with the error of ctx when that ended it early. It must not run
// beside an Update.
func (s *Store) Verify(ctx context.Context, full bool) ([]Problem, error) {
	fi, err := s.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("verify store: %w", err)
	}
	l, err := readLayout(s.file, fi.Size())
	if err == nil {
		err = l.walk()
	}
	if err != nil {
		var d damage
		if errors.As(err, &d) {
			return []Problem{{Where: "pages", What: string(d)}}, nil // bbolt's own check could loop or fault on it
		}
		return nil, fmt.Errorf("verify store: %w", err)
	}
	v := &verifier{ctx: ctx, full: full}
	err = s.raw(false, func(tx *Tx) error {
		v.tx = tx
		for err := range tx.tx.Check() {
			v.add("pages", "%v", err)
		}
		for b := range buckets {
			if err := v.bucket(b); err != nil {
				return err
			}
		}
		return nil
	})
	var c *CorruptError
	if errors.As(err, &c) {
		v.add("pages", "%s", c.What)
		err = nil
	}
	return v.found, err
}

type verifier struct {
	ctx   context.Context
	tx    *Tx
	full  bool
	found []Problem
	n     int
	last  uint64 // previous number of a bucket that counts
}

func (v *verifier) add(where, format string, args ...any) {
	if len(v.found) < maxProblems {
		v.found = append(v.found, Problem{Where: where, What: fmt.Sprintf(format, args...)})
	}
}

// bucket checks every row of b, going on after a bad one.
func (v *verifier) bucket(b bucket) (err error) {
	defer guard(v.tx.s.path, &err)()
	v.last = 0
	c := v.tx.b[b].Cursor()
	for key, row := c.First(); key != nil; key, row = c.Next() {
		if v.n++; v.n%256 == 0 && v.ctx.Err() != nil {
			return context.Cause(v.ctx)
		}
		if len(v.found) >= maxProblems {
			return nil
		}
		value, err := unseal(b, key, row)
		if err == nil {
			err = v.row(b, key, value)
		}
		if err != nil {
			v.add(fmt.Sprintf("%s %s", names[b], show(b, key)), "%s", plain(err))
			p := &v.found[len(v.found)-1]
			p.bucket, p.key = b, bytes.Clone(key)
			if b == bVer {
				p.upto = v.shownUpto(key)
			}
		}
	}
	return nil
}

// shownUpto returns the last snapshot that shows an older version, by the index of
// changes; 0 where nobody knows.
func (v *verifier) shownUpto(key []byte) (upto uint64) {
	t, id, ok := v.table(bVer, key)
	if !ok {
		return 0
	}
	what := t.curKey(id)
	err := v.tx.walk(bChg, be64(^numberAt(key[len(key)-8:])+1), nil, func(at, _ []byte) (bool, error) {
		if bytes.Equal(at[min(8, len(at)):], what) {
			upto = numberAt(at) - 1
		}
		return upto == 0, nil
	})
	if err != nil {
		return 0
	}
	return upto
}

// plain returns what is wrong without the path that every CorruptError repeats.
func plain(err error) string {
	var c *CorruptError
	if errors.As(err, &c) {
		return c.What
	}
	return err.Error()
}

// show returns a key as a person can read it.
func show(b bucket, key []byte) string {
	switch {
	case b == bBlob:
		return hex.EncodeToString(key)
	case (b == bSnap || b == bJournal) && len(key) == 8:
		return fmt.Sprint(binary.BigEndian.Uint64(key))
	case (b == bObs || b == bChg) && len(key) >= 8:
		return fmt.Sprintf("%d %q", binary.BigEndian.Uint64(key), key[8:])
	case b == bVer && len(key) >= 8:
		return fmt.Sprintf("%q at %d", bytes.TrimSuffix(key[:len(key)-8], []byte{0}), ^binary.BigEndian.Uint64(key[len(key)-8:]))
	}
	return fmt.Sprintf("%.200q", key)
}
