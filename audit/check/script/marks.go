package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
)

// A marked is an item with the marks of one kind in its text, never empty, and
// what starts it.
type marked struct {
	it      *snapshot.Item
	marks   []trait.Mark
	started refs.Started
}

// marksOf returns the items of the check whose text has marks of a kind. What is
// found in a text that does not parse this time is in doubt.
func marksOf(p *audit.Pass, kind trait.Kind) (out []marked) {
	index := trait.Indexed(p.Now, p.Derived)
	for _, key := range index.Broken {
		p.DoubtAll(key)
	}
	var started map[snapshot.Key]refs.Started
	for _, it := range index.Items {
		list := index.Of(it, kind)
		if len(list) == 0 || it.System() != snapshot.Scripts {
			continue
		}
		if started == nil {
			started = refs.NewTable(p.Now, p.Derived).Started()
		}
		out = append(out, marked{it, list, started[it.Key]})
	}
	return out
}

// unwatched returns what runs the item while nobody looks: a schedule, a crontab
// or PM2. A workflow is none: its run is kept, with what it said.
func (m marked) unwatched() snapshot.Key {
	s := m.started
	if s.Cron != "" {
		return s.Cron
	}
	if s.App != "" {
		return s.App
	}
	if s.Clock.System() != snapshot.Workflows {
		return s.Clock
	}
	return ""
}

// report begins a finding at the first mark, with what else there is to say.
func (m marked) report() audit.Report {
	r := audit.Report{Item: m.it.Key, At: audit.Location{Path: m.it.Path, Line: m.marks[0].Line, Column: m.marks[0].Column}}
	if by := m.started.By(); by != "" && by != m.it.Key {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "started by", Value: string(by)})
	}
	if n := len(m.marks) - 1; n > 0 {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "further places", Value: fmt.Sprint(n)})
	}
	return r
}
