package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"os"
	"slices"
	"sort"
	"sync"
)

// A lazyLayout checks the pages of a file when a reader first comes to them: what
// is read of a large store may lie on a few of its pages. It takes the number of a
// bucket's first page as it is: whether that is another page of the same bucket,
// only the check of the whole file can tell.
type lazyLayout struct {
	mu    sync.Mutex
	l     *layout         // with the free pages and the list of buckets as used
	roots [buckets][]byte // as the list of buckets has them; nil where there is none
	trees [buckets]*lazyTree
	done  [buckets]bool // the whole bucket was checked
	errs  [buckets]error
}

// A lazyTree is what was checked of the pages of one bucket.
type lazyTree struct {
	l        *layout
	root     uint64 // 0: the bucket stands inline, and all of it was checked
	depth    int    // of every leaf; 0 before the first
	branches map[uint64][]element
	leaves   map[uint64]*span
}

// A span is where the keys of a checked leaf page begin and end. Within the
// bucket, the next leaf begins with the key next; nil is none.
type span struct{ first, last, next []byte }

// newLazyLayout checks the meta pages, the length and the list of buckets.
func newLazyLayout(f *os.File) (*lazyLayout, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	l, err := readLayout(&blocks{r: f}, fi.Size())
	if err != nil {
		return nil, err
	}
	z := &lazyLayout{l: l}
	l.begin()
	if err := l.free(); err != nil {
		return nil, err
	}
	return z, z.top(l.root, nil, nil, 0)
}

// top checks the pages that list the buckets, and keeps what they say.
func (z *lazyLayout) top(id uint64, lo, hi []byte, depth int) error {
	if depth >= maxDepth {
		return damaged("page %d lies too deep", id)
	}
	p, err := z.l.load(id, depth)
	if err != nil {
		return err
	}
	list, err := elements(p, lo, hi, nil)
	if err != nil {
		return err
	}
	for i, e := range list {
		switch {
		case p.flags == flagBranch:
			next := hi
			if i+1 < len(list) {
				next = list[i+1].key
			}
			if err := z.top(e.child, e.key, next, depth+1); err != nil {
				return err
			}
		case p.flags != flagLeaf || !e.bucket:
			return damaged("entry %d of page %d is no bucket", i, id)
		}
		for b := range buckets {
			if p.flags == flagLeaf && names[b] == string(e.key) {
				z.roots[b] = bytes.Clone(e.value)
			}
		}
	}
	return nil
}

