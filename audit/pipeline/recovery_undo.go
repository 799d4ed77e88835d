package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// Undo brings back what an action overwrote. The caller holds the lock of the
// run. Its rule makes no further attempt on that item until it is reset.
// Errors: ErrNoAction, ErrNoWayBack, and what store, disk and action say.
func (r *Runner) Undo(id string) (rules.Entry, error) {
	s, done, err := r.site()
	if err != nil {
		return rules.Entry{}, err
	}
	defer done()
	did, err := s.find(id)
	if err != nil {
		return did, err
	}
	if d, ok, err := rules.Did(did); ok || err != nil {
		return s.undo(did, d, err)
	}
	return s.bringBack(did)
}

// bringBack writes what an action overwrote or took away. Of several files those
// that stand there already are left: the action may have ended halfway.
func (s *site) bringBack(did rules.Entry) (rules.Entry, error) {
	back, err := rules.Undone(did)
	if err != nil {
		return did, err
	}
	id, what := did.Data["id"], back[0].Path
	if len(back) > 1 {
		back = slices.DeleteFunc(back, s.stands)
		what = fmt.Sprintf("%d files", len(back))
	}
	if len(back) == 1 && s.stands(back[0]) {
		return did, fmt.Errorf("%s is as it was before %s already", what, id)
	}
	e := s.entry("recover undo")
	e.Item, e.Data = did.Item, map[string]string{"id": id, "rule": did.Data["rule"]}
	for i, w := range back {
		n := fmt.Sprintf(" %d", i+1)
		if i == 0 {
			n = ""
		}
		e.Data["file"+n], e.Data["was"+n], e.Data["sha256"+n] = w.Path, w.Was, w.Sum
	}
	e.At, e.Phase, e.What = s.Now(), "intent", "bring "+what+" back as before "+id
	if err := s.Commit(s.kept, e, back); err != nil {
		return did, err
	}
	next := s.rested(did)
	e.Phase, e.What = "done", "as before "+id+": "+what
	var werr error
	if len(back) == 0 {
		werr = errors.New("all of it stands there already")
	}
	for _, w := range back {
		if werr = s.Write(w); werr != nil {
			break
		}
	}
	if werr != nil {
		e.Phase, e.What, next = "failed", werr.Error(), s.kept
	}
	e.At = s.Now()
	return e, errors.Join(werr, s.Commit(next, e, nil))
}

func allStand(s *site, writes []rules.Write) bool {
	return !slices.ContainsFunc(writes, func(w rules.Write) bool { return !s.stands(w) })
}

// stands reports whether what a write is to bring about is so already.
func (s *site) stands(w rules.Write) bool {
	b, err := s.Host.Read(w.Path, maxBefore)
	if w.Sum == "" {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && snapshot.Sum(b) == w.Sum
}

// ErrNoAction says that the journal has no such action that could be undone.
var ErrNoAction = errors.New("the journal has no action of that id that was carried out")

// find returns the entry of an action that was carried out.
func (s *site) find(id string) (found rules.Entry, err error) {
	err = s.st.View(func(tx *store.Tx) error {
		_, err := VerifyJournal(tx, func(e rules.Entry, _ string) {
			if e.Data["id"] == id && e.Command == "recover" && slices.Contains([]string{string(rules.Done), string(rules.Failed), string(rules.Awaited)}, e.Phase) {
				found = e
			}
		})
		return err
	})
	if err == nil && found.Seq == 0 {
		err = ErrNoAction
	}
	return found, err
}
