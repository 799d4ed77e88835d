package store

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// TestEmptied: where all of many pages was deleted, a search in the same transaction ends,
// and one back over emptied pages finds what is before them.
func TestEmptied(t *testing.T) {
	s := create(t)
	key := func(i int) []byte { return fmt.Appendf(nil, "item\x00id%05d", i) }
	fill := func(tx *Tx) (err error) {
		for i := range 3000 {
			err = errors.Join(err, tx.put(bCur, key(i), bytes.Repeat([]byte("x"), 100)))
		}
		return err
	}
	update(t, s, fill)
	update(t, s, func(tx *Tx) (err error) {
		for i := 1; i < 3000; i++ {
			err = errors.Join(err, tx.del(bCur, key(i)))
		}
		r, _ := tx.rows(bCur)
		if err := errors.Join(err, r.last()); err != nil || !bytes.Equal(r.key, key(0)) {
			t.Errorf("the last is %q, %v", r.key, err)
		}
		err = errors.Join(tx.put(bCur, key(2999), []byte("y")), r.last())
		if err != nil || !bytes.Equal(r.key, key(2999)) {
			t.Errorf("the last is %q, %v", r.key, err)
		}
		if err := r.prev(); err != nil || !bytes.Equal(r.key, key(0)) {
			t.Errorf("the one before is %q, %v", r.key, err)
		}
		if err := r.prev(); err != nil || r.key != nil {
			t.Errorf("before the first is %q, %v", r.key, err)
		}
		err = errors.Join(tx.del(bCur, key(0)), tx.del(bCur, key(2999)))
		if _, ok, err2 := tx.get(bCur, key(7)); ok || err != nil || err2 != nil {
			t.Error(ok, err, err2)
		}
		return err
	})
}
