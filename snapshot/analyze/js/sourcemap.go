package js

import (
	"bytes"
	"sort"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// A place maps one position of the printed code to the original (0-based;
// columns in UTF-16 units, as source maps have them).
type place struct{ line, col, srcLine, srcCol int32 }

// A locator leads from the printed code back to the original file.
type locator struct {
	code   []byte // the printed code, in the very buffer that the tree points into
	src    []byte
	lines  []int          // offsets of the lines of code
	starts []int          // offsets of the lines of src
	places func() []place // decoded when the first place is asked for: most files need none
	marks  map[int][]mark // of the long lines of src, by row
	same   bool           // code is src
}

func newLocator(code, src, sourceMap []byte) *locator {
	_, mappings, _ := bytes.Cut(sourceMap, []byte(`"mappings": "`)) // as esbuild prints it; no character of it is ever escaped
	mappings, _, _ = bytes.Cut(mappings, []byte(`"`))
	return &locator{code: code, src: src, lines: lineStarts(code), starts: lineStarts(src), places: sync.OnceValue(func() []place { return decodeMappings(mappings) })}
}

func lineStarts(b []byte) []int {
	out := []int{0}
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return out
		}
		i += n + 1
		out = append(out, i)
	}
}

// at returns where the original of a piece of the printed code stands: offset
// in bytes, line and column from 1. A piece from elsewhere is at the start.
func (l *locator) at(piece []byte) (offset, line, col int) {
	off := l.offset(piece)
	if off < 0 {
		return 0, 1, 1
	}
	if l.same {
		line, col = l.position(off)
		return off, line, col
	}
	n := sort.SearchInts(l.lines, off+1) - 1
	c := off - l.lines[n] // the printed code is ASCII
	places := l.places()
	i := sort.Search(len(places), func(i int) bool {
		p := places[i]
		return int(p.line) > n || int(p.line) == n && int(p.col) > c
	}) - 1
	if i < 0 || int(places[i].line) != n {
		return 0, 1, 1
	}
	row := int(places[i].srcLine)
	if row < 0 || row >= len(l.starts) {
		return 0, 1, 1
	}
	b := l.column(row, int(places[i].srcCol))
	return l.starts[row] + b, row + 1, b + 1
}

// stride is how many UTF-16 units of a line lie between two marks, about.
const stride = 1024

// A mark is one place in a long line.
type mark struct{ units, bytes int }

// column turns a column of the original in UTF-16 units into bytes. A line may
// be megabytes long: it is measured once, and then searched from the mark before.
func (l *locator) column(row, col int) int {
	start, end := l.starts[row], len(l.src)
	if row+1 < len(l.starts) {
		end = l.starts[row+1]
	}
	line := l.src[start:end]
	if len(line) < stride {
		return utf16Bytes(line, col)
	}
	marks, ok := l.marks[row]
	if !ok {
		marks = markLine(line)
		if l.marks == nil {
			l.marks = map[int][]mark{}
		}
		l.marks[row] = marks
	}
	n := sort.Search(len(marks), func(i int) bool { return marks[i].units > col }) - 1
	return marks[n].bytes + utf16Bytes(line[marks[n].bytes:], col-marks[n].units)
}

func markLine(line []byte) []mark {
	marks, at := []mark{{}}, mark{}
	for at.bytes < len(line) {
		r, size := utf8.DecodeRune(line[at.bytes:])
		at.bytes += size
		at.units++
		if r > 0xffff {
			at.units++
		}
		if at.units-marks[len(marks)-1].units >= stride {
			marks = append(marks, at)
		}
	}
	return marks
}

// position turns an offset in the original into line and column.
func (l *locator) position(offset int) (line, col int) {
	n := sort.SearchInts(l.starts, offset+1) - 1
	return n + 1, offset - l.starts[n] + 1
}

// offset finds a piece within the code by its address: nodes of the tree hold
// slices of the buffer and no positions.
func (l *locator) offset(piece []byte) int {
	if len(piece) == 0 || len(l.code) == 0 {
		return -1
	}
	d := int(uintptr(unsafe.Pointer(unsafe.SliceData(piece))) - uintptr(unsafe.Pointer(unsafe.SliceData(l.code))))
	if d < 0 || d >= len(l.code) {
		return -1
	}
	return d
}

// utf16Bytes returns how many bytes the first n UTF-16 units of a line take.
func utf16Bytes(line []byte, n int) int {
	i := 0
	for n > 0 && i < len(line) {
		r, size := utf8.DecodeRune(line[i:])
		n--
		if r > 0xffff {
			n--
		}
		i += size
	}
	return i
}

// decodeMappings reads the mappings field of a version 3 source map
// (https://tc39.es/ecma426/). What is malformed is left out.
func decodeMappings(s []byte) []place {
	var (
		out      []place
		line     int
		acc      [5]int // column, source, line, column, name; all relative
		field    int
		n, shift int
	)
	out = make([]place, 0, bytes.Count(s, []byte(","))+bytes.Count(s, []byte(";"))+1)
	flush := func() {
		if field >= 4 {
			out = append(out, place{int32(line), int32(acc[0]), int32(acc[2]), int32(acc[3])})
		}
		field, n, shift = 0, 0, 0
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ';':
			flush()
			line, acc[0] = line+1, 0
		case ',':
			flush()
		default:
			v := base64Digit(c)
			if v < 0 || field > 4 || shift > 30 {
				continue
			}
			n |= (v & 31) << shift
			shift += 5
			if v&32 != 0 {
				continue
			}
			if n&1 != 0 {
				acc[field] -= n >> 1
			} else {
				acc[field] += n >> 1
			}
			field, n, shift = field+1, 0, 0
		}
	}
	flush()
	return out
}

func base64Digit(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
