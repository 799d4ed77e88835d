//go:build unix

package pm2test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"

	"healthaudit/snapshot/analyze/axon"
)

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
		if _, err := conn.Write(axon.Frame("j:"+body, args[1])); err != nil {
			return
		}
	}
}

var errDies = errors.New("dies")

func (f *Fake) reply(frame string) string {
	var call struct {
		Method string            `json:"method"`
		Args   []json.RawMessage `json:"args"`
	}
	_ = json.Unmarshal([]byte(frame[2:]), &call)
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
		e := maps.Clone(p.Env) // unique_id too: with 7.0.4 a duplicate has that of its original
		if f.crowd > 0 {
			f.crowd--
			f.start(f.add(maps.Clone(e), "launching"))
		}
		q := f.add(e, "launching")
		f.start(q)
		return map[string]any{"pm2_env": map[string]any{"pm_id": q.ID, "unique_id": q.Env["unique_id"], "env": env["env"]}}, nil
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
	if e["name"] == f.deny {
		return nil, errors.New("no")
	}
	if e["status"] == "stopped" {
		f.add(e, "stopped")
		return []any{}, nil
	}
	if f.crowd > 0 {
		f.crowd--
		f.start(f.add(maps.Clone(e), "launching"))
	}
	p := f.add(e, "launching")
	f.start(p)
	return []any{map[string]any{"pm2_env": map[string]any{"pm_id": p.ID, "unique_id": p.Env["unique_id"], "env": map[string]any{"API_KEY": "s3cret"}}}}, nil
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
