package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// commit writes the run in one transaction. With an error nothing of it is kept.
func (s *session) commit(v *View) error {
	if err := s.stage.flush(); err != nil {
		return fmt.Errorf("keep captured files: %w", err)
	}
	stamps := s.newStamps()
	oldChecks, oldContext, oldTree, err := s.oldRows()
	if err != nil {
		return err
	}
	bases := s.bases()
	s.untidy = s.untidiness(v.Seq)
	s.release()
	st, err := store.Open(s.Store, store.Options{Wait: 30 * time.Second, Checked: true})
	if err != nil {
		return err
	}
	defer st.Close()
	derived := func(tx *store.Tx) error { return s.keepDerived(tx, stamps, bases) }
	if s.stage.end > bulk {
		// Content-addressed rows that nothing refers to yet: a transaction of their
		// own halves the memory of a first run, and losing them loses nothing.
		if err := st.Update(derived); err != nil {
			return err
		}
		derived = func(*store.Tx) error { return nil }
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

// bulk is how many new bytes of files get a transaction of their own.
const bulk = 1 << 20

// keepDerived keeps what is known by its content: captured bytes, their stamps
// and the analyses made of them.
func (s *session) keepDerived(tx *store.Tx, stamps map[string][]byte, bases map[string]string) error {
	w := writer{tx: tx}
	w.blobs(s.stage, bases)
	for _, path := range slices.Sorted(maps.Keys(stamps)) {
		w.do(func() error { return tx.PutStat(path, stamps[path]) })
	}
	captured := map[string]bool{}
	for _, st := range s.capture.Stamps() {
		captured[st.SHA256] = true
	}
	for _, key := range slices.Sorted(maps.Keys(s.memo.fresh)) {
		m := s.memo.fresh[key]
		w.do(func() error { return tx.PutMade(key, m.value, begins(m.of, captured)) })
	}
	w.do(func() error { return forget(tx, len(bases)) })
	return w.err
}

// begins returns the beginnings of those inputs that are digests of captured bytes.
func begins(inputs []string, captured map[string]bool) (out []store.Begin) {
	for _, in := range inputs {
		if b, ok := store.BeginOf(in); ok && captured[in] {
			out = append(out, b)
		}
	}
	return out
}

// forgetLeast is how many files must have changed before analyses of bytes that
// are no more are looked for: the looking reads all of them.
const forgetLeast = 200

// metaChanged counts the files that changed since.
const metaChanged = "changed"

// forget takes away the analyses of bytes that no file has any more.
func forget(tx *store.Tx, changed int) error {
	if changed == 0 {
		return nil
	}
	n := counter(tx, metaChanged) + changed
	if n >= forgetLeast {
		n = 0
		current := map[store.Begin]bool{}
		err := tx.ScanStat(func(_ string, v []byte) bool {
			if st, ok := decodeStamp(v); ok {
				b, _ := store.BeginOf(st.SHA256)
				current[b] = true
			}
			return true
		})
		if err != nil {
			return err
		}
		if _, err := tx.DropStale(func(b store.Begin) bool { return current[b] }); err != nil {
			return err
		}
	}
	return tx.PutMeta(metaChanged, fmt.Append(nil, n))
}

// counter returns a number that the store keeps, 0 where there is none.
func counter(tx *store.Tx, name string) (n int) {
	_, _ = fmt.Sscan(string(tx.Meta(name)), &n)
	return n
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
