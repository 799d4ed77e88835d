package store

import (
	"bytes"
	"math"
)

// Scan calls fn for every id that starts with prefix and was there at a
// snapshot, in order, with its value and the snapshot it was put at. The value
// is valid during the call only. At the newest snapshot it is one walk.
func (t Table) Scan(seq uint64, prefix string, fn func(id string, value []byte, since uint64) error) error {
	if err := t.check("x"); err != nil {
		return err
	}
	if t.tx.pardon == nil {
		return t.scan(seq, prefix, fn)
	}
	after, own := "", error(nil)
	err := t.scan(seq, prefix, func(id string, value []byte, since uint64) error {
		after, own = id, fn(id, value, since)
		return own
	})
	if own != nil || t.tx.pardonable(err) == nil {
		return err
	}
	return t.scanOn(seq, prefix, after, err, fn)
}

func (t Table) scan(seq uint64, prefix string, fn func(id string, value []byte, since uint64) error) error {
	newest, err := t.tx.lastN(bSnap)
	if err != nil {
		return err
	}
	if seq >= newest {
		return t.scanNewest(prefix, fn)
	}
	return t.scanOlder(seq, prefix, fn)
}

func (t Table) scanNewest(prefix string, fn func(string, []byte, uint64) error) error {
	from, n := t.curKey(prefix), len(t.name)+1
	return t.tx.walk(bCur, from, from, func(key, value []byte) (bool, error) {
		v, err := t.decodeCur(key, value)
		if err != nil {
			return false, err
		}
		return true, t.give(string(key[n:]), v, fn)
	})
}

func (t Table) give(id string, v version, fn func(string, []byte, uint64) error) error {
	value, err := t.open(bCur, id, v)
	if err != nil {
		return err
	}
	return fn(id, value, v.seq)
}

// near is how many versions of an id are stepped over before it pays to seek.
const near = 16

// skip goes on to the first key not before key.
func (r *rows) skip(key []byte) error {
	for range near {
		if r.key == nil || bytes.Compare(r.key, key) >= 0 {
			return nil
		}
		if err := r.next(); err != nil {
			return err
		}
	}
	return r.seek(key)
}

// scanOlder merges the ids of cur and ver.
func (t Table) scanOlder(seq uint64, prefix string, fn func(string, []byte, uint64) error) (err error) {
	defer guard(t.tx.s.path, &err)()
	from, n := t.curKey(prefix), len(t.name)+1
	cur, err := t.tx.rows(bCur)
	if err != nil {
		return err
	}
	ver, err := t.tx.rows(bVer)
	if err != nil {
		return err
	}
	if err = cur.seek(from); err == nil {
		err = ver.seek(from)
	}
	for err == nil {
		a, b := idOf(cur.key, from, n, 0), idOf(ver.key, from, n, 9)
		var id []byte
		switch {
		case a == nil && b == nil:
			return nil
		case b == nil || a != nil && bytes.Compare(a, b) <= 0:
			id = a
		default:
			id = b
		}
		err = t.scanOne(seq, string(id), cur, ver, bytes.Equal(a, id), bytes.Equal(b, id), fn)
	}
	return err
}

// scanOne gives one id as it was and moves both cursors past it.
func (t Table) scanOne(seq uint64, id string, cur, ver *rows, inCur, inVer bool, fn func(string, []byte, uint64) error) error {
	var found version
	if inCur {
		v, err := t.decodeCur(cur.key, cur.value)
		if err != nil {
			return err
		}
		if v.seq <= seq {
			found = v
		}
		if err := cur.next(); err != nil {
			return err
		}
	}
	if inVer {
		if !found.ok {
			if err := ver.skip(t.verKey(id, seq)); err != nil {
				return err
			}
			if bytes.HasPrefix(ver.key, append(t.curKey(id), 0)) {
				v, err := t.decodeVer(ver.key, ver.value)
				if err != nil {
					return err
				}
				found = v
			}
		}
		if err := ver.skip(append(t.curKey(id), 1)); err != nil {
			return err
		}
	}
	if found.value == nil {
		return nil
	}
	return t.give(id, found, fn)
}

// idOf returns the id in a key of cur or ver that starts with from, or nil;
// tail is the length of what follows the id.
func idOf(key, from []byte, table, tail int) []byte {
	if len(key) <= table+tail || !bytes.HasPrefix(key, from) {
		return nil
	}
	return key[table : len(key)-tail]
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
