package rules

import (
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
)

// standing are the breakers that do not open again with the next run: what only
// bounds one run is no news.
var standing = []string{breakerUnhealthy, breakerFailures, breakerDay}

// Standing says what a person should know of until it ends. It is about a plan
// and what is remembered after it; the plan may be nil, and so may the set.
func (s *Set) Standing(st State, p *Plan) *audit.Recovery {
	out := &audit.Recovery{}
	if s != nil {
		out.Path = s.Path
	}
	let := letAlone(p)
	for _, id := range slices.Sorted(maps.Keys(st.Incidents)) {
		inc := st.Incidents[id]
		name, item := SplitIncident(id)
		r := s.Rule(name)
		line := 0
		if r != nil {
			line = r.Line
		}
		switch {
		case inc.Stuck != "":
			out.Stuck = append(out.Stuck, audit.Stuck{Rule: name, Item: string(item), Line: line, Step: inc.Stuck, Why: inc.StuckWhy, Cut: inc.Cut})
		case r == nil || inc.Attempts < r.Attempts || inc.Undone || !inc.Told || !inc.Holds() || let[id]:
		default:
			g := audit.GivenUp{Rule: name, Action: r.Action.ID, Item: string(item), Line: line, Attempts: inc.Attempts, Reset: r.Reset}
			if inc.Latched != nil && r.Disable > 0 {
				g.Again = inc.Latched.Add(r.Disable)
			}
			out.GivenUp = append(out.GivenUp, g)
		}
	}
	if p != nil {
		out.Breakers = held(p)
	}
	return out
}

// letAlone are the incidents whose item is well, or of which a finding is waived.
func letAlone(p *Plan) map[string]bool {
	out := map[string]bool{}
	if p == nil {
		return out
	}
	for _, s := range p.Steps {
		if s.Skip == SkipHealthy || s.Skip == SkipWaived {
			out[IncidentID(s.Rule, s.Item)] = true
		}
	}
	return out
}

// held are the breakers that hold steps of a plan back.
func held(p *Plan) (out []audit.Breaker) {
	for _, s := range p.Steps {
		name, why, _ := strings.Cut(s.Reason, ": ")
		if s.Skip != SkipBreaker || !slices.Contains(standing, name) {
			continue
		}
		b := audit.Breaker{Name: name, Why: why}
		if name == breakerUnhealthy {
			b.System = string(s.Item.System())
		}
		i := slices.IndexFunc(out, func(o audit.Breaker) bool { return o.Name == b.Name && o.System == b.System })
		if i < 0 {
			i = len(out)
			out = append(out, b)
		}
		out[i].Held++
	}
	slices.SortFunc(out, func(a, b audit.Breaker) int { return strings.Compare(a.Name+" "+a.System, b.Name+" "+b.System) })
	return out
}
