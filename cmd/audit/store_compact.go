package main

import (
	"fmt"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/store"
)

type storeCompactCmd struct{}

// Run writes the store anew, without the room that what was pruned has left.
func (c *storeCompactCmd) Run(a *App) error {
	var before, after int64
	err := a.maintaining(func(ch *change) (err error) {
		if before, after, err = store.Compact(a.ctx, a.Store); err != nil || after == before {
			return err
		}
		st, err := store.Open(a.Store, store.Options{Wait: storeWait})
		if err != nil {
			return err
		}
		defer st.Close()
		return st.Update(func(tx *store.Tx) error {
			return pipeline.Append(tx, ch.entry(a, "store compact", fmt.Sprintf("the file has %d bytes now, it had %d", after, before)))
		})
	})
	if err != nil || a.Quiet {
		return err
	}
	if after == before {
		_, err = fmt.Fprintf(a.Stdout, "store: nothing to gain: %s\n", report.Size(after))
		return err
	}
	_, err = fmt.Fprintf(a.Stdout, "store: compacted: %s, before %s\n", report.Size(after), report.Size(before))
	return err
}
