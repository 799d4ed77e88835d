package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A Tx is a transaction. What it returns is the caller's to keep, unless a
// method says otherwise. Callbacks must not write into what they walk.
type Tx struct {
	s      *Store
	tx     *bolt.Tx
	b      [buckets]*bolt.Bucket
	damage atomic.Pointer[CorruptError]
	pardon *pardon                  // nil: every damage is an error
	base   atomic.Pointer[bodyBase] // that a reader used last
	ended  atomic.Bool
}

func (s *Store) newTx(b *bolt.Tx) *Tx {
	tx := &Tx{s: s, tx: b}
	for i := range tx.b {
		tx.b[i] = b.Bucket([]byte(names[i]))
		if tx.b[i] == nil {
			continue
		}
		tx.b[i].FillPercent = 0.8 // half, bbolt's default, makes a first snapshot twice as large and later ones no smaller
		if appended[i] {
			tx.b[i].FillPercent = 0.95
		}
	}
	return tx
}

// Err returns the first damage that a method without an error result met, or nil.
func (tx *Tx) Err() error {
	if d := tx.damage.Load(); d != nil {
		return d
	}
	return nil
}

// note keeps damage for Err; other errors cannot happen where it is called.
func (tx *Tx) note(err error) {
	if c, ok := err.(*CorruptError); ok {
		tx.damage.CompareAndSwap(nil, c)
	}
}

func (tx *Tx) corrupt(b bucket, key []byte, what any) error {
	at := Problem{bucket: b, key: append([]byte{}, key...)}.Place()
	return &CorruptError{Path: tx.s.path, What: fmt.Sprintf("row %s %.80q: %v", names[b], key, what), Hint: hint, row: &at}
}

// about is what a store says of itself.
type about struct {
	Schema    int       `json:"schema"`
	MinReader int       `json:"min_reader"` // oldest schema whose readers understand the file
	ID        string    `json:"id"`
	Created   time.Time `json:"created"`
	Host      string    `json:"host,omitempty"`
	Key       []byte    `json:"-"`
}

var (
	aboutKey = []byte("store")
	hmacKey  = []byte("key")
)

func (tx *Tx) about() (a about, err error) {
	if tx.b[bMeta] == nil {
		return a, &CorruptError{Path: tx.s.path, What: "it is a bbolt file, but no audit store", Hint: hint}
	}
	v, ok, err := tx.get(bMeta, aboutKey)
	if err != nil {
		return a, err
	}
	if !ok {
		return a, &CorruptError{Path: tx.s.path, What: "it is a bbolt file, but no audit store", Hint: hint}
	}
	if err := json.Unmarshal(v, &a); err != nil {
		return a, tx.corrupt(bMeta, aboutKey, err)
	}
	key, _, err := tx.get(bMeta, hmacKey)
	a.Key = bytes.Clone(key)
	return a, err
}

// complete checks that the file has the buckets of this schema and no others.
func (tx *Tx) complete() error {
	for i, b := range tx.b {
		if b == nil {
			return &CorruptError{Path: tx.s.path, What: "bucket " + names[i] + " is missing", Hint: hint}
		}
	}
	n := 0
	c := tx.tx.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if n++; v != nil || n > int(buckets) {
			return &CorruptError{Path: tx.s.path, What: fmt.Sprintf("bucket %.40q is none of ours", k), Hint: hint}
		}
	}
	if len(tx.s.about.Key) == 0 {
		if k, ok, err := tx.get(bMeta, hmacKey); err != nil || !ok || len(k) != keyLen {
			return &CorruptError{Path: tx.s.path, What: "its key is missing", Hint: hint}
		}
	}
	return nil
}

// rows is a cursor over one bucket that verifies every row it stands on, and
// checks every page before bbolt goes there. key is nil at the end. key and value
// are valid until the transaction writes.
type rows struct {
	tx    *Tx
	b     bucket
	c     *bolt.Cursor
	leaf  *span // in which it stands; nil where there is no more to check
	key   []byte
	value []byte
	row   []byte // value with its check
	past  int    // bytes of rows that were left behind since letGo
	lax   bool   // a damaged row is no error
	torn  bool   // it stands on one
}

func (tx *Tx) rows(b bucket) (*rows, error) {
	if tx.ended.Load() {
		return nil, errEnded
	}
	return &rows{tx: tx, b: b, c: tx.b[b].Cursor()}, nil
}

// reach checks the leaf to which bbolt is to go next.
func (r *rows) reach(key []byte, side side) (err error) {
	r.leaf, err = r.tx.s.reach(r.b, key, side)
	return err
}

func (r *rows) at(k, v []byte) error {
	r.key, r.row = k, v
	return r.verify()
}

