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
}

// A Place is the row that a problem is about, in the terms of Tx's methods.
type Place struct {
	Bucket string // snap, snapid, cur, ver, chg, obs, blob, cache, stat, journal or meta; empty for the page structure
	Blob   string // digest
	Table  string // of cur, ver and chg, with the id
	ID     string
	Seq    uint64 // of snap, ver, chg, obs and journal
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
		at.Seq = ^numberAt(key[max(0, len(key)-8):])
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
			return v.ctx.Err()
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
			v.found[len(v.found)-1].bucket, v.found[len(v.found)-1].key = b, bytes.Clone(key)
		}
	}
	return nil
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

// row checks one row whose check matches.
func (v *verifier) row(b bucket, key, value []byte) error {
	switch b {
	case bSnap:
		return v.snap(key, value)
	case bSnapID:
		return v.snapID(key, value)
	case bCur, bVer:
		return v.version(b, key, value)
	case bChg:
		return v.change(key)
	case bBlob:
		return v.blob(key, value)
	case bJournal:
		return v.counts(key)
	case bObs:
		if err := v.isSnapshot(key); err != nil {
			return err
		}
		_, err := unpack(value)
		return err
	case bCache:
		_, packed, err := madeOf(value)
		if err == nil {
			_, err = unpack(packed)
		}
		return err
	case bStat:
		_, err := unpack(value)
		return err
	}
	return nil
}

// alone checks what a row says by itself, without the rows it refers to.
func (v *verifier) alone(b bucket, key, value []byte) error {
	switch b {
	case bSnap:
		if len(key) != 8 {
			return errors.New("its key is no number")
		}
		_, err := decodeHeader(value)
		return err
	case bSnapID:
		if len(value) != 8 {
			return errors.New("it is no number")
		}
	case bCur, bVer:
		_, err := v.decoded(b, key, value)
		return err
	case bChg:
		name, id, ok := strings.Cut(string(key[min(8, len(key)):]), "\x00")
		if !ok || v.tx.Table(name).check(id) != nil {
			return errors.New("its key is no id of a table")
		}
	case bJournal:
		if len(key) != 8 {
			return errors.New("its key is no number")
		}
	case bObs:
		if len(key) < 8 {
			return errors.New("its key is cut off")
		}
		_, err := unpack(value)
		return err
	case bCache, bStat:
		return v.row(b, key, value)
	case bBlob:
		if len(key) != 32 {
			return errors.New("its key is no sha256")
		}
	}
	return nil
}

// counts checks that a key is one more than the key before it.
func (v *verifier) counts(key []byte) error {
	if len(key) != 8 {
		return errors.New("its key is no number")
	}
	n := binary.BigEndian.Uint64(key)
	want := v.last + 1
	v.last = n
	if n != want {
		return fmt.Errorf("number %d is missing before it", want)
	}
	return nil
}

func (v *verifier) snap(key, value []byte) error {
	if len(key) != 8 {
		return errors.New("its key is no number")
	}
	h, err := decodeHeader(value)
	if err != nil {
		return err
	}
	seq, ok, err := v.tx.get(bSnapID, []byte(h.ID))
	if err == nil && (!ok || !bytes.Equal(seq, key)) {
		err = fmt.Errorf("its id %s does not lead to it", h.ID)
	}
	return err
}

func (v *verifier) snapID(key, value []byte) error {
	if len(value) != 8 {
		return errors.New("it is no number")
	}
	h, ok, err := v.tx.Header(binary.BigEndian.Uint64(value))
	if err == nil && (!ok || h.ID != string(key)) {
		err = errors.New("it leads to another snapshot")
	}
	return err
}

// decoded checks that a version decodes.
func (v *verifier) decoded(b bucket, key, value []byte) (ver version, err error) {
	t, id, ok := v.table(b, key)
	if !ok || t.check(id) != nil {
		return ver, errors.New("its key is no id of a table")
	}
	if b == bVer {
		ver, err = t.decodeVer(key, value)
	} else {
		ver, err = t.decodeCur(key, value)
	}
	if err == nil && ver.value != nil {
		_, err = unpack(ver.value)
	}
	return ver, err
}

// table returns table and id of a key of cur or ver.
func (v *verifier) table(b bucket, key []byte) (t Table, id string, ok bool) {
	name, rest, ok := bytes.Cut(key, []byte{0})
	if b == bVer {
		if ok = ok && len(rest) > 9; ok {
			rest = rest[:len(rest)-9]
		}
	}
	return v.tx.Table(string(name)), string(rest), ok
}

// version checks that a version decodes, stands in the change index and belongs
// to no snapshot that never was.
func (v *verifier) version(b bucket, key, value []byte) error {
	ver, err := v.decoded(b, key, value)
	if err != nil {
		return err
	}
	if ver.seq > v.tx.Seq() {
		return fmt.Errorf("it is of snapshot %d, which is not there", ver.seq)
	}
	t, id, _ := v.table(b, key)
	_, ok, err := v.tx.get(bChg, t.chgKey(id, ver.seq))
	if err == nil && !ok {
		err = errors.New("the change index lacks it")
	}
	return err
}

func (v *verifier) change(key []byte) error {
	if len(key) < 8 {
		return errors.New("its key is cut off")
	}
	name, id, ok := strings.Cut(string(key[8:]), "\x00")
	if !ok {
		return errors.New("its key is no id of a table")
	}
	t, seq := v.tx.Table(name), binary.BigEndian.Uint64(key)
	if cur, err := t.current(id); err != nil || cur.ok && cur.seq == seq {
		return err
	}
	_, ok, err := v.tx.get(bVer, t.verKey(id, seq))
	if err == nil && !ok {
		err = errors.New("there is no such version")
	}
	return err
}

func (v *verifier) isSnapshot(key []byte) error {
	if len(key) < 8 {
		return errors.New("its key is cut off")
	}
	if seq := binary.BigEndian.Uint64(key); seq > v.tx.Seq() {
		return fmt.Errorf("there is no snapshot %d", seq)
	}
	return nil
}

func (v *verifier) blob(key, value []byte) error {
	if v.full {
		_, err := v.tx.decodeBlob(key, value)
		return err
	}
	if len(value) > 0 && value[0] == codecDelta {
		if len(value) < 33 {
			return errors.New("it is cut off")
		}
		base, err := v.tx.blobRow(value[1:33])
		if err == nil && (len(base) == 0 || base[0] == codecDelta) {
			err = errors.New("its base is a delta")
		}
		return err
	}
	return nil
}
