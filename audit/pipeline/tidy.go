package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/store"
)

// How a run tidies up after itself. It waits until several snapshots may go, so
// that most runs do no more than count; what it does not manage in the time, the
// next run goes on with.
const (
	tidyLeast  = 16                     // snapshots
	sweepLeast = 500                    // versions that went since the last sweep
	tidyTime   = 200 * time.Millisecond // after which no further batch is begun
)

// An untidiness is whether there is something to tidy up, as far as that can be told.
type untidiness struct {
	due bool
	err error
}

// untidiness looks for that while the store is open before the commit of a run,
// which is one snapshot more: to open it again takes longer than to look.
func (s *session) untidiness(seq uint64) untidiness {
	if s.tx == nil || s.Config.Retention.Empty() {
		return untidiness{}
	}
	all, err := fates(s.tx)
	if err != nil {
		return untidiness{err: err}
	}
	all = append(all, Fate{Seq: seq, ID: s.info.ID, At: s.started})
	s.Config.Retention.Judge(all, s.Host.Now())
	return untidiness{due: dropped(all) >= tidyLeast || counter(s.tx, metaUnswept) >= sweepLeast}
}

// tidy prunes by the retention, and looks for bytes that nothing needs any more
// when much went.
func (s *session) tidy(ctx context.Context) error {
	if !s.untidy.due || s.untidy.err != nil {
		return s.untidy.err
	}
	now := s.Host.Now()
	st, err := store.Open(s.Store, store.Options{Wait: 10 * time.Second, Checked: true})
	if err != nil {
		return err
	}
	defer st.Close()
	var plan []Fate
	sweep := false
	err = st.View(func(tx *store.Tx) (err error) {
		sweep = counter(tx, metaUnswept) >= sweepLeast
		plan, err = PlanPruning(tx, s.Config.Retention, now)
		return err
	})
	if err != nil || dropped(plan) < tidyLeast && !sweep {
		return err
	}
	gone, err := Prune(ctx, st, plan, func() bool { return ctx.Err() == nil && s.Host.Now().Sub(now) < tidyTime })
	if err == nil && sweep {
		var swept store.Pruned
		swept, err = Sweep(ctx, st)
		gone.Blobs, gone.Bytes = swept.Blobs, swept.Bytes
	}
	if gone.Snapshots+gone.Blobs == 0 {
		return err
	}
	e := rules.Entry{At: s.Host.Now(), Actor: s.Actor, Tool: s.Version, Command: "store prune", Phase: "done",
		What: fmt.Sprintf("by the retention, after a run: %d snapshots pruned, %d versions and %d blobs with them (%d bytes)", gone.Snapshots, gone.Versions, gone.Blobs, gone.Bytes)}
	if err != nil {
		e.Phase, e.What = "failed", e.What+", then: "+err.Error()
	}
	return cmp.Or(err, st.Update(func(tx *store.Tx) error { return Append(tx, e) }))
}

// dropped counts the snapshots that a plan does not keep.
func dropped(plan []Fate) (n int) {
	for i := range plan {
		if !plan[i].Kept() {
			n++
		}
	}
	return n
}

// Before returns the number of the snapshot before another, 0 for none.
func Before(tx *store.Tx, seq uint64) (before uint64, err error) {
	if seq <= 1 {
		return 0, nil
	}
	err = tx.Heads(seq-1, true, func(seq uint64, _ store.Header) bool { before = seq; return false })
	return before, err
}
