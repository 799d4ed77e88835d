package snapshot

import (
	"encoding/binary"
	"encoding/hex"
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
	return it.AppendEncode(make([]byte, 0, 256+64*(it.Facts.Len()+len(it.Files)+it.Refs.Len())))
}

// AppendEncode appends what Encode returns to b.
func (it *Item) AppendEncode(b []byte) []byte {
	e := encoder{b: b}
	e.b = append(e.b, codecVersion)
	e.strings(string(it.Key), it.Name, it.Kind, it.Path, it.Source, it.State, it.Unknown)
	e.int(it.Line)
	e.bool(it.Torn)
	e.facts(it.Facts)
	e.int(len(it.Files))
	for _, f := range it.Files {
		sum, _ := hex.DecodeString(f.SHA256)
		e.strings(f.Path, string(sum), f.Link)
		e.int(int(f.Mode))
		e.int(int(f.Size))
		e.b = append(e.b, index(roles, f.Role))
	}
	e.refs(it.Refs)
	e.int(len(it.Schedules))
	for _, s := range it.Schedules {
		e.strings(s.Dialect, s.Expression, s.Timezone, s.Why, s.Path)
		e.bool(s.Effective)
		e.int(s.Line)
		e.int(s.Column)
	}
	return e.b
}

type encoder struct{ b []byte }

func (e *encoder) facts(p Parts[Fact]) {
	if p.stored != nil {
		e.stored(p.stored.n, p.stored.text)
		return
	}
	n := 0
	for _, f := range p.list {
		if f.Class != Volatile {
			n++
		}
	}
	e.int(n)
	for _, f := range p.list {
		if f.Class != Volatile {
			e.strings(f.Name)
			e.b = append(e.b, index(classes, f.Class))
			e.value(f.Value)
		}
	}
}

func (e *encoder) refs(p Parts[Ref]) {
	if p.stored != nil {
		e.stored(p.stored.n, p.stored.text)
		return
	}
	e.int(len(p.list))
	for _, r := range p.list {
		e.strings(string(r.Kind), r.Path, r.Dir, r.Name, r.File, r.Where)
		e.b = append(e.b, bit(r.Direct, 0)|bit(r.Args, 1))
		e.bool(r.Guarded)
		e.int(r.Line)
		e.int(r.Column)
	}
}

// stored writes parts as they were read: nothing but what Encode writes is.
func (e *encoder) stored(n int, text string) {
	e.int(n)
	e.b = append(e.b, text...)
}

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
	switch x := v.v.(type) {
	case nil:
		e.b = append(e.b, 's')
		e.strings("")
	case *string:
		e.b = append(e.b, 's')
		e.strings(*x)
	case float64:
		e.b = append(e.b, 'n')
		e.b = binary.BigEndian.AppendUint64(e.b, math.Float64bits(x))
	case bool:
		e.b = append(e.b, 'b')
		e.bool(x)
	case *[]string:
		e.b = append(e.b, 'l')
		e.int(len(*x))
		e.strings(*x...)
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
