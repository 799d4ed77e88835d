package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// A salvager reads what is whole of a damaged file and writes it into a new one.
// It goes down the tree that the newest whole meta page names and leaves out the
// pages that are not what bbolt writes and the rows whose check does not match.
// Pages that no tree leads to are not looked at: they hold what was replaced.
type salvager struct {
	l    *layout
	to   *bolt.DB
	lost []Problem

	b     bucket // the one whose rows are read
	batch [][2][]byte
	size  int
}

// salvage copies what is whole of f into a new store file at path.
func salvage(f *os.File, path string) (lost []Problem, err error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	s := &salvager{}
	if s.l, err = s.layout(f, fi.Size()); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return nil, fmt.Errorf("repair store: %w", err)
	}
	defer guard(path, &err)()
	if s.to, err = openBolt(path, out, false); err != nil {
		out.Close()
		return nil, err
	}
	defer func() { err = errors.Join(err, s.to.Close()) }()
	err = s.to.Update(func(tx *bolt.Tx) error {
		for _, name := range names {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.top(s.l.root, 0); err != nil {
		return s.lost, err
	}
	return s.lost, s.structure(f, fi.Size())
}

// structure tells of pages in disorder of which every row could be read: a file
// that is not sound is not to be kept for want of losses.
func (s *salvager) structure(f *os.File, size int64) error {
	if len(s.lost) > 0 {
		return nil
	}
	l, err := readLayout(&blocks{r: f}, size)
	if err == nil {
		err = l.walk()
	}
	var d damage
	if errors.As(err, &d) {
		s.add("pages", string(d)+": every row could be read all the same")
		return nil
	}
	return err
}

// layout reads the meta pages, and is content with one.
func (s *salvager) layout(f *os.File, size int64) (*layout, error) {
	l, err := readLayout(&blocks{r: f}, size)
	var d damage
	if err == nil || !errors.As(err, &d) {
		if err == nil {
			l.used = make([]bool, l.high)
		}
		return l, err
	}
	s.add("pages", string(d))
	var best []byte
	for i := range uint64(2) {
		p := make([]byte, pageHead+metaLen)
		if _, err := f.ReadAt(p, int64(i)*pageSize); err != nil || checkMeta(p, i) != nil {
			continue
		}
		if m := p[pageHead:]; best == nil || binary.NativeEndian.Uint64(m[48:]) > binary.NativeEndian.Uint64(best[48:]) {
			best = m
		}
	}
	if best == nil {
		return nil, d
	}
	high := uint64(size) / pageSize // of a file that was cut off there are no more
	return &layout{
		r: &blocks{r: f}, root: binary.NativeEndian.Uint64(best[16:]), high: high, used: make([]bool, high),
	}, nil
}

func (s *salvager) add(where, what string) {
	if len(s.lost) < maxProblems {
		s.lost = append(s.lost, Problem{Where: where, What: what})
	}
}

// note keeps damage of the file, and returns every other error.
func (s *salvager) note(where string, err error) error {
	var d damage
	if errors.As(err, &d) || errors.Is(err, errShort) {
		s.add(where, plain(err)+": what is on it is lost")
		return nil
	}
	return err
}

// top reads the pages that list the buckets.
func (s *salvager) top(id uint64, depth int) error {
	return s.pages(id, depth, func(e element, depth int) error {
		name := string(e.key)
		for b := range buckets {
			if names[b] != name {
				continue
			}
			s.b = b
			return s.bucket(e, depth+1)
		}
		s.add("pages", fmt.Sprintf("bucket %.40q is none of ours", name))
		return nil
	})
}

func (s *salvager) bucket(e element, depth int) error {
	if len(e.value) < bucketHead || !e.bucket {
		s.add(names[s.b], "it is no bucket any more: all of it is lost")
		return nil
	}
	value := bytes.Clone(e.value)
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		if err := s.pages(root, depth, func(e element, _ int) error { return s.row(e) }); err != nil {
			return err
		}
		return s.flush()
	}
	p := page{data: value[bucketHead:]}
	if len(p.data) >= pageHead {
		p = parsePage(p.data)
	}
	if p.flags != flagLeaf {
		s.add(names[s.b], "it is no bucket any more: all of it is lost")
		return nil
	}
	list, err := elements(p, nil, nil, nil)
	if err != nil {
		return s.note(names[s.b], err)
	}
	for _, e := range list {
		if err := s.row(e); err != nil {
			return err
		}
	}
	return s.flush()
}

// pages gives every entry of the leaves below a page, and how deep it lies: what
// is read of one depth is overwritten by the next page of that depth.
func (s *salvager) pages(id uint64, depth int, each func(element, int) error) error {
	if depth >= maxDepth {
		s.add("pages", fmt.Sprintf("page %d lies too deep", id))
		return nil
	}
	p, err := s.l.load(id, depth)
	if err != nil {
		return s.note("pages", err)
	}
	if p.flags != flagLeaf && p.flags != flagBranch {
		s.add("pages", fmt.Sprintf("page %d is neither branch nor leaf: what is on it is lost", id))
		return nil
	}
	list, err := elements(p, nil, nil, nil)
	if err != nil {
		return s.note("pages", err)
	}
	for _, e := range list {
		if p.flags == flagBranch {
			err = s.pages(e.child, depth+1, each)
		} else {
			err = each(e, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// row copies one row when its check matches.
func (s *salvager) row(e element) error {
	if e.bucket {
		s.add(names[s.b], "it holds a bucket where a row belongs")
		return nil
	}
	if _, err := unseal(s.b, e.key, e.value); err != nil {
		p := Problem{Where: names[s.b] + " " + show(s.b, e.key), What: plain(err), bucket: s.b, key: bytes.Clone(e.key)}
		if len(s.lost) < maxProblems {
			s.lost = append(s.lost, p)
		}
		return nil
	}
	s.batch = append(s.batch, [2][]byte{bytes.Clone(e.key), bytes.Clone(e.value)})
	if s.size += len(e.key) + len(e.value); s.size > copyBytes {
		return s.flush()
	}
	return nil
}

func (s *salvager) flush() error {
	rows := s.batch
	s.batch, s.size = nil, 0
	return s.to.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(names[s.b]))
		b.FillPercent = 0.9
		for _, kv := range rows {
			if err := b.Put(kv[0], kv[1]); err != nil {
				return err
			}
		}
		return nil
	})
}
