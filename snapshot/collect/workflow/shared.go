package workflow

import (
	"encoding/binary"
	"sync"

	"healthaudit/snapshot"
)

// An adder takes facts: an item, or facts.
type adder interface {
	Add(class snapshot.Class, name string, v snapshot.Value)
}

// facts is an item while it is described. Its facts are collected in a list that
// is used again and again, and what many items say is kept once.
type facts struct {
	*snapshot.Item
	same *shared
	list *[]snapshot.Fact
}

func (f *facts) begin() {
	if f.list, _ = f.same.lists.Get().(*[]snapshot.Fact); f.list == nil {
		f.list = new([]snapshot.Fact)
	}
}

// Add hides the Add of the item until end.
func (f *facts) Add(class snapshot.Class, name string, v snapshot.Value) {
	if class == snapshot.Semantic {
		class = ""
	}
	name, v = f.same.fact(name, v)
	*f.list = append(*f.list, snapshot.Fact{Name: name, Class: class, Value: v})
}

// end gives the item its facts, in a list as long as they are many: it lives as
// long as the run.
func (f *facts) end() {
	if n := len(*f.list); n > 0 {
		f.Facts = append(make([]snapshot.Fact, 0, n), *f.list...)
	}
	clear(*f.list)
	*f.list = (*f.list)[:0]
	f.same.lists.Put(f.list)
}

// shared keeps one copy of names and values that are equal. The workflows of a
// project have the same names, actions and inputs, over and over. It is safe for
// concurrent use, and to be dropped when all items are made.
type shared struct {
	lists  sync.Pool // of *[]snapshot.Fact
	mu     sync.Mutex
	names  map[string]string
	values map[any]snapshot.Value // by a text, a number, a truth value or a list
}

// texts stand for a list of texts where something comparable is needed: the
// length of each, and its bytes.
type texts string

func textsOf(l []string) texts {
	var b []byte
	for _, t := range l {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return texts(b)
}

func (s *shared) fact(name string, v snapshot.Value) (string, snapshot.Value) {
	key := v.Any()
	if l, ok := key.([]string); ok {
		key = textsOf(l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names, s.values = map[string]string{}, map[any]snapshot.Value{}
	}
	if n, ok := s.names[name]; ok {
		name = n
	} else {
		s.names[name] = name
	}
	if w, ok := s.values[key]; ok {
		return name, w
	}
	s.values[key] = v
	return name, v
}
