package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A Table is one temporal table of a transaction: values under ids, each valid
// from the snapshot it was put at until the next version. The newest values
// stand in the bucket cur, older ones and removals in ver, and chg lists what
// changed at which snapshot.
type Table struct {
	tx   *Tx
	name string
}

// Table returns the table of that name, 1 to 64 bytes without NUL. A table
// needs no creation.
func (tx *Tx) Table(name string) Table { return Table{tx, name} }

const maxID = 32000 // bbolt's keys end at 32768

func (t Table) check(id string) error {
	switch {
	case t.name == "" || len(t.name) > 64 || strings.ContainsRune(t.name, 0):
		return fmt.Errorf("table name %.80q: must be 1 to 64 bytes without NUL", t.name)
	case id == "" || len(id) > maxID || strings.ContainsRune(id, 0):
		return fmt.Errorf("id %.80q in table %s: must be 1 to %d bytes without NUL", id, t.name, maxID)
	}
	return nil
}

// prefix returns the start of every key of the table in cur and ver.
func (t Table) prefix() []byte { return append([]byte(t.name), 0) }

func (t Table) curKey(id string) []byte { return append(t.prefix(), id...) }

// verKey orders the versions of an id from the newest on.
func (t Table) verKey(id string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(t.curKey(id), 0), ^seq)
}

func (t Table) chgKey(id string, seq uint64) []byte {
	return append(append(be64(seq), t.prefix()...), id...)
}

// A version is one row of cur or ver.
type version struct {
	seq   uint64
	value []byte // packed; nil when there is none or it was removed
	base  []byte // of a difference: what it rests on
	ok    bool   // there is such a version
	cur   bool   // it stands in cur
}

func (t Table) current(id string) (version, error) {
	v, ok, err := t.tx.get(bCur, t.curKey(id))
	if err != nil || !ok {
		return version{}, err
	}
	return t.decodeCur(t.curKey(id), v)
}

func (t Table) decodeCur(key, v []byte) (version, error) {
	if len(v) < 9 {
		return version{}, t.tx.corrupt(bCur, key, "it is cut off")
	}
	if isRest(v[8:]) {
		return version{}, t.tx.corrupt(bCur, key, "it is a difference where there can be none")
	}
	return version{seq: binary.BigEndian.Uint64(v), value: v[8:], ok: true, cur: true}, nil
}

// older returns the newest version in ver that is not after seq.
func (t Table) older(id string, seq uint64) (v version, err error) {
	err = t.tx.walk(bVer, t.verKey(id, seq), append(t.curKey(id), 0), func(key, value []byte) (bool, error) {
		v, err = t.decodeVer(key, value)
		return false, err
	})
	if err != nil {
		return version{}, err
	}
	return t.grounded(id, v, nil)
}

// decodeVer leaves a difference without what it rests on: see grounded.
func (t Table) decodeVer(key, value []byte) (version, error) {
	if len(value) < 1 || len(key) < 8 {
		return version{}, t.tx.corrupt(bVer, key, "it is cut off")
	}
	v := version{seq: ^binary.BigEndian.Uint64(key[len(key)-8:]), value: value, ok: true}
	if value[0] == tombstone {
		v.value = nil
	}
	return v, nil
}

func (t Table) open(b bucket, id string, v version) ([]byte, error) {
	value, err := v.open()
	if err != nil {
		return nil, t.tx.corrupt(b, t.curKey(id), err)
	}
	return value, nil
}

// open returns the value of a version that is grounded; a raw one aliases it.
func (v version) open() ([]byte, error) {
	if isRest(v.value) {
		return addRest(v.value, v.base, nil)
	}
	return unpack(v.value)
}

// At returns the value of an id as it was at a snapshot, and the snapshot it
// was put at; ok is false when the id was not there then.
func (t Table) At(seq uint64, id string) (value []byte, since uint64, ok bool, err error) {
	defer guard(t.tx.s.path, &err)()
	value, v, err := t.at(seq, id)
	if err != nil || v.value == nil {
		return nil, 0, false, err
	}
	if v.value[0] == codecRaw {
		value = bytes.Clone(value)
	}
	return value, v.seq, true, nil
}

