package store

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A page is one page of a tree with its overflow, or an inline one.
type page struct {
	id       uint64
	flags    uint16
	count    int
	overflow uint64
	data     []byte // from the header on
}

func parsePage(b []byte) page {
	return page{
		id:       binary.NativeEndian.Uint64(b),
		flags:    binary.NativeEndian.Uint16(b[8:]),
		count:    int(binary.NativeEndian.Uint16(b[10:])),
		overflow: uint64(binary.NativeEndian.Uint32(b[12:])),
		data:     b,
	}
}

// An element is one entry of a branch or leaf page.
type element struct {
	key    []byte
	value  []byte // of a leaf
	bucket bool   // of a leaf: value is a bucket
	child  uint64 // of a branch
}

// elements reads the entries of a page. Keys and values stand one after the
// other without gaps, in key order, and fill just the pages they need. The room
// of into is used again.
func elements(p page, lo, hi []byte, into []element) ([]element, error) {
	size := uint64(len(p.data))
	off := uint64(pageHead + p.count*elemLen)
	if off > size {
		return nil, damaged("page %d cannot hold %d entries", p.id, p.count)
	}
	out := slices.Grow(into[:0], p.count)[:p.count]
	for i := range out {
		out[i] = element{}
		base := uint64(pageHead + i*elemLen)
		b := p.data[base:]
		u32 := func(at int) uint64 { return uint64(binary.NativeEndian.Uint32(b[at:])) }
		var pos, ksize, vsize uint64
		if p.flags == flagBranch {
			pos, ksize = u32(0), u32(4)
			out[i].child = binary.NativeEndian.Uint64(b[8:])
		} else {
			pos, ksize, vsize = u32(4), u32(8), u32(12)
			if u32(0) > 1 {
				return nil, damaged("entry %d of page %d is of an unknown kind", i, p.id)
			}
			out[i].bucket = u32(0) == 1
		}
		if base+pos != off || ksize == 0 || ksize > maxKey || off+ksize+vsize > size {
			return nil, damaged("entry %d of page %d is out of place", i, p.id)
		}
		out[i].key = p.data[off : off+ksize]
		out[i].value = p.data[off+ksize : off+ksize+vsize]
		off += ksize + vsize
		if i > 0 && bytes.Compare(out[i-1].key, out[i].key) >= 0 {
			return nil, damaged("the keys of page %d are out of order", p.id)
		}
	}
	if p.id == 0 && off != size || p.id != 0 && (off+pageSize-1)/pageSize != p.overflow+1 {
		return nil, damaged("page %d is longer than what is in it", p.id)
	}
	if n := len(out); n > 0 && (lo != nil && !bytes.Equal(lo, out[0].key) || hi != nil && bytes.Compare(out[n-1].key, hi) >= 0) {
		return nil, damaged("the keys of page %d are not those its parent names", p.id)
	}
	return out, nil
}
