//go:build unix

// Command bench times audit on a project: cold runs into a new store, warm
// runs on the unchanged tree, and one after a few files changed, with
// `git status` on the same tree beside it; then on its workflows alone, with
// actionlint beside it, on its functions alone, with Netlify's own listing beside
// it, on a project of scripts, and on real PM2 daemons, with `pm2 jlist` beside it. Then
// how fast stores of many snapshots are read, how audit and restic keep the same
// folder, and how large a store becomes within a year.
//
// Usage: bench [-only PART,…] -audit FILE -project DIR -scripts DIR -year DIR -pm2 FILE -actionlint FILE -netlify DIR -restic FILE
//
// It exits with 1 when a limit is passed. The project is left as it was found,
// its .audit folder apart.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// What must hold on two cores.
const (
	coldLimit   = 4500 * time.Millisecond
	warmLimit   = 300 * time.Millisecond
	memoryLimit = 200 << 20 // bytes
	coldRuns    = 3
	warmRuns    = 5
	touched     = 10 // files changed before the last run
)

// A sample is one timed command.
type sample struct {
	wall, cpu time.Duration
	memory    int64 // peak resident set, bytes
}

type bench struct {
	audit, project string
	scripts        string // the project that is scripts, as a whole
	year           string // the project whose store is followed over a year
	temp           string
	pm2            string // PM2's program, bin/pm2
	actionlint     string
	netlify        string // node_modules with Netlify's tools
	restic         string
	env            []string
}

func main() {
	var b bench
	flag.StringVar(&b.audit, "audit", "build/audit", "the program")
	flag.StringVar(&b.project, "project", "build/bench/project", "the project")
	flag.StringVar(&b.pm2, "pm2", "build/pm2/node_modules/pm2/bin/pm2", "PM2's program")
	flag.StringVar(&b.actionlint, "actionlint", "build/tools/actionlint", "actionlint's program")
	flag.StringVar(&b.netlify, "netlify", "build/netlify/node_modules", "the folder of Netlify's tools")
	flag.StringVar(&b.restic, "restic", "build/tools/restic", "restic's program")
	flag.StringVar(&b.scripts, "scripts", "build/bench/scripts", "the project of scripts")
	flag.StringVar(&b.year, "year", "build/bench/year", "the project that changes")
	list := flag.String("only", "", "parts to run, such as growth,pm2 (default all)")
	flag.Parse()
	var only []string
	if *list != "" {
		only = strings.Split(*list, ",")
	}
	ok, err := b.everything(only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// everything runs all benchmarks; ok is false when one passed a limit.
func (b *bench) everything(only []string) (ok bool, err error) {
	path, err := os.MkdirTemp("", "bench")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(path)
	if err := bare(path); err != nil {
		return false, err
	}
	b.env, b.temp = []string{"PATH=" + path}, path
	for _, p := range []*string{&b.audit, &b.project, &b.scripts, &b.year, &b.actionlint, &b.restic} {
		if *p, err = filepath.Abs(*p); err != nil {
			return false, err
		}
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AUDIT_") && !strings.HasPrefix(v, "PM2_HOME=") && !strings.HasPrefix(v, "PATH=") {
			b.env = append(b.env, v)
		}
	}
	b.env = append(b.env, "PM2_HOME="+filepath.Join(os.TempDir(), "no-pm2-home-here"))
	ok = true
	for _, p := range b.parts() {
		if !slices.Contains(only, p.name) && len(only) > 0 {
			continue
		}
		within, err := p.run()
		if err != nil {
			return false, err
		}
		fmt.Println()
		ok = ok && within
	}
	return ok, nil
}

// A part is one subject of the benchmark.
type part struct {
	name string
	run  func() (ok bool, err error) // ok is false when a limit was passed
}

func (b *bench) parts() []part {
	return []part{{"runs", b.run}, {"workflows", b.workflows}, {"functions", b.functions}, {"scripts", b.automation}, {"pm2", b.daemons}, {"many", b.many}, {"restic", b.backups}, {"archives", b.archives}, {"growth", b.growth}}
}

func (b *bench) run() (ok bool, err error) {
	if err := os.RemoveAll(filepath.Join(b.project, ".audit")); err != nil {
		return false, err
	}
	files, size, err := count(b.project)
	if err != nil {
		return false, err
	}
	fmt.Printf("%d files, %.1f MB, %d CPUs\n\n", files, float64(size)/1e6, runtime.NumCPU())

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\twall\tlimit\tCPU\tpeak memory\tfiles/s\tstore in use\tgrowth\t")
	ok = true
	row := func(title string, s sample, limit time.Duration, before, after int64) {
		mark := "-"
		if limit > 0 {
			mark = fmt.Sprint(limit)
			if s.wall > limit || s.memory > memoryLimit {
				ok, mark = false, mark+" OVER"
			}
		}
		store, growth := "-", "-"
		if after > 0 {
			store, growth = fmt.Sprintf("%.2f MB", float64(after)/1e6), fmt.Sprintf("%+d B", after-before)
		}
		fmt.Fprintf(w, "%s\t%.3f s\t%s\t%.2f s\t%d MB\t%.0f\t%s\t%s\t\n", title, s.wall.Seconds(), mark,
			s.cpu.Seconds(), s.memory>>20, float64(files)/s.wall.Seconds(), store, growth)
	}

	if err := b.runs(row); err != nil {
		return false, err
	}
	if _, err := exec.LookPath("git"); err == nil {
		s, err := median(warmRuns+1, func() (sample, error) { return b.time(b.project, b.env, "git", "status", "--porcelain") })
		if err != nil {
			return false, err
		}
		row("git status", s, 0, 0, 0)
	}
	w.Flush()
	fmt.Printf("\nLimits: cold %v, warm %v, peak memory %d MB.\n", coldLimit, warmLimit, memoryLimit>>20)
	return ok, nil
}

// runs times audit itself: cold, warm, and with changed files.
func (b *bench) runs(row func(string, sample, time.Duration, int64, int64)) error {
	cold, err := median(coldRuns, func() (sample, error) {
		if err := os.RemoveAll(filepath.Join(b.project, ".audit")); err != nil {
			return sample{}, err
		}
		return b.auditRun()
	})
	if err != nil {
		return err
	}
	first, err := b.inUse()
	if err != nil {
		return err
	}
	row(fmt.Sprintf("cold, median of %d", coldRuns), cold, coldLimit, 0, first)

	// Growth is that of one snapshot: the mean over the warm runs.
	warm, err := median(warmRuns, b.auditRun)
	if err != nil {
		return err
	}
	last, err := b.inUse()
	if err != nil {
		return err
	}
	row(fmt.Sprintf("warm, median of %d", warmRuns), warm, warmLimit, last-(last-first)/warmRuns, last)

	undo, err := touch(b.project, touched)
	if err != nil {
		return err
	}
	changed, err := b.auditRun()
	if undone := undo(); err == nil {
		err = undone
	}
	if err != nil {
		return err
	}
	after, err := b.inUse()
	if err != nil {
		return err
	}
	row(fmt.Sprintf("%d files changed", touched), changed, 0, last, after)
	return nil
}

// auditRun times one run. A failed gate is fine: the project has wounds.
func (b *bench) auditRun() (sample, error) {
	return b.time(b.project, b.env, b.audit, "run")
}

func (b *bench) time(dir string, env []string, program string, args ...string) (sample, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	start := time.Now()
	err := cmd.Run()
	s := sample{wall: time.Since(start)}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		return s, fmt.Errorf("%s %s: %w: %s", filepath.Base(program), strings.Join(args, " "), err, errs.Bytes())
	}
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.memory = int64(u.Maxrss) // getrusage(2): kilobytes on Linux, bytes on macOS
		if runtime.GOOS != "darwin" {
			s.memory *= 1024
		}
	}
	return s, nil
}

