package store

import (
	"bytes"
	"errors"
	"fmt"
)

var errPast = errors.New("its newest version is of a later snapshot")

func (t Table) set(seq uint64, id string, value []byte) error {
	if err := t.check(id); err != nil {
		return err
	}
	if err := t.tx.writable(); err != nil {
		return err
	}
	top, err := t.top(id)
	if err != nil {
		return err
	}
	if same, err := t.same(id, top, value); err != nil || same {
		return err
	}
	newest, err := t.tx.lastN(bSnap)
	switch {
	case err != nil:
		return err
	case seq > newest:
		return fmt.Errorf("put %.80q in table %s: there is no snapshot %d yet", id, t.name, seq)
	case top.ok && seq < top.seq:
		return fmt.Errorf("put %.80q in table %s at %d: %w", id, t.name, seq, errPast)
	}
	if top.ok && top.seq == seq {
		if top, err = t.undo(id, top); err != nil {
			return err
		}
		if same, err := t.same(id, top, value); err != nil || same {
			return err
		}
	}
	return t.push(seq, id, top, value)
}

// top returns the newest version of an id.
func (t Table) top(id string) (version, error) {
	v, err := t.current(id)
	if err != nil || v.ok {
		return v, err
	}
	return t.older(id, ^uint64(0))
}

func (t Table) same(id string, v version, value []byte) (bool, error) {
	if v.value == nil || value == nil {
		return v.value == nil && value == nil, nil
	}
	old, err := t.open(bCur, id, v)
	return err == nil && bytes.Equal(old, value), err
}

// undo takes the newest version away and returns the one before, which is then the newest.
func (t Table) undo(id string, top version) (version, error) {
	var on []resting
	if top.value != nil {
		value, err := t.open(bCur, id, top)
		if err == nil {
			on, err = t.resting(id, top.seq, value)
		}
		if err != nil {
			return version{}, err
		}
	}
	err := t.tx.del(bChg, t.chgKey(id, top.seq))
	if top.cur {
		err = errors.Join(err, t.tx.del(bCur, t.curKey(id)))
	} else {
		err = errors.Join(err, t.tx.del(bVer, t.verKey(id, top.seq)))
	}
	if err != nil {
		return version{}, err
	}
	if len(on) == 0 {
		before, err := t.older(id, ^uint64(0))
		if err != nil || before.value == nil {
			return before, err
		}
		value, err := t.open(bVer, id, before)
		if err != nil {
			return version{}, err
		}
		on = []resting{{before.seq, bytes.Clone(value)}}
	}
	before, err := t.renew(id, on[0].seq, on[0].value)
	if err != nil {
		return version{}, err
	}
	return before, errors.Join(t.tx.del(bVer, t.verKey(id, before.seq)), t.lean(id, on[1:], on[0].value))
}

// renew makes a value the current one.
func (t Table) renew(id string, seq uint64, value []byte) (version, error) {
	p, err := pack(value, packMin)
	if err != nil {
		return version{}, fmt.Errorf("put %.80q in table %s: %w", id, t.name, err)
	}
	return version{seq: seq, value: p, ok: true, cur: true}, t.tx.put(bCur, t.curKey(id), append(be64(seq), p...))
}

// push makes value, or a removal, the newest version.
func (t Table) push(seq uint64, id string, top version, value []byte) error {
	if top.value != nil {
		if err := t.retire(id, top, value); err != nil {
			return err
		}
	}
	if err := t.tx.put(bChg, t.chgKey(id, seq), nil); err != nil {
		return err
	}
	if value == nil {
		return errors.Join(t.tx.put(bVer, t.verKey(id, seq), []byte{tombstone}), t.tx.del(bCur, t.curKey(id)))
	}
	_, err := t.renew(id, seq, value)
	return err
}
