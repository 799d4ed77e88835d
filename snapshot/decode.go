package snapshot

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
)

// ErrItem is wrapped by every error of DecodeItem.
var ErrItem = errors.New("not an encoded item")

// DecodeItem reads what Encode wrote; the item's strings are parts of it.
func DecodeItem(encoded string) (*Item, error) { return new(Decoder).Item(encoded) }

// A Decoder decodes items. Those of NewDecoder are kept together or not at all:
// what they consist of stands in rows that many share, which are few to allocate
// and to look through. It is not for concurrent use.
type Decoder struct {
	row   int // the length of a row; 0: as long as one item needs
	items []Item
	facts []Fact
	texts []string
	lists [][]string
	files []File
	refs  []Ref
}

// NewDecoder returns a decoder for many items.
func NewDecoder() *Decoder { return &Decoder{row: 512} }

// take returns n places of a row; where it has not so many left it begins another
// one, of that length at least.
func take[T any](row *[]T, n, length int) []T {
	at := len(*row)
	if cap(*row)-at < n {
		at, *row = 0, make([]T, 0, max(n, length))
	}
	*row = (*row)[:at+n]
	return (*row)[at : at+n : at+n]
}

// Item reads what Encode wrote; the item's strings are parts of it.
func (r *Decoder) Item(encoded string) (*Item, error) {
	d := decoder{s: encoded, to: r}
	if d.byte() != codecVersion {
		return nil, fmt.Errorf("%w of version %d", ErrItem, codecVersion)
	}
	it := &take(&r.items, 1, r.row/8)[0]
	it.Key = Key(d.str())
	for _, to := range []*string{&it.Name, &it.Kind, &it.Path, &it.Source, &it.State, &it.Unknown} {
		*to = d.str()
	}
	it.Line, it.Torn = d.int(), d.bool()
	it.Facts, it.Files, it.Refs, it.Schedules = d.factList(), d.fileList(), d.refList(), d.scheduleList()
	if d.bad || d.at != len(d.s) {
		return nil, fmt.Errorf("%w: torn or with a tail", ErrItem)
	}
	return it, nil
}

// A decoder reads s from at on; after the first fault it reads zeros.
type decoder struct {
	s   string
	at  int
	bad bool
	to  *Decoder
}

// count reads the length of a list. No list is longer than the bytes that are
// left, so a damaged length allocates little.
func (d *decoder) count() int {
	n := d.int()
	if d.bad || n < 0 || n > len(d.s)-d.at {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) factList() []Fact {
	n := d.count()
	if n == 0 {
		return nil
	}
	out := take(&d.to.facts, n, d.to.row)
	for i := range out {
		f := &out[i]
		f.Name, f.Class = d.str(), pick(d, classes)
		if f.Value = d.value(n - i); d.bad {
			return nil
		}
	}
	return out
}

func (d *decoder) fileList() []File {
	n := d.count()
	if n == 0 {
		return nil
	}
	out := take(&d.to.files, n, d.to.row/8)
	for i := range out {
		f := &out[i]
		f.Path, f.SHA256, f.Link = d.str(), d.hex(), d.str()
		f.Mode, f.Size, f.Role = fs.FileMode(d.int()), int64(d.int()), pick(d, roles)
		if d.bad {
			return nil
		}
	}
	return out
}

func (d *decoder) refList() []Ref {
	n := d.count()
	if n == 0 {
		return nil
	}
	out := take(&d.to.refs, n, d.to.row/4)
	for i := range out {
		r := &out[i]
		r.Kind, r.Path, r.Dir, r.Name, r.File, r.Where = RefKind(d.str()), d.str(), d.str(), d.str(), d.str(), d.str()
		how := d.byte()
		d.bad = d.bad || how > 3
		r.Direct, r.Args, r.Guarded, r.Line, r.Column = how&1 != 0, how&2 != 0, d.bool(), d.int(), d.int()
		if d.bad {
			return nil
		}
	}
	return out
}

func (d *decoder) scheduleList() []Schedule {
	n := d.count()
	if n == 0 {
		return nil
	}
	out := make([]Schedule, n)
	for i := range out {
		out[i] = Schedule{Dialect: d.str(), Expression: d.str(), Timezone: d.str(), Why: d.str(), Path: d.str(),
			Effective: d.bool(), Line: d.int(), Column: d.int()}
		if d.bad {
			return nil
		}
	}
	return out
}

func (d *decoder) byte() byte {
	if d.at >= len(d.s) {
		d.bad = true
		return 0
	}
	c := d.s[d.at]
	d.at++
	return c
}

func (d *decoder) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) int() int {
	u := d.uvarint()
	n := int64(u >> 1)
	if u&1 != 0 {
		n = ^n
	}
	return int(n)
}

func (d *decoder) str() string {
	var n uint64
	if d.at < len(d.s) && d.s[d.at] < 0x80 { // nearly always
		n = uint64(d.s[d.at])
		d.at++
	} else {
		n = d.uvarint()
	}
	from := d.at
	if n > uint64(len(d.s)-from) {
		d.bad = true
		return ""
	}
	d.at += int(n)
	return d.s[from:d.at]
}

// hex returns a text in hex, as digests are shown.
func (d *decoder) hex() string {
	s := d.str()
	var out [64]byte
	if hex.EncodedLen(len(s)) > len(out) {
		return hex.EncodeToString([]byte(s))
	}
	return string(out[:hex.Encode(out[:], []byte(s))])
}

func (d *decoder) bool() bool {
	c := d.byte()
	d.bad = d.bad || c > 1
	return c == 1
}

// value reads a value; more is how many may follow with it.
func (d *decoder) value(more int) Value {
	switch d.byte() {
	case 's':
		p := &take(&d.to.texts, 1, max(more, d.to.row))[0]
		*p = d.str()
		return Value{p}
	case 'n':
		if len(d.s)-d.at >= 8 {
			f := math.Float64frombits(binary.BigEndian.Uint64([]byte(d.s[d.at : d.at+8])))
			d.at += 8
			return Value{f}
		}
	case 'b':
		return Value{d.bool()}
	case 'l':
		l := &take(&d.to.lists, 1, d.to.row/4)[0]
		*l = []string{}
		if n := d.count(); n > 0 {
			*l = take(&d.to.texts, n, d.to.row)
		}
		for i := range *l {
			if (*l)[i] = d.str(); d.bad {
				break
			}
		}
		return Value{l}
	}
	d.bad = true
	return Value{}
}

func pick[T any](d *decoder, all []T) (v T) {
	if n := d.byte(); int(n) < len(all) {
		return all[n]
	}
	d.bad = true
	return v
}
