//go:build unix

package action

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/pm2/pm2test"
	"healthaudit/snapshot/host"
)

// A bed is a daemon that plays PM2, and what actions ask and act with.
type bed struct {
	*pm2test.Fake
	past
	t    *testing.T
	host host.Host
	snap *snapshot.Snapshot

	untrusted bool // the rules lie in the project
}

func (b *bed) Host() host.Host { return b.host }

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{Fake: pm2test.NewFake(t, "rpc.sock"), t: t, snap: &snapshot.Snapshot{}}
	h, err := host.New(t.TempDir(), os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	b.host = h
	b.see(&snapshot.Item{Key: "pm2/daemon", Name: "PM2 daemon", Kind: "daemon", Source: "daemon:" + b.Home, State: "alive"})
	return b
}

// see adds an item to the snapshot.
func (b *bed) see(it *snapshot.Item) *snapshot.Item {
	it.Sort()
	b.snap.Items = append(slices.DeleteFunc(b.snap.Items, func(o *snapshot.Item) bool { return o.Key == it.Key }), it)
	b.snap.Sort()
	return it
}

// app is the item of an app of the daemon, with texts as facts.
func (b *bed) app(name, state string, facts ...string) *snapshot.Item {
	it := &snapshot.Item{Key: snapshot.Key("pm2/" + name), Name: name, Kind: "app", Source: "runtime:" + b.Home, State: state}
	for i := 0; i+1 < len(facts); i += 2 {
		it.Add(snapshot.Volatile, facts[i], snapshot.SetOf(facts[i+1]))
	}
	return b.see(it)
}

// hand is what carries deeds out, without waiting.
func (b *bed) hand() *rules.Hand {
	return &rules.Hand{Host: b.host, Pause: func(context.Context, time.Duration) {}, Folder: func(dir string) (rules.Folder, error) { return os.OpenRoot(dir) }}
}

func (b *bed) prepare(a *rules.Action, key snapshot.Key, params map[string]string) (rules.Effect, error) {
	b.t.Helper()
	p := &rules.Preparation{Item: b.snap.Item(key), Snapshot: b.snap, Sources: b, Params: map[string]string{}, Trusted: !b.untrusted}
	for _, param := range a.Params {
		p.Params[param.Name] = param.Default
	}
	for k, v := range params {
		p.Params[k] = v
	}
	return a.Prepare(p)
}

// act prepares, does and settles.
func (b *bed) act(a *rules.Action, key snapshot.Key, params map[string]string) (rules.Deed, error) {
	b.t.Helper()
	e, err := b.prepare(a, key, params)
	if err != nil {
		b.t.Fatalf("%s refuses: %v", a.ID, err)
	}
	d, err := a.Do(b.t.Context(), b.hand(), *e.Deed)
	if err != nil {
		return d, err
	}
	return d, a.Settled(b.t.Context(), b.hand(), d)
}

// A deaf host fails the test when anybody opens a socket.
type deaf struct {
	host.Host
	t *testing.T
}

func (d deaf) Dial(context.Context, string) (net.Conn, error) {
	d.t.Error("a socket was opened")
	return nil, errors.New("no")
}

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

