package pipeline

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"healthaudit/rules"
	"healthaudit/rules/action"
	"healthaudit/snapshot"
)

// Hand is what carries out deeds: this machine.
func (s *site) Hand() *rules.Hand {
	h := &rules.Hand{Host: s.Host, Pause: pause, Folder: func(dir string) (rules.Folder, error) { return os.OpenRoot(dir) }}
	if s.hand != nil {
		return s.hand(h)
	}
	return h
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// ErrNoWayBack says that an action cannot be undone by audit.
var ErrNoWayBack = errors.New("there is no way back from it")

// A NothingError says that there is nothing to take back of an action: it is a
// rules.ErrNothing.
type NothingError struct {
	Held bool // its rule makes no further attempt there until it is reset
}

func (e *NothingError) Error() string { return rules.ErrNothing.Error() }
func (e *NothingError) Unwrap() error { return rules.ErrNothing }

// undo takes back the deed of a journal entry.
func (s *site) undo(did rules.Entry, d rules.Deed, err error) (rules.Entry, error) {
	if err != nil {
		return did, err
	}
	i := slices.IndexFunc(action.All(), func(a *rules.Action) bool { return a.ID == did.Data["action"] })
	if i < 0 || action.All()[i].Undo == nil {
		return did, ErrNoWayBack
	}
	id := did.Data["id"]
	e := s.entry("recover undo")
	e.Item, e.Data = did.Item, map[string]string{"id": id, "rule": did.Data["rule"], "action": did.Data["action"]}
	e.At, e.Phase, e.What = s.Now(), "intent", "take back "+id
	if err := s.Commit(s.kept, e, nil); err != nil {
		return did, err
	}
	next := s.rested(did)
	e.Phase, e.What = "done", id+" was taken back"
	uerr := action.All()[i].Undo(context.Background(), s.Hand(), d)
	if uerr != nil {
		e.Phase, e.What, next = "failed", uerr.Error(), s.kept
	}
	if errors.Is(uerr, rules.ErrNothing) {
		inc := s.kept.Incidents[rules.IncidentID(did.Data["rule"], snapshot.Key(did.Item))]
		uerr = &NothingError{Held: inc.Stuck != "" || inc.Undone}
	}
	e.At = s.Now()
	return e, errors.Join(uerr, s.Commit(next, e, nil))
}

// rested is the state in which the rule of an action makes no further attempt.
func (s *site) rested(did rules.Entry) rules.State {
	next := s.kept.Clone()
	incident := rules.IncidentID(did.Data["rule"], snapshot.Key(did.Item))
	if inc, ok := next.Incidents[incident]; ok {
		inc.Undone, inc.Stuck, inc.StuckWhy, inc.Cut = true, "", "", false
		next.Incidents[incident] = inc
	}
	next.Global.Waiting = slices.DeleteFunc(slices.Clone(next.Global.Waiting), func(w rules.Waiting) bool { return w.Step.ID == did.Data["id"] })
	return next
}
