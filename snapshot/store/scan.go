package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"unsafe"
)

// Scan calls fn for every id that starts with prefix and was there at a
// snapshot, in order, with its value and the snapshot it was put at. The value
// is valid during the call only. At the newest snapshot it is one walk.
func (t Table) Scan(seq uint64, prefix string, fn func(id string, value []byte, since uint64) error) error {
	return t.each(seq, startingWith(prefix), func(id string, v version) error {
		value, err := t.open(bCur, id, v)
		if err != nil {
			return err
		}
		return fn(id, value, v.seq)
	})
}

// An idRange is the ids from one on and before another; without until, all from
// there on.
type idRange struct{ from, until string }

// startingWith returns the range of the ids that start with prefix.
func startingWith(prefix string) idRange {
	until := []byte(prefix)
	for n := len(until); n > 0; n-- {
		if until[n-1]++; until[n-1] > 0 {
			return idRange{prefix, string(until[:n])}
		}
	}
	return idRange{from: prefix}
}

func (r idRange) has(id string) bool { return id >= r.from && (r.until == "" || id < r.until) }

// A Lazy is a value that is unpacked when it is asked for: on another core, while
// the next are read. It is valid while the transaction is open.
type Lazy struct {
	path   string // of the store
	packed []byte
	base   []byte // what it is a difference from
	fail   func(error) error
}

// Text returns the value, which is the caller's to keep.
func (l Lazy) Text() (text string, err error) {
	defer guard(l.path, &err)()
	if l.packed[0] == codecRaw {
		return string(l.packed[1:]), nil
	}
	if isRest(l.packed) {
		text, err = restText(l.packed, l.base)
	} else {
		var value []byte
		value, err = unpackTo(l.packed, nil)
		text = unsafe.String(unsafe.SliceData(value), len(value)) // nobody else has it
	}
	if err != nil {
		return "", l.fail(err)
	}
	return text, nil
}

// ScanLazy is Scan over the ids from one on and before another, or all from there on
// where until is empty, with values that are the caller's to unpack. Several may run
// at once.
func (t Table) ScanLazy(seq uint64, from, until string, fn func(id string, value Lazy) error) error {
	return t.each(seq, idRange{from, until}, func(id string, v version) error {
		return fn(id, Lazy{t.tx.s.path, v.value, v.base, func(err error) error { return t.tx.corrupt(bCur, t.curKey(id), err) }})
	})
}

func (t Table) each(seq uint64, ids idRange, give func(id string, v version) error) (err error) {
	defer guard(t.tx.s.path, &err)()
	if err := t.check("x"); err != nil {
		return err
	}
	if t.tx.pardon == nil {
		return t.scan(seq, ids, give)
	}
	on, own := ids, error(nil)
	err = t.scan(seq, ids, func(id string, v version) error {
		on.from, own = id+"\x00", give(id, v)
		return own
	})
	if own != nil || t.tx.pardonable(err) == nil {
		return err
	}
	return t.scanOn(seq, on, err, give)
}

func (t Table) scan(seq uint64, ids idRange, give func(string, version) error) (err error) {
	newest, err := t.tx.lastN(bSnap)
	if err != nil {
		return err
	}
	if seq >= newest {
		return t.scanNewest(ids, give)
	}
	defer guard(t.tx.s.path, &err)()
	o := olderScan{t: t, seq: seq, ids: ids, give: give}
	return o.scan()
}

func (t Table) scanNewest(ids idRange, give func(string, version) error) error {
	prefix := t.prefix()
	return t.tx.walk(bCur, t.curKey(ids.from), prefix, func(key, value []byte) (bool, error) {
		id := string(key[len(prefix):])
		if !ids.has(id) {
			return false, nil
		}
		v, err := t.decodeCur(key, value)
		if err != nil {
			return false, err
		}
		return true, give(id, v)
	})
}

// near is how many versions of an id are stepped over before it pays to seek.
const near = 16

// skip goes on to the first key not before key. Like seek it verifies the row
// there and the one before: those between them are of no interest, whatever they
// hold.
func (r *rows) skip(key []byte) error {
	if r.key == nil || bytes.Compare(r.key, key) >= 0 {
		return nil
	}
	for range near {
		before, row := r.key, r.row
		if err := r.step(); err != nil {
			return err
		}
		if r.key == nil || bytes.Compare(r.key, key) >= 0 {
			if _, err := unseal(r.b, before, row); err != nil {
				return r.tx.corrupt(r.b, before, err)
			}
			return r.verify()
		}
	}
	return r.seek(key)
}

