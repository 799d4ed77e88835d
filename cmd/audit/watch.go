package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"healthaudit/audit/pipeline"
)

// shown is who shows on standard error how far a run is, and what ends that: lines
// with --verbose, else a line of a terminal that is gone when the run has ended. A
// pipe, cron and --quiet see nothing.
func (a *App) shown() (watchers, func()) {
	switch {
	case a.Verbose:
		return watchers{&timings{w: a.Stderr}}, func() {}
	case a.ErrTerminal && !a.Quiet && a.Env("TERM") != "" && a.Env("TERM") != "dumb":
		p := newProgress(a.Stderr, a.ErrWidth)
		return watchers{p}, p.stop
	}
	return nil, func() {}
}

// watchers are told the same, one after the other.
type watchers []pipeline.Watcher

func (ws watchers) Begin(step string, read func() int) {
	for _, w := range ws {
		w.Begin(step, read)
	}
}

func (ws watchers) End(step string, took time.Duration) {
	for _, w := range ws {
		w.End(step, took)
	}
}

// timings is a watcher that writes how long every step took.
type timings struct {
	mu sync.Mutex
	w  io.Writer
}

func (t *timings) Begin(string, func() int) {}

func (t *timings) End(step string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.w, "audit: %s took %s\n", step, took.Round(time.Millisecond))
}
