package store

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Older versions of an id differ from their neighbours in a few bytes. So the
// newest, and now and then an older one, is kept whole, and those before it, down
// to the next that is whole or a removal, as differences that rest on it: never a
// difference on a difference. Which one that is stands nowhere: it is the next
// newer one that is whole, and its sum tells whether it is the one that was meant.
const (
	// maxResting bounds how many versions rest on one, so that a change writes few
	// rows anew, and a damaged row takes few others with it.
	maxResting = 16
	// restRoom is how many bytes those may take together; a quarter of a long value
	// is allowed as well. What changes much is not written anew again and again.
	restRoom = 2 << 10
)

// grounded returns a version with what it rests on, where it is a difference. cur is
// the current version, nil where it is not known.
func (t Table) grounded(id string, v version, cur *version) (version, error) {
	err := t.ground(id, &v, cur)
	if err == errBase {
		err = t.tx.corrupt(bVer, t.verKey(id, v.seq), err)
	}
	return v, err
}

// ground is grounded, with errBase where what it rests on cannot be had.
func (t Table) ground(id string, v *version, cur *version) error {
	if !isRest(v.value) {
		return nil
	}
	if cur == nil {
		c, err := t.current(id)
		if err != nil && !ofOneRow(err) {
			return err
		}
		cur = &c
	}
	if n := len(cur.value); n > 0 && n <= 1+maxRest {
		if base, err := unpack(cur.value); err == nil && restsOn(v.value, base) {
			v.base = base
			return nil
		}
	}
	base, _, err := t.above(id, v.seq)
	if err == nil && (base == nil || !restsOn(v.value, base)) || ofOneRow(err) {
		err = errBase
	}
	v.base = base
	return err
}

// ofOneRow reports whether an error is the damage of one row.
func ofOneRow(err error) bool {
	var c *CorruptError
	return errors.As(err, &c) && c.row != nil
}

// above returns the value of the next version of an id that is newer than a snapshot
// and whole, and how many differences stand before it; nil where there is none, or a
// removal before it, or that is damaged. It steps over other damaged rows.
func (t Table) above(id string, seq uint64) (value []byte, between int, err error) {
	defer guard(t.tx.s.path, &err)()
	r, err := t.tx.rows(bVer)
	if err != nil {
		return nil, 0, err
	}
	r.lax = true
	prefix := append(t.curKey(id), 0)
	if err = r.seek(t.verKey(id, seq)); err == nil && r.key == nil {
		err = r.last()
	} else if err == nil {
		err = r.prev()
	}
	for ; err == nil && bytes.HasPrefix(r.key, prefix); err = r.prev() {
		switch {
		case between > maxResting:
			return nil, between, nil
		case r.torn || isRest(r.value):
			between++
		case len(r.value) == 0 || r.value[0] == tombstone:
			return nil, between, nil
		default:
			if value, err = unpack(r.value); err != nil {
				err = t.tx.corrupt(bVer, r.key, err)
			}
			return value, between, err
		}
	}
	if err != nil {
		return nil, between, err
	}
	cur, err := t.current(id)
	if ofOneRow(err) {
		return nil, between, nil
	}
	if err == nil && cur.ok {
		value, err = t.open(bCur, id, cur)
	}
	return value, between, err
}

// A resting is a version that is kept as a difference, with its value.
type resting struct {
	seq   uint64
	value []byte
}

// resting returns what rests on the version of an id that was put at a snapshot and
// has that value, the newest first.
func (t Table) resting(id string, seq uint64, value []byte) (on []resting, err error) {
	if seq == 0 {
		return nil, nil
	}
	err = t.tx.walk(bVer, t.verKey(id, seq-1), append(t.curKey(id), 0), func(key, row []byte) (bool, error) {
		if !isRest(row) {
			return false, nil
		}
		v, err := []byte(nil), errBase
		if restsOn(row, value) {
			v, err = addRest(row, value, nil)
		}
		if err != nil {
			return false, t.tx.corrupt(bVer, key, err)
		}
		on = append(on, resting{^binary.BigEndian.Uint64(key[len(key)-8:]), v})
		return true, nil
	})
	return on, err
}

// retire keeps a version that is the newest no longer: as a difference from the one
// that is, with all that rests on it, or whole, as what they rest on.
func (t Table) retire(id string, top version, newest []byte) error {
	old, err := t.open(bCur, id, top)
	if err != nil {
		return err
	}
	if newest != nil {
		on, err := t.resting(id, top.seq, old)
		if err != nil && !ofOneRow(err) { // what is damaged stays as it is
			return err
		}
		if err == nil {
			moved, err := t.rest(id, append([]resting{{top.seq, old}}, on...), newest, 0)
			if moved || err != nil {
				return err
			}
		}
	}
	return t.whole(id, resting{top.seq, old})
}

// whole keeps an older version as it is.
func (t Table) whole(id string, v resting) error {
	p, err := pack(v.value, coldMin)
	if err != nil {
		return err
	}
	return t.tx.put(bVer, t.verKey(id, v.seq), p)
}

// rest keeps versions as differences from a newer value, on which others rest already,
// where that is worth it for all of them; otherwise it writes nothing.
func (t Table) rest(id string, on []resting, value []byte, others int) (done bool, err error) {
	if others+len(on) > maxResting {
		return false, nil
	}
	g, room := newGround(value), max(restRoom, len(value)/4)
	rows := make([][]byte, len(on))
	for i, v := range on {
		if rows[i], err = g.worth(v.value); rows[i] == nil || err != nil {
			return false, err
		}
		if room -= len(rows[i]); room < 0 {
			return false, nil
		}
	}
	for i, v := range on {
		if err := t.tx.put(bVer, t.verKey(id, v.seq), rows[i]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// lean keeps versions as differences from the value of the one before them, or from
// the last of them that is not worth it and is kept whole.
func (t Table) lean(id string, on []resting, value []byte) error {
	g := newGround(value)
	for _, v := range on {
		row, err := g.worth(v.value)
		switch {
		case err != nil:
		case row == nil:
			g = newGround(v.value)
			err = t.whole(id, v)
		default:
			err = t.tx.put(bVer, t.verKey(id, v.seq), row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forget takes a version away that is not the current one. What rested on it is kept
// as differences from the next that is whole, or from the newest of its own.
func (t Table) forget(id string, v version) error {
	var on []resting
	if v.value != nil && !isRest(v.value) {
		value, err := t.open(bVer, id, v)
		if err == nil {
			on, err = t.resting(id, v.seq, value)
		}
		if err != nil {
			return err
		}
	}
	if err := t.tx.del(bVer, t.verKey(id, v.seq)); err != nil || len(on) == 0 {
		return err
	}
	base, others, err := t.above(id, on[0].seq)
	if err != nil {
		return err
	}
	if base != nil {
		if done, err := t.rest(id, on, base, others); done || err != nil {
			return err
		}
	}
	if err := t.whole(id, on[0]); err != nil {
		return err
	}
	return t.lean(id, on[1:], on[0].value)
}

// part makes the versions of an id before a snapshot rest on nothing at or after it.
func (t Table) part(id string, seq uint64) error {
	v, err := t.older(id, seq-1)
	if err != nil || !isRest(v.value) {
		return err
	}
	on, err := t.resting(id, seq, v.base)
	if err == nil {
		err = t.whole(id, on[0])
	}
	if err != nil {
		return err
	}
	return t.lean(id, on[1:], on[0].value)
}
