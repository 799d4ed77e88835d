package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

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
		if _, err := unpackEntry(value); err != nil {
			return err
		}
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
		_, packed, err := decodeHead(value)
		switch {
		case err != nil:
		case isDelta(packed):
			_, _, _, err = baseOf(packed)
		default:
			_, err = unpack(packed)
		}
		return err
	case bSnapID:
		if len(value) != 8 {
			return errors.New("it is no number")
		}
	case bCur, bVer:
		if b == bVer && isRest(value) {
			_, _, _, _, err := splitRest(value)
			return err
		}
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
		_, err := unpackEntry(value)
		return err
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

// counts checks that a key is one more than the key before it, or that what is
// between them is a gap that was noted.
func (v *verifier) counts(key []byte) error {
	if len(key) != 8 {
		return errors.New("its key is no number")
	}
	n := binary.BigEndian.Uint64(key)
	want := v.last + 1
	v.last = n
	if n == want || n > want && v.tx.isKnown(want, n) {
		return nil
	}
	return fmt.Errorf("number %d is missing before it", want)
}

// elsewhere drops the damage of another row than the one that is checked: that is found
// where it stands.
func elsewhere(err error) error {
	if ofOneRow(err) {
		return nil
	}
	return err
}

func (v *verifier) snap(key, value []byte) error {
	if len(key) != 8 {
		return errors.New("its key is no number")
	}
	h, err := v.tx.decodeHeader(numberAt(key), value)
	if err != nil {
		return err
	}
	seq, ok, err := v.tx.get(bSnapID, []byte(h.ID))
	if err == nil && (!ok || !bytes.Equal(seq, key)) {
		err = fmt.Errorf("its id %s does not lead to it", h.ID)
	}
	return elsewhere(err)
}

func (v *verifier) snapID(key, value []byte) error {
	if len(value) != 8 {
		return errors.New("it is no number")
	}
	row, ok, err := v.tx.get(bSnap, value)
	if err != nil {
		return elsewhere(err)
	}
	if h, _, err := decodeHead(row); !ok || err == nil && h.ID != string(key) {
		return errors.New("it leads to another snapshot")
	}
	return nil
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
	if err == nil {
		err = t.ground(id, &ver, nil)
	}
	if err == nil && ver.value != nil {
		_, err = ver.open()
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
	return elsewhere(err)
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
		return elsewhere(err)
	}
	_, ok, err := v.tx.get(bVer, t.verKey(id, seq))
	if err == nil && !ok {
		err = errors.New("there is no such version")
	}
	return elsewhere(err)
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