// verify verifies the row on which it stands.
func (r *rows) verify() error {
	r.value, r.torn = nil, false
	if r.key == nil {
		return nil
	}
	value, err := unseal(r.b, r.key, r.row)
	if err != nil && r.lax {
		r.torn = true
		return nil
	}
	if err != nil {
		return r.tx.corrupt(r.b, r.key, err)
	}
	r.value = value
	return nil
}

func (r *rows) next() error {
	if err := r.step(); err != nil {
		return err
	}
	return r.verify()
}

// letGoEvery is after how many bytes of rows a scan lets go of what it passed.
const letGoEvery = 1 << 20

// step is next without verifying the row.
func (r *rows) step() error {
	if r.past += len(r.key) + len(r.row); r.past > letGoEvery {
		r.past = 0
		r.tx.s.letGo()
	}
	if r.leaf != nil && r.leaf.next != nil && bytes.Equal(r.key, r.leaf.last) {
		if err := r.reach(r.leaf.next, holding); err != nil {
			return err
		}
	}
	r.key, r.row = r.c.Next()
	return nil
}

func (r *rows) prev() error {
	if r.leaf != nil && bytes.Equal(r.key, r.leaf.first) {
		if err := r.reach(r.key, below); err != nil {
			return err
		}
	}
	k, v := r.c.Prev()
	if k == nil && r.tx.tx.Writable() {
		first, _ := r.tx.b[r.b].Cursor().First()
		for k == nil && first != nil && bytes.Compare(first, r.key) < 0 { // bbolt stops at pages from which all was deleted
			k, v = r.c.Prev()
		}
	}
	return r.at(k, v)
}

func (r *rows) last() error {
	if err := r.reach(nil, endmost); err != nil {
		return err
	}
	if r.tx.tx.Writable() {
		if k, v := r.c.First(); k == nil { // where all was deleted bbolt would look for the last for ever
			return r.at(k, v)
		}
	}
	return r.at(r.c.Last())
}

// find lets bbolt seek the first key not before key, and verifies nothing but the
// pages.
func (r *rows) find(key []byte) (k, v []byte, err error) {
	if err := r.reach(key, holding); err != nil {
		return nil, nil, err
	}
	if r.leaf != nil && r.leaf.next != nil && bytes.Compare(key, r.leaf.last) > 0 {
		if err := r.reach(r.leaf.next, holding); err != nil {
			return nil, nil, err
		}
	}
	k, v = r.c.Seek(key)
	return k, v, nil
}

// seek goes to the first key not before key. When that is another one, the row
// before is verified as well: a damaged key that is still in order stands on
// one side of where it belongs, and must not read as absence.
func (r *rows) seek(key []byte) error {
	k, v, err := r.find(key)
	if err != nil {
		return err
	}
	if k == nil || !bytes.Equal(k, key) {
		before := *r
		before.c = r.tx.b[r.b].Cursor()
		if k == nil {
			err = before.last()
		} else {
			before.c.Seek(k)
			before.key = k
			err = before.prev()
		}
		if err != nil {
			return err
		}
	}
	return r.at(k, v)
}

// get returns the value at key, which is valid until the transaction writes.
func (tx *Tx) get(b bucket, key []byte) (v []byte, ok bool, err error) {
	defer guard(tx.s.path, &err)()
	r, err := tx.rows(b)
	if err != nil {
		return nil, false, err
	}
	if err := r.seek(key); err != nil {
		return nil, false, err
	}
	if r.key == nil || !bytes.Equal(r.key, key) {
		return nil, false, nil
	}
	return r.value, true, nil
}

// walk calls fn for every row from a key on whose key has the prefix.
func (tx *Tx) walk(b bucket, from, prefix []byte, fn func(key, value []byte) (more bool, err error)) (err error) {
	defer guard(tx.s.path, &err)()
	r, err := tx.rows(b)
	if err != nil {
		return err
	}
	for err = r.seek(from); err == nil && r.key != nil && bytes.HasPrefix(r.key, prefix); err = r.next() {
		if more, err := fn(r.key, r.value); err != nil || !more {
			return err
		}
	}
	return err
}

// put keeps value under key; the same value again writes nothing.
func (tx *Tx) put(b bucket, key, value []byte) error {
	if err := tx.writable(); err != nil {
		return err
	}
	row := seal(b, key, value)
	if bytes.Equal(tx.b[b].Get(key), row) {
		return nil
	}
	if err := tx.b[b].Put(key, row); err != nil {
		return fmt.Errorf("store %s %.80q: %w", names[b], key, err)
	}
	return nil
}

func (tx *Tx) del(b bucket, key []byte) error {
	if err := tx.writable(); err != nil {
		return err
	}
	return tx.b[b].Delete(key)
}

func (tx *Tx) writable() error {
	switch {
	case tx.ended.Load():
		return errEnded
	case !tx.tx.Writable():
		return errReadOnly
	}
	return nil
}
