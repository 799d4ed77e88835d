package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
)

// watched runs an audit and shows on standard error how far it is: in lines with
// --verbose, else on a line of a terminal that is gone when the run has ended.
// A pipe, cron and --quiet see nothing.
func (a *App) watched(r *pipeline.Runner) (*report.Document, error) {
	switch {
	case a.Verbose:
		r.Watch = &timings{w: a.Stderr}
	case a.ErrTerminal && !a.Quiet && a.Env("TERM") != "" && a.Env("TERM") != "dumb":
		p := newProgress(a.Stderr, a.ErrWidth)
		defer p.stop()
		r.Watch = p
	}
	return r.Run(a.ctx)
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
