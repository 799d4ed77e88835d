package store

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/s2"
)

// maxRest bounds, in bytes, a value that is kept as a difference and the one it rests
// on: the newest is raw up to then, and the dictionary of an s2 block has hardly more.
const maxRest = min(packMin-1, s2.MaxDictSize)

// sumLen is the length of the xxHash64 of what a difference rests on.
const sumLen = 8

// s2Min is the length from which what stands between is worth an s2 block.
const s2Min = 64

var errBase = errors.New("what it is a difference from is lost or damaged")

// A ground is a value that others are kept as differences from.
type ground struct {
	value []byte
	sum   uint64
	dict  *s2.Dict // made when it is needed
}

func newGround(value []byte) *ground { return &ground{value: value, sum: xxhash.Sum64(value)} }

// difference returns v as a difference from the ground; nil where there can be
// none. It is kept as the sum of the ground, how many bytes v has in common with it
// at its beginning (times two, and one more where the rest is an s2 block) and at
// its end, and what stands between, for which the ground is the dictionary of s2:
// https://github.com/google/snappy/blob/main/format_description.txt with the
// additions of https://github.com/klauspost/compress/tree/master/s2
func (g *ground) difference(v []byte) []byte {
	if len(v) > maxRest || len(g.value) > maxRest || len(g.value) < s2.MinDictSize {
		return nil
	}
	begin, end := inCommon(g.value, v)
	between, packed := v[begin:len(v)-end], uint64(0)
	if len(between) >= s2Min {
		if g.dict == nil {
			g.dict = s2.MakeDict(g.value, nil)
		}
		if z := g.dict.Encode(nil, between); len(z) < len(between) {
			between, packed = z, 1
		}
	}
	out := make([]byte, 0, 1+sumLen+2*binary.MaxVarintLen32+len(between))
	out = binary.BigEndian.AppendUint64(append(out, codecRest), g.sum)
	out = binary.AppendUvarint(out, uint64(begin)<<1|packed)
	return append(binary.AppendUvarint(out, uint64(end)), between...)
}

// worth returns v as a difference from the ground where that takes less than half of
// what v takes whole, else nil. One of a thirty-second of its length does, or loses
// next to nothing.
func (g *ground) worth(v []byte) ([]byte, error) {
	row := g.difference(v)
	if row == nil || 32*len(row) <= len(v) {
		return row, nil
	}
	whole, err := pack(v, coldMin)
	if 2*len(row) >= len(whole) {
		row = nil
	}
	return row, err
}

// inCommon returns how many bytes a and b have in common at their beginning, and
// beyond that at their end.
func inCommon(a, b []byte) (begin, end int) {
	n := min(len(a), len(b))
	for begin < n && a[begin] == b[begin] {
		begin++
	}
	for end < n-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return begin, end
}

// isRest reports whether a packed value is a difference.
func isRest(p []byte) bool { return len(p) > 0 && p[0] == codecRest }

// restsOn reports whether a difference was made from a value.
func restsOn(p, value []byte) bool {
	return len(p) > sumLen && binary.BigEndian.Uint64(p[1:]) == xxhash.Sum64(value)
}

// addRest appends the value that is kept as a difference from base, of which restsOn says
// that it was made from that.
func addRest(p, base, to []byte) ([]byte, error) {
	r, err := restOf(p, base)
	if err != nil {
		return to, err
	}
	n := len(to)
	to = append(slices.Grow(to, r.length+len(r.begin)+len(r.end)), r.begin...)
	if r.packed {
		if _, err := s2.MakeDict(base, nil).Decode(to[len(to):len(to)+r.length], r.between); err != nil {
			return to[:n], err
		}
		to = to[:len(to)+r.length]
	} else {
		to = append(to, r.between...)
	}
	return append(to, r.end...), nil
}

// restText is addRest as a text of its own: where nothing is packed it is put together
// in memory that nobody cleared before.
func restText(p, base []byte) (string, error) {
	r, err := restOf(p, base)
	if err != nil {
		return "", err
	}
	if r.packed {
		value, err := addRest(p, base, nil)
		return unsafe.String(unsafe.SliceData(value), len(value)), err
	}
	var b strings.Builder
	b.Grow(len(r.begin) + len(r.between) + len(r.end))
	b.Write(r.begin)
	b.Write(r.between)
	b.Write(r.end)
	return b.String(), nil
}

// A rest is how a difference is put together: between what the value has in common with
// another at its beginning and at its end stand length bytes, packed or not.
type rest struct {
	begin, between, end []byte
	length              int
	packed              bool
}

// restOf reads how a difference from base is put together.
func restOf(p, base []byte) (r rest, err error) {
	if len(base) < s2.MinDictSize {
		return r, errBase
	}
	begin, end, between, packed, err := splitRest(p)
	switch {
	case err != nil:
		return r, err
	case begin > uint64(len(base)) || end > uint64(len(base)):
		return r, errors.New("it is a difference from something longer")
	}
	r = rest{base[:begin], between, base[uint64(len(base))-end:], len(between), packed}
	if packed {
		if r.length, err = s2.DecodedLen(between); err != nil {
			return r, err
		}
	}
	if uint64(r.length)+begin+end > maxRest {
		return r, errors.New("it is too long for a difference")
	}
	return r, nil
}

// splitRest reads the parts of a difference.
func splitRest(p []byte) (begin, end uint64, between []byte, packed bool, err error) {
	if len(p) > sumLen {
		at := p[1+sumLen:]
		first, n := binary.Uvarint(at)
		last, m := binary.Uvarint(at[max(n, 0):])
		if n > 0 && m > 0 && first>>1 <= maxRest && last <= maxRest {
			return first >> 1, last, at[n+m:], first&1 == 1, nil
		}
	}
	return 0, 0, nil, false, errors.New("it is cut off")
}
