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
	p, err := l.load(l.root, 0)
	if err != nil {
		return nil, err
	}
	if p.flags != flagLeaf { // eleven buckets fit one page
		return nil, damaged("page %d is of kind %#x where the list of buckets belongs", p.id, p.flags)
	}
	list, err := elements(p, nil, nil)
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		if !e.bucket {
			return nil, damaged("entry %d of page %d is no bucket", i, p.id)
		}
		for b := range buckets {
			if names[b] == string(e.key) {
				z.roots[b] = bytes.Clone(e.value)
			}
		}
	}
	return z, nil
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
