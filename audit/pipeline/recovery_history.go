package pipeline

import (
	"context"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// maxEvents bounds what a test of rules lists one by one.
const maxEvents = 500

// TestRules goes over the newest stored snapshots as if the rules had been
// there, and tells when each would have acted. It asks neither disk nor git:
// whether a file might have been written then, nobody knows any more.
func TestRules(ctx context.Context, tx *store.Tx, set *rules.Set, last int, collectors []*collect.Collector, checks []*audit.Check) (report.RuleTest, error) {
	t := report.RuleTest{Rules: set.Path, Results: make([]report.RuleResult, len(set.Rules)), Events: []report.RuleTestEvent{}}
	at := map[string]int{}
	for i, r := range set.Rules {
		t.Results[i].Rule, at[r.ID] = r.ID, i
	}
	trial := trial{set: set, at: at, test: &t, state: rules.State{Incidents: map[string]rules.Incident{}}}
	for seq := max(1, int64(tx.Seq())-int64(last)+1); seq <= int64(tx.Seq()); seq++ {
		if err := context.Cause(ctx); err != nil {
			return t, err
		}
		v, err := Load(tx, uint64(seq), collectors, checks)
		if err != nil {
			return t, err
		}
		trial.see(v)
	}
	return t, nil
}

// A trial is rules on their way through history.
type trial struct {
	set   *rules.Set
	at    map[string]int // rule → its result
	test  *report.RuleTest
	state rules.State
}

func (t *trial) see(v *View) {
	ref := &report.SnapshotRef{Seq: v.Seq, ID: v.Info.ID, At: sec(v.Info.Started)}
	if t.test.Snapshots++; t.test.From == nil {
		t.test.From = ref
	}
	t.test.To = ref
	w := v.World(nil, v.Info.Started)
	w.Trial = true
	p, next := t.set.Make(w, t.state)
	for _, u := range p.Unknown {
		r := &t.test.Results[t.at[u.Rule]]
		if r.Unknown += u.Items; r.Why == "" {
			r.Why = u.Why
		}
	}
	for _, s := range p.Steps {
		r := &t.test.Results[t.at[s.Rule]]
		r.Matched++
		if s.Status != rules.Planned {
			continue
		}
		r.Acted++
		rule, id := t.set.Rule(s.Rule), rules.IncidentID(s.Rule, s.Item)
		next.Incidents[id] = next.Incidents[id].Attempted(rule, v.Info.Started)
		if rule.Action.About != "" {
			next.Incidents[id] = next.Incidents[id].Renewed(v.Info.Started)
		}
		next.Global.Done = append(next.Global.Done, v.Info.Started)
		t.tell(ref, s.Rule, string(s.Item), "act", s.Attempt)
	}
	for _, e := range p.Exhausted {
		t.tell(ref, e.Rule, string(e.Item), "exhausted", e.Attempts)
	}
	t.state = next
}

func (t *trial) tell(at *report.SnapshotRef, rule, item, event string, attempt int) {
	if len(t.test.Events) < maxEvents {
		t.test.Events = append(t.test.Events, report.RuleTestEvent{Seq: at.Seq, At: at.At, Rule: rule, Item: item, Event: event, Attempt: attempt})
	}
}
