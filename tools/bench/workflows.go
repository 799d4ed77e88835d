//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// What must hold on two cores for an audit of the workflows alone.
const (
	workflowsCold   = 1200 * time.Millisecond
	workflowsWarm   = 120 * time.Millisecond
	workflowsMemory = 60 << 20 // bytes
)

// workflows times audit on the workflows alone, and actionlint on the same
// files. Neither has shellcheck: see bare.
func (b *bench) workflows() (ok bool, err error) {
	if _, err := os.Stat(b.actionlint); err != nil {
		fmt.Printf("workflows: skipped, there is no %s\n", b.actionlint)
		return true, nil
	}
	files, err := filepath.Glob(filepath.Join(b.project, ".github", "workflows", "*.yml"))
	if err != nil {
		return false, err
	}
	cold, warm, err := b.only("workflows")
	if err != nil {
		return false, err
	}
	lint, err := median(warmRuns, func() (sample, error) {
		return b.time(b.project, b.env, b.actionlint, append([]string{"-shellcheck=", "-pyflakes="}, files...)...)
	})
	if err != nil {
		return false, err
	}
	return alone(fmt.Sprintf("%d workflows alone", len(files)), "actionlint", limits{workflowsCold, workflowsWarm, workflowsMemory}, cold, warm, lint)
}

// only times cold and warm audits of one system alone, into a store of their own.
func (b *bench) only(system string) (cold, warm sample, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return cold, warm, err
	}
	defer os.RemoveAll(dir)
	args := []string{"run", "--only", system, "--store", filepath.Join(dir, "audit.db")}
	audit := func() (sample, error) { return b.time(b.project, b.env, b.audit, args...) }
	cold, err = median(coldRuns, func() (sample, error) {
		if err := os.RemoveAll(filepath.Join(dir, "audit.db")); err != nil {
			return sample{}, err
		}
		return audit()
	})
	if err == nil {
		warm, err = median(warmRuns, audit)
	}
	return cold, warm, err
}

// limits are what must hold for one system alone.
type limits struct {
	cold, warm time.Duration
	memory     int64 // bytes
}

// alone prints one system's times beside those of another tool; ok is false when
// one passed a limit.
func alone(title, other string, most limits, cold, warm, theirs sample) (ok bool, err error) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\twall\tlimit\tCPU\tpeak memory\tto %s\t\n", title, other)
	ok = true
	for _, r := range []struct {
		title string
		sample
		limit time.Duration
	}{{"cold", cold, most.cold}, {"warm", warm, most.warm}, {other, theirs, 0}} {
		mark := "-"
		if r.limit > 0 {
			mark = fmt.Sprintf("%v, %d MB", r.limit, most.memory>>20)
			if r.wall > r.limit || r.memory > most.memory {
				ok, mark = false, mark+" OVER"
			}
		}
		fmt.Fprintf(w, "%s\t%.3f s\t%s\t%.2f s\t%d MB\t%.2f\t\n", r.title, r.wall.Seconds(), mark, r.cpu.Seconds(), r.memory>>20, r.wall.Seconds()/theirs.wall.Seconds())
	}
	return ok, w.Flush()
}

// bare makes a folder for PATH with the programs that every audit uses, and
// nothing else: shellcheck, where it is, would be timed instead of audit. A
// python3 that is a shim stands there as what it starts.
func bare(dir string) error {
	for _, name := range []string{"git", "python3"} {
		program, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if name == "python3" {
			if out, err := exec.Command(program, "-I", "-S", "-c", "import sys; sys.stdout.write(sys.executable)").Output(); err == nil && len(out) > 0 {
				program = string(out)
			}
		}
		if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
