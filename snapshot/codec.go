package snapshot

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
)

// codecVersion is the first byte of an encoded item. Another one is an error:
// the store's schema version says how to migrate.
const codecVersion = 1

// classes, roles and their numbers in an encoded item; never renumbered.
var (
	classes = []Class{"", Set, Secret, Volatile, Detail}
	roles   = []Role{"", Shared}
)

// Encode returns the canonical bytes of everything about the item that is worth
// a new version in the store: not its metrics, not its volatile facts. Equal
// items give equal bytes. Every string is its length as a uvarint and its
// bytes; a list is its length and its elements.
func (it *Item) Encode() []byte {
	return it.AppendEncode(make([]byte, 0, 256+64*(len(it.Facts)+len(it.Files)+len(it.Refs))))
}

// AppendEncode appends what Encode returns to b.
func (it *Item) AppendEncode(b []byte) []byte {
	e := encoder{b: b}
	e.b = append(e.b, codecVersion)
	e.strings(string(it.Key), it.Name, it.Kind, it.Path, it.Source, it.State, it.Unknown)
	e.int(it.Line)
	e.bool(it.Torn)
	n := 0
	for _, f := range it.Facts {
		if f.Class != Volatile {
			n++
		}
	}
	e.int(n)
	for _, f := range it.Facts {
		if f.Class != Volatile {
			e.strings(f.Name)
			e.b = append(e.b, index(classes, f.Class))
			e.value(f.Value)
		}
	}
	e.int(len(it.Files))
	for _, f := range it.Files {
		sum, _ := hex.DecodeString(f.SHA256)
		e.strings(f.Path, string(sum), f.Link)
		e.int(int(f.Mode))
		e.int(int(f.Size))
		e.b = append(e.b, index(roles, f.Role))
	}
	e.int(len(it.Refs))
	for _, r := range it.Refs {
		e.strings(string(r.Kind), r.Path, r.Dir, r.Name, r.File, r.Where)
		e.b = append(e.b, bit(r.Direct, 0)|bit(r.Args, 1))
		e.bool(r.Guarded)
		e.int(r.Line)
		e.int(r.Column)
	}
	e.int(len(it.Schedules))
	for _, s := range it.Schedules {
		e.strings(s.Dialect, s.Expression, s.Timezone, s.Why, s.Path)
		e.bool(s.Effective)
		e.int(s.Line)
		e.int(s.Column)
	}
	return e.b
}

// ErrItem is wrapped by every error of DecodeItem.
var ErrItem = errors.New("not an encoded item")

// DecodeItem reads what Encode wrote; the item's strings are parts of it.
func DecodeItem(encoded string) (*Item, error) {
	d := decoder{s: encoded}
	if d.byte() != codecVersion {
		return nil, fmt.Errorf("%w of version %d", ErrItem, codecVersion)
	}
	it := &Item{}
	it.Key = Key(d.str())
	for _, to := range []*string{&it.Name, &it.Kind, &it.Path, &it.Source, &it.State, &it.Unknown} {
		*to = d.str()
	}
	it.Line, it.Torn = d.int(), d.bool()
	it.Facts = list(&d, func() Fact { return Fact{Name: d.str(), Class: pick(&d, classes), Value: d.value()} })
	it.Files = list(&d, func() File {
		f := File{Path: d.str(), SHA256: hex.EncodeToString([]byte(d.str())), Link: d.str()}
		f.Mode, f.Size, f.Role = fs.FileMode(d.int()), int64(d.int()), pick(&d, roles)
		return f
	})
	it.Refs = list(&d, func() Ref {
		r := Ref{Kind: RefKind(d.str()), Path: d.str(), Dir: d.str(), Name: d.str(), File: d.str(), Where: d.str()}
		how := d.byte()
		d.bad = d.bad || how > 3
		r.Direct, r.Args, r.Guarded, r.Line, r.Column = how&1 != 0, how&2 != 0, d.bool(), d.int(), d.int()
		return r
	})
	it.Schedules = list(&d, func() Schedule {
		return Schedule{Dialect: d.str(), Expression: d.str(), Timezone: d.str(), Why: d.str(), Path: d.str(),
			Effective: d.bool(), Line: d.int(), Column: d.int()}
	})
	if d.bad || d.s != "" {
		return nil, fmt.Errorf("%w: torn or with a tail", ErrItem)
	}
	return it, nil
}

type encoder struct{ b []byte }

func (e *encoder) strings(list ...string) {
	for _, s := range list {
		e.b = binary.AppendUvarint(e.b, uint64(len(s)))
		e.b = append(e.b, s...)
	}
}

func (e *encoder) int(n int) { e.b = binary.AppendVarint(e.b, int64(n)) }

func (e *encoder) bool(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

func bit(v bool, n int) byte {
	if v {
		return 1 << n
	}
	return 0
}

func (e *encoder) value(v Value) {
	switch x := v.Any().(type) {
	case string:
		e.b = append(e.b, 's')
		e.strings(x)
	case float64:
		e.b = append(e.b, 'n')
		e.b = binary.BigEndian.AppendUint64(e.b, math.Float64bits(x))
	case bool:
		e.b = append(e.b, 'b')
		e.bool(x)
	case []string:
		e.b = append(e.b, 'l')
		e.int(len(x))
		e.strings(x...)
	}
}

func index[T comparable](all []T, v T) byte {
	for i, w := range all {
		if v == w {
			return byte(i)
		}
	}
	return 0 // Semantic and Own may be spelled out; empty means the same
}

// A decoder reads from the front of s; after the first fault it reads zeros.
type decoder struct {
	s   string
	bad bool
}

func (d *decoder) byte() byte {
	if d.s == "" {
		d.bad = true
		return 0
	}
	c := d.s[0]
	d.s = d.s[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) int() int {
	u := d.uvarint()
	n := int64(u >> 1)
	if u&1 != 0 {
		n = ^n
	}
	return int(n)
}

func (d *decoder) str() string {
	n := d.uvarint()
	if n > uint64(len(d.s)) {
		d.bad = true
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) bool() bool {
	c := d.byte()
	d.bad = d.bad || c > 1
	return c == 1
}

func (d *decoder) value() Value {
	switch d.byte() {
	case 's':
		return Value{d.str()}
	case 'n':
		if len(d.s) >= 8 {
			f := math.Float64frombits(binary.BigEndian.Uint64([]byte(d.s[:8])))
			d.s = d.s[8:]
			return Value{f}
		}
	case 'b':
		return Value{d.bool()}
	case 'l':
		l := list(d, d.str)
		if l == nil {
			l = []string{}
		}
		return Value{l}
	}
	d.bad = true
	return Value{}
}

func pick[T any](d *decoder, all []T) (v T) {
	if n := d.byte(); int(n) < len(all) {
		return all[n]
	}
	d.bad = true
	return v
}

// list reads the length of a list and its elements; no list is longer than the
// bytes that are left, so a damaged length allocates nothing.
func list[T any](d *decoder, element func() T) []T {
	n := d.int()
	if d.bad || n < 0 || n > len(d.s) {
		d.bad = true
		return nil
	}
	if n == 0 {
		return nil
	}
	out := make([]T, 0, n)
	for range n {
		out = append(out, element())
		if d.bad {
			return nil
		}
	}
	return out
}
