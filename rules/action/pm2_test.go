//go:build unix

package action

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// Nothing but the orders, each with its one argument of its kind, reaches a
// socket: every other call makes a daemon replace itself, or worse.
func TestOrders_nothing_else(t *testing.T) {
	methods := []string{
		"getMonitorData", "getVersion", "ping", "getReport", "getSystemData", "restartProcessId", "reloadProcessId", "softReloadProcessId", "startProcessId",
		"stopProcessId", "deleteProcessId", "duplicateProcessId", "resetMetaProcessId", "reloadLogs", "stopWatch", "startWatch", "toggleWatch", "prepare",
		"sendSignalToProcessId", "sendSignalToProcessName", "notifyKillPM2", "killMe", "monitor", "unmonitor", "msgProcess", "sendDataToProcessId",
		"sendLineToStdin", "notifyByProcessId", "profileCPU", "profileMEM", "launchSysMonitoring", "methods", "call", "constructor", "__proto__", "",
	}
	kinds := map[string]any{"empty": struct{}{}, "numbered": numbered{1}, "number": 1, "negative": -1, "nil": nil, "text": "1", "negative numbered": numbered{-1},
		"map": map[string]any{"id": 1}, "entry": json.RawMessage(`{"name":"x"}`), "raw": json.RawMessage(`null`), "list": []int{1}}
	fits := map[string]string{"getMonitorData": "empty", "reloadLogs": "empty", "restartProcessId": "numbered", "reloadProcessId": "numbered",
		"stopProcessId": "number", "duplicateProcessId": "number", "deleteProcessId": "number"}
	refused := 0
	for _, m := range methods {
		for kind, arg := range kinds {
			for _, args := range [][]any{nil, {arg}, {arg, arg}} {
				if len(args) == 1 && fits[m] == kind {
					continue
				}
				if _, err := send(t.Context(), deaf{t: t}, "/x", order{m, args}, time.Second); !errors.Is(err, errForbidden) {
					t.Errorf("%q with %d of %s: %v", m, len(args), kind, err)
				}
				refused++
			}
		}
	}
	if len(orders) != len(fits)+1 {
		t.Errorf("%d orders", len(orders))
	}
	t.Logf("%d calls refused, no socket opened", refused)
}

