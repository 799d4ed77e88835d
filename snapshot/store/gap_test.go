package store

import (
	"fmt"
	"slices"
	"testing"
)

// A gap that was noted is no problem as long as it is that gap: another entry after
// it, or one more that is missing, is.
func TestGaps(t *testing.T) {
	s := create(t)
	update(t, s, func(tx *Tx) error {
		for i := range 7 {
			if _, err := tx.AppendJournal(fmt.Append(nil, "entry ", i+1), 0); err != nil {
				return err
			}
		}
		return nil
	})
	gaps := func() (out []Gap) {
		t.Helper()
		view(t, s, func(tx *Tx) (err error) { out, err = tx.KnownGaps(); return err })
		return out
	}
	problems := func() int {
		t.Helper()
		found, err := s.Verify(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	note := func(tx *Tx) error { return tx.NoteGaps() }
	if update(t, s, note); gaps() != nil || problems() != 0 {
		t.Fatal(gaps(), problems())
	}
	update(t, s, func(tx *Tx) error {
		for _, n := range []uint64{2, 3, 5} {
			if err := tx.del(bJournal, be64(n)); err != nil {
				return err
			}
		}
		return nil
	})
	if problems() != 2 {
		t.Error(problems())
	}
	update(t, s, note)
	update(t, s, note)
	want := []Gap{{2, 3, sumOf([]byte("entry 4")), 7}, {5, 5, sumOf([]byte("entry 6")), 7}}
	if got := gaps(); !slices.Equal(got, want) || problems() != 0 || got[0].String() != "entries 2 to 3 of the journal" || got[1].String() != "entry 5 of the journal" {
		t.Errorf("%v, %d problems", got, problems())
	}
	update(t, s, func(tx *Tx) error { return tx.put(bJournal, be64(6), []byte("another")) })
	if problems() != 1 {
		t.Error("another entry stands after a gap that was noted")
	}
	update(t, s, func(tx *Tx) error { return tx.put(bJournal, be64(6), []byte("entry 6")) })
	update(t, s, func(tx *Tx) error { return tx.del(bJournal, be64(4)) })
	if problems() != 1 {
		t.Error("an entry between two gaps that were noted is missing")
	}
	update(t, s, func(tx *Tx) error {
		if _, err := tx.AppendJournal([]byte("told"), 0); err != nil {
			return err
		}
		return tx.NoteGaps()
	})
	if got := gaps(); !slices.Equal(got, []Gap{{2, 5, sumOf([]byte("entry 6")), 8}}) || problems() != 0 {
		t.Errorf("%v, %d problems", got, problems())
	}
}
