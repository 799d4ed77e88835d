package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// PlanPruning says of every snapshot, oldest first, why it is kept: by the
// retention, and because something needs it in any case: the next run, the
// baseline, an item that is not ok (the last snapshots in which it was good or ok), an open
// regression (the one it is compared with).
func PlanPruning(tx *store.Tx, r Retention, now time.Time) ([]Fate, error) {
	all, err := fates(tx)
	if err != nil || len(all) == 0 {
		return all, err
	}
	r.Judge(all, now)
	needed, err := needed(tx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Reasons = append(all[i].Reasons, needed[all[i].Seq]...)
	}
	return all, nil
}

// needed returns the snapshots that may never go, and why.
func needed(tx *store.Tx) (map[uint64][]string, error) {
	newest := tx.Seq()
	p, err := newPast(tx, newest)
	if err != nil {
		return nil, err
	}
	why := map[uint64][]string{}
	add := func(seq uint64, reason string) {
		if !slices.Contains(why[seq], reason) {
			why[seq] = append(why[seq], reason)
		}
	}
	add(newest, "newest")
	for _, sys := range slices.Sorted(maps.Keys(p.info.Reference)) {
		if at := p.info.observed(sys, newest); at != newest {
			add(at, "last to read "+string(sys))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(p.info.Judged)) {
		add(p.info.Judged[k], "last to judge "+string(k))
	}
	if seq, err := pinned(tx); err != nil {
		return nil, err
	} else if seq > 0 {
		add(seq, "baseline")
	}
	good, err := NeededGood(tx)
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(good)) {
		for _, seq := range good[k] {
			add(seq, "last good of "+string(k))
		}
	}
	open, err := regressions(tx, newest)
	if err != nil {
		return nil, err
	}
	for _, r := range open {
		add(r.Reference.Seq, r.Code+" of "+string(r.Item)+" is compared with it")
	}
	return why, nil
}

// pinned returns the number of the baseline, 0 for none.
func pinned(tx *store.Tx) (uint64, error) {
	b := tx.Meta("baseline")
	if len(b) == 0 {
		return 0, tx.Err()
	}
	var p struct{ Seq uint64 }
	return p.Seq, json.Unmarshal(b, &p)
}

// pruneBatch is how many snapshots go in one transaction: the pages that one
// frees are used again by the next, so the file does not grow.
const pruneBatch = 8

// Prune takes away what a plan does not keep, the newest first, and with it the
// bytes that nothing needs any more. Between two transactions it asks more, and
// ends when that says no: what was done until then stands. The run lock must be
// held.
func Prune(ctx context.Context, st *store.Store, plan []Fate, more func() bool) (gone store.Pruned, err error) {
	readings, err := readingsOf(st, plan)
	if err != nil {
		return gone, err
	}
	var drop []uint64
	for _, f := range slices.Backward(plan) {
		if !f.Kept() {
			drop = append(drop, f.Seq)
		}
	}
	for part := range slices.Chunk(drop, pruneBatch) {
		if !more() {
			return gone, context.Cause(ctx)
		}
		n := 0
		err := st.Update(func(tx *store.Tx) error {
			for _, seq := range part {
				v, err := tx.Drop(seq, func(name string) bool { return readings[reading{seq, name}] })
				if err != nil {
					return err
				}
				n += v
			}
			return addUnswept(tx, n)
		})
		if err != nil {
			return gone, err
		}
		gone.Snapshots += len(part)
		gone.Versions += n
	}
	return gone, context.Cause(ctx)
}

type reading struct {
	seq    uint64
	system string
}

// readingsOf returns the readings that the kept snapshots show: of a system that
// a run did not read, those of the last one that did.
func readingsOf(st *store.Store, plan []Fate) (map[reading]bool, error) {
	out := map[reading]bool{}
	err := st.View(func(tx *store.Tx) error {
		for _, f := range plan {
			if !f.Kept() {
				continue
			}
			h, _, err := tx.Header(f.Seq)
			if err != nil {
				return err
			}
			var i Info
			if err := json.Unmarshal(h.Body, &i); err != nil {
				return fmt.Errorf("snapshot #%d: %w", f.Seq, err)
			}
			for _, sys := range snapshot.Systems {
				out[reading{i.observed(sys, f.Seq), string(sys)}] = true
			}
		}
		return nil
	})
	return out, err
}

