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
	at    decoder
	items []Item
	facts []stored[Fact]
	refs  []stored[Ref]
	files []File
}

// NewDecoder returns a decoder for many items.
func NewDecoder() *Decoder { return &Decoder{row: 64} }

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

// Item reads what Encode wrote, and nothing else; the item's strings are parts of it.
func (r *Decoder) Item(encoded string) (*Item, error) {
	r.at = decoder{s: encoded}
	d := &r.at
	if d.byte() != codecVersion {
		return nil, fmt.Errorf("%w of version %d", ErrItem, codecVersion)
	}
	it := &take(&r.items, 1, r.row)[0]
	it.Key = Key(d.str())
	for _, to := range []*string{&it.Name, &it.Kind, &it.Path, &it.Source, &it.State, &it.Unknown} {
		*to = d.str()
	}
	it.Line, it.Torn = d.int(), d.bool()
	it.Facts = later(d, &r.facts, r.row, (*decoder).skipFact, (*decoder).fact)
	it.Files = r.fileList(d)
	it.Refs = later(d, &r.refs, r.row, (*decoder).skipRef, (*decoder).ref)
	it.Schedules = d.scheduleList()
	if d.bad || d.at != len(d.s) {
		return nil, fmt.Errorf("%w: torn or with a tail", ErrItem)
	}
	return it, nil
}

// later passes over a list, which read will read when someone asks for it.
func later[T Fact | Ref](d *decoder, row *[]stored[T], length int, skip func(*decoder), read func(*decoder, int) T) Parts[T] {
	n := d.count()
	from := d.at
	for i := 0; i < n && !d.bad; i++ {
		skip(d)
	}
	if n == 0 || d.bad {
		return Parts[T]{}
	}
	s := &take(row, 1, length)[0]
	s.text, s.n, s.read = d.s[from:d.at], n, read
	return Parts[T]{stored: s}
}

func (r *Decoder) fileList(d *decoder) []File {
	n := d.count()
	if n == 0 {
		return nil
	}
	out := take(&r.files, n, r.row)
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

// A decoder reads s from at on; after the first fault it reads zeros.
type decoder struct {
	s     string
	at    int
	bad   bool
	texts []string // room for those of values
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

func (d *decoder) fact(more int) (f Fact) {
	f.Name, f.Class = d.str(), pick(d, classes)
	f.Value = d.value(more)
	return f
}

func (d *decoder) skipFact() {
	d.skip()
	d.bad = pick(d, classes) == Volatile || d.bad // those are not in the state of an item
	d.skipValue()
}

func (d *decoder) ref(int) (r Ref) {
	r.Kind, r.Path, r.Dir, r.Name, r.File, r.Where = RefKind(d.str()), d.str(), d.str(), d.str(), d.str(), d.str()
	how := d.byte()
	r.Direct, r.Args, r.Guarded, r.Line, r.Column = how&1 != 0, how&2 != 0, d.bool(), d.int(), d.int()
	return r
}

func (d *decoder) skipRef() {
	for range 6 {
		d.skip()
	}
	d.bad = d.byte() > 3 || d.bad
	d.bool()
	d.int()
	d.int()
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

// uvarint reads a number in as few bytes as it needs.
func (d *decoder) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			d.bad = d.bad || c == 0 && shift > 0 || shift == 63 && c > 1
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

// skip passes over a text.
func (d *decoder) skip() {
	if d.at < len(d.s) && d.s[d.at] < 0x80 {
		if next := d.at + 1 + int(d.s[d.at]); next <= len(d.s) { // nearly always
			d.at = next
			return
		}
	}
	d.str()
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
		p := &take(&d.texts, 1, more)[0]
		*p = d.str()
		return Value{p}
	case 'n':
		return Value{d.number()}
	case 'b':
		return Value{d.bool()}
	case 'l':
		l := make([]string, d.count())
		for i := range l {
			l[i] = d.str()
		}
		return Value{&l}
	}
	d.bad = true
	return Value{}
}

func (d *decoder) skipValue() {
	switch d.byte() {
	case 's':
		d.skip()
	case 'n':
		d.number()
	case 'b':
		d.bool()
	case 'l':
		for n := d.count(); n > 0 && !d.bad; n-- {
			d.skip()
		}
	default:
		d.bad = true
	}
}

func (d *decoder) number() float64 {
	if len(d.s)-d.at < 8 {
		d.bad = true
		return 0
	}
	b := d.s[d.at : d.at+8]
	d.at += 8
	return math.Float64frombits(binary.BigEndian.Uint64([]byte(b)))
}

func pick[T any](d *decoder, all []T) (v T) {
	if n := d.byte(); int(n) < len(all) {
		return all[n]
	}
	d.bad = true
	return v
}
