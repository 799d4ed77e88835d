//go:build unix

package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/pm2/pm2test"
)

// TestKilledDeedChild is the process that TestApply_deeds_survive_kill_9 kills.
func TestKilledDeedChild(t *testing.T) {
	root, at := os.Getenv("AUDIT_TEST_DEED_ROOT"), os.Getenv("AUDIT_TEST_KILL")
	if root == "" {
		t.Skip("it is started by another test")
	}
	n, _ := strconv.Atoi(at)
	now := time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)
	if os.Getenv("AUDIT_TEST_DEED_REAL") != "" {
		now = time.Now()
	}
	p := &patient{Fake: &pm2test.Fake{Home: os.Getenv("AUDIT_TEST_DEED_HOME")}, t: t, root: root, rules: os.Getenv("AUDIT_TEST_DEED_RULES"), now: now}
	q := Request{wrap: func(s rules.Site) rules.Site { return &killer{s, n} }}
	if _, _, err := p.runner("apply").Apply(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

// A deedCase is an action on a PM2 that is played, killed everywhere.
type deedCase struct {
	socket string // the name under which the daemon listens
	rules  string
	make   func(*patient)
	well   func(*patient) string // what is not as it should be in the end, "" nothing
	never  func(*patient) string // and what must not be at any time
	least  int                   // moments
}

var deedCases = map[string]deedCase{
	"untangle": {"rpc.sock", rule("r", "pm2/api", `finding("pm2-waiting-forever")`, "type: pm2.untangle"),
		func(p *patient) { p.Add("api", "waiting restart", nil) },
		func(p *patient) string {
			return unless(p.Of("api")[0].Status == "online", "it is "+p.Of("api")[0].Status)
		},
		func(p *patient) string { return most(p, "restartProcessId api", 2) }, 14},
	"restart": {"rpc.sock", rule("r", "pm2/api", `finding("pm2-errored")`, "type: pm2.restart"),
		func(p *patient) { p.Add("api", "errored", nil) },
		func(p *patient) string {
			return unless(p.Of("api")[0].Status == "online", "it is "+p.Of("api")[0].Status)
		},
		func(p *patient) string { return most(p, "restartProcessId api", 1) }, 11},
	"start": {"rpc.sock", rule("r", "pm2/pool", `finding("pm2-not-running")`, "type: pm2.start"),
		func(p *patient) {
			one, two := p.Entry("pool"), p.Entry("pool")
			one["NODE_APP_INSTANCE"], two["NODE_APP_INSTANCE"] = 0, 1
			p.Dump(one, two)
		},
		func(p *patient) string { return unless(len(p.Of("pool")) == 2, "not both run") },
		func(p *patient) string { return most(p, "prepare pool", 2) }, 14},
	"scale": {"rpc.sock", rule("r", "pm2/pool", `finding("pm2-instances-short")`, "type: pm2.scale"),
		func(p *patient) {
			collecttest.WriteFile(p.t, p.root, "ecosystem.yml", []byte("apps: [{name: pool, script: /bin/sleep, instances: 3, exec_mode: cluster}]\n"))
			p.Add("pool", "online", map[string]any{"exec_mode": "cluster_mode"})
		},
		func(p *patient) string { return unless(len(p.Of("pool")) == 3, "not three run") },
		func(p *patient) string { return most(p, "duplicateProcessId pool", 2) }, 14},
	"rotate": {"rpc.sock", rule("r", "pm2/daemon", `finding("pm2-logs-grow")`, "type: pm2.rotate_logs, min_mb: 0"),
		func(p *patient) {
			p.Add("api", "online", nil)
			p.write("logs/api-out.log", strings.Repeat("precious\n", 1000))
		},
		func(p *patient) string {
			st, err := os.Stat(filepath.Join(p.Home, "logs", "api-out.log"))
			left, _ := filepath.Glob(filepath.Join(p.Home, "logs", "api-out.log.*"))
			return unless(err == nil && st.Size() == 0 && len(left) == 1 && strings.HasSuffix(left[0], "Z.gz"), "beside it stand "+strings.Join(left, " "))
		},
		func(p *patient) string { return "" }, 18},
	"save": {"rpc.sock", rule("r", "pm2/daemon", `finding("pm2-dump-stale")`, "type: pm2.save"),
		func(p *patient) {
			p.Add("api", "online", nil)
			p.Dump(p.Entry("other"))
		},
		func(p *patient) string {
			b, err := os.ReadFile(filepath.Join(p.Home, "dump.pm2"))
			left, _ := filepath.Glob(filepath.Join(p.Home, "*audit*"))
			return unless(err == nil && json.Valid(b) && bytes.Contains(b, []byte(`"name": "api"`)) && bytes.Contains(b, []byte(`"name": "other"`)), "the list is "+string(b)) +
				unless(len(left) == 0, "left behind "+strings.Join(left, " "))
		},
		func(p *patient) string {
			b, _ := os.ReadFile(filepath.Join(p.Home, "dump.pm2.bak"))
			return unless(len(b) == 0 || json.Valid(b), "the list before is torn")
		}, 20},
	"resurrect": {"real.sock", rule("r", "pm2/daemon", `finding("pm2-daemon-down")`, "type: pm2.resurrect, start_daemon: yes") +
		rule("s", "pm2/*", `finding("pm2-not-running")`, "type: pm2.start"),
		func(p *patient) {
			p.Dump(p.Entry("api"), p.Entry("web"))
			p.write("pm2.pid", "4194304\n")
			p.write("bin/pm2*", "#!/bin/sh\necho x >>\"$PM2_HOME/starts\"\nmv \"$PM2_HOME/real.sock\" \"$PM2_HOME/rpc.sock\"\n")
		},
		func(p *patient) string { return unless(len(p.Of("api")) == 1 && len(p.Of("web")) == 1, "not both run") },
		func(p *patient) string {
			b, _ := os.ReadFile(filepath.Join(p.Home, "starts"))
			return unless(len(b) <= 2, "the daemon was started twice") + most(p, "prepare api", 1) + most(p, "prepare web", 1)
		}, 20},
}

func unless(ok bool, what string) string {
	if ok {
		return ""
	}
	return what + "; "
}

func most(p *patient, call string, n int) string {
	got := 0
	for _, c := range p.Calls() {
		if c == call {
			got++
		}
	}
	return unless(got <= n, call+" "+strconv.Itoa(got)+" times")
}

// Killed before and after every step, in the middle of a call too, the next runs
// bring each app to where it should be, what may happen once happens once at
// most, and no other app is touched.
func TestApply_deeds_survive_kill_9(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes: make test runs it")
	}
	for name, c := range deedCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := 1
			for ; at < 80 && c.killed(t, at); at++ {
			}
			if at <= c.least {
				t.Errorf("killed at %d moments only", at-1)
			}
			t.Logf("killed at %d moments", at-1)
		})
	}
}

