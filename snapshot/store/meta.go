package store

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"os"
)

// readLayout reads the meta pages. Both must be whole: bbolt would fall back on
// the older one without a word, and the newest commit would be gone.
func readLayout(r io.ReaderAt, size int64) (*layout, error) {
	if size == 0 {
		return nil, damaged("the file is empty")
	}
	if size < 4*pageSize {
		return nil, damaged("the file has %d bytes: it is cut off or no store", size)
	}
	var metas [2][]byte
	var errs [2]error
	for i := range metas {
		p := make([]byte, pageHead+metaLen)
		if _, err := r.ReadAt(p, int64(i)*pageSize); err != nil {
			return nil, err
		}
		metas[i], errs[i] = p[pageHead:], checkMeta(p, uint64(i))
	}
	switch {
	case errs[0] != nil && errs[1] != nil:
		return nil, damaged("it is no store, or both its meta pages are lost: %v", errs[0])
	case errs[0] != nil || errs[1] != nil:
		return nil, damaged("the other meta page is whole, but %v", errors.Join(errs[:]...))
	}
	txid := func(i int) uint64 { return binary.NativeEndian.Uint64(metas[i][48:]) }
	m := metas[0]
	switch txid(0) - txid(1) {
	case 1:
	case ^uint64(0):
		m = metas[1]
	default:
		return nil, damaged("the meta pages are not of two successive commits")
	}
	l := &layout{
		r:        r,
		root:     binary.NativeEndian.Uint64(m[16:]),
		freelist: binary.NativeEndian.Uint64(m[32:]),
		high:     binary.NativeEndian.Uint64(m[40:]),
	}
	if l.high < 4 || l.high > uint64(size)/pageSize {
		return nil, damaged("%d pages are needed, the file has %d", l.high, size/pageSize)
	}
	return l, nil
}

func checkMeta(p []byte, id uint64) error {
	m := p[pageHead:]
	h := fnv.New64a()
	h.Write(m[:metaSum])
	switch {
	case binary.NativeEndian.Uint32(m) != metaMagic:
		return damaged("meta page %d has no mark of bbolt", id)
	case binary.NativeEndian.Uint64(m[metaSum:]) != h.Sum64():
		return damaged("the checksum of meta page %d does not match", id)
	case binary.NativeEndian.Uint32(m[4:]) != metaVersion, binary.NativeEndian.Uint32(m[8:]) != pageSize:
		return damaged("meta page %d is of another format", id)
	case binary.NativeEndian.Uint64(p) != id, binary.NativeEndian.Uint16(p[8:]) != flagMeta,
		binary.NativeEndian.Uint64(m[48:])%2 != id:
		return damaged("meta page %d stands in the wrong place", id)
	}
	return nil
}

// Is reports whether a regular file looks like a store: it has the mark of bbolt in one
// of its first two pages, which need not be whole.
func Is(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	for i := range int64(2) {
		m := make([]byte, 4)
		if _, err := f.ReadAt(m, i*pageSize+pageHead); err == nil && binary.NativeEndian.Uint32(m) == metaMagic {
			return true
		}
	}
	return false
}
