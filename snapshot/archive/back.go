package archive

import (
	"io"
	"os"
	"sync"
)

// A back gives the bytes of a file while they are written: its reader stands where
// the writer has not been until that has come there, and at the end of the file
// until end says that this is it.
type back struct {
	file *os.File

	mu      sync.Mutex
	more    *sync.Cond
	written int64
	ended   bool
	err     error // of the writer

	at int64 // of the reader
}

func newBack(f *os.File) *back {
	b := &back{file: f}
	b.more = sync.NewCond(&b.mu)
	return b
}

func (b *back) Write(p []byte) (int, error) {
	n, err := b.file.Write(p)
	b.mu.Lock()
	b.written += int64(n)
	b.mu.Unlock()
	b.more.Signal()
	return n, err
}

// end says that no more is written, because of an error or because that was all.
func (b *back) end(err error) {
	b.mu.Lock()
	b.ended, b.err = true, err
	b.mu.Unlock()
	b.more.Signal()
}

// Read reads from the file. With an error of the writer it returns that.
func (b *back) Read(p []byte) (int, error) {
	b.mu.Lock()
	for b.at == b.written && !b.ended {
		b.more.Wait()
	}
	left, err := b.written-b.at, b.err
	b.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if left == 0 {
		return 0, io.EOF
	}
	n, err := b.file.ReadAt(p[:min(int64(len(p)), left)], b.at)
	b.at += int64(n)
	return n, err
}
