package main

import (
	"errors"
	"fmt"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/store"
)

type storeVerifyCmd struct {
	known []string // losses that a repair noted

	Repair bool `help:"Save what is whole into a new store, take lost bytes from the working tree and the archives where they are the same, and set the damaged file aside."`
}

// Run checks everything. Exit 4 with one line per problem when there are any. What an
// earlier repair noted as lost is told, and is no problem.
func (c *storeVerifyCmd) Run(a *App) error {
	if _, err := a.settings(); err != nil {
		return err
	}
	if c.Repair {
		return c.repair(a)
	}
	problems, stats, err := c.verify(a)
	if err != nil {
		return err
	}
	if !a.Quiet {
		for _, s := range c.known {
			fmt.Fprintf(a.Stdout, "known: %s\n", s)
		}
	}
	for _, p := range problems {
		fmt.Fprintf(a.Stdout, "%s\n", report.Clean(p))
	}
	if len(problems) > 0 {
		return &failure{exitDamaged, fmt.Errorf("the store has %s", counted(len(problems), "problem")), "what is not named above is intact and can still be read and restored\naudit store verify --repair drops what is lost, and takes bytes that are still the same from the working tree and the archives"}
	}
	if a.Quiet {
		return nil
	}
	_, err = fmt.Fprintf(a.Stdout, "store: sound: %s, %s, %s checked\n", counted(stats.Snapshots, "snapshot"), counted(stats.Items, "item"), counted(stats.Blobs, "blob"))
	return err
}

// verify returns what is damaged, else what the store holds.
func (c *storeVerifyCmd) verify(a *App) (problems []string, stats store.Stats, err error) {
	st, err := store.Open(a.Store, store.Options{ReadOnly: true, Wait: 10 * time.Second, Verify: true})
	if err != nil {
		return nil, stats, err
	}
	defer st.Close()
	found, err := st.Verify(a.ctx, true)
	if err != nil {
		return nil, stats, err
	}
	_ = st.View(func(tx *store.Tx) (err error) { c.known, err = knownGaps(tx); return err }) // what of them cannot be read is among the problems
	if len(found) == 0 {
		stats, err = st.Stats()
		return nil, stats, err
	}
	err = st.View(func(tx *store.Tx) error { problems = pipeline.Words(tx, found); return nil })
	if bad := (*store.CorruptError)(nil); errors.As(err, &bad) { // that is what was found
		err = nil
	}
	return problems, stats, err
}

type storeStatsCmd struct {
	listing
}

func (c *storeStatsCmd) Run(a *App) error {
	return a.reading(func(_ *settings, tx *store.Tx) error {
		s, err := tx.Stats()
		if err != nil {
			return err
		}
		v := report.StatsView{Path: a.Store, FileBytes: s.FileBytes, InUseBytes: s.InUseBytes, Snapshots: s.Snapshots, Items: s.Items,
			Blobs: s.Blobs, BlobBytes: s.BlobBytes, CacheBytes: s.CacheBytes, Journal: int(s.Journal)}
		for to, newest := range map[**report.SnapshotRef]bool{&v.Oldest: false, &v.Newest: true} {
			err := tx.Heads(0, newest, func(seq uint64, h store.Header) bool {
				*to = &report.SnapshotRef{Seq: seq, ID: h.ID, At: h.At.UTC().Truncate(time.Second)}
				return false
			})
			if err != nil {
				return err
			}
		}
		return show(a, c.listing, exitOK, v, report.Stats)
	})
}
