package pipeline

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"

	"healthaudit/snapshot/store"
)

type errNoBytes string

func (e errNoBytes) Error() string {
	return fmt.Sprintf("no bytes with digest %.12s were kept", string(e))
}

// A stage holds the bytes of captured files until the commit, in a temporary
// file that only its owner can read, so that memory does not grow with the
// project. What is to go into the store is packed as it comes, by whoever brings
// it: collectors use all cores, the commit has but one.
type stage struct {
	packs func(sum string) bool // whether bytes are packed; nil: none are
	mu    sync.Mutex
	file  *os.File
	at    map[string]span // by digest
	bytes int64           // of files
	end   int64
	tail  []byte // the last bytes before end, not yet in the file
	err   error  // the first failure to pack or write; the commit reports it
}

// A span is where bytes lie in the stage, and behind them those that are packed.
type span struct{ at, size, packed int64 }

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
	return &stage{file: f, at: map[string]span{}}, nil
}

// keep takes the bytes of a file.
func (s *stage) keep(sum string, b []byte) {
	if s.has(sum) {
		return
	}
	var packed []byte
	var err error
	if s.packs != nil && s.packs(sum) {
		packed, err = store.Pack(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	if _, ok := s.at[sum]; ok || s.err != nil {
		return
	}
	s.at[sum] = span{s.end, int64(len(b)), int64(len(packed))}
	s.bytes += int64(len(b))
	s.append(b)
	s.append(packed)
}

func (s *stage) append(b []byte) {
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

// read returns the bytes of a digest; false where there are none.
func (s *stage) read(sum string) ([]byte, bool, error) {
	s.mu.Lock()
	at, ok := s.at[sum]
	s.mu.Unlock()
	if !ok {
		return nil, false, nil
	}
	b, err := s.cut(at.at, at.size)
	return b, true, err
}

// packed returns the bytes of a digest as the store keeps them.
func (s *stage) packed(sum string) ([]byte, error) {
	s.mu.Lock()
	at := s.at[sum]
	s.mu.Unlock()
	if at.packed > 0 {
		return s.cut(at.at+at.size, at.packed)
	}
	b, err := s.cut(at.at, at.size)
	if err != nil {
		return nil, err
	}
	return store.Pack(b)
}

// cut reads a part of the file.
func (s *stage) cut(at, size int64) ([]byte, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	b := make([]byte, size)
	_, err := s.file.ReadAt(b, at)
	return b, err
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