// An olderScan is the scan of a snapshot that is not the newest: it merges the ids of
// cur and ver.
type olderScan struct {
	t        Table
	seq      uint64
	ids      idRange
	give     func(string, version) error
	cur, ver *rows
	key      []byte // room for one
}

func (o *olderScan) scan() (err error) {
	if o.cur, err = o.t.tx.rows(bCur); err != nil {
		return err
	}
	if o.ver, err = o.t.tx.rows(bVer); err != nil {
		return err
	}
	from, prefix := o.t.curKey(o.ids.from), o.t.prefix()
	if err = o.cur.seek(from); err == nil {
		err = o.ver.seek(from)
	}
	for err == nil {
		a, b := o.idOf(o.cur.key, prefix, 0), o.idOf(o.ver.key, prefix, 9)
		switch {
		case a == nil && b == nil:
			return nil
		case b == nil || a != nil && bytes.Compare(a, b) <= 0:
			err = o.one(string(a), true, bytes.Equal(a, b))
		default:
			err = o.one(string(b), false, true)
		}
	}
	return err
}

// one gives one id as it was and moves both cursors past it.
func (o *olderScan) one(id string, inCur, inVer bool) error {
	var found, cur version
	if inCur {
		var err error
		if cur, err = o.t.decodeCur(o.cur.key, o.cur.value); err != nil {
			return err
		}
		if cur.seq <= o.seq {
			found = cur
		}
		if err := o.cur.next(); err != nil {
			return err
		}
	}
	if inVer {
		o.key = append(append(append(o.key[:0], o.t.name...), 0), id...)
		n := len(o.key)
		if !found.ok {
			if err := o.ver.skip(binary.BigEndian.AppendUint64(append(o.key, 0), ^o.seq)); err != nil {
				return err
			}
			if bytes.HasPrefix(o.ver.key, o.key) && len(o.ver.key) == n+9 {
				v, err := o.t.decodeVer(o.ver.key, o.ver.value)
				if err == nil {
					found, err = o.t.grounded(id, v, &cur)
				}
				if err != nil {
					return err
				}
			}
		}
		if err := o.ver.skip(append(o.key, 1)); err != nil {
			return err
		}
	}
	if found.value == nil {
		return nil
	}
	return o.give(id, found)
}

// idOf returns the id in a key of cur or ver where it is meant, else nil; tail is the
// length of what follows the id.
func (o *olderScan) idOf(key, prefix []byte, tail int) []byte {
	if len(key) <= len(prefix)+tail || !bytes.HasPrefix(key, prefix) {
		return nil
	}
	if id := key[len(prefix) : len(key)-tail]; o.ids.has(string(id)) {
		return id
	}
	return nil
}

// count returns the number of current ids of the table.
func (t Table) count() (n int, err error) {
	from := t.prefix()
	err = t.tx.walk(bCur, from, from, func(_, _ []byte) (bool, error) {
		n++
		return true, nil
	})
	return n, err
}

// Versions calls fn for every value of every table: it is shown from snapshot
// since up to the one before until, which is the largest number where it is the
// newest. Removals have none. The value is valid during the call only.
func (tx *Tx) Versions(fn func(table, id string, since, until uint64, value []byte) error) error {
	v := &verifier{tx: tx}
	next := map[[2]string]uint64{} // of every id, the snapshot at which what comes after begins
	for _, b := range []bucket{bCur, bVer} {
		err := tx.walk(b, nil, nil, func(key, row []byte) (bool, error) {
			t, id, ok := v.table(b, key)
			if !ok {
				return false, tx.corrupt(b, key, "its key is no id of a table")
			}
			decode := t.decodeCur
			if b == bVer {
				decode = t.decodeVer
			}
			ver, err := decode(key, row)
			if err == nil {
				ver, err = t.grounded(id, ver, nil)
			}
			if err != nil {
				return false, err
			}
			at := [2]string{t.name, id}
			until, later := next[at]
			if next[at] = ver.seq; !later {
				until = math.MaxUint64
			}
			if ver.value == nil {
				return true, nil
			}
			value, err := t.open(b, id, ver)
			if err != nil {
				return false, err
			}
			return true, fn(t.name, id, ver.seq, until, value)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
