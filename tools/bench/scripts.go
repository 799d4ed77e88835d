//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// What must hold on two cores for a project of scripts, with all that is seen
// only when the systems are seen together.
const (
	scriptsCold   = 3 * time.Second
	scriptsWarm   = 150 * time.Millisecond
	scriptsMemory = 150 << 20 // bytes
)

// automation times audit on a project that is mostly scripts, npm scripts and
// schedules.
func (b *bench) automation() (ok bool, err error) {
	if _, err := os.Stat(b.scripts); err != nil {
		fmt.Printf("scripts: skipped, there is no %s (tools/genproject -shape scripts makes it)\n", b.scripts)
		return true, nil
	}
	files, size, err := count(b.scripts)
	if err != nil {
		return false, err
	}
	store := filepath.Join(b.temp, "scripts.db")
	audit := func() (sample, error) { return b.time(b.scripts, b.env, b.audit, "run", "--store", store) }
	cold, err := median(coldRuns, func() (sample, error) {
		if err := os.RemoveAll(store); err != nil {
			return sample{}, err
		}
		return audit()
	})
	if err != nil {
		return false, err
	}
	warm, err := median(warmRuns, audit)
	if err != nil {
		return false, err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "scripts: %d files, %.1f MB\twall\tlimit\tCPU\tpeak memory\t\n", files, float64(size)/1e6)
	ok = true
	for _, r := range []struct {
		title string
		sample
		limit time.Duration
	}{{"cold", cold, scriptsCold}, {"warm", warm, scriptsWarm}} {
		mark := fmt.Sprintf("%v, %d MB", r.limit, scriptsMemory>>20)
		if r.wall > r.limit || r.memory > scriptsMemory {
			ok, mark = false, mark+" OVER"
		}
		fmt.Fprintf(w, "%s\t%.3f s\t%s\t%.2f s\t%d MB\t\n", r.title, r.wall.Seconds(), mark, r.cpu.Seconds(), r.memory>>20)
	}
	return ok, w.Flush()
}