// median runs n times and returns the sample of the median wall time, with the
// highest memory of all.
func median(n int, run func() (sample, error)) (sample, error) {
	var all []sample
	var memory int64
	for range n {
		s, err := run()
		if err != nil {
			return s, err
		}
		memory = max(memory, s.memory)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b sample) int { return int(a.wall - b.wall) })
	m := all[len(all)/2]
	m.memory = memory
	return m, nil
}

// inUse returns the bytes of the store that hold something.
func (b *bench) inUse() (int64, error) {
	return b.inUseOf(b.project, filepath.Join(b.project, ".audit", "audit.db"))
}

func (b *bench) inUseOf(dir, store string) (int64, error) {
	cmd := exec.Command(b.audit, "store", "stats", "--format", "json", "--store", store)
	cmd.Dir, cmd.Env = dir, b.env
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("store stats: %w", err)
	}
	var stats struct {
		InUse *int64 `json:"in_use_bytes"`
	}
	if err := json.Unmarshal(out, &stats); err != nil {
		return 0, fmt.Errorf("store stats: %w", err)
	}
	if stats.InUse == nil {
		return 0, errors.New("store stats: no in_use_bytes")
	}
	return *stats.InUse, nil
}

// count returns how many files the project has and their bytes.
func count(dir string) (files int, size int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" || d.Name() == ".audit" {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err == nil {
			files, size = files+1, size+info.Size()
		}
		return err
	})
	return files, size, err
}

// touch appends a comment to n workflows and returns what takes it back.
func touch(dir string, n int) (undo func() error, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, ".github", "workflows", "*.yml"))
	if err != nil {
		return nil, err
	}
	paths = paths[:min(n, len(paths))]
	was := map[string][]byte{}
	undo = func() error {
		var errs []error
		for path, b := range was {
			errs = append(errs, os.WriteFile(path, b, 0o644))
		}
		return errors.Join(errs...)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, errors.Join(err, undo())
		}
		was[path] = b
		if err := os.WriteFile(path, append(slices.Clone(b), "# touched\n"...), 0o644); err != nil {
			return nil, errors.Join(err, undo())
		}
	}
	return undo, nil
}
