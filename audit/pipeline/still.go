package pipeline

import (
	"encoding/json"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// A standstill is what the checks that are Still found when they last looked, and
// in which world. The store keeps one: most runs find what they saw before.
type standstill struct {
	World string                 `json:"w"`
	Found map[string]audit.Found `json:"f"`
}

const standstillKey = "judged.still"

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
	still := s.snap.Still()
	b, err := json.Marshal([]any{s.Build, rules, s.Config.Limits, still.Systems, still.Context, s.cmp.kept, snapshot.Sum(s.tree), s.cmp.seen.Sum(nil)})
	return snapshot.Sum(b), err
}

// found returns what is known of a world, nil where that is nothing.
func (s *session) found(world string) map[string]audit.Found {
	if was, ok := snapshot.Recall[standstill](s.derived, standstillKey); ok && was.World == world {
		return was.Found
	}
	return nil
}
