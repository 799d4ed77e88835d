package main

import (
	"time"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/snapshot/store"
)

// restores tells of those that were interrupted and are half done. Of a store that
// cannot be read is told elsewhere.
func (d *physician) restores() {
	st, err := store.Open(d.Store, store.Options{ReadOnly: true, Wait: time.Second})
	if err != nil {
		return
	}
	defer st.Close()
	var half []audit.Halfway
	err = st.View(func(tx *store.Tx) (err error) { half, _, err = pipeline.Halfway(tx, d.root); return err })
	if err != nil {
		return
	}
	for _, h := range half {
		d.todo("restore", "the "+h.Said(), h.Next())
	}
}
