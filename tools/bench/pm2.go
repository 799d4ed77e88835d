//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// What must hold on two cores for an audit of PM2 alone, once nothing moves.
var fleets = []struct {
	apps   int
	wall   time.Duration
	memory int64 // bytes; 0 is no limit
}{
	{14, 30 * time.Millisecond, 40 << 20},
	{100, 60 * time.Millisecond, 0},
}

const (
	daemonRuns = 25
	calm       = 3 * time.Second // after which no app is taken for one that just started
)

// daemons times audit on real PM2 daemons; ok is true where there is no PM2.
func (b *bench) daemons() (ok bool, err error) {
	if b.pm2, err = filepath.Abs(b.pm2); err != nil {
		return false, err
	}
	if _, err := os.Stat(b.pm2); err != nil {
		fmt.Printf("PM2: skipped, there is no %s (make pm2)\n", b.pm2)
		return true, nil
	}
	node, err := exec.LookPath("node")
	if err != nil {
		fmt.Println("PM2: skipped, there is no node on PATH")
		return true, nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "PM2, median of %d\twall\tlimit\tCPU\tpeak memory\tpm2 jlist\tpeak memory\tratio\t\n", daemonRuns)
	ok = true
	for _, f := range fleets {
		ours, theirs, err := b.fleet(node, f.apps)
		if err != nil {
			return false, err
		}
		mark := fmt.Sprint(f.wall)
		if f.memory > 0 {
			mark += fmt.Sprintf(", %d MB", f.memory>>20)
		}
		if ours.wall > f.wall || f.memory > 0 && ours.memory > f.memory {
			ok, mark = false, mark+" OVER"
		}
		ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
		fmt.Fprintf(w, "%d apps\t%s\t%s\t%s\t%d MB\t%s\t%d MB\t%.2f\t\n", f.apps, ms(ours.wall), mark, ms(ours.cpu), ours.memory>>20,
			ms(theirs.wall), theirs.memory>>20, float64(ours.wall)/float64(theirs.wall))
	}
	return ok, w.Flush()
}

// fleet times audit and pm2 on one daemon with so many apps, and ends it.
func (b *bench) fleet(node string, apps int) (ours, theirs sample, err error) {
	dir, err := os.MkdirTemp("", "b") // short: the path of a socket has 107 bytes
	if err != nil {
		return ours, theirs, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	home, project := filepath.Join(dir, "home"), filepath.Join(dir, "project")
	if err := writeFleet(home, project, apps); err != nil {
		return ours, theirs, err
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PM2_HOME=" + home, "PM2_NO_INTERACTION=true", "PM2_DISABLE_VERSION_CHECK=1"}
	defer func() { err = errors.Join(err, end(home)) }()
	for _, args := range [][]string{{"start", "ecosystem.config.js"}, {"save"}} {
		if _, err := b.time(project, env, node, append([]string{b.pm2, "-s"}, args...)...); err != nil {
			return ours, theirs, err
		}
	}
	time.Sleep(calm)
	audit := func() (sample, error) { return b.time(project, env, b.audit, "run", "--only", "pm2") }
	if _, err := audit(); err != nil { // the first run makes the store
		return ours, theirs, err
	}
	if ours, err = median(daemonRuns, audit); err != nil {
		return ours, theirs, err
	}
	theirs, err = median(daemonRuns, func() (sample, error) { return b.time(project, env, node, b.pm2, "-s", "jlist") })
	return ours, theirs, err
}

// writeFleet writes a project of apps that do nothing at all.
func writeFleet(home, project string, apps int) error {
	var list strings.Builder
	for i := range apps {
		fmt.Fprintf(&list, "  { name: 'app-%03d', script: 'idle.sh', interpreter: 'sh', env: { PORT: %d, API_KEY: 'x' } },\n", i, 20000+i)
	}
	for path, text := range map[string]string{
		filepath.Join(home, "touch"):                  "", // of a first run: without it PM2 asks the network
		filepath.Join(project, "idle.sh"):             "exec sleep 100000\n",
		filepath.Join(project, "ecosystem.config.js"): "module.exports = { apps: [\n" + list.String() + "] }\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// end ends the daemon of a home and the apps it started. PM2 itself is not
// asked: it would start a daemon if that one had died.
func end(home string) error {
	pids, err := filepath.Glob(filepath.Join(home, "pids", "*.pid"))
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range append([]string{filepath.Join(home, "pm2.pid")}, pids...) { // it first: it would start the others again
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		pid, perr := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil || perr != nil || pid <= 1 {
			errs = append(errs, fmt.Errorf("no process in %s: %w", name, errors.Join(err, perr)))
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("end process %d of %s: %w", pid, name, err))
		}
	}
	return errors.Join(errs...)
}
