package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
)

// A Source is an entry with what it is made of.
type Source struct {
	Entry
	Open func() (io.ReadCloser, error) // exactly Size bytes; not asked for a link
}

// Bytes makes a source of bytes at hand.
func Bytes(name string, mode fs.FileMode, b []byte) Source {
	sum := sha256.Sum256(b)
	return Source{Entry{Name: name, Mode: mode, Size: int64(len(b)), SHA256: hex.EncodeToString(sum[:])},
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// Made makes a source of what write writes: once for its size and digest, and again
// whenever it is read, so that it is never held. It must write the same each time.
func Made(name string, mode fs.FileMode, write func(io.Writer) error) (Source, error) {
	sum := sha256.New()
	count := &counter{w: sum}
	all := bufio.NewWriterSize(count, made)
	if err := errors.Join(write(all), all.Flush()); err != nil {
		return Source{}, err
	}
	open := func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			all := bufio.NewWriterSize(w, made)
			w.CloseWithError(errors.Join(write(all), all.Flush())) // the end of file where there is none
		}()
		return r, nil
	}
	return Source{Entry{Name: name, Mode: mode, Size: count.n, SHA256: hex.EncodeToString(sum.Sum(nil))}, open}, nil
}

// made is how many bytes of what is made are handed on at once.
const made = 64 << 10
