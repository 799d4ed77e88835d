package pipeline

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot/store"
)

// A journal whose end was cut off, or whose head is gone, is told.
func TestJournalEnd(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	st, err := store.Open(filepath.Join(t.TempDir(), "a.db"), store.Options{Create: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ends := func(want string, change func(tx *store.Tx) error) {
		t.Helper()
		if err := st.Update(change); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := st.View(func(tx *store.Tx) (err error) { got, err = journalEnd(tx); return err }); err != nil {
			t.Fatal(err)
		}
		if got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	entry := func(tx *store.Tx) error { return Append(tx, rules.Entry{At: now, Command: "run", What: "x"}) }
	ends("its head is missing", func(*store.Tx) error { return nil })
	ends("", entry)
	ends("", entry)
	head := []byte{}
	ends("its head is entry 5, and its last entry is 2", func(tx *store.Tx) error {
		head = tx.Meta(metaHead)
		return tx.PutMeta(metaHead, []byte(strings.Replace(string(head), `"seq":2`, `"seq":5`, 1)))
	})
	ends("entry 2 is not the one", func(tx *store.Tx) error {
		return tx.PutMeta(metaHead, []byte(strings.Replace(string(head), `"hash":"`, `"hash":"0`, 1)))
	})
	ends("", func(tx *store.Tx) error { return tx.PutMeta(metaHead, head) })
}

// A journal that goes on after entries were cut off, or its head was lost, tells
// of it for ever: the chain does not close over the gap.
func TestJournalGoesOnAfterAGap(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	entry := func(tx *store.Tx) error { return Append(tx, rules.Entry{At: now, Command: "run", What: "x"}) }
	// ahead makes the head one of an entry that is not there, as when the last one was cut off
	ahead := func(tx *store.Tx) error {
		head := strings.NewReplacer(`"seq":3`, `"seq":4`, `"hash":"`, `"hash":"0`).Replace(string(tx.Meta(metaHead)))
		return tx.PutMeta(metaHead, []byte(head))
	}
	changed := func(tx *store.Tx) error {
		return tx.PutMeta(metaHead, []byte(strings.Replace(string(tx.Meta(metaHead)), `"hash":"`, `"hash":"0`, 1)))
	}
	behind := func(tx *store.Tx) error {
		head := strings.NewReplacer(`"seq":3`, `"seq":2`, `"hash":"`, `"hash":"0`).Replace(string(tx.Meta(metaHead)))
		return tx.PutMeta(metaHead, []byte(head))
	}
	for name, c := range map[string]struct {
		damage func(*store.Tx) error
		says   string
		number uint64 // of the entry that follows
	}{
		"cut off":  {ahead, "its head is entry 4, and its last entry is 3", 5},
		"replaced": {changed, "entry 3 is not the one that its head names", 4},
		"grown":    {behind, "its head is entry 2, and its last entry is 3", 4},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := store.Open(filepath.Join(t.TempDir(), "a.db"), store.Options{Create: true, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			for _, do := range []func(*store.Tx) error{entry, entry, entry, c.damage, entry, entry} {
				if err := st.Update(do); err != nil {
					t.Fatal(err)
				}
			}
			err = st.View(func(tx *store.Tx) error {
				if end, err := journalEnd(tx); err != nil || end != "before it went on, "+c.says {
					t.Errorf("its end: %q, %v", end, err)
				}
				if n := tx.JournalHead(); n != c.number+1 {
					t.Errorf("the last entry is %d, want %d", n, c.number+1)
				}
				_, err := VerifyJournal(tx, nil)
				return err
			})
			if chain := (*rules.ChainError)(nil); !errors.As(err, &chain) || chain.Seq != 4 {
				t.Errorf("verified: %v", err)
			}
			// What is lacking is known after a repair, whatever that was for. What is another
			// than was written is told for ever.
			if err := st.Update(NoteLost); err != nil {
				t.Fatal(err)
			}
			err = st.View(func(tx *store.Tx) error {
				end, err := journalEnd(tx)
				if _, wrong := VerifyJournal(tx, nil); (wrong == nil) != (name == "cut off") || (end == "") != (name == "cut off") {
					t.Errorf("after a repair: %q, %v", end, wrong)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestJournalGoesOnWithoutItsHead: the chain does not break where the head was lost.
// That it was is told, until a repair notes it.
func TestJournalGoesOnWithoutItsHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	entry := func(tx *store.Tx) error { return Append(tx, rules.Entry{At: now, Command: "run", What: "x"}) }
	update := func(fns ...func(*store.Tx) error) {
		t.Helper()
		st, err := store.Open(path, store.Options{Create: true, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		for _, fn := range fns {
			if err := st.Update(fn); err != nil {
				t.Fatal(err)
			}
		}
	}
	update(entry, entry)
	change(t, path, func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Delete([]byte("user/" + metaHead)) })
	sound := func(tx *store.Tx) error { _, err := VerifyJournal(tx, nil); return err }
	end := func(want string) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			what, err := journalEnd(tx)
			if what != want {
				t.Errorf("its end: %q, want %q", what, want)
			}
			return err
		}
	}
	update(end("its head is missing"), entry, sound, end("before it went on, its head is missing"), NoteLost, end(""), entry, sound)
}

// TestPastRuns: however often in a row a clock was wrong, the runs before that are
// read, and nothing is missing. Else no more than a day and two runs are.
func TestPastRuns(t *testing.T) {
	const m = time.Minute
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	wrong := time.Date(1970, 1, 1, 0, 1, 0, 0, time.UTC)
	for name, c := range map[string]struct{ wrong, read int }{
		"right":       {0, 98},
		"wrong once":  {1, 200},
		"wrong twice": {2, 200},
		"three times": {3, 200},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := store.Open(filepath.Join(t.TempDir(), "a.db"), store.Options{Create: true, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			err = st.Update(func(tx *store.Tx) error {
				for i := range 200 {
					at := now.Add(time.Duration(i-200) * 15 * m)
					if n := i - (199 - c.wrong); n >= 0 && i < 199 {
						at = wrong.Add(time.Duration(n) * 15 * m)
					}
					if _, err := tx.AppendSnapshot(store.Header{ID: fmt.Sprintf("01RUN%03d", i), At: at, Body: fmt.Appendf(nil, `{"host":"a","every":%d}`, 15*m)}); err != nil {
						return err
					}
				}
				runs, err := PastRuns(tx, now)
				w := audit.Watch{Host: "a", Runs: runs, Every: 15 * m, Grace: 10 * m}
				if l := w.Lost(now); len(runs) != c.read || l.Runs+l.Down != 0 {
					t.Errorf("%d runs read, want %d: %+v", len(runs), c.read, l)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
