package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// What recovery remembers: incidents by rules.IncidentID, and what concerns all
// rules in the row rowGlobal. The plan of a run is a row of the state table.
const (
	tableRecovery = "recovery"
	rowGlobal     = "*"
	rowPlan       = "plan"
)

// A Recovered is what recovery planned or did in one run, as the run keeps it.
type Recovered struct {
	Rules int         `json:"n"` // how many there are
	Plan  *rules.Plan `json:"plan"`
}

// LoadState reads what recovery remembered at the newest snapshot.
func LoadState(tx *store.Tx) (rules.State, error) {
	st := rules.State{Incidents: map[string]rules.Incident{}}
	err := tx.Table(tableRecovery).Scan(tx.Seq(), "", func(id string, value []byte, _ uint64) error {
		if id == rowGlobal {
			return json.Unmarshal(value, &st.Global)
		}
		var inc rules.Incident
		if err := json.Unmarshal(value, &inc); err != nil {
			return fmt.Errorf("incident %s: %w", id, err)
		}
		st.Incidents[id] = inc
		return nil
	})
	return st, err
}

// SaveState writes what differs between two states at the newest snapshot.
func SaveState(tx *store.Tx, old, now rules.State) error {
	w := writer{tx: tx, seq: tx.Seq()}
	w.recovery(old, now)
	return w.err
}

func (w *writer) recovery(old, now rules.State) {
	for _, id := range slices.Sorted(maps.Keys(old.Incidents)) {
		if _, ok := now.Incidents[id]; !ok {
			w.do(func() error { return w.tx.Table(tableRecovery).Delete(w.seq, id) })
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now.Incidents)) {
		w.differs(id, old.Incidents[id], now.Incidents[id])
	}
	w.differs(rowGlobal, old.Global, now.Global)
}

// differs writes a row of the recovery table where its value is another one.
func (w *writer) differs(id string, old, now any) {
	if reflect.DeepEqual(old, now) {
		return
	}
	a, err1 := json.Marshal(old)
	b, err2 := json.Marshal(now)
	if err1 == nil && err2 == nil && bytes.Equal(a, b) {
		return
	}
	w.json(tableRecovery, id, now)
}

// remember reads what recovery remembers, and what of it stood at the run before.
func (s *session) remember() (err error) {
	var was *Recovered
	if s.past != nil {
		if s.oldState, err = LoadState(s.tx); err == nil {
			was, err = loadRecovered(s.tx, s.past.seq)
		}
	}
	var p *rules.Plan
	if was != nil && s.Recovery != "off" {
		p = was.Plan
	}
	s.standing = s.Rules.Standing(s.oldState, p)
	return err
}

// plan makes the plan of a run, if there are rules. When other things stand than
// at the run before, the run is judged again with them.
func (s *session) plan(ctx context.Context, v *View) (*View, error) {
	switch {
	case s.Recovery == "off":
		s.newState = s.oldState
	case s.Rules == nil: // what was under way, and what was not put back, is known until it ends
		s.newState = rules.State{Incidents: maps.Clone(s.oldState.Incidents), Global: s.oldState.Global}
		maps.DeleteFunc(s.newState.Incidents, func(_ string, inc rules.Incident) bool { return inc.Stuck == "" })
	default:
		src := &sources{ctx: ctx, host: s.Host, tx: s.tx, snap: s.snap, git: s.info.Git, now: s.started}
		p, next := s.Rules.Make(v.World(src, s.started), s.oldState)
		s.newState, s.recovered = next, &Recovered{Rules: len(s.Rules.Rules), Plan: p}
		v.recovered = s.recovered
	}
	var p *rules.Plan
	if s.recovered != nil {
		p = s.recovered.Plan
	}
	now := s.Rules.Standing(s.newState, p)
	if reflect.DeepEqual(now, s.standing) {
		return v, nil
	}
	s.standing = now
	return s.judge()
}

// World is what a plan for this view is made of.
func (v *View) World(src rules.Sources, now time.Time) *rules.World {
	return &rules.World{Seq: v.Seq, Run: v.Info.ID, Now: now, Taken: v.Info.Started, Every: v.every(), Snapshot: v.Snapshot, Subjects: v.subjects(), Sources: src}
}

// maxGaps is how many pauses between runs the usual one is taken from.
const maxGaps = 20

