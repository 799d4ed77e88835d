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
	below string // what the names of the facts that are added begin with
	same  *shared
	list  *[]snapshot.Fact
}

func (f *facts) begin() {
	if f.list, _ = f.same.room.Get().(*[]snapshot.Fact); f.list == nil {
		f.list = new([]snapshot.Fact)
	}
}

// Add hides the Add of the item until end.
func (f *facts) Add(class snapshot.Class, name string, v snapshot.Value) {
	if class == snapshot.Semantic {
		class = ""
	}
	name, v = f.same.fact(f.below, name, v)
	*f.list = append(*f.list, snapshot.Fact{Name: name, Class: class, Value: v})
}

// end gives the item its facts, in a list as long as they are many: it lives as
// long as the run.
func (f *facts) end() {
	if n := len(*f.list); n > 0 {
		f.Facts = snapshot.PartsOf(append(make([]snapshot.Fact, 0, n), *f.list...)...)
	}
	clear(*f.list)
	*f.list = (*f.list)[:0]
	f.same.room.Put(f.list)
}

// shared keeps one copy of names and values that are equal. The workflows of a
// project have the same names, actions and inputs, over and over. It is safe for
// concurrent use, and to be dropped when all items are made.
type shared struct {
	room sync.Pool // of *[]snapshot.Fact

	mu    sync.Mutex
	names map[string]string
	texts map[string]snapshot.Value
	lists map[string]snapshot.Value // by listKey
	key   []byte                    // to look for something with
}

// fact returns the name that begins with below, and the value.
func (s *shared) fact(below, name string, v snapshot.Value) (string, snapshot.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names, s.texts, s.lists = map[string]string{}, map[string]snapshot.Value{}, map[string]snapshot.Value{}
	}
	s.key = append(append(s.key[:0], below...), name...)
	full, ok := s.names[string(s.key)]
	if !ok {
		full = string(s.key)
		s.names[full] = full
	}
	switch x := v.Any().(type) {
	case string:
		if w, ok := s.texts[x]; ok {
			return full, w
		}
		s.texts[x] = v
	case []string:
		s.key = listKey(s.key[:0], x)
		if w, ok := s.lists[string(s.key)]; ok {
			return full, w
		}
		s.lists[string(s.key)] = v
	}
	return full, v
}

// listKey appends what is equal for equal lists: the length of each text, and
// its bytes.
func listKey(b []byte, list []string) []byte {
	for _, t := range list {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return b
}
