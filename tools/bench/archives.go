//go:build unix

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// What must hold on two cores for 2,000 files of 20 MB.
const (
	backupLimit  = 500 * time.Millisecond
	backupMemory = 80 << 20 // bytes
	backupFiles  = 2000
	backupRuns   = 5
)

// archives times an archive and a restore from the store, verified, and restic's
// backup and restore of the same files, which start with scrypt each time.
func (b *bench) archives() (ok bool, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	project, size, err := scripts(dir)
	if err != nil {
		return false, err
	}
	env := append([]string{}, b.env...)
	env = append(env, "AUDIT_ROOT="+project, "RESTIC_PASSWORD=bench", "HOME="+dir, "XDG_CACHE_HOME="+dir, "RESTIC_REPOSITORY=")
	if _, err := b.time(project, env, b.audit, "run", "--archive", "never"); err != nil {
		return false, err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d files, %.1f MB\twall\tlimit\tCPU\tpeak memory\t\n", backupFiles, float64(size)/1e6)
	ok = true
	row := func(title string, bounded bool, run func(n int) (sample, error)) error {
		n := 0
		s, err := median(backupRuns, func() (sample, error) {
			n++
			syscall.Sync() // what the run before wrote is not to be waited for by this one
			return run(n)
		})
		if err != nil {
			return err
		}
		limit := "-"
		if bounded {
			if limit = fmt.Sprint(backupLimit); s.wall > backupLimit || s.memory > backupMemory {
				ok, limit = false, limit+" OVER"
			}
		}
		fmt.Fprintf(w, "%s\t%.3f s\t%s\t%.2f s\t%d MB\t\n", title, s.wall.Seconds(), limit, s.cpu.Seconds(), s.memory>>20)
		return nil
	}
	target := func(n int) string { return filepath.Join(dir, fmt.Sprint("back", n)) }
	if err := row("audit archive create", true, func(int) (sample, error) { return b.time(project, env, b.audit, "archive", "create") }); err != nil {
		return false, err
	}
	if err := row("audit restore, verified", true, func(n int) (sample, error) {
		return b.time(project, env, b.audit, "restore", "latest", "--target", target(n))
	}); err != nil {
		return false, err
	}
	made, err := filepath.Glob(filepath.Join(project, ".audit", "archives", "*"))
	if err != nil || len(made) == 0 {
		return false, fmt.Errorf("no archive: %w", err)
	}
	if err := row("audit restore --archive", false, func(n int) (sample, error) {
		return b.time(project, env, b.audit, "restore", "latest", "--archive", made[0], "--target", target(100+n))
	}); err != nil {
		return false, err
	}
	if err := b.resticArchives(project, env, target, row); err != nil {
		return false, err
	}
	w.Flush()
	fmt.Printf("\nLimits: %v, peak memory %d MB.\n", backupLimit, backupMemory>>20)
	return ok, nil
}

func (b *bench) resticArchives(project string, env []string, target func(int) string, row func(string, bool, func(int) (sample, error)) error) error {
	program := b.restic
	if _, err := os.Stat(program); err != nil {
		fmt.Printf("restic: skipped, there is no %s (make restic)\n", program)
		return nil
	}
	in := filepath.Join(project, "scripts")
	err := row("restic backup", false, func(n int) (sample, error) { // into a new repository: it would keep nothing twice
		env[len(env)-1] = "RESTIC_REPOSITORY=" + target(300+n)
		if s, err := b.time(project, env, program, "init", "--quiet"); err != nil {
			return s, err
		}
		return b.time(project, env, program, "backup", "--quiet", in)
	})
	if err != nil {
		return err
	}
	return row("restic restore --verify", false, func(n int) (sample, error) {
		return b.time(project, env, program, "restore", "latest", "--quiet", "--verify", "--target", target(200+n))
	})
}

// scripts makes a project of files that an audit captures: sizes as in the facts
// of the store, a median of some kilobytes and a long tail.
func scripts(dir string) (project string, size int, err error) {
	project = filepath.Join(dir, "project")
	if err := os.MkdirAll(filepath.Join(project, "scripts"), 0o755); err != nil {
		return "", 0, err
	}
	r := rand.New(rand.NewPCG(7, 7))
	for i := range backupFiles {
		var s strings.Builder
		fmt.Fprintf(&s, "#!/bin/sh\n# job %d\n", i)
		for n := min(int(math.Exp(8.4+1.2*r.NormFloat64())), 200000); s.Len() < n; {
			s.WriteString("echo")
			for range 12 {
				fmt.Fprintf(&s, " w%d", r.IntN(3000))
			}
			s.WriteByte('\n')
		}
		size += s.Len()
		if err := os.WriteFile(filepath.Join(project, "scripts", fmt.Sprintf("job%04d.sh", i)), []byte(s.String()), 0o755); err != nil {
			return "", 0, err
		}
	}
	return project, size, nil
}
