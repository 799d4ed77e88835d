//go:build unix

package pm2test

import (
	"encoding/json"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// A Fake plays a PM2 daemon: it speaks the protocol, keeps a list, and its
// processes are real ones that sleep. It does what 7.0.4 was seen to do, and
// dies of what that dies of. For what takes too long, or must misbehave, with a
// real one.
type Fake struct {
	Home string

	mu    sync.Mutex
	t     testing.TB
	procs []*FakeProcess
	next  int
	sick  map[string]bool
	calls []string // all but those that only look
	died  string   // what killed it: a call that it cannot take
	odd   map[string]string
	crowd int
	deny  string
	kids  []*exec.Cmd
}

// A FakeProcess is one process of a Fake.
type FakeProcess struct {
	ID, PID  int
	Status   string
	Restarts int
	Env      map[string]any // pm2_env, besides what the fields say
}

// NewFake makes a daemon that listens at NAME in a home of its own.
func NewFake(t testing.TB, name string) *Fake {
	t.Helper()
	home, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	f := &Fake{Home: home, t: t, sick: map[string]bool{}, odd: map[string]string{}}
	l, err := net.Listen("unix", filepath.Join(home, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, k := range f.kids {
			_ = k.Process.Kill()
			_ = k.Wait()
		}
		os.RemoveAll(home)
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(conn)
		}
	}()
	return f
}

// Add lists one more process, with further settings.
func (f *Fake) Add(name, status string, more map[string]any) *FakeProcess {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	env := f.Entry(name)
	maps.Copy(env, more)
	p := f.add(env, status)
	if status == "online" {
		p.PID = f.spawn()
	}
	return p
}

// Entry is what pm2_env and dump.pm2 hold of an app.
func (f *Fake) Entry(name string) map[string]any {
	logs := filepath.Join(f.Home, "logs", name)
	return map[string]any{"name": name, "namespace": "default", "pm_exec_path": "/bin/sleep", "pm_cwd": "/", "exec_mode": "fork_mode", "exec_interpreter": "none",
		"pm_pid_path": filepath.Join(f.Home, "pids", name+".pid"), "pm_out_log_path": logs + "-out.log", "pm_err_log_path": logs + "-error.log",
		"autorestart": true, "autostart": true, "min_uptime": 1000, "env": map[string]any{"API_KEY": "s3cret"}, "API_KEY": "s3cret"}
}

// Dump writes dump.pm2.
func (f *Fake) Dump(entries ...map[string]any) {
	f.t.Helper()
	b, err := json.Marshal(entries)
	if err == nil {
		err = os.WriteFile(filepath.Join(f.Home, "dump.pm2"), b, 0o600)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// Sick makes an app crash whenever it is started, or not any more.
func (f *Fake) Sick(name string, sick bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sick[name] = sick
}

// Answer makes the daemon answer a method with this body.
func (f *Fake) Answer(method, body string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.odd[method] = body
}

// Deny makes the daemon start no app of that name: it answers with an error.
func (f *Fake) Deny(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deny = name
}

// Crowd has somebody else start one more process as well, in the same moment, the
// next n times that one is duplicated or prepared.
func (f *Fake) Crowd(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crowd = n
}

// Calls returns what was done to the daemon: method and process, or app.
func (f *Fake) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Forget empties the list of calls.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
}

// Died returns what call the daemon died of, "" when it lives.
func (f *Fake) Died() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.died
}

// Of returns the processes of an app, by number.
func (f *Fake) Of(name string) (out []FakeProcess) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.procs {
		if p.Env["name"] == name {
			out = append(out, *p)
		}
	}
	return out
}

// Clear takes everything off the list.
func (f *Fake) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs, f.next = nil, 0
}

func (f *Fake) add(env map[string]any, status string) *FakeProcess {
	p := &FakeProcess{ID: f.next, Status: status, Env: env}
	if _, ok := env["unique_id"]; !ok {
		env["unique_id"] = "unique-" + strconv.Itoa(f.next)
	}
	f.next++
	f.procs = append(f.procs, p)
	return p
}

// spawn starts a process that sleeps.
func (f *Fake) spawn() int {
	cmd := exec.Command("/bin/sleep", "1000")
	if err := cmd.Start(); err != nil {
		f.t.Error(err)
		return 0
	}
	f.kids = append(f.kids, cmd)
	return cmd.Process.Pid
}
