//go:build unix

// Package pm2test gives tests a real PM2 in a home of its own, and ends it with
// the test.
package pm2test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot/host"
)

// A Real is a real PM2. Nothing of it runs until a command starts the daemon.
type Real struct {
	T          testing.TB
	Bin        string   // the pm2 command, for node
	Home, Tree string   // PM2_HOME, and the folder in which commands run
	Env        []string // of every command, besides what PM2 needs
}

// New finds the pinned PM2: AUDIT_TEST_PM2 names its node_modules folder, else it
// is where `make pm2` puts it. The test is left out where there is none, and in
// short runs.
func New(t testing.TB) *Real {
	t.Helper()
	if testing.Short() {
		t.Skip("a real PM2 takes its time: not in short runs")
	}
	modules := os.Getenv("AUDIT_TEST_PM2")
	if modules == "" {
		modules = filepath.Join(top(t), "build", "pm2", "node_modules")
	}
	bin, err := filepath.Abs(filepath.Join(modules, "pm2", "bin", "pm2"))
	if err == nil {
		_, err = os.Stat(bin)
	}
	if _, nodeErr := exec.LookPath("node"); err != nil || nodeErr != nil {
		t.Skip("no PM2 to test with: run make pm2 (needs node and npm)")
	}
	// The socket's path must be short: PM2 cuts it silently at 107 bytes.
	home, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	r := &Real{T: t, Bin: bin, Home: home, Tree: t.TempDir()}
	t.Cleanup(func() {
		r.Reap()
		os.RemoveAll(home)
	})
	// Its first-run marker keeps PM2 from asking the network for its version.
	if err := os.WriteFile(filepath.Join(home, "touch"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

// top is the folder of go.mod.
func top(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}

// Run runs the real command, and returns what it prints.
func (r *Real) Run(args ...string) []byte {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{r.Bin, "-s"}, args...)...)
	cmd.Dir = r.Tree
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.Home, "PM2_HOME=" + r.Home, "PM2_NO_INTERACTION=true", "PM2_DISABLE_VERSION_CHECK=1"}, r.Env...)
	out, err := cmd.Output()
	if err != nil {
		r.T.Fatalf("pm2 %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Processes returns what runs of this home: daemons, and their children.
func (r *Real) Processes() (daemons, apps []host.Process) {
	h, err := host.New(r.Tree, os.Getenv, time.Now)
	if err != nil {
		r.T.Fatal(err)
	}
	defer h.Close()
	list, err := h.Processes(host.Titled)
	if err != nil {
		r.T.Skip(err)
	}
	for _, p := range list {
		if strings.HasPrefix(p.Title, "PM2 v") && strings.Contains(p.Title, ": God Daemon ("+r.Home) {
			daemons = append(daemons, p)
		}
	}
	for _, p := range list {
		if slices.ContainsFunc(daemons, func(d host.Process) bool { return d.PID == p.PPID }) {
			apps = append(apps, p)
		}
	}
	return daemons, apps
}

// Reap ends what runs of this home, by pid.
func (r *Real) Reap() {
	daemons, apps := r.Processes()
	for _, p := range append(daemons, apps...) {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	}
}

// Daemon returns the pid of the one daemon that runs.
func (r *Real) Daemon() int {
	r.T.Helper()
	daemons, _ := r.Processes()
	if len(daemons) != 1 {
		r.T.Fatalf("%d daemons", len(daemons))
	}
	return daemons[0].PID
}

// A Process is what PM2 itself says of one process.
type Process struct {
	Name string `json:"name"`
	ID   int    `json:"pm_id"`
	PID  int    `json:"pid"`
	Env  struct {
		Status   string `json:"status"`
		Restarts int    `json:"restart_time"`
		Created  any    `json:"created_at"`
		Uptime   any    `json:"pm_uptime"`
		Out      string `json:"pm_out_log_path"`
	} `json:"pm2_env"`
}

// List returns what PM2 itself lists.
func (r *Real) List() (list []Process) {
	r.T.Helper()
	if err := json.Unmarshal(r.Run("jlist"), &list); err != nil {
		r.T.Fatal(err)
	}
	return list
}

// Census is what PM2 itself says of every process but those of the named apps:
// what must not move when something is done to these.
func (r *Real) Census(but ...string) string {
	r.T.Helper()
	s := fmt.Sprintf("daemon %d\n", r.Daemon())
	for _, p := range r.List() {
		if !slices.Contains(but, p.Name) {
			s += fmt.Sprintf("%+v\n", p)
		}
	}
	return s
}
