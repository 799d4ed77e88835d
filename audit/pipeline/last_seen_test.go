package pipeline

import (
	"testing"

	"healthaudit/snapshot/store"
)

// Several names are looked for at once, by key and by path; what never was is in
// no answer, and what came later is found where nothing nearer is.
func TestLastSeen_of_several(t *testing.T) {
	st := pruneStore(t, 6, 4)
	err := st.View(func(tx *store.Tx) error {
		for seq, want := range map[uint64]uint64{3: 3, 9: 6} {
			got, err := LastSeen(tx, []string{"scripts/a.sh", "never.sh", "a.sh"}, seq)
			if err != nil {
				return err
			}
			if len(got) != 2 || got["scripts/a.sh"].In.Seq != want || got["a.sh"].In.Seq != want || got["a.sh"].Item.Key != "scripts/a.sh" || got["a.sh"].In.At.IsZero() {
				t.Errorf("not after #%d: %+v", seq, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
