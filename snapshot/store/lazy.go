package store

import (
	"bytes"
	"os"
	"sync"
)

// A lazyLayout checks the structure of a bucket when it is first used: a reader
// of few pages need not wait for the check of a large file.
type lazyLayout struct {
	l     *layout
	roots [buckets][]byte // as the list of buckets has them; nil where there is none

	mu   sync.Mutex
	done [buckets]bool
	errs [buckets]error
}

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
	l.used = make([]bool, l.high)
	l.used[0], l.used[1] = true, true
	z := &lazyLayout{l: l}
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

// sound returns a *CorruptError when the pages of a bucket are damaged. It is
// quick from the second time on.
func (s *Store) sound(b bucket) error {
	z := s.lazy
	if z == nil {
		return nil
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if !z.done[b] && z.roots[b] != nil {
		if err := z.l.bucket(z.l.root, z.roots[b], 1); err != nil {
			z.errs[b] = corrupt(s.path, err)
		}
	}
	z.done[b] = true
	return z.errs[b]
}
