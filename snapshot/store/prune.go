package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Pruned is what pruning took away.
type Pruned struct {
	Snapshots int
	Versions  int // of ids in tables, that no kept snapshot shows
	Blobs     int
	Bytes     int64 // of those blobs, as they were stored
}

// Drop forgets a snapshot. Every other one reads as before: what was put at this
// one is from then on put at the next, unless that one replaced it, and it is as
// if this one had never been. Its readings go too, but for those that keep
// names, which a later snapshot refers to. The newest snapshot cannot go, and a
// number that is not there is an error. It returns how many versions went.
func (tx *Tx) Drop(seq uint64, keep func(reading string) bool) (versions int, err error) {
	defer guard(tx.s.path, &err)()
	if err := tx.writable(); err != nil {
		return 0, err
	}
	h, ok, err := tx.Header(seq)
	if err == nil && !ok {
		err = fmt.Errorf("prune: there is no snapshot %d", seq)
	}
	if err != nil {
		return 0, err
	}
	next, err := tx.after(seq)
	if err != nil {
		return 0, err
	}
	ids, err := tx.changedAt(seq)
	if err != nil {
		return 0, err
	}
	for _, at := range ids {
		n, err := tx.Table(at[0]).shift(at[1], seq, next)
		if err != nil {
			return 0, err
		}
		versions += n
	}
	if err := tx.dropReadings(seq, keep); err != nil {
		return 0, err
	}
	return versions, errors.Join(tx.freeBodies(seq), tx.del(bSnap, be64(seq)), tx.del(bSnapID, []byte(h.ID)))
}

// after returns the number of the snapshot that follows one.
func (tx *Tx) after(seq uint64) (uint64, error) {
	r, err := tx.rows(bSnap)
	if err == nil {
		err = r.seek(be64(seq + 1))
	}
	switch {
	case err != nil:
		return 0, err
	case r.key == nil:
		return 0, fmt.Errorf("prune: snapshot %d is the newest", seq)
	case len(r.key) != 8:
		return 0, tx.corrupt(bSnap, r.key, "its key is no number")
	}
	return binary.BigEndian.Uint64(r.key), nil
}

// changedAt returns table and id of all that changed at a snapshot.
func (tx *Tx) changedAt(seq uint64) (ids [][2]string, err error) {
	err = tx.walk(bChg, be64(seq), be64(seq), func(key, _ []byte) (bool, error) {
		table, id, ok := bytes.Cut(key[8:], []byte{0})
		if !ok {
			return false, tx.corrupt(bChg, key, "its key is no id of a table")
		}
		ids = append(ids, [2]string{string(table), string(id)})
		return true, nil
	})
	return ids, err
}

// shift moves the version of an id at a snapshot to the next one, and takes away
// what then differs from nothing before it.
func (t Table) shift(id string, seq, next uint64) (gone int, err error) {
	if err := t.check(id); err != nil {
		return 0, t.tx.corrupt(bChg, t.chgKey(id, seq), err)
	}
	v, err := t.exactly(id, seq)
	if err != nil {
		return 0, err
	}
	if err := t.tx.del(bChg, t.chgKey(id, seq)); err != nil {
		return 0, err
	}
	_, replaced, err := t.tx.get(bChg, t.chgKey(id, next))
	switch {
	case err != nil:
		return 0, err
	case replaced:
		gone, err = 1, t.forget(id, v)
	default:
		err = t.move(id, v, next)
	}
	if err != nil {
		return 0, err
	}
	n, err := t.settle(id, next)
	return gone + n, err
}

// exactly returns the version of an id that was put at a snapshot.
func (t Table) exactly(id string, seq uint64) (version, error) {
	v, err := t.current(id)
	if err != nil || v.ok && v.seq == seq {
		return v, err
	}
	v, err = t.older(id, seq)
	if err == nil && (!v.ok || v.seq != seq) {
		err = t.tx.corrupt(bChg, t.chgKey(id, seq), "there is no such version")
	}
	return v, err
}

func (t Table) move(id string, v version, to uint64) error {
	value := bytes.Clone(v.value)
	if value == nil {
		value = []byte{tombstone}
	}
	if err := t.tx.put(bChg, t.chgKey(id, to), nil); err != nil {
		return err
	}
	if v.cur {
		return t.tx.put(bCur, t.curKey(id), append(be64(to), value...))
	}
	return errors.Join(t.tx.del(bVer, t.verKey(id, v.seq)), t.tx.put(bVer, t.verKey(id, to), value))
}

