package workflow

import (
	"strings"
	"sync"
)

// A memo keeps what was made of short texts that stand in file after file: the
// steps of a project say the same, over and over. It keeps those it meets first,
// up to a bound, and is safe for concurrent use; what it gives is shared, and not
// to be changed.
type memo[V any] struct {
	longest, most int // of a text, in bytes, and how many

	mu sync.RWMutex
	of map[string]V
}

// get returns what is made of the text.
func (m *memo[V]) get(text string, read func(string) V) V {
	v, ok := m.find(text)
	if !ok {
		if len(text) <= m.longest {
			text = strings.Clone(text) // what is made of it may be parts of it: they must not keep a whole file
		}
		v = read(text)
		m.keep(text, v)
	}
	return v
}

// find returns what was kept of the text; ok is false when nothing was.
func (m *memo[V]) find(text string) (v V, ok bool) {
	if len(text) > m.longest {
		return v, false
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok = m.of[text]
	return v, ok
}

// keep keeps v of the text, unless something is kept of it, or too much of others.
func (m *memo[V]) keep(text string, v V) {
	if len(text) > m.longest {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[string]V{}
	}
	if _, ok := m.of[text]; !ok && len(m.of) < m.most {
		m.of[strings.Clone(text)] = v
	}
}