// Text is At for a value that is wanted as a string.
func (t Table) Text(seq uint64, id string) (value string, ok bool, err error) {
	defer guard(t.tx.s.path, &err)()
	b, v, err := t.at(seq, id)
	return string(b), err == nil && v.value != nil, err
}

// at returns the version of an id at a snapshot, and its value, which may alias
// the mapped file.
func (t Table) at(seq uint64, id string) (value []byte, v version, err error) {
	if err := t.check(id); err != nil {
		return nil, v, err
	}
	if v, err = t.current(id); err == nil && (!v.ok || v.seq > seq) {
		v, err = t.older(id, seq)
	}
	if t.tx.pardonable(err) != nil {
		v, err = t.recall(id, seq, err)
	}
	if err != nil || v.value == nil {
		return nil, version{}, err
	}
	value, err = t.open(bCur, id, v)
	return value, v, err
}

// History calls fn for every version of an id, the newest first, with nil where
// it was removed.
func (t Table) History(id string, fn func(seq uint64, value []byte) (more bool)) (err error) {
	defer guard(t.tx.s.path, &err)()
	if err := t.check(id); err != nil {
		return err
	}
	if t.tx.pardon == nil {
		return t.history(id, fn)
	}
	type kept struct {
		seq   uint64
		value []byte
	}
	var all []kept
	err = t.history(id, func(seq uint64, value []byte) bool { all = append(all, kept{seq, value}); return true })
	if t.tx.pardonable(err) != nil {
		return t.historyOf(id, err, fn)
	}
	for _, v := range all {
		if !fn(v.seq, v.value) {
			break
		}
	}
	return err
}

func (t Table) history(id string, fn func(seq uint64, value []byte) (more bool)) error {
	v, err := t.current(id)
	if err != nil {
		return err
	}
	cur := v
	give := func(v version) (bool, error) {
		if v.value == nil {
			return fn(v.seq, nil), nil
		}
		v, err := t.grounded(id, v, &cur)
		if err != nil {
			return false, err
		}
		value, err := t.open(bVer, id, v)
		if err != nil {
			return false, err
		}
		return fn(v.seq, append([]byte{}, value...)), nil
	}
	if v.ok {
		if more, err := give(v); err != nil || !more {
			return err
		}
	}
	prefix := append(t.curKey(id), 0)
	return t.tx.walk(bVer, prefix, prefix, func(key, value []byte) (bool, error) {
		v, err := t.decodeVer(key, value)
		if err != nil {
			return false, err
		}
		return give(v)
	})
}

// Changed calls fn for every id that has a version after the one snapshot and
// up to the other, each once, in order.
func (t Table) Changed(after, upto uint64, fn func(id string) error) error {
	if err := t.check("x"); err != nil {
		return err
	}
	if after >= upto {
		return nil
	}
	ids, err := t.changed(after, upto)
	if t.tx.pardonable(err) != nil {
		ids, err = t.changedOf(after, upto, err)
	}
	for _, id := range ids {
		if err := fn(id); err != nil {
			return err
		}
	}
	return err
}

func (t Table) changed(after, upto uint64) ([]string, error) {
	seen := map[string]bool{}
	mark := t.prefix()
	err := t.tx.walk(bChg, be64(after+1), nil, func(key, _ []byte) (bool, error) {
		if len(key) < 8 {
			return false, t.tx.corrupt(bChg, key, "its key is cut off")
		}
		if binary.BigEndian.Uint64(key) > upto {
			return false, nil
		}
		if id, ok := bytes.CutPrefix(key[8:], mark); ok {
			seen[string(id)] = true
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(seen))
	for id := range seen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

// Put keeps value for id from snapshot seq on, which must not be after the
// newest snapshot nor before the id's newest version. Equal bytes make no new
// version; a second Put at one seq replaces the first.
func (t Table) Put(seq uint64, id string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return t.set(seq, id, value)
}

// Delete removes id from snapshot seq on; see Put. Removing what is not there
// does nothing.
func (t Table) Delete(seq uint64, id string) error { return t.set(seq, id, nil) }
