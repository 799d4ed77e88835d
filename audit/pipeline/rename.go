package pipeline

import (
	"maps"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// follow returns what was judged before with the items that were renamed since
// under their new names, so that a new name hides nothing that became worse, and
// ends no regression. Left are the regressions of the old names.
func (j *judged) follow(changes []snapshot.Change) (now *judged, left []*audit.Regression) {
	to := map[snapshot.Key]snapshot.Key{}
	for _, c := range changes {
		if c.From != "" {
			to[c.From] = c.Item
		}
	}
	if len(to) == 0 {
		return j, nil
	}
	c := *j
	c.open, c.regressions, c.judged = slices.Clone(j.open), slices.Clone(j.regressions), maps.Clone(j.judged)
	for i, t := range c.open {
		if k, ok := to[t.Item]; ok {
			r := *t.Record
			r.Item = k
			c.open[i].Record = &r
		}
	}
	for i, r := range c.regressions {
		if k, ok := to[r.Item]; ok {
			left = append(left, r)
			moved := *r
			moved.Item = k
			c.regressions[i] = &moved
		}
	}
	for was, k := range to {
		if seq, ok := j.judged[was]; ok {
			c.judged[k] = seq
		}
	}
	return &c, left
}
