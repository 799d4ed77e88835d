package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
)

// A Memo keeps what is expensive to derive, by name: the store's analysis
// cache behind it outlives the run. Get returns nil when nothing is there; the
// bytes are valid until the memo is closed. Both are safe for concurrent use.
type Memo interface {
	Get(key string) []byte
	Put(key string, value []byte)
}

// An Origins is a Memo that is also told what a value was derived from, so that
// it can forget what was made of bytes that are no more.
type Origins interface {
	PutFrom(key string, inputs []string, value []byte)
}

func (d *Derived) put(key string, inputs []string, value []byte) {
	if m, ok := d.Memo.(Origins); ok {
		m.PutFrom(key, inputs, value)
		return
	}
	d.Memo.Put(key, value)
}

// Derived is the one place where analyses of captured bytes are kept during a
// run, so that collectors, checks and renderers share one result and an
// unchanged file is never analysed twice, not even by the next run.
// The zero value works without a memo behind it.
type Derived struct {
	Memo Memo // optional

	mu     sync.Mutex
	vals   map[string]*derivation
	shared map[any]*derivation
}

// replaced is how JSON writes bytes that are not UTF-8.
var replaced = []byte(`\ufffd`)

type derivation struct {
	once sync.Once
	val  any
	fell bool // making it panicked
}

// do has the value made by the first who asks. A panic in that is one for each
// who asks: what could not be made is not the same as nothing.
func (e *derivation) do(compute func() any) any {
	e.once.Do(func() {
		e.fell = true
		e.val = compute()
		e.fell = false
	})
	if e.fell {
		panic("an analysis that stopped before")
	}
	return e.val
}

// Derive returns compute's result for the given analysis (name and version)
// and inputs. The inputs must name everything the result depends on: digests
// of bytes, absences, names that were looked up. The result must survive a
// round trip through JSON, must not hold a secret, and must not be changed by
// any caller. A nil Derived computes every time.
func Derive[T any](d *Derived, name string, version int, inputs []string, compute func() T) T {
	if d == nil {
		return compute()
	}
	key := derivedKey(name, version, inputs)
	d.mu.Lock()
	if d.vals == nil {
		d.vals = map[string]*derivation{}
	}
	e := d.vals[key]
	if e == nil {
		e = &derivation{}
		d.vals[key] = e
	}
	d.mu.Unlock()
	v, _ := e.do(func() any { return derive(d, key, inputs, compute) }).(T)
	return v
}

// derive takes what the memo has, or computes it and has the memo keep it.
func derive[T any](d *Derived, key string, inputs []string, compute func() T) T {
	if d.Memo == nil {
		return compute()
	}
	if b := d.Memo.Get(key); b != nil {
		var v T
		if json.Unmarshal(b, &v) == nil {
			return v
		}
	}
	v := compute()
	if b, err := json.Marshal(v); err == nil {
		d.put(key, inputs, b)
		if bytes.Contains(b, replaced) { // it holds what JSON cannot: what is used now must be what is read back
			var back T
			if json.Unmarshal(b, &back) == nil {
				return back
			}
		}
	}
	return v
}

func derivedKey(name string, version int, inputs []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%d", name, version)
	for _, in := range inputs {
		fmt.Fprintf(h, "\x00%d\x00%s", len(in), in)
	}
	return name + ":" + hex.EncodeToString(h.Sum(nil)[:20])
}

// Has reports whether Derive, asked the same, would not have to compute. A nil
// Derived has nothing.
func (d *Derived) Has(name string, version int, inputs []string) bool {
	if d == nil {
		return false
	}
	key := derivedKey(name, version, inputs)
	d.mu.Lock()
	e := d.vals[key]
	d.mu.Unlock()
	return e != nil || d.Memo != nil && d.Memo.Get(key) != nil
}

// Once returns what create made for that key the first time it was asked
// for during this run. Nothing of it outlives the run. The key must be
// comparable and of a type of the caller's own. A nil Derived creates every time.
func Once[T any](d *Derived, key any, create func() T) T {
	if d == nil {
		return create()
	}
	d.mu.Lock()
	if d.shared == nil {
		d.shared = map[any]*derivation{}
	}
	e := d.shared[key]
	if e == nil {
		e = &derivation{}
		d.shared[key] = e
	}
	d.mu.Unlock()
	v, _ := e.do(func() any { return create() }).(T)
	return v
}

// Remember keeps a result by its key, for what one process finds out of many
// inputs at once, which Derive cannot express. The same conditions hold as for
// its results; the key must not be one of Derive's. A nil Derived forgets.
func Remember[T any](d *Derived, key string, v T, inputs ...string) {
	if d == nil {
		return
	}
	e := &derivation{val: v}
	e.once.Do(func() {})
	d.mu.Lock()
	if d.vals == nil {
		d.vals = map[string]*derivation{}
	}
	d.vals[key] = e
	d.mu.Unlock()
	if d.Memo != nil {
		if b, err := json.Marshal(v); err == nil {
			d.put(key, inputs, b)
		}
	}
}

// Recall returns what was remembered by that key, in this run or an earlier one.
func Recall[T any](d *Derived, key string) (v T, ok bool) {
	if d == nil {
		return v, false
	}
	d.mu.Lock()
	e := d.vals[key]
	d.mu.Unlock()
	if e != nil {
		v, ok = e.val.(T)
		return v, ok
	}
	if d.Memo == nil {
		return v, false
	}
	b := d.Memo.Get(key)
	return v, b != nil && json.Unmarshal(b, &v) == nil
}