// killedChild applies rules in a process that is killed at a moment, and reports
// whether it came to that.
func killedChild(t *testing.T, root, home, rules string, at int, env ...string) (dead bool, out []byte) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledDeedChild$", "-test.v")
	cmd.Env = append(os.Environ(), "AUDIT_TEST_DEED_ROOT="+root, "AUDIT_TEST_DEED_HOME="+home, "AUDIT_TEST_DEED_RULES="+rules, "AUDIT_TEST_KILL="+strconv.Itoa(at))
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	dead = errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	if err != nil && !dead {
		t.Fatalf("killed at %d: %v\n%s", at, err, out)
	}
	return dead, out
}

// killed reports whether there is such a moment.
func (c deedCase) killed(t *testing.T, at int) bool {
	t.Helper()
	p := &patient{Fake: pm2test.NewFake(t, c.socket), t: t, root: t.TempDir(), rules: c.rules, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	c.make(p)
	if c.socket == "rpc.sock" {
		p.Add("other", "online", nil)
	}
	others := p.Of("other")
	p.run("plan")
	dead, out := killedChild(t, p.root, p.Home, p.rules, at)
	p.now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	first := p.run("apply")
	p.run("apply")
	if c.socket != "rpc.sock" {
		p.run("apply") // what rests for its cooldown, and what that leaves to another rule
	}
	if why := c.well(p) + c.never(p); why != "" {
		t.Errorf("killed at %d: %s\ncalls %v\n%+v\n%s", at, why, p.Calls(), first.Recovery, out)
	}
	if now := p.Of("other"); len(now) != len(others) || len(now) == 1 && (now[0].PID != others[0].PID || now[0].Restarts != 0) {
		t.Errorf("killed at %d: the other app moved: %+v, was %+v", at, now, others)
	}
	if p.Died() != "" {
		t.Errorf("killed at %d: the daemon died of %s", at, p.Died())
	}
	return dead
}
