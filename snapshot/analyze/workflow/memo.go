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

func (m *memo[V]) get(text string, read func(string) V) V {
	if len(text) > m.longest {
		return read(text)
	}
	m.mu.RLock()
	v, ok := m.of[text]
	m.mu.RUnlock()
	if ok {
		return v
	}
	v = read(text)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = make(map[string]V, m.most)
	}
	if len(m.of) < m.most {
		m.of[strings.Clone(text)] = v
	}
	return v
}
