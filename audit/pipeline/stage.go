package pipeline

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	tail []byte // the last bytes before end, not yet in the file
	err  error  // the first failure to write; the commit reports it
}

// maxTail is how many bytes are written at once.
const maxTail = 256 << 10

const stageFile = "audit-stage-*"

// newStage makes a stage in dir ("" is the system's folder for such files), and
// takes away what runs have left there that were killed in these lines.
func newStage(dir string) (*stage, error) {
	if dir != "" {
		left, _ := fs.Glob(os.DirFS(dir), stageFile)
		for _, name := range left {
			os.Remove(filepath.Join(dir, name))
		}
	}
	f, err := os.CreateTemp(dir, stageFile)
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
	s.at[sum] = [2]int64{s.end, int64(len(b))}
	s.end += int64(len(b))
	if s.tail = append(s.tail, b...); len(s.tail) >= maxTail {
		s.write()
	}
}

func (s *stage) write() {
	if _, err := s.file.WriteAt(s.tail, s.end-int64(len(s.tail))); err != nil && s.err == nil {
		s.err = err
	}
	if s.tail = s.tail[:0]; cap(s.tail) > 4*maxTail {
		s.tail = nil
	}
}

// flush writes what is not yet in the file, and returns the first failure ever.
func (s *stage) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tail) > 0 {
		s.write()
	}
	return s.err
}

func (s *stage) bytes(sum string) ([]byte, bool, error) {
	s.mu.Lock()
	at, ok := s.at[sum]
	s.mu.Unlock()
	if !ok {
		return nil, false, nil
	}
	if err := s.flush(); err != nil {
		return nil, true, err
	}
	b := make([]byte, at[1])
	_, err := s.file.ReadAt(b, at[0])
	return b, true, err
}

func (s *stage) has(sum string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.at[sum]
	return ok
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
