//go:build unix

package pm2test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"healthaudit/snapshot/analyze/axon"
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

func (f *Fake) serve(conn net.Conn) {
	defer conn.Close()
	for {
		args, err := axon.ReadFrame(conn)
		if err != nil || len(args) != 2 {
			return
		}
		body := f.reply(args[0])
		if body == "" {
			return
		}
		if _, err := conn.Write(axon.Frame([]byte("j:"+body), args[1])); err != nil {
			return
		}
	}
}

var errDies = errors.New("dies")

func (f *Fake) reply(frame []byte) string {
	var call struct {
		Method string            `json:"method"`
		Args   []json.RawMessage `json:"args"`
	}
	_ = json.Unmarshal(frame[2:], &call)
	f.mu.Lock()
	defer f.mu.Unlock()
	if body, ok := f.odd[call.Method]; ok {
		return body
	}
	if f.died != "" {
		return ""
	}
	result, err := f.do(call.Method, call.Args)
	switch {
	case errors.Is(err, errDies):
		f.died = string(frame)
		return ""
	case err != nil:
		b, _ := json.Marshal(map[string]any{"error": err.Error()})
		return string(b)
	}
	b, err := json.Marshal(map[string]any{"args": []any{result}})
	if err != nil {
		f.t.Error(err)
	}
	return string(b)
}

// do carries out a call. What a real daemon dies of, this one dies of as well.
func (f *Fake) do(method string, args []json.RawMessage) (any, error) {
	if len(args) != 1 || string(args[0]) == "null" {
		return nil, errDies
	}
	var id int
	switch method {
	case "getVersion":
		return "7.0.4", nil
	case "getMonitorData":
		return f.listing(), nil
	case "reloadLogs":
		f.calls = append(f.calls, method)
		return struct{}{}, f.reopen()
	case "prepare":
		return f.prepare(args[0])
	case "restartProcessId", "reloadProcessId":
		var o struct{ ID *int }
		if json.Unmarshal(args[0], &o) != nil || o.ID == nil {
			return nil, errDies
		}
		id = *o.ID
	case "stopProcessId", "duplicateProcessId", "deleteProcessId":
		if json.Unmarshal(args[0], &id) != nil {
			return nil, errDies
		}
	default:
		return nil, fmt.Errorf("method %q does not exist", method)
	}
	i := slices.IndexFunc(f.procs, func(p *FakeProcess) bool { return p.ID == id })
	if i < 0 {
		return nil, errors.New("id unknown")
	}
	p := f.procs[i]
	f.calls = append(f.calls, fmt.Sprintf("%s %v", method, p.Env["name"]))
	return f.one(method, p)
}

func (f *Fake) one(method string, p *FakeProcess) (any, error) {
	env := map[string]any{"env": map[string]any{"API_KEY": "s3cret"}}
	switch method {
	case "stopProcessId":
		if p.PID == 0 && p.Status != "stopped" {
			p.Status = "stopped"
			return map[string]any{"error": true, "message": "could not kill process w/o pid"}, nil
		}
		p.Status, p.PID = "stopped", 0
		return map[string]any{"pid": 0, "pm2_env": env}, nil
	case "duplicateProcessId":
		e := maps.Clone(p.Env)
		delete(e, "unique_id")
		f.start(f.add(e, "launching"))
		return env, nil
	case "deleteProcessId":
		f.procs = slices.DeleteFunc(f.procs, func(q *FakeProcess) bool { return q == p })
		return env, nil
	}
	switch p.Status {
	case "waiting restart":
		return nil, errors.New("Process with pid 1 already exists")
	case "online":
		p.Restarts++
	}
	f.start(p)
	return env, nil
}

// start gives a process a pid, or up.
func (f *Fake) start(p *FakeProcess) {
	if name, _ := p.Env["name"].(string); f.sick[name] {
		p.Status, p.PID = "errored", 0
		return
	}
	p.Status, p.PID = "online", f.spawn()
}

func (f *Fake) prepare(raw json.RawMessage) (any, error) {
	var e map[string]any
	if json.Unmarshal(raw, &e) != nil {
		return nil, errDies
	}
	if _, ok := e["env"].(map[string]any); !ok || e["pm_pid_path"] == nil {
		return nil, errDies
	}
	f.calls = append(f.calls, fmt.Sprintf("prepare %v", e["name"]))
	delete(e, "unique_id")
	if e["status"] == "stopped" {
		f.add(e, "stopped")
		return []any{}, nil
	}
	f.start(f.add(e, "launching"))
	return []any{}, nil
}

// reopen opens the logs of what runs anew.
func (f *Fake) reopen() error {
	for _, p := range f.procs {
		if p.Status != "online" {
			continue
		}
		for _, k := range []string{"pm_out_log_path", "pm_err_log_path"} {
			file, err := os.OpenFile(fmt.Sprint(p.Env[k]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
			if err != nil {
				continue // its folder is not there
			}
			file.Close()
		}
	}
	return nil
}

func (f *Fake) listing() []any {
	list := []any{}
	for _, p := range f.procs {
		env := maps.Clone(p.Env)
		env["status"], env["restart_time"], env["unstable_restarts"], env["pm_uptime"] = p.Status, p.Restarts, 0, 1_700_000_000_000
		if p.Status != "errored" && p.Status != "waiting restart" {
			env["created_at"] = 1_700_000_000_000
		}
		one := map[string]any{"name": env["name"], "pm_id": p.ID, "pm2_env": env, "monit": map[string]any{"memory": 1, "cpu": 0}}
		if p.PID > 0 || p.Status == "waiting restart" {
			one["pid"] = p.PID
		}
		if old, ok := env["_old"]; ok {
			one["pm_id"] = old
		}
		list = append(list, one)
	}
	return list
}
