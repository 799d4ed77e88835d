package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

// TestRecheck_damaged: whichever single row is damaged, an old snapshot can be judged
// anew and a finding can be looked for: what is lost is named, and nothing reads as
// new, changed, worse or mended, nor as begun in another snapshot, because of it.
func TestRecheck_damaged(t *testing.T) {
	p := remembers(t)
	path := filepath.Join(p.root, ".audit", "audit.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &Recheck{Config: p.runner("off").Config, Collectors: all.Collectors, Checks: check.All(), Now: p.now}
	syntax := r.Checks[slices.IndexFunc(r.Checks, func(c *audit.Check) bool { return c.ID == "script-syntax" })]
	look := func(fn func(tx *store.Tx) error) error {
		t.Helper()
		st, err := store.Open(path, store.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		defer st.Close()
		return st.View(func(tx *store.Tx) error { tx.Forgive(); return fn(tx) })
	}
	again := func() (d *report.Document, lost bool, err error) {
		err = look(func(tx *store.Tx) error {
			v, err := r.View(tx, 3)
			if err == nil {
				d, lost = v.Document("test"), Whole(tx) != nil
			}
			return err
		})
		return d, lost, err
	}
	began := func() (b *Bisection, lost bool, err error) {
		err = look(func(tx *store.Tx) error {
			b, err = r.Bisect(t.Context(), tx, syntax, "scripts/tools/x.sh")
			lost = Whole(tx) != nil
			return err
		})
		return b, lost, err
	}
	want, lost, err := again()
	if err != nil || lost {
		t.Fatal(err, lost)
	}
	if b, _, err := began(); err != nil || b.First.Seq != 2 || b.Before == nil || b.Before.Seq != 1 {
		t.Fatal(b, err)
	}
	partly, refused := 0, 0
	eachRow(t, path, func(name string, damage func(*bolt.Tx) error) {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		change(t, path, damage)
		switch d, lost, err := again(); {
		case errors.As(err, new(*store.CorruptError)):
			refused++
			t.Logf("%s: %v", name, err)
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case lost:
			partly++
			sameOrUnknown(t, name, d, want)
		default:
			sameRun(t, name, d, want)
		}
		b, lost, err := began()
		switch {
		case err != nil && (lost || errors.As(err, new(*store.CorruptError))):
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case b.First.Seq < 2, b.First.Seq > 2 && b.Before != nil && len(b.Skipped) == 0 && !lost, b.First.Seq == 2 && b.Before != nil && b.Before.Seq != 1:
			t.Errorf("%s: it began in #%d, lost: %v", name, b.First.Seq, lost)
		}
	})
	restless := &audit.Check{ID: "looks-back", System: snapshot.Scripts, Judge: func(p *audit.Pass) {}}
	for damaged, told := range map[bool]bool{false: true, true: false} {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if damaged {
			change(t, path, damagedItem("scripts/tools/y.sh"))
		}
		err := look(func(tx *store.Tx) error {
			v, err := r.Ask(tx, 3, restless, "scripts/tools/x.sh")
			if v.Found || (v.Why == "") != told {
				t.Errorf("damaged: %v: %+v", damaged, v)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d rows of which a snapshot is judged in part, %d where it cannot be read", partly, refused)
	if partly == 0 || refused > 7 { // its header, tree and context, and what the store says of itself
		t.Errorf("%d in part, %d not at all", partly, refused)
	}
}

// damagedItem damages the state of an item.
func damagedItem(key snapshot.Key) func(*bolt.Tx) error {
	return damaged("cur", []byte("item\x00"+key))
}

// sameOrUnknown looks for what a snapshot that is judged in part says and the whole
// one does not.
func sameOrUnknown(t *testing.T, name string, d, want *report.Document) {
	t.Helper()
	if d.Run.Past != "lost" || len(d.Changes)+len(d.Regressions) > 0 || d.Score.Delta != nil || len(d.Errors) == 0 {
		t.Errorf("%s: past %s, %d changes, %d regressions, errors %v", name, d.Run.Past, len(d.Changes), len(d.Regressions), d.Errors)
	}
	status := map[string]string{}
	for _, f := range want.Findings {
		status[f.ID] = f.Status
	}
	for _, f := range d.Findings {
		if was, there := status[f.ID]; !there || f.Status != was && (f.Status != string(audit.Persisting) || was == string(audit.Resolved)) {
			t.Errorf("%s: %s of %s is %s, and was %q", name, f.Check, f.Item, f.Status, status[f.ID])
		}
	}
	items := map[snapshot.Key]bool{}
	for _, it := range d.Items {
		items[snapshot.Key(it.Key)] = true
		if it.Change != audit.Unknown {
			t.Errorf("%s: %s is %s", name, it.Key, it.Change)
		}
	}
	for _, it := range want.Items {
		if !items[snapshot.Key(it.Key)] {
			t.Errorf("%s: %s is not there", name, it.Key)
		}
	}
}
