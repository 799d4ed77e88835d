package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// pruneStore has n snapshots an hour apart, with one script whose bytes change in
// each, and a finding of it from one of them on.
func pruneStore(t *testing.T, n, broken int) *store.Store {
	t.Helper()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	st, err := store.Open(filepath.Join(t.TempDir(), store.Folder, "audit.db"), store.Options{Create: true, Now: at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	key := snapshot.NewKey(snapshot.Scripts, "a.sh")
	for i := 1; i <= n; i++ {
		at = at.Add(time.Hour)
		info := Info{ID: fmt.Sprintf("01PRUNE%06d", i), Started: at, Systems: []snapshot.SystemState{{System: snapshot.Scripts, Status: snapshot.StatusOK}}}
		body, _ := json.Marshal(info)
		text := fmt.Appendf(nil, "echo %d\n", i)
		it := &snapshot.Item{Key: key, Name: "a.sh", Path: "a.sh", Files: []snapshot.File{{Path: "a.sh", SHA256: snapshot.Sum(text), Size: int64(len(text))}}}
		err := st.Update(func(tx *store.Tx) error {
			seq, err := tx.AppendSnapshot(store.Header{ID: info.ID, At: at, Brief: info.Brief().encode(), Body: body})
			err = errors.Join(err, tx.PutBlob(snapshot.Sum(text), text, ""), tx.Table(tableItem).Put(seq, string(key), it.Encode()),
				tx.PutObs(seq, string(snapshot.Scripts), []byte("{}")))
			if i != broken {
				return err
			}
			r := audit.Record{Finding: audit.Finding{ID: "f", Item: key, Check: "script-syntax", Severity: audit.High}, First: audit.Mark{Seq: seq}, Opened: audit.Mark{Seq: seq}}
			b, jerr := json.Marshal(r)
			return errors.Join(err, jerr, tx.Table(tableFinding).Put(seq, "f", b))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func plan(t *testing.T, st *store.Store, r Retention) (out []Fate) {
	t.Helper()
	err := st.View(func(tx *store.Tx) (err error) {
		out, err = PlanPruning(tx, r, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func soundAfter(t *testing.T, st *store.Store) {
	t.Helper()
	if found, err := st.Verify(t.Context(), true); err != nil || len(found) > 0 {
		t.Errorf("verify: %v %v", found, err)
	}
}

// TestPrune: what a plan does not keep goes in batches, as long as there is time,
// and the bytes that nothing shows any more go after it.
func TestPrune(t *testing.T) {
	st := pruneStore(t, 40, 21)
	p := plan(t, st, Retention{Last: 2})
	if n := dropped(p); n != 37 || p[19].Reasons[0] != "last good of scripts/a.sh" {
		t.Fatalf("%d go, #20 is kept for %v", n, p[19].Reasons)
	}
	signal := errors.New("a signal")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(signal)
	if gone, err := Prune(ended, st, p, func() bool { return false }); !errors.Is(err, signal) || gone.Snapshots != 0 {
		t.Errorf("after a signal %+v went: %v", gone, err)
	}
	asked := 0
	gone, err := Prune(t.Context(), st, p, func() bool { asked++; return asked <= 2 })
	if err != nil || gone.Snapshots != 2*pruneBatch {
		t.Errorf("within the time %+v went: %v", gone, err)
	}
	soundAfter(t, st)
	gone, err = Prune(t.Context(), st, plan(t, st, Retention{Last: 2}), func() bool { return true })
	if err != nil || gone.Snapshots != 37-2*pruneBatch {
		t.Errorf("then %+v went: %v", gone, err)
	}
	soundAfter(t, st)
	swept, err := Sweep(t.Context(), st)
	if err != nil || swept.Blobs != 37 {
		t.Errorf("swept %+v: %v", swept, err)
	}
	soundAfter(t, st)
	if again, err := Sweep(t.Context(), st); err != nil || again.Blobs != 0 {
		t.Errorf("swept again %+v: %v", again, err)
	}
	for _, f := range plan(t, st, Retention{Last: 2}) {
		err := st.View(func(tx *store.Tx) error {
			s, _, err := LoadSnapshot(tx, f.Seq)
			if err == nil {
				_, err = s.Content.Bytes(s.Items[0].Files[0].SHA256)
			}
			return err
		})
		if err != nil {
			t.Errorf("#%d: %v", f.Seq, err)
		}
	}
}

// TestBaselineStays: the pinned snapshot is never pruned.
func TestBaselineStays(t *testing.T) {
	st := pruneStore(t, 5, 0)
	if err := st.Update(func(tx *store.Tx) error { return tx.PutMeta("baseline", []byte(`{"seq":2,"run":"x"}`)) }); err != nil {
		t.Fatal(err)
	}
	if p := plan(t, st, Retention{Last: 1}); dropped(p) != 3 || !p[1].Kept() || p[1].Reasons[0] != "baseline" {
		t.Errorf("%+v", p)
	}
}

// TestOldPlan: a plan that was made before a snapshot went is refused.
func TestOldPlan(t *testing.T) {
	st := pruneStore(t, 5, 0)
	p := plan(t, st, Retention{Last: 1})
	for range 2 {
		if _, err := Prune(t.Context(), st, p, func() bool { return true }); err != nil {
			return
		}
	}
	t.Error("the same snapshots went twice")
}

func TestBriefs(t *testing.T) {
	want := Brief{Passed: true, Exit: 3, Regressions: 2, Open: map[string]int{"critical": 1, "high": 0, "medium": 300, "low": 0, "info": 0}, Commit: "0f44a18b", Systems: []SystemBrief{{"pm2", "partial"}}}
	b := want.encode()
	if got, err := decodeBrief(b); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := range b {
		if got, err := decodeBrief(b[:n]); err == nil {
			t.Errorf("cut off at %d it reads %+v", n, got)
		}
	}
}
