package workflow

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"

	"healthaudit/snapshot"
)

// facts is an item while it is described. Its facts are collected in a list that
// is used again and again, and what many items say is kept once.
type facts struct {
	*snapshot.Item
	below string // what the names of the facts that are added begin with
	same  *shared
	list  *factList
}

func (f *facts) begin() {
	if f.list, _ = f.same.room.Get().(*factList); f.list == nil {
		f.list = &factList{}
	}
}

// Add hides the Add of the item until end.
func (f *facts) Add(class snapshot.Class, name string, v snapshot.Value) {
	f.same.mu.Lock()
	defer f.same.mu.Unlock()
	f.put(class, v, name)
}

// text adds a text; its name goes on in sub.
func (f *facts) text(class snapshot.Class, v, name string, sub ...string) {
	f.same.mu.Lock()
	defer f.same.mu.Unlock()
	f.put(class, f.same.text(v), name, sub...)
}

// strings adds a list, of class Set in canonical order.
func (f *facts) strings(class snapshot.Class, v []string, name string) {
	f.same.mu.Lock()
	defer f.same.mu.Unlock()
	f.put(class, f.same.strings(v, class == snapshot.Set), name)
}

func (f *facts) put(class snapshot.Class, v snapshot.Value, name string, sub ...string) {
	if class == snapshot.Semantic {
		class = ""
	}
	f.list.facts = append(f.list.facts, snapshot.Fact{Name: f.same.name(f.below, name, sub), Class: class, Value: v})
}

// end gives the item its facts, in canonical order and in a list as long as they
// are many: it lives as long as the run.
func (f *facts) end() {
	l := f.list
	if n := len(l.facts); n > 0 {
		f.Facts = make([]snapshot.Fact, n)
		for i, at := range l.sorted() {
			f.Facts[i] = l.facts[at]
		}
	}
	clear(l.facts)
	l.facts = l.facts[:0]
	f.same.room.Put(l)
}

// A factList is room for facts.
type factList struct {
	facts []snapshot.Fact
	order []int
}

// sorted returns where the facts stand in the list, in canonical order.
func (l *factList) sorted() []int {
	l.order = l.order[:0]
	for i := range l.facts {
		l.order = append(l.order, i)
	}
	slices.SortFunc(l.order, func(a, b int) int {
		return cmp.Or(strings.Compare(l.facts[a].Name, l.facts[b].Name), a-b)
	})
	return l.order
}

// shared keeps one copy of names and values that are equal. The workflows of a
// project have the same names, actions and inputs, over and over. It is safe for
// concurrent use, and to be dropped when all items are made.
type shared struct {
	room sync.Pool // of *factList

	mu    sync.Mutex
	names map[string]string
	texts map[string]snapshot.Value
	lists map[string]snapshot.Value // by listKey
	key   []byte                    // to look for something with
}

// name returns the name of a fact, put together.
func (s *shared) name(below, name string, sub []string) string {
	s.key = append(append(s.key[:0], below...), name...)
	for _, part := range sub {
		s.key = append(s.key, part...)
	}
	full, ok := s.names[string(s.key)]
	if !ok {
		full = string(s.key)
		put(&s.names, full, full)
	}
	return full
}

// text returns the value of a text.
func (s *shared) text(t string) snapshot.Value {
	v, ok := s.texts[t]
	if !ok {
		v = snapshot.Text(t)
		put(&s.texts, t, v)
	}
	return v
}

// strings returns the value of a list, or of a set.
func (s *shared) strings(list []string, set bool) snapshot.Value {
	s.key = listKey(s.key[:0], list, set)
	v, ok := s.lists[string(s.key)]
	if !ok {
		if v = snapshot.List(list...); set {
			v = snapshot.SetOf(list...)
		}
		put(&s.lists, string(s.key), v)
	}
	return v
}

// put is m[k] = v for a map that may not be made yet.
func put[V any](m *map[string]V, k string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[k] = v
}

// listKey appends what is equal for equal lists: what they are, the length of each
// text, and its bytes.
func listKey(b []byte, list []string, set bool) []byte {
	b = strconv.AppendBool(b, set)
	for _, t := range list {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return b
}
