package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sick is an item with one high finding.
func sick(key snapshot.Key, check string) Subject {
	return Subject{Item: &snapshot.Item{Key: key, Name: key.Name(), Path: key.Name(), State: "errored"}, Level: audit.LevelFailing, Worst: audit.High, Score: 70,
		Change: "unchanged", Open: map[string]bool{check: true}}
}

// well is an item without findings.
func well(key snapshot.Key) Subject {
	return Subject{Item: &snapshot.Item{Key: key, Name: key.Name(), State: "online"}, Level: audit.LevelOK, Score: 100, Change: "unchanged"}
}

// A story is one project over several runs.
type story struct {
	t     *testing.T
	set   *Set
	state State
	seq   uint64
	now   time.Time
	every time.Duration
}

func tell(t *testing.T, src string) *story {
	return &story{t: t, set: parse(t, src), state: State{Incidents: map[string]Incident{}}, now: noon, every: 15 * time.Minute}
}

// run plans one run, a quarter of an hour after the one before.
func (s *story) run(subjects ...Subject) *Plan {
	s.t.Helper()
	s.seq++
	s.now = s.now.Add(s.every)
	return s.again(subjects...)
}

// again plans the same run once more.
func (s *story) again(subjects ...Subject) *Plan {
	s.t.Helper()
	p, next := s.set.Make(s.world(subjects), s.state)
	s.state = next
	return p
}

func (s *story) world(subjects []Subject) *World {
	return &World{Seq: s.seq, Run: fmt.Sprint("run", s.seq), Now: s.now, Every: s.every, Subjects: subjects}
}

// act carries the planned steps out, without any success.
func (s *story) act(p *Plan) {
	for _, step := range p.Steps {
		if step.Status == Planned {
			id := IncidentID(step.Rule, step.Item)
			s.state.Incidents[id] = s.state.Incidents[id].Attempted(s.set.Rule(step.Rule), s.now)
			s.state.Global.Done = append(s.state.Global.Done, s.now)
		}
	}
}

// short is a plan in a line: the planned steps, then the others with why.
func short(p *Plan) string {
	var out []string
	for _, s := range p.Steps {
		word := string(s.Skip)
		if s.Status == Planned {
			word = fmt.Sprint("attempt ", s.Attempt)
		}
		out = append(out, fmt.Sprintf("%s %s: %s", s.Rule, s.Item, word))
	}
	return strings.Join(out, "; ")
}

func (s *story) want(p *Plan, want string) {
	s.t.Helper()
	if got := short(p); got != want {
		s.t.Errorf("run %d: %s\nwant %s", s.seq, got, want)
	}
}

// One rule that acts at once, with the settings added.
func rule(more ...string) string {
	return "version: 1\nrules:\n  - id: a\n    system: scripts\n    when: 'finding(\"script-syntax\")'\n    action: {type: file.restore}\n    " + strings.Join(more, "\n    ") + "\n"
}

var x, xWell = sick("scripts/x", "script-syntax"), well("scripts/x")