// whole returns a *CorruptError when any page of a bucket is damaged. It is
// quick from the second time on.
func (s *Store) whole(b bucket) error {
	z := s.lazy
	if z == nil {
		return nil
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if !z.done[b] && z.roots[b] != nil {
		l := layout{r: z.l.r, root: z.l.root, freelist: z.l.freelist, high: z.l.high}
		l.begin()
		if err := cmp.Or(l.free(), l.bucket(l.root, z.roots[b], 1)); err != nil {
			z.errs[b] = corrupt(s.path, err)
		}
	}
	z.done[b] = true
	return z.errs[b]
}

// A side says which leaf of a bucket is meant.
type side int

const (
	holding side = iota // the one in which a key belongs
	below               // the one in which the greatest key below it belongs
	endmost             // the last
)

// reach checks the pages on the way to a leaf of a bucket, and the leaf itself.
// It returns a *CorruptError when they are damaged, and no span where the bucket
// needs no further check.
func (s *Store) reach(b bucket, key []byte, side side) (*span, error) {
	z := s.lazy
	if z == nil {
		return nil, nil
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.roots[b] == nil || z.done[b] {
		return nil, z.errs[b]
	}
	sp, err := z.leaf(b, key, side)
	if err != nil {
		return nil, corrupt(s.path, err)
	}
	return sp, nil
}

func (z *lazyLayout) leaf(b bucket, key []byte, side side) (*span, error) {
	t, err := z.tree(b)
	if err != nil || t.root == 0 {
		return nil, err
	}
	return t.leaf(t.root, key, side)
}

// tree returns what was checked of a bucket.
func (z *lazyLayout) tree(b bucket) (*lazyTree, error) {
	if z.trees[b] != nil {
		return z.trees[b], nil
	}
	t := &lazyTree{l: z.l, branches: map[uint64][]element{}, leaves: map[uint64]*span{}}
	root := z.roots[b]
	if len(root) == bucketHead {
		t.root = binary.NativeEndian.Uint64(root)
	}
	if t.root == 0 {
		if err := z.l.bucket(z.l.root, root, 1); err != nil {
			return nil, err
		}
	}
	z.trees[b] = t
	return t, nil
}

// leaf goes down from a page to the leaf that is meant, and checks each page that
// was not yet. It goes where bbolt goes: to the last child whose key is not
// after the one sought, or to the first.
func (t *lazyTree) leaf(id uint64, key []byte, side side) (*span, error) {
	var lo, hi []byte
	for depth := 1; depth < maxDepth; depth++ {
		e, sp, err := t.load(id, lo, hi, depth)
		if sp != nil || err != nil {
			return sp, err
		}
		i := len(e)
		switch side {
		case holding:
			i = sort.Search(len(e), func(i int) bool { return bytes.Compare(e[i].key, key) > 0 })
		case below:
			i = sort.Search(len(e), func(i int) bool { return bytes.Compare(e[i].key, key) >= 0 })
		}
		i = max(i-1, 0)
		if i+1 < len(e) {
			hi = e[i+1].key
		}
		id, lo = e[i].child, e[i].key
	}
	return nil, damaged("page %d lies too deep", id)
}

// load returns the entries of a branch page, or the span of a leaf.
func (t *lazyTree) load(id uint64, lo, hi []byte, depth int) ([]element, *span, error) {
	sp, e := t.leaves[id], t.branches[id]
	switch {
	case sp != nil && (lo == nil || bytes.Equal(lo, sp.first)):
		return nil, sp, nil
	case e != nil && (lo == nil || bytes.Equal(lo, e[0].key)):
		return e, nil, nil
	case sp != nil || e != nil || id < t.l.high && t.l.used[id]:
		return nil, nil, damaged("page %d is used twice", id)
	}
	p, err := t.l.fetch(id, depth, nil)
	switch {
	case err != nil:
	case p.flags == flagLeaf && t.depth != 0 && t.depth != depth:
		err = damaged("leaf page %d lies at another depth than the others", id)
	case p.flags == flagLeaf:
		t.depth = depth
		sp, err = t.checkLeaf(p, lo, hi)
	case p.flags == flagBranch:
		e, err = t.checkBranch(p, lo, hi)
	default:
		err = damaged("page %d is of kind %#x where a branch or leaf belongs", id, p.flags)
	}
	return e, sp, err
}

func (t *lazyTree) checkLeaf(p page, lo, hi []byte) (*span, error) {
	e, err := elements(p, lo, hi, t.l.elems[0])
	if err != nil {
		return nil, err
	}
	t.l.elems[0] = e
	if len(e) == 0 && lo != nil {
		return nil, damaged("leaf page %d is empty", p.id)
	}
	if i := slices.IndexFunc(e, func(e element) bool { return e.bucket }); i >= 0 {
		return nil, damaged("entry %d of page %d is a bucket", i, p.id)
	}
	sp := &span{next: hi}
	if n := len(e); n > 0 {
		sp.first, sp.last = bytes.Clone(e[0].key), bytes.Clone(e[n-1].key)
	}
	t.leaves[p.id] = sp
	return sp, nil
}

func (t *lazyTree) checkBranch(p page, lo, hi []byte) ([]element, error) {
	p.data = bytes.Clone(p.data)
	e, err := elements(p, lo, hi, nil)
	if err != nil {
		return nil, err
	}
	if len(e) == 0 {
		return nil, damaged("branch page %d is empty", p.id)
	}
	t.branches[p.id] = e
	return e, nil
}
