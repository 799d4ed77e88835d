package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"healthaudit/snapshot"
)

const (
	progressAfter = 300 * time.Millisecond // a run that is over sooner shows nothing
	progressEvery = 100 * time.Millisecond
)

// doing says what a stage does, for a person who waits.
var doing = map[string]string{
	"lock": "waiting for the lock", "open": "opening the store", "tree": "listing the files of the project", "collect": "reading", "diff": "comparing with before",
	"judge": "judging", "archive": "making the archive", "plan": "planning recovery", "commit": "keeping the run",
	"recover": "recovering", "document": "writing the report", "prune": "removing old snapshots",
}

// A progress is a watcher that keeps one line of a terminal up to date. It looks
// from time to time, so that the run is not held up by the terminal.
type progress struct {
	w       io.Writer
	columns int

	mu    sync.Mutex
	stage string
	open  []string // systems that are being read
	done  int      // systems that were
	read  func() int

	quit, ended chan struct{}
}

// newProgress begins to draw. Columns is the width of the terminal; 0 is 80.
func newProgress(w io.Writer, columns int) *progress {
	if columns <= 0 {
		columns = 80
	}
	p := &progress{w: w, columns: columns, stage: "lock", quit: make(chan struct{}), ended: make(chan struct{})}
	go p.draw()
	return p
}

func (p *progress) Begin(step string, read func() int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = read
	if _, err := snapshot.ParseSystem(step); err == nil {
		p.open = append(p.open, step)
		slices.Sort(p.open)
		return
	}
	p.stage = step
}

func (p *progress) End(step string, _ time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.open, step); i >= 0 {
		p.open = slices.Delete(p.open, i, i+1)
		p.done++
	}
}

// line says what is being done, and how far it is.
func (p *progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := doing[p.stage]
	if s == "" {
		s = p.stage
	}
	if p.stage == "collect" {
		s = strings.TrimSpace(s + " " + strings.Join(p.open, ", "))
		if n := p.done + len(p.open); n > 1 {
			s += fmt.Sprintf(" (%d of %d done)", p.done, n)
		}
		if n := p.read(); n > 0 {
			s += fmt.Sprintf(": %d files", n)
		}
	}
	return s
}

// draw writes the line anew until it is told to stop, and then takes it away.
func (p *progress) draw() {
	defer close(p.ended)
	wait := time.NewTimer(progressAfter)
	defer wait.Stop()
	select {
	case <-p.quit:
		return
	case <-wait.C:
	}
	every := time.NewTicker(progressEvery)
	defer every.Stop()
	for ticks := int(progressAfter / progressEvery); ; ticks++ {
		s := fmt.Sprintf("audit: %s, %d s", p.line(), ticks/int(time.Second/progressEvery))
		fmt.Fprintf(p.w, "\r%s\x1b[K", s[:min(len(s), p.columns-1)]) // all of it is ASCII; the last column would wrap
		select {
		case <-p.quit:
			fmt.Fprint(p.w, "\r\x1b[K")
			return
		case <-every.C:
		}
	}
}

// stop takes the line away; nothing is written after it has returned.
func (p *progress) stop() {
	close(p.quit)
	<-p.ended
}