// settle takes the version of an id at a snapshot away when it says what the
// version before it says.
func (t Table) settle(id string, seq uint64) (gone int, err error) {
	v, err := t.exactly(id, seq)
	if err != nil {
		return 0, err
	}
	before, err := t.older(id, seq-1)
	if err != nil {
		return 0, err
	}
	same := v.value == nil && before.value == nil
	if v.value != nil && before.value != nil {
		value, err := t.open(bVer, id, before)
		if err == nil {
			same, err = t.same(id, v, bytes.Clone(value))
		}
		if err != nil {
			return 0, err
		}
	}
	if !same {
		return 0, nil
	}
	if v.cur {
		_, err = t.undo(id, v)
		return 1, err
	}
	return 1, errors.Join(t.tx.del(bChg, t.chgKey(id, seq)), t.forget(id, v))
}

func (tx *Tx) dropReadings(seq uint64, keep func(string) bool) error {
	var names []string
	err := tx.walk(bObs, be64(seq), be64(seq), func(key, _ []byte) (bool, error) {
		if name := string(key[8:]); keep == nil || !keep(name) {
			names = append(names, name)
		}
		return true, nil
	})
	for _, name := range names {
		err = errors.Join(err, tx.del(bObs, append(be64(seq), name...)))
	}
	return err
}

// Readings calls fn for every volatile reading, in order of snapshots.
func (tx *Tx) Readings(fn func(seq uint64, name string)) error {
	return tx.walk(bObs, nil, nil, func(key, _ []byte) (bool, error) {
		if len(key) < 8 {
			return false, tx.corrupt(bObs, key, "its key is cut off")
		}
		fn(binary.BigEndian.Uint64(key), string(key[8:]))
		return true, nil
	})
}

// DropReading forgets one volatile reading.
func (tx *Tx) DropReading(seq uint64, name string) error {
	return tx.del(bObs, append(be64(seq), name...))
}

// A Digest is a sha256.
type Digest [sha256.Size]byte

// Unreferenced returns the blobs that nothing needs: that no version of any table
// refers to, keep does not want, and no needed blob is a difference from. refers
// calls need for every digest in a value. With an error nothing may be taken for
// unreferenced.
func (s *Store) Unreferenced(ctx context.Context, refers func(table, id string, value []byte, need func(sha string)) error, keep func(sha string) bool) (dead []Digest, err error) {
	err = s.View(func(tx *Tx) error {
		live := map[Digest]bool{}
		if err := tx.mark(ctx, live, refers); err != nil {
			return err
		}
		bases := map[Digest]bool{}
		err := tx.walk(bBlob, nil, nil, func(key, v []byte) (bool, error) {
			if len(key) != sha256.Size || len(v) == 0 {
				return false, tx.corrupt(bBlob, key, "it is no blob")
			}
			d := Digest(key)
			needed := live[d] || keep != nil && keep(fmt.Sprintf("%x", key))
			switch {
			case !needed:
				dead = append(dead, d)
			case v[0] == codecDelta && len(v) > sha256.Size:
				bases[Digest(v[1:])] = true
			}
			return true, context.Cause(ctx)
		})
		n := 0
		for _, d := range dead {
			if !bases[d] {
				dead[n] = d
				n++
			}
		}
		dead = dead[:n]
		return err
	})
	if err != nil {
		return nil, err
	}
	return dead, nil
}

// mark notes the digests that any version of any table refers to.
func (tx *Tx) mark(ctx context.Context, live map[Digest]bool, refers func(table, id string, value []byte, need func(string)) error) error {
	need := func(sha string) {
		if key, err := blobKey(sha); err == nil {
			live[Digest(key)] = true
		}
	}
	for _, b := range []bucket{bCur, bVer} {
		err := tx.walk(b, nil, nil, func(key, v []byte) (bool, error) {
			name, id, _ := bytes.Cut(key, []byte{0})
			t := tx.Table(string(name))
			decode := t.decodeCur
			if b == bVer {
				decode = t.decodeVer
				id = id[:max(0, len(id)-9)]
			}
			ver, err := decode(key, v)
			if err == nil {
				ver, err = t.grounded(string(id), ver, nil)
			}
			if err != nil || ver.value == nil {
				return true, err
			}
			value, err := t.open(b, string(id), ver)
			if err == nil {
				err = refers(t.name, string(id), value, need)
			}
			return true, errors.Join(err, context.Cause(ctx))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// DropBlob forgets bytes, and returns how many they took.
func (tx *Tx) DropBlob(d Digest) (int64, error) {
	v, ok, err := tx.get(bBlob, d[:])
	if err != nil || !ok {
		return 0, err
	}
	return int64(len(v)), tx.del(bBlob, d[:])
}
