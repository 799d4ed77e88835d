package snapshot

import (
	"encoding/json"
	"iter"
	"slices"
	"sync/atomic"
)

// Parts are the facts or the refs of an item. Those of an item that was decoded
// stay encoded until someone asks for them: a run in which nothing changed looks at
// few of the ninety thousand facts of two thousand workflows. The zero Parts are
// none. They may be read concurrently.
type Parts[T Fact | Ref] struct {
	list   []T
	stored *stored[T] // nil: they stand in list
}

// PartsOf returns these parts. The list is theirs from then on.
func PartsOf[T Fact | Ref](list ...T) Parts[T] { return Parts[T]{list: list} }

// All returns the parts, for reading only: in the canonical order where the item
// was sorted or decoded, else in the order in which they were added.
func (p Parts[T]) All() []T {
	if p.stored != nil {
		return p.stored.all()
	}
	return p.list
}

// Each goes through the parts like All, and keeps nothing of what it decodes: for
// one pass over the parts of many items.
func (p Parts[T]) Each() iter.Seq[T] {
	if p.stored == nil || p.stored.made.Load() != nil {
		return slices.Values(p.All())
	}
	return p.stored.each
}

// Len returns how many there are.
func (p Parts[T]) Len() int {
	if p.stored != nil {
		return p.stored.n
	}
	return len(p.list)
}

// Add adds parts at the end.
func (p *Parts[T]) Add(more ...T) {
	if len(more) > 0 {
		p.Grow(len(more))
		p.list = append(p.list, more...)
	}
}

// Grow makes room for n more.
func (p *Parts[T]) Grow(n int) { *p = Parts[T]{list: slices.Grow(p.All(), n)} }

// sort brings the parts into order; those that were stored are.
func (p *Parts[T]) sort(cmp func(a, b T) int) {
	if p.stored == nil {
		order(p.list, cmp)
	}
}

// same reports whether both are stored in the same bytes. False says nothing.
func (p Parts[T]) same(q Parts[T]) bool {
	return p.stored != nil && q.stored != nil && p.stored.text == q.stored.text
}

// IsZero reports whether there are none: JSON leaves them out then.
func (p Parts[T]) IsZero() bool { return p.Len() == 0 }

// MarshalJSON writes the parts as a list.
func (p Parts[T]) MarshalJSON() ([]byte, error) { return json.Marshal(p.All()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Parts[T]) UnmarshalJSON(b []byte) error {
	*p = Parts[T]{}
	return json.Unmarshal(b, &p.list)
}

// A stored is n parts in a row as Encode wrote them, whole and without a fault.
type stored[T Fact | Ref] struct {
	text  string
	n     int
	read  func(d *decoder, more int) T // more is how many are left, with it
	made  atomic.Pointer[[]T]
	asked atomic.Int32 // how often one of them was looked for
}

func (s *stored[T]) all() []T {
	if made := s.made.Load(); made != nil {
		return *made
	}
	d := decoder{s: s.text}
	list := make([]T, s.n)
	for i := range list {
		list[i] = s.read(&d, s.n-i)
	}
	s.made.CompareAndSwap(nil, &list) // whoever comes second takes what the first one made
	return *s.made.Load()
}

func (s *stored[T]) each(yield func(T) bool) {
	d := decoder{s: s.text}
	for range s.n {
		if !yield(s.read(&d, 1)) {
			return
		}
	}
}

// few is how many facts of an item are looked for in its bytes before it pays to
// decode all of them.
const few = 8

// scant reports whether one part more is better looked for in the bytes.
func (s *stored[T]) scant() bool {
	return s != nil && s.made.Load() == nil && s.asked.Add(1) <= few
}

func findFact(s *stored[Fact], name string) (Value, bool) {
	d := decoder{s: s.text}
	for range s.n {
		n := d.str()
		d.byte()
		switch {
		case n == name:
			return d.value(1), true
		case n > name:
			return Value{}, false
		}
		d.skipValue()
	}
	return Value{}, false
}
