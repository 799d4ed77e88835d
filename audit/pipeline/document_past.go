package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/store"
)

// Bounds of what a document tells of the past.
const (
	maxMended  = 500
	maxJournal = 20
)

// scoredBefore returns the run that the deltas of a stored score are from: the one
// right before, be it the newest that is still there or not; nil where it is gone.
func scoredBefore(tx *store.Tx, seq uint64) (*report.SnapshotRef, error) {
	if seq < 2 {
		return nil, nil
	}
	h, ok, err := tx.Header(seq - 1)
	if !ok || err != nil {
		if tx.Bear(err) {
			err = nil
		}
		return nil, err
	}
	return &report.SnapshotRef{Seq: seq - 1, ID: h.ID, At: sec(h.At)}, nil
}

// mended returns what was resolved since the oldest score that the document
// shows, and before this run.
func (v *View) mended() []report.Mended {
	out := []report.Mended{}
	if len(v.history) == 0 {
		return out
	}
	for _, r := range v.recs {
		if r.Resolved == nil || r.Resolved.Seq >= v.Seq || r.Resolved.At.Before(v.history[0].At) || v.followed[r.ID] {
			continue
		}
		out = append(out, report.Mended{ID: r.ID, Check: r.Check, Severity: r.Severity.String(), Item: string(r.Item), System: string(r.System),
			Title: r.Title, Opened: mark(r.Opened), Resolved: mark(*r.Resolved)})
	}
	slices.SortFunc(out, func(a, b report.Mended) int {
		return cmp.Or(b.Resolved.At.Compare(a.Resolved.At), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Check, b.Check), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), maxMended)]
}

// week returns what starts in the week of the run, nil when nothing does. The
// clock is UTC: a document must not depend on where it is printed.
func (v *View) week() *report.Week {
	w := Timetable(v.Snapshot, report.SnapshotRef{}, v.Info.Started.UTC()).Week
	if w.Starts == 0 {
		return nil
	}
	return &w
}

// journalTail reads the newest entries up to a head.
func journalTail(tx *store.Tx, head *report.Head) ([]report.JournalRow, error) {
	if head == nil || head.Seq == 0 {
		return nil, nil
	}
	var out []report.JournalRow
	err := tx.Journal(max(head.Seq, maxJournal)-maxJournal+1, func(n uint64, raw []byte) bool {
		if n > head.Seq {
			return false
		}
		var e rules.Entry
		row := report.JournalRow{Seq: n, At: sec(e.At), Result: "unreadable", Detail: "audit journal verify says more", Hash: rules.Hash(raw)}
		if json.Unmarshal(raw, &e) == nil {
			row = JournalRow(e, row.Hash)
		}
		out = append(out, row)
		return n < head.Seq
	})
	if tx.Bear(err) {
		err = nil
	}
	return out, err
}

// JournalRow makes an entry of the journal what documents and listings show.
// Hash is that of its raw bytes.
func JournalRow(e rules.Entry, hash string) report.JournalRow {
	who := e.Actor.User
	if who == "" {
		who = fmt.Sprintf("uid %d", e.Actor.UID)
	}
	return report.JournalRow{Seq: e.Seq, At: sec(e.At), Actor: strings.TrimSpace(who + " via " + e.Actor.Via),
		Action: e.Command, Item: e.Item, Result: e.Phase, Detail: e.What, Hash: hash}
}

// follow notes the findings of the view, among all that the store knows.
func (v *View) follow(recs []*audit.Record) {
	v.recs, v.followed = recs, make(map[string]bool, len(v.findings))
	for _, t := range v.findings {
		v.followed[t.ID] = true
	}
}