// An entry that a daemon would die of, or start in numbers, is not sent.
func TestDumped_fault(t *testing.T) {
	b := newBed(t)
	for what, change := range map[string]func(map[string]any){
		"no environment":          func(e map[string]any) { delete(e, "env") },
		"environment is a text":   func(e map[string]any) { e["env"] = "x" },
		"no pid path":             func(e map[string]any) { delete(e, "pm_pid_path") },
		"log path is a number":    func(e map[string]any) { e["pm_out_log_path"] = 1 },
		"number of processes":     func(e map[string]any) { e["instances"] = 40 },
		"time of creation":        func(e map[string]any) { e["created_at"] = 1 },
		"number of a former life": func(e map[string]any) { e["pm_id"] = 1 },
	} {
		e := b.Entry("api")
		change(e)
		raw, _ := json.Marshal(e)
		if dumped(raw).fault() == "" {
			t.Errorf("%s: no fault", what)
		}
		if _, err := send(t.Context(), deaf{t: t}, "/x", prepare(raw), time.Second); !errors.Is(err, errForbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	e := b.Entry("api")
	e["created_at"], e["instances"], e["pm_id"], e["restart_time"] = 5, 3, 1, 9
	raw, _ := json.Marshal(e)
	got, err := dumped(raw).stripped()
	if err != nil || got.fault() != "" || got.get("env.API_KEY").Str != "s3cret" {
		t.Errorf("%s, %v", got.fault(), err)
	}
}

func TestPM2Restart(t *testing.T) {
	b := newBed(t)
	b.Add("api", "errored", nil)
	b.Add("other", "online", nil)
	other := b.Of("other")[0]
	b.app("api", "errored")
	d, err := b.act(PM2Restart, "pm2/api", nil)
	if err != nil || !slices.Equal(b.Calls(), []string{"restartProcessId api"}) || b.Of("api")[0].Status != "online" {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	if d.Was["0"] != "errored, pid 0, 0 restarts" {
		t.Errorf("before: %v", d.Was)
	}
	// Carried out again it changes nothing.
	if _, err := PM2Restart.Do(t.Context(), b.hand(), d); err != nil || len(b.Calls()) != 1 {
		t.Errorf("%v, %v", err, b.Calls())
	}
	if now := b.Of("other")[0]; now.PID != other.PID || now.Restarts != 0 {
		t.Errorf("the other app moved: %+v", now)
	}
	b.Forget()
	if _, err := b.act(PM2Restart, "pm2/api", nil); err != nil || b.Of("api")[0].Restarts != 1 {
		t.Errorf("one that is online: %v, %+v", err, b.Of("api"))
	}
	b.Sick("api", true)
	if _, err := b.act(PM2Restart, "pm2/api", nil); err == nil || !strings.Contains(err.Error(), "gave process 0 up") {
		t.Errorf("one that crashes: %v", err)
	}
}

// Of an app with several processes those that are down are started, and of one
// whose processes are all up all are restarted.
func TestPM2Restart_several(t *testing.T) {
	b := newBed(t)
	for i, status := range []string{"online", "errored", "stopped"} {
		b.Add("pool", status, map[string]any{"exec_mode": "cluster_mode", "NODE_APP_INSTANCE": i})
	}
	b.app("pool", "errored")
	up := b.Of("pool")[0].PID
	if _, err := b.act(PM2Restart, "pm2/pool", nil); err != nil || len(b.Calls()) != 2 || b.Of("pool")[0].PID != up {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	b.Forget()
	if _, err := b.act(PM2Restart, "pm2/pool", nil); err != nil || len(b.Calls()) != 3 {
		t.Errorf("%v, %v", err, b.Calls())
	}
}

// What is stopped does not come up by itself: nobody waits for it long, for a
// deed that was interrupted is looked at by every run.
func TestPM2Restart_settled_soon(t *testing.T) {
	b := newBed(t)
	b.Add("api", "errored", nil)
	b.app("api", "errored")
	e, err := b.prepare(PM2Restart, "pm2/api", nil)
	if err != nil {
		t.Fatal(err)
	}
	h, waited := b.hand(), time.Duration(0)
	h.Pause = func(_ context.Context, d time.Duration) { waited += d }
	b.Clear()
	for _, status := range []string{"stopped", "errored", "waiting restart"} {
		b.Clear()
		b.Add("api", status, nil)
		waited = 0
		if err := PM2Restart.Settled(t.Context(), h, *e.Deed); err == nil || waited > 2*time.Second {
			t.Errorf("%s: %v after %s", status, err, waited)
		}
	}
}

// What happens between plan and act is not overrun.
func TestPM2Restart_renumbered(t *testing.T) {
	b := newBed(t)
	b.Add("api", "errored", nil)
	b.app("api", "errored")
	e, err := b.prepare(PM2Restart, "pm2/api", nil)
	if err != nil {
		t.Fatal(err)
	}
	b.Clear()
	b.Add("other", "online", nil)
	if _, err := PM2Restart.Do(t.Context(), b.hand(), *e.Deed); err == nil || len(b.Calls()) != 0 {
		t.Errorf("another app was restarted: %v, %v", err, b.Calls())
	}
}

func TestPM2Untangle(t *testing.T) {
	b := newBed(t)
	b.Add("api", "waiting restart", nil)
	b.app("api", "waiting restart")
	d, err := b.act(PM2Untangle, "pm2/api", nil)
	if err != nil || !slices.Equal(b.Calls(), []string{"stopProcessId api", "restartProcessId api"}) {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	if _, err := PM2Untangle.Do(t.Context(), b.hand(), d); err != nil || len(b.Calls()) != 2 {
		t.Errorf("again: %v, %v", err, b.Calls())
	}
}

func TestPM2Reload(t *testing.T) {
	b := newBed(t)
	for range 2 {
		b.Add("pool", "online", map[string]any{"exec_mode": "cluster_mode"})
	}
	b.app("pool", "online")
	d, err := b.act(PM2Reload, "pm2/pool", nil)
	if err != nil || !slices.Equal(b.Calls(), []string{"reloadProcessId pool", "reloadProcessId pool"}) {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	if _, err := PM2Reload.Do(t.Context(), b.hand(), d); err != nil || len(b.Calls()) != 2 {
		t.Errorf("again: %v, %v", err, b.Calls())
	}
}

// A daemon that lies or talks nonsense is believed nothing, and what it says is
// not repeated.
func TestPM2_hostile_daemon(t *testing.T) {
	for _, body := range []string{`{"args":["s3cret"]}`, `{"error":{"a":"s3cret"}}`, `{}`, `s3cret`, `{"args":[[{"name":"api","pm_id":"x","pm2_env":{}}]]}`, `{"args":[[1,null,"x",{"name":"api","pm2_env":[]}]]}`} {
		b := newBed(t)
		b.Add("api", "errored", nil)
		b.app("api", "errored")
		b.Answer("getMonitorData", body)
		if _, err := b.prepare(PM2Restart, "pm2/api", nil); refusal(t, err) == "" || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", body, err)
		}
	}
	b := newBed(t) // a success that did nothing
	b.Add("api", "errored", nil)
	b.app("api", "errored")
	b.Answer("restartProcessId", `{"args":[{"error":true,"message":"s3cret"}]}`)
	if _, err := b.act(PM2Restart, "pm2/api", nil); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}
