package store

import (
	"encoding/binary"
	"io"
	"os"
)

// The page format of bbolt 1.5.0: internal/common/{page,meta,inode,bucket}.go.
const (
	pageSize   = 4096
	pageHead   = 16 // id 8, flags 2, count 2, overflow 4
	elemLen    = 16
	bucketHead = 16 // root 8, sequence 8
	metaLen    = 64
	metaSum    = 56 // offset of the checksum in the meta, which covers what is before

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10

	metaMagic   = 0xED0CDAED
	metaVersion = 2

	maxKey   = 32768
	maxDepth = 64
	// cheap is the size in bytes up to which the whole structure is checked at every open.
	cheap = 512 << 20
)

// checkFile checks an open, locked store file: always its meta pages and its
// length, the whole structure when it is small or all is true.
func checkFile(f *os.File, o Options) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	l, err := readLayout(&blocks{r: f}, fi.Size())
	if err != nil {
		return err
	}
	if o.Verify || l.high*pageSize < cheap && !o.Checked {
		return l.walk()
	}
	return nil
}

// A layout is the structural check of one file. It reads with ReadAt only,
// every offset within the file and every page at most once, and accepts exactly
// what bbolt writes: any field that could send bbolt astray has one right value.
type layout struct {
	r        io.ReaderAt
	root     uint64
	freelist uint64
	high     uint64 // pages in use: the file holds at least so many
	used     []bool
	below    bool // within a bucket: at the top there is nothing but buckets
	bufs     [maxDepth][]byte
	elems    [maxDepth][]element
}

// begin forgets which pages were met.
func (l *layout) begin() {
	l.used = make([]bool, l.high)
	l.used[0], l.used[1] = true, true
}

// walk checks every page below the high-water mark: each is used once, or free.
func (l *layout) walk() error {
	l.begin()
	if err := l.tree(l.root, nil, nil, 0); err != nil {
		return err
	}
	if err := l.free(); err != nil {
		return err
	}
	for i, used := range l.used {
		if !used {
			return damaged("page %d is neither used nor free", i)
		}
	}
	return nil
}

func (l *layout) claim(id uint64) error {
	if id >= l.high {
		return damaged("page %d lies beyond the end", id)
	}
	if l.used[id] {
		return damaged("page %d is used twice", id)
	}
	l.used[id] = true
	return nil
}

// load claims and reads page id with its overflow into the buffer of a depth.
func (l *layout) load(id uint64, depth int) (page, error) {
	if err := l.claim(id); err != nil {
		return page{}, err
	}
	return l.fetch(id, depth, l.claim)
}

// fetch reads page id with its overflow into the buffer of a depth. The pages of the
// overflow are claimed before they are read, where they are to be: none is read twice.
func (l *layout) fetch(id uint64, depth int, claim func(id uint64) error) (page, error) {
	if id >= l.high {
		return page{}, damaged("page %d lies beyond the end", id)
	}
	buf := l.bufs[depth]
	if len(buf) < pageSize {
		buf = make([]byte, pageSize)
	}
	if _, err := l.r.ReadAt(buf[:pageSize], int64(id)*pageSize); err != nil {
		return page{}, err
	}
	p := parsePage(buf)
	if p.id != id {
		return page{}, damaged("page %d says it is page %d", id, p.id)
	}
	if p.overflow >= l.high-id {
		return page{}, damaged("page %d goes on beyond the end", id)
	}
	for i := uint64(1); claim != nil && i <= p.overflow; i++ {
		if err := claim(id + i); err != nil {
			return page{}, err
		}
	}
	n := int(p.overflow+1) * pageSize
	if len(buf) < n {
		buf = append(make([]byte, 0, n), buf[:pageSize]...)[:n]
	}
	l.bufs[depth] = buf
	p.data = buf[:n]
	if _, err := l.r.ReadAt(p.data[pageSize:], int64(id+1)*pageSize); n > pageSize && err != nil {
		return page{}, err
	}
	return p, nil
}

// tree checks the pages below id. The first key must be lo, as its parent says,
// and the last below hi; nil does not bind.
func (l *layout) tree(id uint64, lo, hi []byte, depth int) error {
	if depth >= maxDepth {
		return damaged("page %d lies too deep", id)
	}
	p, err := l.load(id, depth)
	if err != nil {
		return err
	}
	switch p.flags {
	case flagLeaf:
		return l.leaf(p, lo, hi, depth)
	case flagBranch:
		return l.branch(p, lo, hi, depth)
	}
	return damaged("page %d is of kind %#x where a branch or leaf belongs", id, p.flags)
}

func (l *layout) branch(p page, lo, hi []byte, depth int) error {
	e, err := elements(p, lo, hi, l.elems[depth])
	if err != nil {
		return err
	}
	l.elems[depth] = e
	if len(e) == 0 {
		return damaged("branch page %d is empty", p.id)
	}
	for i := range e {
		next := hi
		if i+1 < len(e) {
			next = e[i+1].key
		}
		if err := l.tree(e[i].child, e[i].key, next, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) leaf(p page, lo, hi []byte, depth int) error {
	e, err := elements(p, lo, hi, l.elems[depth])
	if err != nil {
		return err
	}
	l.elems[depth] = e
	if len(e) == 0 && lo != nil {
		return damaged("leaf page %d is empty", p.id)
	}
	for i := range e {
		if !e[i].bucket && !l.below {
			return damaged("entry %d of page %d is no bucket", i, p.id)
		}
		if !e[i].bucket {
			continue
		}
		if err := l.bucket(p.id, e[i].value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// bucket checks the bucket that a leaf value describes: the page of its root,
// or, when that is 0, the page that follows inline.
func (l *layout) bucket(id uint64, v []byte, depth int) error {
	if len(v) < bucketHead {
		return damaged("a bucket on page %d is cut off", id)
	}
	above := l.below
	l.below = true
	defer func() { l.below = above }()
	if root := binary.NativeEndian.Uint64(v); root != 0 {
		if len(v) != bucketHead {
			return damaged("a bucket on page %d is too long", id)
		}
		return l.tree(root, nil, nil, depth)
	}
	if len(v) < bucketHead+pageHead {
		return damaged("an inline bucket on page %d is cut off", id)
	}
	p := parsePage(v[bucketHead:])
	if p.id != 0 || p.flags != flagLeaf || p.overflow != 0 {
		return damaged("an inline bucket on page %d is no leaf", id)
	}
	e, err := elements(p, nil, nil, nil)
	if err != nil {
		return err
	}
	for i := range e {
		if e[i].bucket {
			return damaged("an inline bucket on page %d holds a bucket", id)
		}
	}
	return nil
}

// free checks the list of free pages. Its first entry is the count when that
// does not fit the header.
func (l *layout) free() error {
	p, err := l.load(l.freelist, 0)
	if err != nil {
		return err
	}
	if p.flags != flagFreelist {
		return damaged("page %d is of kind %#x where the list of free pages belongs", p.id, p.flags)
	}
	ids := p.data[pageHead:]
	n := uint64(p.count)
	if n == 0xFFFF {
		n, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids)/8) {
		return damaged("the list of free pages is cut off")
	}
	for i := range n {
		if err := l.claim(binary.NativeEndian.Uint64(ids[i*8:])); err != nil {
			return err
		}
	}
	return nil
}
