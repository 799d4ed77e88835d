package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// CopyOptions says what of a store a copy holds.
type CopyOptions struct {
	Keep  func(sha string) bool // which blobs; nil is all
	NoKey bool                  // the key of the hashes stays behind: the copy can be opened only after Rekey
}

// copyBatch is how many bytes of rows are written in one transaction.
const copyBatch = 4 << 20

// CopyTo writes a compact copy of the store to path, which must not be there,
// and syncs it. What can be derived again is left out. Every row is verified on
// the way: damage is a *CorruptError, and no copy. Equal content gives equal
// bytes. With an error nothing is left at path.
func (tx *Tx) CopyTo(path string, o CopyOptions) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		FreelistType: bolt.FreelistArrayType, // allocates in order, where the other walks a map
		PageSize:     pageSize, NoStatistics: true, NoSync: true, NoGrowSync: true, Timeout: DefaultWait,
		OpenFile: func(string, int, os.FileMode) (*os.File, error) { return f, nil },
	})
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	db.AllocSize = growStep
	defer func() {
		if err == nil {
			err = db.Sync()
		}
		if cerr := db.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			os.Remove(path)
			err = fmt.Errorf("copy the store: %w", err)
		}
	}()
	c := &copier{from: tx, to: db, o: o}
	for b := range buckets {
		if err := c.bucket(b); err != nil {
			return err
		}
	}
	return c.flush(buckets - 1)
}

// A copier writes rows in batches, in the order of their keys.
type copier struct {
	from  *Tx
	to    *bolt.DB
	o     CopyOptions
	batch [][2][]byte
	size  int
}

func (c *copier) bucket(b bucket) error {
	if b != bCache && b != bStat {
		err := c.from.walk(b, nil, nil, func(key, value []byte) (bool, error) { return true, c.row(b, key, value) })
		if err != nil {
			return err
		}
	}
	return c.flush(b)
}

func (c *copier) row(b bucket, key, value []byte) error {
	if b == bMeta && c.o.NoKey && string(key) == string(hmacKey) {
		return nil
	}
	if b == bBlob {
		v, err := c.blob(key, value)
		if err != nil || v == nil {
			return err
		}
		value = v
	}
	row := seal(b, key, value)
	c.batch = append(c.batch, [2][]byte{append([]byte(nil), key...), row})
	if c.size += len(key) + len(row); c.size >= copyBatch {
		return c.flush(b)
	}
	return nil
}

// blob returns the row of a blob, nil for one that stays behind. One that is a
// difference to a blob that stays behind is made whole.
func (c *copier) blob(key, value []byte) ([]byte, error) {
	if c.o.Keep != nil && !c.o.Keep(hex.EncodeToString(key)) {
		return nil, nil
	}
	b, err := c.from.decodeBlob(key, value)
	if err != nil {
		return nil, err
	}
	if len(value) > sha256.Size && value[0] == codecDelta && c.o.Keep != nil && !c.o.Keep(hex.EncodeToString(value[1:1+sha256.Size])) {
		return pack(b, coldMin)
	}
	return value, nil
}

func (c *copier) flush(b bucket) error {
	err := c.to.Update(func(tx *bolt.Tx) error {
		k, err := tx.CreateBucketIfNotExists([]byte(names[b]))
		if err != nil {
			return err
		}
		k.FillPercent = 0.95 // in the order of keys pages are filled once
		for _, r := range c.batch {
			if err := k.Put(r[0], r[1]); err != nil {
				return err
			}
		}
		return nil
	})
	c.batch, c.size = c.batch[:0], 0
	return err
}

// Rekey gives a copy that was made without it a key of its own: what was hashed
// with the old one is then like nothing new. It reports whether the copy lacked one.
func Rekey(path string) (made bool, err error) {
	f, err := openFile(path, Options{})
	if err != nil {
		return false, err
	}
	if err := checkFile(f, Options{Verify: true}); err != nil {
		return false, errors.Join(corrupt(path, err), f.Close())
	}
	db, err := openBolt(path, f, false)
	if err != nil {
		return false, errors.Join(err, f.Close())
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Store{path: path, file: f, db: db}
	return made, s.raw(true, func(tx *Tx) error {
		if _, err := tx.about(); err != nil {
			return err
		}
		_, has, err := tx.get(bMeta, hmacKey)
		if err != nil || has {
			return err
		}
		made = true
		key := make([]byte, keyLen)
		rand.Read(key) // never fails: crypto/rand.Read
		return tx.put(bMeta, hmacKey, key)
	})
}

// SetKey replaces the key of a new store by that of the one it takes the place of.
func (s *Store) SetKey(key []byte) error {
	if len(key) != keyLen {
		return fmt.Errorf("the key has %d bytes, want %d", len(key), keyLen)
	}
	err := s.Update(func(tx *Tx) error { return tx.put(bMeta, hmacKey, key) })
	if err == nil {
		s.about.Key = append([]byte(nil), key...)
	}
	return err
}

// Amend replaces the header of a snapshot; its id stays.
func (tx *Tx) Amend(seq uint64, h Header) error {
	old, ok, err := tx.Header(seq)
	if err != nil {
		return err
	}
	if !ok || old.ID != h.ID {
		return fmt.Errorf("there is no snapshot %d of the id %s", seq, h.ID)
	}
	v, err := encodeHeader(h)
	if err != nil {
		return err
	}
	return errors.Join(tx.freeBodies(seq), tx.put(bSnap, be64(seq), v))
}
