package pipeline

import (
	"fmt"
	"runtime/debug"
	"testing"

	"healthaudit/snapshot/store"
)

// BenchmarkLoadSnapshot reads whole snapshots of the store -grow.from names: the
// first, one in the middle, the newest.
func BenchmarkLoadSnapshot(b *testing.B) {
	if *growFrom == "" {
		b.Skip("reads a store that make bench made: -grow.from")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // as the program has it: cmd/audit/heap.go
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(150 << 20))
	st, err := store.Open(*growFrom, store.Options{ReadOnly: true, Lazy: true})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	newest := uint64(0)
	if err := st.View(func(tx *store.Tx) error { newest = tx.Seq(); return nil }); err != nil {
		b.Fatal(err)
	}
	for _, seq := range []uint64{1, newest/2 + 1, newest} {
		b.Run(fmt.Sprint(seq, " of ", newest), func(b *testing.B) {
			for b.Loop() {
				err := st.View(func(tx *store.Tx) error {
					s, _, err := LoadSnapshot(tx, seq)
					if err == nil && len(s.Items) == 0 {
						err = fmt.Errorf("snapshot %d has no items", seq)
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
