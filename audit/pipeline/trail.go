package pipeline

import (
	"encoding/json"
	"slices"

	"healthaudit/audit"
	"healthaudit/audit/trend"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// trails returns how those items were of late whose findings changed within the
// last snapshots; all others were the whole time as they are.
func trails(tx *store.Tx, v *View, old *judged) (map[snapshot.Key]audit.Trail, error) {
	w := v.history[max(len(v.history)-audit.TrailLength+1, 0):]
	if len(w) == 0 {
		return nil, nil
	}
	moved := movedSince(w[0].Seq, old.recs, v.findings)
	for k := range moved {
		if it := v.Snapshot.Item(k); it == nil || it.Carried || it.Unknown != "" {
			delete(moved, k)
		}
	}
	if len(moved) == 0 {
		return nil, nil
	}
	t := &tracer{tx: tx, view: v, off: v.Info.ChecksOff}
	for _, p := range w {
		if err := t.add(p.Seq); err != nil {
			return nil, err
		}
	}
	of := map[snapshot.Key][]*audit.Record{}
	for _, r := range old.recs {
		if moved[r.Item] {
			of[r.Item] = append(of[r.Item], r)
		}
	}
	now := audit.ItemScores(v.findings)
	out := make(map[snapshot.Key]audit.Trail, len(moved))
	for k := range moved {
		trail, err := t.trace(k, of[k])
		if err != nil {
			return nil, err
		}
		score := 100.0
		if n, ok := now[k]; ok {
			score = n
		}
		trail.Levels = append(trail.Levels, v.level(v.Snapshot.Item(k)))
		if trail.Scores != nil {
			trail.Scores = append(trail.Scores, score)
		}
		out[k] = trail
	}
	return out, nil
}

// movedSince returns the items of which a finding began, ended or changed after
// a snapshot.
func movedSince(seq uint64, recs []*audit.Record, now []audit.Tracked) map[snapshot.Key]bool {
	moved := map[snapshot.Key]bool{}
	note := func(r *audit.Record) {
		if r.Opened.Seq > seq || r.Updated != nil && r.Updated.Seq > seq || r.Resolved != nil && r.Resolved.Seq > seq {
			moved[r.Item] = true
		}
	}
	for _, r := range recs {
		note(r)
	}
	for _, t := range now {
		note(t.Record)
	}
	return moved
}

// A tracer reads how items were in some snapshots.
type tracer struct {
	tx    *store.Tx
	view  *View
	off   []string
	seqs  []uint64
	infos []Info
	rules map[string]string // of the first of them
}

func (t *tracer) add(seq uint64) error {
	h, ok, err := t.tx.Header(seq)
	if err != nil || !ok {
		return err
	}
	var i Info
	if err := json.Unmarshal(h.Body, &i); err != nil {
		return err
	}
	if t.rules == nil {
		t.rules = map[string]string{}
		if err := row(t.tx, seq, rowChecks, &t.rules); err != nil {
			return err
		}
	}
	t.seqs, t.infos = append(t.seqs, seq), append(t.infos, i)
	return nil
}

// trace returns the trail of an item with these records, without this run.
func (t *tracer) trace(k snapshot.Key, recs []*audit.Record) (trail audit.Trail, err error) {
	there, err := t.there(k)
	if err != nil {
		return trail, err
	}
	versions := make([][]version, len(recs))
	sameRules := true
	for i, r := range recs {
		if versions[i], err = versionsOf(t.tx, r.ID); err != nil {
			return trail, err
		}
		sameRules = sameRules && t.rules[r.Check] == t.view.checks[r.Check]
	}
	for i, seq := range t.seqs {
		info := &t.infos[i]
		if _, unjudged := info.Judged[k]; unjudged || !there(seq) || !(&snapshot.Snapshot{Systems: info.Systems}).System(k.System()).Status.Listed() {
			continue
		}
		worst, score := audit.Severity(0), 100.0
		for _, v := range versions {
			if r := openAt(v, seq); r != nil && r.Counts() && !slices.Contains(info.ChecksOff, r.Check) && !slices.Contains(t.off, r.Check) {
				worst, score = max(worst, r.Severity), score*(1-audit.Penalty[r.Severity])
			}
		}
		trail.Levels = append(trail.Levels, audit.LevelOf(&snapshot.Item{}, worst))
		if sameRules {
			trail.Scores = append(trail.Scores, score)
		}
	}
	return trail, nil
}

// there tells in which snapshots an item was there and could be judged.
func (t *tracer) there(k snapshot.Key) (func(seq uint64) bool, error) {
	type state struct {
		seq uint64
		is  bool
	}
	var states []state // newest first
	var bad error
	err := t.tx.Table(tableItem).History(string(k), func(seq uint64, value []byte) bool {
		is := value != nil
		if is {
			var it *snapshot.Item
			if it, bad = snapshot.DecodeItem(string(value)); bad != nil {
				return false
			}
			is = it.Unknown == ""
		}
		states = append(states, state{seq, is})
		return seq > t.seqs[0]
	})
	if err == nil {
		err = bad
	}
	return func(seq uint64) bool {
		i := slices.IndexFunc(states, func(s state) bool { return s.seq <= seq })
		return i >= 0 && states[i].is
	}, err
}

// flap decides which items flap. What could not be judged now stays as it was.
func (v *View) flap(old *judged, trails map[snapshot.Key]audit.Trail) {
	decide := func(k snapshot.Key, percent float64, was bool) {
		if !trend.Flapping(percent, was) {
			return
		}
		if v.Info.Flapping == nil {
			v.Info.Flapping = map[snapshot.Key]float64{}
		}
		v.Info.Flapping[k] = round(percent, 10)
	}
	for k, t := range trails {
		_, was := old.flapping[k]
		decide(k, t.Flaps(), was)
	}
	for k, percent := range old.flapping {
		it := v.Snapshot.Item(k)
		if _, known := trails[k]; !known && it != nil && (it.Carried || it.Unknown != "") {
			decide(k, percent, true)
		}
	}
}
