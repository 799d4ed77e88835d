package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync/atomic"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A standstill is what the checks that are Still found when they last looked, and
// in which world. The store keeps one: most runs find what they saw before.
type standstill struct {
	World string                 `json:"w"`
	Found map[string]audit.Found `json:"f"`
}

const standstillKey = "judged.still"

// maxStandstill bounds what is kept of it, in bytes: reading more takes longer than
// looking again.
const maxStandstill = 4 << 20

// stillWorld returns the digest of all that checks which are Still can see, and of
// the rules that look at it.
func (s *session) stillWorld(checks []*audit.Check) (string, error) {
	type rule struct {
		ID      string
		Version int
	}
	var rules []rule
	for _, c := range checks {
		if c.Still {
			rules = append(rules, rule{c.ID, c.Version})
		}
	}
	items, err := s.statesSeen()
	if err != nil {
		return "", err
	}
	b, err := json.Marshal([]any{s.Version, s.Build, rules, s.Config.Limits, s.snap.StillSystems(), s.snap.Context, s.cmp.kept, snapshot.Sum(s.tree), items})
	return snapshot.Sum(b), err
}

// found returns what is known of a world, nil where that is nothing.
func (s *session) found(world string) map[string]audit.Found {
	var was standstill
	if s.Build == "" || json.Unmarshal(s.memo.Get(standstillKey), &was) != nil || was.World != world {
		return nil
	}
	return was.Found
}

// noJSON is how JSON writes a byte that is not UTF-8: what is read back is another.
var noJSON = []byte(`\ufffd`)

// keepFound keeps what was found in a world, unless some of it may be another when
// it is read back or looked for again.
func (s *session) keepFound(world string, found map[string]audit.Found) {
	if s.Build == "" || s.unread.any.Load() {
		return
	}
	b, err := json.Marshal(standstill{world, found})
	if err == nil && len(b) <= maxStandstill && !bytes.Contains(b, noJSON) {
		s.memo.Put(standstillKey, b)
	}
}

// An unread is what of the bytes that were kept could not be read.
type unread struct {
	any    atomic.Bool // they may be readable in another run
	damage atomic.Pointer[store.CorruptError]
}

// A noting content notes what could not be read.
type noting struct {
	stored
	failed *unread
}

func (n noting) Bytes(sum string) ([]byte, error) {
	b, err := n.stored.Bytes(sum)
	n.note(err)
	return b, err
}

func (n noting) note(err error) {
	if none := errNoBytes(""); err != nil && !errors.As(err, &none) && !errors.Is(err, store.ErrNoBlob) {
		n.failed.any.Store(true)
	}
	if bad := (*store.CorruptError)(nil); errors.As(err, &bad) {
		n.failed.damage.CompareAndSwap(nil, bad)
	}
}
