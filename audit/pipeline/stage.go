package pipeline

import (
	"fmt"
	"os"
	"sort"
	"sync"
)

type errNoBytes string

func (e errNoBytes) Error() string {
	return fmt.Sprintf("no bytes with digest %.12s were kept", string(e))
}

// A stage holds the bytes of captured files until the commit, in a temporary
// file that only its owner can read, so that memory does not grow with the
// project.
type stage struct {
	mu   sync.Mutex
	file *os.File
	at   map[string][2]int64 // digest → offset, length
	end  int64
	err  error // the first failure to write; the commit reports it
}

// newStage makes a stage in dir ("" is the system's folder for such files).
func newStage(dir string) (*stage, error) {
	f, err := os.CreateTemp(dir, "audit-stage-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // where that works at once, a killed run leaves nothing behind
	return &stage{file: f, at: map[string][2]int64{}}, nil
}

// keep takes the bytes of a file; the store already having them is found out at commit.
func (s *stage) keep(sum string, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.at[sum]; ok || s.err != nil {
		return
	}
	if _, err := s.file.WriteAt(b, s.end); err != nil {
		s.err = err
		return
	}
	s.at[sum] = [2]int64{s.end, int64(len(b))}
	s.end += int64(len(b))
}

func (s *stage) bytes(sum string) ([]byte, bool, error) {
	s.mu.Lock()
	at, ok := s.at[sum]
	s.mu.Unlock()
	if !ok {
		return nil, false, nil
	}
	b := make([]byte, at[1])
	_, err := s.file.ReadAt(b, at[0])
	return b, true, err
}

// digests returns what is staged, sorted.
func (s *stage) digests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.at))
	for d := range s.at {
		out = append(out, d)
	}
	sort.Strings(out)
	return out
}

func (s *stage) close() {
	s.file.Close()
	os.Remove(s.file.Name())
}