// metaUnswept counts the versions that went since Sweep last looked for bytes
// that nothing needs.
const metaUnswept = "unswept"

func addUnswept(tx *store.Tx, n int) error {
	return tx.PutMeta(metaUnswept, fmt.Append(nil, counter(tx, metaUnswept)+n))
}

// sweepBatch is how many blobs go in one transaction.
const sweepBatch = 500

// Sweep takes away the kept bytes that no snapshot shows and no restore set
// aside, the stamps of files that are no longer there, and readings that only
// snapshots that went referred to. The run lock must be held.
func Sweep(ctx context.Context, st *store.Store) (gone store.Pruned, err error) {
	aside := map[string]bool{}
	err = st.Update(func(tx *store.Tx) error {
		if err := setAside(tx, aside); err != nil {
			return err
		}
		return sweepStamps(tx, aside)
	})
	if err != nil {
		return gone, err
	}
	dead, err := st.Unreferenced(ctx, refersTo, func(sha string) bool { return aside[sha] || aside[sha[:12]] })
	if err != nil {
		return gone, err
	}
	for part := range slices.Chunk(dead, sweepBatch) {
		err := st.Update(func(tx *store.Tx) error {
			for _, d := range part {
				n, err := tx.DropBlob(d)
				if err != nil {
					return err
				}
				gone.Bytes += n
			}
			return nil
		})
		if err != nil {
			return gone, err
		}
		gone.Blobs += len(part)
	}
	return gone, st.Update(func(tx *store.Tx) error { return tx.PutMeta(metaUnswept, []byte("0")) })
}

// setAside notes the digests, or their first 12 letters, of what a restore
// overwrote: the journal names them.
func setAside(tx *store.Tx, into map[string]bool) error {
	var bad error
	err := tx.Journal(1, func(_ uint64, raw []byte) bool {
		var e rules.Entry
		if bad = json.Unmarshal(raw, &e); bad != nil {
			return false
		}
		for _, v := range e.Data {
			was, _, _ := strings.Cut(v, " ")
			into[was] = true
		}
		return true
	})
	return cmp.Or(err, bad)
}

// sweepStamps forgets the stamps of files that the newest snapshot has not, which
// are all where a first run was cut short, and notes the digests of the others: a
// file whose stamp is known is not read again, so its bytes must be there.
func sweepStamps(tx *store.Tx, into map[string]bool) error {
	tree := snapshot.NewTree(false, nil)
	if seq := tx.Seq(); seq > 0 {
		var err error
		if tree, err = treeAt(tx, seq); err != nil {
			return err
		}
	}
	var gone []string
	err := tx.ScanStat(func(path string, v []byte) bool {
		s, ok := decodeStamp(v)
		if ok && tree.HasFile(path) {
			into[s.SHA256] = true
		} else {
			gone = append(gone, path)
		}
		return true
	})
	for _, path := range gone {
		err = errors.Join(err, tx.DeleteStat(path))
	}
	return err
}

// refersTo tells which bytes a row needs.
func refersTo(table, id string, value []byte, need func(sha string)) error {
	var files []snapshot.File
	switch {
	case table == tableItem:
		it, err := snapshot.DecodeItem(string(value))
		if err != nil {
			return fmt.Errorf("item %s: %w", id, err)
		}
		files = it.Files
	case table == tableState && id == rowContext:
		if err := json.Unmarshal(value, &files); err != nil {
			return err
		}
	case table == tableState && id == rowTree:
		var sum string
		if err := json.Unmarshal(value, &sum); err != nil {
			return err
		}
		need(sum)
	}
	for _, f := range files {
		if f.Link == "" { // of a link there are no bytes to keep
			need(f.SHA256)
		}
	}
	return nil
}
