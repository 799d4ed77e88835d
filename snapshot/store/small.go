package store

import (
	"bytes"
	"errors"
	"fmt"
)

// Obs returns the volatile reading of that name at a snapshot; nil when there is none.
func (tx *Tx) Obs(seq uint64, name string) (value []byte, err error) {
	defer guard(tx.s.path, &err)()
	key := append(be64(seq), name...)
	v, ok, err := tx.get(bObs, key)
	if err != nil || !ok {
		return nil, err
	}
	out, err := unpack(v)
	if err != nil {
		return nil, tx.corrupt(bObs, key, err)
	}
	return append([]byte{}, out...), nil
}

// PutObs keeps a volatile reading of a snapshot, compressed. The snapshot must be there.
func (tx *Tx) PutObs(seq uint64, name string, value []byte) error {
	if last, err := tx.lastN(bSnap); err != nil {
		return err
	} else if seq > last {
		return fmt.Errorf("reading %s: there is no snapshot %d yet", name, seq)
	}
	p, err := pack(value, coldMin)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return tx.put(bObs, append(be64(seq), name...), p)
}

// Cache returns what was cached under key, or nil. The slice is valid within
// the transaction only and not to be changed. A damaged entry reads as none:
// what is cached can be derived again.
func (tx *Tx) Cache(key string) []byte { return tx.derived(bCache, key) }

// PutCache caches what was derived.
func (tx *Tx) PutCache(key string, v []byte) error { return tx.putDerived(bCache, key, v) }

// A Begin is the first bytes of a digest, enough to tell one from all others of
// a project.
type Begin [8]byte

// BeginOf returns the beginning of a sha256 in hex; false when it is none.
func BeginOf(sha string) (b Begin, ok bool) {
	key, err := blobKey(sha)
	if err == nil {
		copy(b[:], key)
	}
	return b, err == nil
}

// PutMade caches what was derived from captured bytes of these digests; of more
// than 255 it remembers none.
func (tx *Tx) PutMade(key string, v []byte, of []Begin) error {
	if len(of) == 0 || len(of) > 255 {
		return tx.PutCache(key, v)
	}
	p, err := pack(v, packMin)
	if err != nil {
		return fmt.Errorf("%s of %.80q: %w", names[bCache], key, err)
	}
	row := make([]byte, 0, 2+len(of)*len(Begin{})+len(p))
	row = append(row, codecMade, byte(len(of)))
	for _, b := range of {
		row = append(row, b[:]...)
	}
	return tx.put(bCache, []byte(key), append(row, p...))
}

// madeOf splits a cached row into what it was made of and the value.
func madeOf(v []byte) (of, packed []byte, err error) {
	if len(v) < 2 || v[0] != codecMade {
		return nil, v, nil
	}
	n := 2 + int(v[1])*len(Begin{})
	if n > len(v) {
		return nil, nil, errors.New("it is cut off")
	}
	return v[2:n], v[n:], nil
}

// DropStale forgets what was derived from bytes that current does not know, and
// returns how many rows went.
func (tx *Tx) DropStale(current func(Begin) bool) (n int, err error) {
	defer guard(tx.s.path, &err)()
	if err := tx.writable(); err != nil {
		return 0, err
	}
	var stale [][]byte
	c := tx.b[bCache].Cursor()
	for k, row := c.First(); k != nil; k, row = c.Next() {
		v, err := unseal(bCache, k, row)
		if err != nil {
			continue // damage reads as absence, and the row is written again
		}
		of, _, _ := madeOf(v)
		for ; len(of) > 0; of = of[len(Begin{}):] {
			if !current(Begin(of)) {
				stale = append(stale, bytes.Clone(k))
				break
			}
		}
	}
	for _, k := range stale {
		if err := tx.del(bCache, k); err != nil {
			return 0, err
		}
	}
	return len(stale), nil
}

// Stat returns the stat shortcut of a path, or nil; a damaged one reads as none.
func (tx *Tx) Stat(path string) []byte { return bytes.Clone(tx.derived(bStat, path)) }

// PutStat keeps the stat shortcut of a path.
func (tx *Tx) PutStat(path string, v []byte) error { return tx.putDerived(bStat, path, v) }

// DeleteStat forgets the stat shortcut of a path.
func (tx *Tx) DeleteStat(path string) error { return tx.del(bStat, []byte(path)) }

// ScanStat calls fn for every stat shortcut in path order. The value is valid
// during the call only; damaged ones are left out.
func (tx *Tx) ScanStat(fn func(path string, v []byte) (more bool)) (err error) {
	defer guard(tx.s.path, &err)()
	if tx.ended.Load() {
		return errEnded
	}
	if err := tx.s.whole(bStat); err != nil {
		return err
	}
	c := tx.b[bStat].Cursor()
	for k, row := c.First(); k != nil; k, row = c.Next() {
		v, err := unseal(bStat, k, row)
		if err == nil {
			v, err = unpack(v)
		}
		if err == nil && !fn(string(k), v) {
			break
		}
	}
	return nil
}

// derived reads a row that can be made again, so that damage is no more than absence.
func (tx *Tx) derived(b bucket, key string) (v []byte) {
	var err error
	defer func() {
		if err != nil {
			v = nil
		}
	}()
	defer guard(tx.s.path, &err)()
	if tx.ended.Load() || key == "" {
		return nil
	}
	if _, err = tx.s.reach(b, []byte(key), holding); err != nil {
		return nil
	}
	row := tx.b[b].Get([]byte(key))
	if row == nil {
		return nil
	}
	if v, err = unseal(b, []byte(key), row); err == nil && b == bCache {
		_, v, err = madeOf(v)
	}
	if err == nil {
		v, err = unpack(v)
	}
	return v
}

func (tx *Tx) putDerived(b bucket, key string, v []byte) error {
	if key == "" || len(key) > maxID {
		return fmt.Errorf("%s key %.80q: must be 1 to %d bytes", names[b], key, maxID)
	}
	p, err := pack(v, packMin)
	if err != nil {
		return fmt.Errorf("%s of %.80q: %w", names[b], key, err)
	}
	return tx.put(b, []byte(key), p)
}

const userMeta = "user/"

// Meta returns what PutMeta kept under key, or nil.
func (tx *Tx) Meta(key string) []byte {
	v, _, err := tx.get(bMeta, []byte(userMeta+key))
	if !tx.Bear(err) {
		tx.note(err)
	}
	return bytes.Clone(v)
}

// PutMeta keeps a small value of the caller's.
func (tx *Tx) PutMeta(key string, v []byte) error {
	return tx.put(bMeta, []byte(userMeta+key), v)
}