// every returns the usual time between two runs: what the configuration says,
// else the median of the last ones; 0 when there are too few.
func (v *View) every() time.Duration {
	if v.Info.Every > 0 {
		return v.Info.Every
	}
	at := make([]time.Time, 0, len(v.history)+1)
	for _, h := range v.history {
		at = append(at, h.At)
	}
	at = append(at, v.Info.Started)
	var gaps []time.Duration
	for i := max(1, len(at)-maxGaps); i < len(at); i++ {
		gaps = append(gaps, at[i].Sub(at[i-1]))
	}
	if len(gaps) < 3 {
		return 0
	}
	slices.Sort(gaps)
	return max(0, gaps[len(gaps)/2])
}

// subjects are the items as conditions see them.
func (v *View) subjects() []rules.Subject {
	change := v.since().Teller(v.Changes)
	regressed := map[snapshot.Key]bool{}
	for _, r := range v.Regressions {
		regressed[r.Item] = true
	}
	blind := map[string]bool{} // checks that nobody could look for anywhere
	for _, id := range v.Info.ChecksOff {
		blind[id] = true
	}
	for _, c := range v.Info.Crashed {
		blind[c.Check] = true
	}
	at := make(map[snapshot.Key]int, len(v.Snapshot.Items))
	out := make([]rules.Subject, len(v.Snapshot.Items))
	for i, it := range v.Snapshot.Items {
		score, ok := v.Score.Items[it.Key]
		if !ok {
			score = 100
		}
		at[it.Key] = i
		_, flapping := v.Info.Flapping[it.Key]
		out[i] = rules.Subject{Item: it, Level: v.level(it), Worst: v.worst[it.Key], Score: audit.Floor(score), Change: change(it),
			Regressed: regressed[it.Key], Flapping: flapping, Doubted: blind}
	}
	for _, t := range v.findings {
		i, ok := at[t.Item]
		if !ok && t.Open() && t.Item.IsPseudo() && t.Item.System() != snapshot.Auditor {
			it := whole(t.Item)
			i, ok = len(out), true
			at[t.Item] = i
			out = append(out, rules.Subject{Item: it, Level: v.level(it), Worst: v.worst[t.Item], Score: 100, Change: audit.Unchanged, Doubted: blind})
		}
		if !ok || !t.Open() {
			continue
		}
		s := &out[i]
		switch {
		case t.Accepted():
			s.Waived = true
		case t.Carried:
			s.Doubted = with(s.Doubted, blind, t.Check)
		default:
			if s.Open == nil {
				s.Open = map[string]bool{}
			}
			s.Open[t.Check] = true
		}
	}
	if len(out) == len(v.Snapshot.Items) {
		return out
	}
	slices.SortFunc(out, func(a, b rules.Subject) int { return strings.Compare(string(a.Item.Key), string(b.Item.Key)) })
	return out
}

// whole stands for what belongs to no single item of a system.
func whole(key snapshot.Key) *snapshot.Item {
	return &snapshot.Item{Key: key, Name: key.Name(), Kind: "system"}
}

// with adds a word to a set that may be the shared one.
func with(set, shared map[string]bool, word string) map[string]bool {
	if len(set) == len(shared) {
		set = maps.Clone(shared)
	}
	set[word] = true
	return set
}

// since is what is known of the snapshot that this one is held against.
func (v *View) since() audit.Since {
	return audit.Since{First: v.Seq == 1, Lost: v.alone, Unsure: v.unsure}
}

func (w *writer) recovered(d *Recovered) {
	was, err := loadRecovered(w.tx, w.seq)
	w.do(func() error { return err })
	if was != nil || d != nil {
		w.json(tableState, rowPlan, d)
	}
}

// givenUp tells, once for each, which incidents have no attempt left.
func (w *writer) givenUp(d *Recovered, e rules.Entry, now time.Time) {
	if d == nil {
		return
	}
	for _, x := range d.Plan.Exhausted {
		e.At, e.Phase, e.Item = now, "given up", string(x.Item)
		e.What = fmt.Sprintf("attempt %d of the rule %s was the last, and it did not help: a person must look", x.Attempts, x.Rule)
		w.do(func() error { return Append(w.tx, e) })
	}
}

// loadRecovered reads what recovery planned or did in a run; nil where there
// were no rules.
func loadRecovered(tx *store.Tx, seq uint64) (*Recovered, error) {
	var d *Recovered
	err := row(tx, seq, rowPlan, &d)
	return d, err
}
