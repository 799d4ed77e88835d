package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"

	"github.com/klauspost/compress/zstd"
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

// Made makes a source of what write writes, which is held compressed until it is
// asked for.
func Made(name string, mode fs.FileMode, write func(io.Writer) error) (Source, error) {
	var held bytes.Buffer
	sum := sha256.New()
	z, err := zstd.NewWriter(&held, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return Source{}, err
	}
	count := &counter{w: io.MultiWriter(z, sum)}
	err = write(count)
	if cerr := z.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return Source{}, err
	}
	open := func() (io.ReadCloser, error) {
		d, err := zstd.NewReader(bytes.NewReader(held.Bytes()), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return Source{Entry{Name: name, Mode: mode, Size: count.n, SHA256: hex.EncodeToString(sum.Sum(nil))}, open}, nil
}