func TestPM2Start(t *testing.T) {
	b := newBed(t)
	b.Add("other", "online", nil)
	one, two := b.Entry("pool"), b.Entry("pool")
	one["NODE_APP_INSTANCE"], two["NODE_APP_INSTANCE"] = 0, 1
	one["created_at"] = 5
	b.Dump(b.Entry("other"), one, two)
	b.app("pool", "not-running")
	d, err := b.act(PM2Start, "pm2/pool", nil)
	if err != nil || !slices.Equal(b.Calls(), []string{"prepare pool", "prepare pool"}) || b.Died() != "" {
		t.Fatalf("%v, %v, died of %q", err, b.Calls(), b.Died())
	}
	if _, err := PM2Start.Do(t.Context(), b.hand(), d); err != nil || len(b.Calls()) != 2 {
		t.Errorf("again: %v, %v", err, b.Calls())
	}
	if text, _ := json.Marshal(d); strings.Contains(string(text), "s3cret") {
		t.Errorf("a secret in %s", text)
	}
	unnoted := d
	unnoted.Made = nil
	if err := PM2Start.Undo(t.Context(), b.hand(), unnoted); err == nil || len(b.Of("pool")) != 2 {
		t.Errorf("what it made was not noted: %v, %v", err, b.Of("pool"))
	}
	if err := PM2Start.Undo(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 0 || len(b.Of("other")) != 1 {
		t.Errorf("undone: %v, %v", err, b.Of("pool"))
	}
}

// What crashes when it is started is taken off the list again.
func TestPM2Start_crashes(t *testing.T) {
	b := newBed(t)
	b.Dump(b.Entry("api"))
	b.Sick("api", true)
	b.app("api", "not-running")
	if _, err := b.act(PM2Start, "pm2/api", nil); err == nil {
		t.Error("it counts as started")
	}
}

func TestPM2Scale(t *testing.T) {
	b := newBed(t)
	pool := map[string]any{"exec_mode": "cluster_mode"}
	b.Add("pool", "online", pool)
	b.app("pool", "online")
	first := b.Of("pool")[0].PID
	d, err := b.act(PM2Scale, "pm2/pool", map[string]string{"to": "3"})
	if err != nil || !slices.Equal(b.Calls(), []string{"duplicateProcessId pool", "duplicateProcessId pool"}) {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	if _, err := PM2Scale.Do(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 3 {
		t.Errorf("again: %v, %d", err, len(b.Of("pool")))
	}
	if err := PM2Scale.Undo(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 1 || b.Of("pool")[0].PID != first {
		t.Errorf("undone: %v, %v", err, b.Of("pool"))
	}
	b.Add("pool", "online", pool)
	b.Forget()
	d, err = b.act(PM2Scale, "pm2/pool", map[string]string{"to": "1", "down": "yes"})
	if err != nil || len(b.Of("pool")) != 1 || b.Of("pool")[0].PID != first {
		t.Errorf("down: %v, %v", err, b.Of("pool"))
	}
	if err := PM2Scale.Undo(t.Context(), b.hand(), d); err != nil || len(b.Of("pool")) != 2 {
		t.Errorf("down, undone: %v, %v", err, b.Of("pool"))
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

func TestPM2RotateLogs(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	it := b.app("api", "online")
	it.Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
	log := filepath.Join(b.Home, "logs", "api-out.log")
	write := func(text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o755), os.WriteFile(log, []byte(text), 0o640)); err != nil {
			t.Fatal(err)
		}
	}
	for i, stamp := range []string{"20200101T000000Z", "20210101T000000Z", "20220101T000000Z"} {
		write("x")
		if err := os.Rename(log, log+"."+stamp+".gz"); err != nil {
			t.Fatal(i, err)
		}
	}
	write(strings.Repeat("line\n", 1000))
	if err := os.WriteFile(log+".mine", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := b.act(PM2RotateLogs, "pm2/daemon", map[string]string{"min_mb": "0", "keep": "2"}); err != nil || !slices.Equal(b.Calls(), []string{"reloadLogs"}) {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	left, _ := filepath.Glob(log + "*")
	if len(left) != 4 || left[1] != log+".20220101T000000Z.gz" || !strings.HasSuffix(left[2], "Z.gz") || left[3] != log+".mine" {
		t.Errorf("left: %q", left)
	}
	if st, err := os.Stat(left[2]); err != nil || st.Mode().Perm() != 0o640 || st.Size() == 0 || st.Size() > 1000 {
		t.Errorf("%v %v", st, err)
	}
}

// A log that PM2 does not open anew gets its name back.
func TestPM2RotateLogs_deaf_daemon(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	b.app("api", "online").Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
	log := filepath.Join(b.Home, "logs", "api-out.log")
	if err := errors.Join(os.MkdirAll(filepath.Dir(log), 0o755), os.WriteFile(log, []byte("precious"), 0o640)); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"args":[{}]}`, `{"error":"s3cret"}`} {
		b.Answer("reloadLogs", body)
		_, err := b.act(PM2RotateLogs, "pm2/daemon", map[string]string{"min_mb": "0"})
		text, rerr := os.ReadFile(log)
		if err == nil || string(text) != "precious" || rerr != nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, the log is %q, %v", body, err, text, rerr)
		}
	}
}

func TestPM2Save(t *testing.T) {
	b := newBed(t)
	b.Add("api", "online", nil)
	b.Add("new", "online", nil)
	b.Dump(b.Entry("api"))
	b.app("api", "online")
	b.app("new", "online")
	before, _ := os.ReadFile(filepath.Join(b.Home, "dump.pm2"))
	d, err := b.act(PM2Save, "pm2/daemon", nil)
	if err != nil || len(b.Calls()) != 0 {
		t.Fatalf("%v, %v", err, b.Calls())
	}
	entries, err := readDump(b.host, b.Home)
	if err != nil || dumpTally(entries) != "default:api default:new" || entries[0].get("env.API_KEY").Str != "s3cret" || entries[0].get("pm_id").Exists() {
		t.Errorf("%v, %s", err, dumpTally(entries))
	}
	if text, _ := json.Marshal(d); strings.Contains(string(text), "s3cret") {
		t.Errorf("a secret in %s", text)
	}
	if st, _ := os.Stat(filepath.Join(b.Home, "dump.pm2")); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %s", st.Mode())
	}
	left, _ := filepath.Glob(filepath.Join(b.Home, "*audit*"))
	if bak, _ := os.ReadFile(filepath.Join(b.Home, "dump.pm2.bak")); string(bak) != string(before) || len(left) != 0 {
		t.Errorf("the one before is %s; left %v", bak, left)
	}
	if err := PM2Save.Undo(t.Context(), b.hand(), d); err != nil {
		t.Error(err)
	}
	if now, _ := os.ReadFile(filepath.Join(b.Home, "dump.pm2")); string(now) != string(before) {
		t.Error("not undone")
	}
	if err := PM2Save.Undo(t.Context(), b.hand(), d); err == nil || !strings.Contains(err.Error(), "somebody saved since") {
		t.Errorf("undone twice: %v", err)
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

// What does not get onto the disk whole replaces nothing.
func TestReplace_on_a_full_disk(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := root.WriteFile(dumpName, []byte("[good]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replace(fullDisk{root}, []byte("[torn]"), dumpNew, dumpName); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v, want no space", err)
	}
	if b, err := root.ReadFile(dumpName); err != nil || string(b) != "[good]" {
		t.Errorf("%q %v", b, err)
	}
}

// fullDisk is a folder in which nothing more can be written.
type fullDisk struct{ *os.Root }

func (fullDisk) OpenFile(string, int, fs.FileMode) (*os.File, error) {
	return os.OpenFile("/dev/full", os.O_WRONLY, 0)
}

// A log that cannot be packed under its name stays.
func TestPack_where_its_name_is_taken(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := errors.Join(root.WriteFile("api.log.1", []byte("lines"), 0o600), root.MkdirAll("api.log.1.gz/x", 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := pack(t.Context(), root, "api.log.1", 5); err == nil {
		t.Error("it was packed")
	}
	if b, err := root.ReadFile("api.log.1"); err != nil || string(b) != "lines" {
		t.Errorf("%q %v", b, err)
	}
	if _, err := root.Lstat("api.log.1.gz.audit-new"); err == nil {
		t.Error("a part is left")
	}
}
