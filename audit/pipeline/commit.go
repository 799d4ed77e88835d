package pipeline

import (
	"encoding/json"
	"fmt"
	"reflect"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// commit writes the run in one transaction. With an error nothing of it is kept.
func (s *session) commit(v *View) error {
	if err := s.stage.flush(); err != nil {
		return fmt.Errorf("keep captured files: %w", err)
	}
	oldChecks, oldContext, oldTree, err := s.oldRows()
	if err != nil {
		return err
	}
	stamps, bases := s.newStamps(), s.bases()
	s.untidy = s.untidiness(v.Seq)
	ahead := s.keeping != nil
	st, err := s.forWriting()
	if err != nil {
		return err
	}
	defer st.Close()
	derived := func(tx *store.Tx) error { return s.keepDerived(tx, stamps, bases) }
	if !ahead && s.bulky() {
		if err := st.Update(derived); err != nil {
			return err
		}
		ahead = true
	}
	if ahead {
		derived = s.keepMade
	}
	return st.Update(func(tx *store.Tx) error {
		if err := derived(tx); err != nil {
			return err
		}
		if tx.Seq()+1 != v.Seq {
			return fmt.Errorf("the store changed during the run: snapshot %d is already there", v.Seq)
		}
		body, err := json.Marshal(v.Info)
		if err != nil {
			return err
		}
		h := store.Header{ID: s.info.ID, At: s.started, Score: -1, Items: uint32(len(s.snap.Items)), Brief: v.Info.Brief().encode(), Body: body}
		h.Score = v.hundredths()
		for _, n := range v.Info.Open {
			h.Findings += uint32(n)
		}
		seq, err := tx.AppendSnapshot(h)
		if err != nil {
			return err
		}
		w := writer{tx: tx, seq: seq}
		w.items(s.cmp)
		w.readings(s.snap)
		w.findings(v)
		for name, value := range s.cursors {
			w.put(tableCursor, name, value)
		}
		if !reflect.DeepEqual(oldChecks, v.checks) {
			w.json(tableState, rowChecks, v.checks)
		}
		if s.past == nil || !reflect.DeepEqual(oldContext, s.snap.Context) {
			w.json(tableState, rowContext, s.snap.Context)
		}
		w.tree(s.tree, oldTree)
		w.recovery(s.oldState, s.newState)
		w.recovered(v.recovered)
		w.givenUp(v.recovered, s.entry("recover"), s.started)
		w.do(func() error { return s.noteArchive(tx) })
		w.do(func() error { return EndRestores(tx, s.restored...) })
		return w.err
	})
}

// hundredths is the score as headers keep it, -1 for none.
func (v *View) hundredths() int32 {
	if v.Score.Value == nil {
		return -1
	}
	return int32(round(audit.Floor(*v.Score.Value)*100, 1))
}

// newStamps returns the stamps that the store does not have yet.
func (s *session) newStamps() map[string][]byte {
	out := map[string][]byte{}
	for path, st := range s.capture.Stamps() {
		if old, ok := s.known(path); !ok || old != st {
			out[path] = encodeStamp(st)
		}
	}
	return out
}

// oldRows reads what the commit compares with, before the store is closed for reading.
func (s *session) oldRows() (checks map[string]string, files []snapshot.File, tree string, err error) {
	if s.past == nil {
		return nil, nil, "", nil
	}
	if err := row(s.tx, s.past.seq, rowChecks, &checks); err != nil {
		return nil, nil, "", err
	}
	if err := row(s.tx, s.past.seq, rowContext, &files); err != nil {
		return nil, nil, "", err
	}
	return checks, files, tree, row(s.tx, s.past.seq, rowTree, &tree)
}

// bases returns, for the digest of every changed file, the digest it had
// before: the store keeps the new bytes as a difference to the old ones.
func (s *session) bases() map[string]string {
	was := map[string]string{}
	for _, it := range s.cmp.old {
		if s.snap.Item(it.Key) == it {
			continue
		}
		for _, f := range it.Files {
			was[f.Path] = f.SHA256
		}
	}
	out := map[string]string{}
	for _, it := range s.snap.Items {
		for _, f := range it.Files {
			if b := was[f.Path]; b != "" && b != f.SHA256 {
				out[f.SHA256] = b
			}
		}
	}
	return out
}
