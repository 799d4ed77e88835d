package pipeline

import (
	"encoding/json"
	"errors"
	"slices"

	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/store"
)

// Append adds an entry to the journal: after the one that the head names, be it
// there or not. What follows the last that is there would hide that others are
// gone.
func Append(tx *store.Tx, e rules.Entry) error {
	head, err := journalHead(tx)
	if err != nil {
		return err
	}
	last := tx.JournalHead()
	if head == nil {
		raw, err := lastEntry(tx)
		if err != nil {
			return err
		}
		if head = (&report.Head{}); raw != nil { // that it is missing is noted: the chain need not break for it
			head.Hash = rules.Hash(raw)
		}
	}
	if last+head.Seq > 0 {
		if err := noteGap(tx); err != nil {
			return err
		}
	}
	after := max(head.Seq, last)
	raw, err := rules.Chain(after, head.Hash, e)
	if err != nil {
		return err
	}
	n, err := tx.AppendJournal(raw, after)
	if err != nil {
		return err
	}
	now, err := json.Marshal(report.Head{Seq: n, Hash: rules.Hash(raw)})
	if err != nil {
		return err
	}
	return tx.PutMeta(metaHead, now)
}

const (
	// metaHead is where the head of the journal is kept beside the journal, so that
	// a journal that was cut off at its end is noticed.
	metaHead = "journal-head"
	// metaGap is what was wrong with that end when the journal went on, for ever: at
	// its new end nothing is.
	metaGap = "journal-gap"
)

func noteGap(tx *store.Tx) error {
	if len(tx.Meta(metaGap)) > 0 {
		return nil
	}
	what, err := journalEnd(tx)
	if err != nil || what == "" {
		return err
	}
	return tx.PutMeta(metaGap, []byte(what))
}

func lastEntry(tx *store.Tx) (last []byte, err error) {
	if tx.JournalHead() == 0 {
		return nil, nil
	}
	err = tx.Journal(tx.JournalHead(), func(_ uint64, raw []byte) bool {
		last = slices.Clone(raw)
		return true
	})
	return last, err
}

func journalHead(tx *store.Tx) (*report.Head, error) {
	b := tx.Meta(metaHead)
	if b == nil {
		return nil, nil
	}
	var h report.Head
	if err := json.Unmarshal(b, &h); err != nil {
		return nil, err
	}
	return &h, nil
}

// NoteLost notes what the journal lacks, after a repair appended its entry: from then
// on it is known, and told, and no new damage. A journal that lacks nothing and is
// wrong all the same stays so.
func NoteLost(tx *store.Tx) error {
	if err := tx.NoteGaps(); err != nil || len(tx.Meta(metaGap)) == 0 {
		return err
	}
	var wrong *rules.ChainError
	switch _, err := VerifyJournal(tx, nil); {
	case errors.As(err, &wrong):
		return nil
	case err != nil:
		return err
	}
	return tx.PutMeta(metaGap, nil)
}

// pass goes over a gap that was noted before an entry.
func pass(v *rules.Verifier, gaps []store.Gap, raw []byte) {
	for _, g := range gaps {
		var e rules.Entry
		if g.From == v.Count+1 && g.Next == rules.Hash(raw) && json.Unmarshal(raw, &e) == nil {
			v.Count, v.Head = g.To, e.Prev
		}
	}
}

// VerifyJournal checks the whole chain and its head. The entries go to each. A gap
// that a repair noted (see store.Tx.KnownGaps) breaks no chain.
func VerifyJournal(tx *store.Tx, each func(rules.Entry, string)) (rules.Verifier, error) {
	var v rules.Verifier
	var bad error
	gaps, err := tx.KnownGaps()
	if err != nil {
		return v, err
	}
	err = tx.Journal(1, func(_ uint64, raw []byte) bool {
		pass(&v, gaps, raw)
		e, err := v.Add(raw)
		if err != nil {
			bad = err
			return false
		}
		if each != nil {
			each(e, v.Head)
		}
		return true
	})
	if err != nil {
		return v, err
	}
	if bad != nil {
		return v, bad
	}
	head, err := journalHead(tx)
	if err != nil {
		return v, err
	}
	if head == nil { // every store begins with an entry
		return v, &rules.ChainError{Seq: v.Count, What: "its head is missing: entries may have been cut off"}
	}
	return v, v.End(head.Seq, head.Hash)
}
