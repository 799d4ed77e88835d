package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// One answer to "when was it last good": what recovery writes, what a restore
// takes, and what pruning keeps.
func TestLastGood_is_one(t *testing.T) {
	st := pruneStore(t, 6, 4) // well in 1 and 2, medium in 3, high from 4 on
	key := snapshot.NewKey(snapshot.Scripts, "a.sh")
	put := func(id string, from, to uint64, severity audit.Severity, w *audit.Waived) {
		t.Helper()
		r := audit.Record{Finding: audit.Finding{ID: id, Item: key, Check: id, Severity: severity, Waived: w}, First: audit.Mark{Seq: from}, Opened: audit.Mark{Seq: from}}
		err := st.Update(func(tx *store.Tx) error {
			b, _ := json.Marshal(r)
			r.Resolved = &audit.Mark{Seq: to}
			end, _ := json.Marshal(r)
			return errors.Join(tx.Table(tableFinding).Put(from, id, b), tx.Table(tableFinding).Put(to, id, end))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("m", 3, 4, audit.Medium, nil)
	put("w", 2, 3, audit.Critical, &audit.Waived{Severity: audit.Critical})
	err := st.View(func(tx *store.Tx) error {
		s, _, err := LoadSnapshot(tx, 6)
		if err != nil {
			return err
		}
		src := &sources{tx: tx, snap: s}
		f, seq, err := src.LastGood(s.Items[0], audit.High)
		if err != nil || seq != 3 || f.SHA256 != snapshot.Sum([]byte("echo 3\n")) {
			t.Errorf("recovery writes #%d %s: %v, want the merely better one", seq, f.SHA256, err)
		}
		if it, seq, err := LastGood(tx)(key, 6); err != nil || seq != 3 || it == nil {
			t.Errorf("a restore takes #%d: %v", seq, err)
		}
		if _, seq, err := src.LastGood(s.Items[0], audit.Medium); err != nil || seq != 2 {
			t.Errorf("of what is medium now recovery writes #%d: %v, want the newest that was ok, waived or not", seq, err)
		}
		if need, err := NeededGood(tx); err != nil || fmt.Sprint(need[key]) != "[3 2]" {
			t.Errorf("pruning keeps %v: %v, want the better and the ok one", need, err)
		}
		same := *s.Items[0]
		same.Files = []snapshot.File{{Path: "a.sh", SHA256: snapshot.Sum([]byte("echo 3\n"))}}
		var refused *rules.Refusal
		if _, _, err := src.LastGood(&same, audit.High); !errors.As(err, &refused) {
			t.Errorf("what is as it was when it was good: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if p := plan(t, st, Retention{Last: 1}); !p[1].Kept() || !p[2].Kept() || p[0].Kept() {
		t.Errorf("%+v", p)
	}
}
