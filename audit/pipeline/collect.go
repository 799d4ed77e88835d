package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// systemTimeout bounds the collection of one system.
const systemTimeout = 3 * time.Minute

// An early is what collectors find out while git lists the project.
type early map[*collect.Collector]chan any

// begin starts that. A panic leaves a collector without an answer, and Collect
// finds out for itself.
func begin(ctx context.Context, s *collect.Session, cfg *Config, collectors []*collect.Collector) early {
	e := early{}
	for _, c := range collectors {
		if c.Early == nil || !cfg.wants(c.System) {
			continue
		}
		ch := make(chan any, 1)
		e[c] = ch
		go func() {
			defer close(ch)
			defer func() { _ = recover() }()
			ctx, cancel := context.WithTimeout(ctx, systemTimeout)
			defer cancel()
			ch <- c.Early(ctx, s)
		}()
	}
	return e
}

// of waits for the answer of one collector, and returns its session.
func (e early) of(c *collect.Collector, s *collect.Session) *collect.Session {
	ch, ok := e[c]
	if !ok {
		return s
	}
	own := *s
	own.Early = <-ch
	return &own
}

// end waits for all that was begun.
func (e early) end() {
	for _, ch := range e {
		for range ch {
		}
	}
}

// A gathering is what all collectors brought together.
type gathering struct {
	states  []snapshot.SystemState
	items   []*snapshot.Item
	context []snapshot.File
	cursors map[string]json.RawMessage // "system/name"
}

// gather runs the collectors side by side, then Follow, which needs what all
// of them found. One that fails, panics or takes too long fails its system only.
func gather(ctx context.Context, s *collect.Session, run *session, before early) (*gathering, error) {
	cfg, collectors := run.Config, run.Collectors
	g := &gathering{cursors: map[string]json.RawMessage{}, context: collect.Context(s)}
	results := make([]collect.Result, len(collectors))
	g.states = make([]snapshot.SystemState, len(collectors))
	var wg sync.WaitGroup
	for i, c := range collectors {
		g.states[i] = snapshot.SystemState{System: c.System, Status: snapshot.StatusSkipped, Reason: cfg.why(c.System), Off: slices.Contains(cfg.Off, c.System), Epoch: c.Epoch}
		if cfg.wants(c.System) {
			wg.Go(func() {
				run.begin(string(c.System))
				results[i], g.states[i] = collectOne(ctx, before.of(c, s), c)
				run.end(string(c.System), g.states[i].Took)
			})
		}
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	for i, r := range results {
		g.items = append(g.items, r.Items...)
		g.context = append(g.context, r.Context...)
		for name, v := range r.Cursors {
			g.cursors[string(collectors[i].System)+"/"+name] = v
		}
	}
	g.follow(ctx, s, collectors)
	return g, context.Cause(ctx)
}

func collectOne(ctx context.Context, s *collect.Session, c *collect.Collector) (res collect.Result, st snapshot.SystemState) {
	start := s.Host.Now()
	st = snapshot.SystemState{System: c.System, Status: snapshot.StatusOK, Epoch: c.Epoch}
	defer func() {
		if r := recover(); r != nil {
			res = collect.Result{}
			st.Status, st.Reason = snapshot.StatusError, fmt.Sprintf("a bug of audit: the collector stopped: %v", r)
			st.Hint = "please report it with the output of audit version"
		}
		st.Took = s.Host.Now().Sub(start)
	}()
	ctx, cancel := context.WithTimeout(ctx, systemTimeout)
	defer cancel()
	res, err := c.Collect(ctx, s)
	if err == nil && ctx.Err() != nil { // what it has is not all there is
		err = &collect.SourceError{Message: "it took longer than " + systemTimeout.String(), Hint: "run audit with --only " + string(c.System) + " -v and see what is slow"}
	}
	if err != nil {
		var se *collect.SourceError
		if errors.As(err, &se) {
			st.Hint = se.Hint
		}
		st.Status, st.Reason = snapshot.StatusError, err.Error()
		return collect.Result{}, st
	}
	st.Reason, st.Sources = res.Reason, res.Sources
	switch {
	case res.Absent:
		st.Status = snapshot.StatusAbsent
	case len(res.Sources) > 0 && len(st.Failed()) == len(res.Sources):
		st.Status, st.Reason, st.Hint = snapshot.StatusError, cmp.Or(res.Reason, res.Sources[0].Message), res.Sources[0].Hint
		return collect.Result{}, st
	case len(st.Failed()) > 0:
		st.Status = snapshot.StatusPartial
	}
	return res, st
}

// followOne calls Follow; a panic fails its source only.
func followOne(ctx context.Context, s *collect.Session, c *collect.Collector, paths []string) (items []*snapshot.Item, err error) {
	defer func() {
		if r := recover(); r != nil {
			items, err = nil, fmt.Errorf("a bug of audit: the collector stopped: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, systemTimeout)
	defer cancel()
	return c.Follow(ctx, s, paths)
}

// follow asks for what other systems start. Where one of them was not listed
// nobody knows all of it, and what was known before is carried.
func (g *gathering) follow(ctx context.Context, s *collect.Session, collectors []*collect.Collector) {
	if !(&snapshot.Snapshot{Systems: g.states}).Whole() {
		return
	}
	for i, c := range collectors {
		st := &g.states[i]
		if c.Follow == nil || !st.Status.Listed() {
			continue
		}
		start := s.Host.Now()
		more, err := followOne(ctx, s, c, collect.Unowned(g.items))
		if err != nil {
			st.Sources = append(st.Sources, snapshot.Source{Name: snapshot.Followed, Message: err.Error()})
			st.Status = snapshot.StatusPartial
		}
		if len(more) > 0 && st.Status == snapshot.StatusAbsent {
			st.Status = snapshot.StatusOK
		}
		g.items = append(g.items, more...)
		st.Took += s.Host.Now().Sub(start)
	}
}
