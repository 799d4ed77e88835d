package pipeline

import (
	"context"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A Bisection is where a finding began.
type Bisection struct {
	First     Verdict   // the earliest snapshot of the stretch up to now that has it
	Before    *Verdict  // the one before it that has it not; nil: it was there from the beginning
	Skipped   []Verdict // between the two, of which nobody can tell
	Tested    []Verdict // all that were asked, oldest first
	Contrary  []Verdict // of these, those that say that it came and went before
	Snapshots int       // that the store has
}

// A binary search sees one of the beginnings of a finding, not all. So many
// snapshots, evenly spread, are asked whether it came and went; and with those in
// which the store says so, this many.
const (
	probes    = 6
	maxProbes = 30
)

// A search is a bisection under way: each snapshot is asked once.
type search struct {
	ask  func(seq uint64) (Verdict, error)
	seqs []uint64
	said map[int]Verdict
}

func (s *search) at(i int) (Verdict, error) {
	if v, ok := s.said[i]; ok {
		return v, nil
	}
	v, err := s.ask(s.seqs[i])
	if err == nil {
		s.said[i] = v
	}
	return v, err
}

// between returns the snapshot nearest to the middle of two that can tell, or -1.
func (s *search) between(lo, hi int) (int, error) {
	for away := 0; away <= hi-lo; away++ {
		for _, i := range []int{(lo+hi)/2 - away, (lo+hi)/2 + away} {
			if i <= lo || i >= hi {
				continue
			}
			if v, err := s.at(i); err != nil || v.Why == "" {
				return i, err
			}
		}
	}
	return -1, nil
}

// end returns the first snapshot from one end of the store that can tell, or -1.
func (s *search) end(from, step int) (int, error) {
	for i := from; i >= 0 && i < len(s.seqs); i += step {
		if v, err := s.at(i); err != nil || v.Why == "" {
			return i, err
		}
	}
	return -1, nil
}

// Bisect looks for the snapshot in which a finding began, by judging stored ones
// with the check of today. Errors: *NotThereError, the context's, or the store's.
func (r *Recheck) Bisect(ctx context.Context, tx *store.Tx, check *audit.Check, key snapshot.Key) (*Bisection, error) {
	seqs, err := snapshots(tx)
	if err != nil {
		return nil, err
	}
	s := &search{seqs: seqs, said: map[int]Verdict{}, ask: func(seq uint64) (Verdict, error) {
		if err := context.Cause(ctx); err != nil {
			return Verdict{}, err
		}
		return r.Ask(tx, seq, check, key)
	}}
	hi, err := s.end(len(seqs)-1, -1)
	if err != nil {
		return nil, err
	}
	if hi < 0 || !s.said[hi].Found {
		return nil, &NotThereError{check.ID, key, seqs[max(hi, 0)]}
	}
	lo, err := s.end(0, 1)
	if err != nil {
		return nil, err
	}
	newest := hi
	if s.said[lo].Found {
		hi, lo = lo, -1
	}
	if err := s.probe(tx, check, key); err != nil {
		return nil, err
	}
	if i := s.lastClean(newest); i >= 0 { // it may have come and gone: now it is there since after that
		lo, hi = i, newest
	}
	for lo >= 0 {
		mid, err := s.between(lo, hi)
		if err != nil {
			return nil, err
		}
		if mid < 0 {
			break
		}
		if s.said[mid].Found {
			hi = mid
		} else {
			lo = mid
		}
	}
	return s.result(lo, hi), nil
}

// lastClean returns the last snapshot before one that is known not to have it, or -1.
func (s *search) lastClean(before int) int {
	last := -1
	for i, v := range s.said {
		if i < before && v.Why == "" && !v.Found {
			last = max(last, i)
		}
	}
	return last
}

// probe asks those snapshots in which the finding, by the checks of then, came
// or went, and some more, evenly spread.
func (s *search) probe(tx *store.Tx, check *audit.Check, key snapshot.Key) error {
	var ask []int
	for k := range probes {
		ask = append(ask, (k+1)*(len(s.seqs)-1)/(probes+1))
	}
	open, err := openings(tx, key, func(uint64) *Moment { return &Moment{} })
	if err != nil {
		return err
	}
	for _, versions := range open {
		for _, v := range versions {
			if i, ok := slices.BinarySearch(s.seqs, v.seq); ok && v.rec != nil && v.rec.Check == check.ID {
				ask = append(ask, i, max(i-1, 0))
			}
		}
	}
	slices.Sort(ask)
	ask = slices.Compact(ask)
	for _, i := range ask[max(0, len(ask)-maxProbes):] {
		if _, err := s.at(i); err != nil {
			return err
		}
	}
	return nil
}

func (s *search) result(lo, hi int) *Bisection {
	b := &Bisection{First: s.said[hi], Snapshots: len(s.seqs)}
	if lo >= 0 {
		v := s.said[lo]
		b.Before = &v
	}
	order := make([]int, 0, len(s.said))
	for i := range s.said {
		order = append(order, i)
	}
	slices.Sort(order)
	for _, i := range order {
		v := s.said[i]
		b.Tested = append(b.Tested, v)
		switch {
		case v.Why != "" && (i > lo && i < hi):
			b.Skipped = append(b.Skipped, v)
		case v.Why == "" && (i < hi && v.Found || i > hi && !v.Found):
			b.Contrary = append(b.Contrary, v)
		}
	}
	return b
}
