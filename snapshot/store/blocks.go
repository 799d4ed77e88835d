package store

import "io"

// blocks reads a file page by page, and in larger pieces where it is read on from
// one page to the next: those of one commit lie together, and a system call takes
// longer than the copying.
type blocks struct {
	r    io.ReaderAt
	end  int64 // of the page that was read last
	held [4]block
	next int // in held
}

type block struct {
	off int64
	b   []byte
}

const (
	blockSize = 128 << 10
	// ahead is how far a page may lie behind the last to be one that is read on to.
	ahead = 4 * pageSize
)

func (s *blocks) ReadAt(p []byte, off int64) (int, error) {
	if len(p) > pageSize {
		return s.r.ReadAt(p, off)
	}
	skipped := off - s.end
	s.end = off + int64(len(p))
	at := off &^ (blockSize - 1)
	for _, h := range s.held {
		if from := off - at; h.b != nil && h.off == at && from+int64(len(p)) <= int64(len(h.b)) {
			return copy(p, h.b[from:]), nil
		}
	}
	if skipped < 0 || skipped > ahead {
		return s.r.ReadAt(p, off)
	}
	h := &s.held[s.next]
	s.next = (s.next + 1) % len(s.held)
	if h.b == nil {
		h.b = make([]byte, blockSize)
	}
	h.b = h.b[:blockSize]
	n, err := s.r.ReadAt(h.b, at)
	h.off, h.b = at, h.b[:n]
	if from := off - at; from+int64(len(p)) <= int64(n) {
		return copy(p, h.b[from:]), nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}
