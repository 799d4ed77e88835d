package pipeline

import (
	"encoding/json"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A base is what the pinned snapshot says.
type base struct {
	tx    *store.Tx
	mark  audit.Mark
	info  Info
	recs  []*audit.Record // open ones
	rules map[string]string
}

// loadBase reads the baseline; nil when none is pinned or it is no longer kept.
func loadBase(tx *store.Tx) (*base, error) {
	pin, err := Baseline(tx)
	if err != nil || pin == nil {
		return nil, err
	}
	h, ok, err := tx.Header(pin.Seq)
	if err != nil || !ok {
		return nil, err
	}
	b := &base{tx: tx, mark: audit.Mark{Seq: pin.Seq, Run: h.ID, At: h.At}, rules: map[string]string{}}
	if err := json.Unmarshal(h.Body, &b.info); err != nil {
		return nil, err
	}
	if err := row(tx, pin.Seq, rowChecks, &b.rules); err != nil {
		return nil, err
	}
	all, err := records(tx, pin.Seq)
	for _, r := range all {
		if r.Open() && !slices.Contains(b.info.ChecksOff, r.Check) {
			b.recs = append(b.recs, r)
		}
	}
	return b, err
}

// compare holds a run against the baseline, by the rules that both have.
func (b *base) compare(v *View) *audit.Base {
	same := func(check string) bool { return b.rules[check] == v.checks[check] }
	var then, now []audit.Tracked
	known := map[string]bool{}
	for _, r := range b.recs {
		known[r.ID] = true
		if same(r.Check) {
			then = append(then, audit.Tracked{Record: r})
		}
	}
	out := &audit.Base{Added: map[snapshot.Key]audit.Severity{}}
	for _, t := range v.findings {
		if !t.Counts() || t.Ended || !same(t.Check) {
			continue
		}
		now = append(now, t)
		if t.Severity >= audit.Medium && !known[t.ID] {
			out.Added[t.Item] = max(out.Added[t.Item], t.Severity)
		}
	}
	out.Then = audit.Side{Mark: b.mark, Scores: audit.ItemScores(then), Has: func(k snapshot.Key) bool { return b.comparable(v, k) }}
	out.Now = audit.Side{Scores: audit.ItemScores(now)}
	return out
}

// comparable reports whether an item was judged in the baseline, and what was
// found since is not due to a tool that sees more.
func (b *base) comparable(v *View, k snapshot.Key) bool {
	was := (&snapshot.Snapshot{Systems: b.info.Systems}).System(k.System())
	if _, unjudged := b.info.Judged[k]; unjudged || !was.Status.Listed() || was.Epoch != v.Snapshot.System(k.System()).Epoch {
		return false
	}
	stored, ok, err := b.tx.Table(tableItem).Text(b.mark.Seq, string(k))
	if err != nil || !ok {
		return false
	}
	old, err := snapshot.DecodeItem(stored)
	return err == nil && old.Unknown == "" && (b.info.Tool == v.Info.Tool || stored != string(v.Snapshot.Item(k).Encode()))
}
