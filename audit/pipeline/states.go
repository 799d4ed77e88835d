package pipeline

import (
	"bufio"
	"io"
	"sync"

	"healthaudit/snapshot"
)

// states are the encoded states of the items that must be written. They lie in the
// stage: all of them in memory are a third of what a first run keeps alive.
type states struct {
	stage *stage
	parts []span // of them in the stage, one behind the other
	of    []stateOf
}

// A stateOf is an item and how many bytes its state has.
type stateOf struct {
	*snapshot.Item
	size int64
}

// add puts the state of an item into the stage. Items come in key order.
func (s *states) add(it *snapshot.Item, state []byte) {
	s.stage.mu.Lock()
	defer s.stage.mu.Unlock()
	last := len(s.parts) - 1
	if last < 0 || s.parts[last].at+s.parts[last].size != s.stage.end {
		s.parts = append(s.parts, span{at: s.stage.end})
		last++
	}
	s.parts[last].size += int64(len(state))
	s.of = append(s.of, stateOf{it, int64(len(state))})
	s.stage.append(state)
}

// read begins at the first.
func (s *states) read() (*stateReader, error) {
	if err := s.stage.flush(); err != nil {
		return nil, err
	}
	parts := make([]io.Reader, len(s.parts))
	for i, at := range s.parts {
		parts[i] = io.NewSectionReader(s.stage.file, at.at, at.size)
	}
	return &stateReader{left: s.of, in: bufio.NewReaderSize(io.MultiReader(parts...), 64<<10)}, nil
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

// An encoder makes the states of items, which are asked for in turn: some ahead,
// on two cores, as those of all would be more than anything else in memory.
type encoder struct {
	items []*snapshot.Item
	past  *past
	from  int
	made  [encodedAhead][]byte // those from there on
	until int
}

const encodedAhead = 256

// state returns the state of an item; nil of one that a collector took over from
// the past as it was: it is unchanged. It is valid until the next block of
// encodedAhead is made, which the very next call may do.
func (e *encoder) state(i int) []byte {
	if i >= e.until {
		e.from, e.until = i, min(i+encodedAhead, len(e.items))
		half := (e.until - i) / 2
		var wg sync.WaitGroup
		wg.Go(func() { e.encode(0, half) })
		e.encode(half, e.until-i)
		wg.Wait()
	}
	return e.made[i-e.from]
}

func (e *encoder) encode(at, end int) {
	for ; at < end; at++ {
		it := e.items[e.from+at]
		if e.past != nil && e.past.items[it.Key] == it {
			e.made[at] = nil
			continue
		}
		e.made[at] = it.AppendEncode(e.made[at][:0])
	}
}
