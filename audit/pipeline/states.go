package pipeline

import (
	"bufio"
	"io"

	"healthaudit/snapshot"
)

// states are the encoded states of the items that must be written. They lie in the
// stage: all of them in memory are a third of what a first run keeps alive.
type states struct {
	stage    *stage
	at, size int64 // of all of them in the stage, one behind the other
	of       []stateOf
}

// A stateOf is an item and how many bytes its state has.
type stateOf struct {
	*snapshot.Item
	size int64
}

// add puts the states of items, in key order, into the stage.
func (s *stage) add(dirty []encoded) *states {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &states{stage: s, at: s.end, of: make([]stateOf, len(dirty))}
	for i, d := range dirty {
		out.of[i] = stateOf{d.Item, int64(len(d.state))}
		s.append(d.state)
	}
	out.size = s.end - out.at
	return out
}

// read begins at the first.
func (s *states) read() (*stateReader, error) {
	if err := s.stage.flush(); err != nil {
		return nil, err
	}
	return &stateReader{left: s.of, in: bufio.NewReaderSize(io.NewSectionReader(s.stage.file, s.at, s.size), 64<<10)}, nil
}

// A stateReader reads states one after the other.
type stateReader struct {
	left []stateOf
	in   *bufio.Reader
	room []byte
}

// next returns an item and its state, which is valid until the next one; nil at the end.
func (r *stateReader) next() (*snapshot.Item, []byte, error) {
	if len(r.left) == 0 {
		return nil, nil, nil
	}
	it := r.left[0]
	r.left = r.left[1:]
	if int64(cap(r.room)) < it.size {
		r.room = make([]byte, it.size, 2*it.size)
	}
	r.room = r.room[:it.size]
	_, err := io.ReadFull(r.in, r.room)
	return it.Item, r.room, err
}

// state returns the state of an item; nil where it has none here. Items are to be
// asked for in key order.
func (r *stateReader) state(it *snapshot.Item) ([]byte, error) {
	for len(r.left) > 0 && r.left[0].Key <= it.Key {
		if found, state, err := r.next(); err != nil || found == it {
			return state, err
		}
	}
	return nil, nil
}
