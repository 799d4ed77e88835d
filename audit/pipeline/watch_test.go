package pipeline

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

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
