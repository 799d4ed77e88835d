package pipeline

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// young is how old what lies beside a file must be to be of who was killed: a restore
// from another store, which does not wait for the lock of this one, gives its files
// their names within seconds.
const young = time.Minute

// waits returns those of the paths beside which lies what is too young to be taken for
// what a kill left: a later run looks again.
func (s *site) waits(paths []string) (out []string) {
	for _, p := range paths {
		left, err := archive.Litter(s.root, p, s.Now().Add(young))
		if len(left) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			out = append(out, p)
		}
	}
	return out
}

// sweep journals and removes what actions left that were interrupted just before an
// earlier run.
func (s *site) sweep() error {
	paths := s.kept.Global.Littered
	var litter []string
	for _, p := range paths {
		left, _ := archive.Litter(s.root, p, s.Now().Add(-young)) // waits looks again
		litter = append(litter, left...)
	}
	slices.Sort(litter)
	litter = slices.Compact(litter)
	e := s.entry("recover")
	e.What = "remove what an interrupted action left: " + strings.Join(litter, ", ")
	note := func(st rules.State, phase rules.Status) error {
		e.At, e.Phase = s.Now(), string(phase)
		return s.Commit(st, e, nil)
	}
	if len(litter) > 0 {
		if err := note(s.kept, "intent"); err != nil {
			return err
		}
	}
	outcome := rules.Done
	for _, p := range litter {
		if s.root.Remove(filepath.FromSlash(p)) != nil {
			outcome = rules.Failed
		}
	}
	next := s.kept.Clone()
	if next.Global.Littered = nil; outcome == rules.Done { // what cannot be removed is not tried again
		next.Global.Littered = s.waits(paths)
	}
	switch {
	case len(litter) > 0:
		return note(next, outcome)
	case len(next.Global.Littered) < len(paths): // somebody else did it
		err := s.st.Update(func(tx *store.Tx) error { return SaveState(tx, s.kept, next) })
		if err != nil {
			return err
		}
		s.kept = next
	}
	return nil
}
