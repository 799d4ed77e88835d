//go:build unix

package pm2

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot/analyze/axon"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// A pipe that must not be used.
type untouchable struct{ net.Conn }

func (untouchable) Write([]byte) (int, error) { panic("written to") }
func (untouchable) Read([]byte) (int, error)  { panic("read from") }

func TestCall_allowList(t *testing.T) {
	// Every method of PM2 7.0.4's daemon (lib/Daemon.js), and some that never were.
	methods := []string{
		"killMe", "profileCPU", "profileMEM", "prepare", "getMonitorData", "startProcessId", "stopProcessId", "restartProcessId", "deleteProcessId",
		"sendLineToStdin", "softReloadProcessId", "reloadProcessId", "duplicateProcessId", "resetMetaProcessId", "stopWatch", "startWatch", "toggleWatch",
		"notifyByProcessId", "notifyKillPM2", "monitor", "unmonitor", "msgProcess", "sendDataToProcessId", "sendSignalToProcessId", "sendSignalToProcessName",
		"ping", "getVersion", "getReport", "reloadLogs", "launchSysMonitoring", "getSystemData", "", "constructor", "methods", "GETVERSION",
	}
	c := &client{conn: untouchable{}}
	for _, m := range methods {
		for n := range 4 {
			if allowed[m] == n && n == 1 {
				continue
			}
			if _, err := c.send(m, make([]struct{}, n)...); !errors.Is(err, errForbiddenCall) {
				t.Errorf("%q with %d arguments: %v", m, n, err)
			}
		}
	}
	if len(allowed) != 2 {
		t.Errorf("the allow-list has %d calls", len(allowed))
	}
}

func TestReceive_answersInAnyOrder(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		var ids []string
		for range 2 {
			args, err := axon.ReadFrame(theirs)
			if err != nil {
				return
			}
			ids = append(ids, args[1][2:])
		}
		_, _ = theirs.Write(slices.Concat(reply("audit:99", `{"args":["other"]}`), reply(ids[1], `{"args":["second"]}`), reply(ids[0], `{"args":["first"]}`)))
	}()
	c, err := newClient(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	var sent []sentCall
	for range 2 {
		k, err := c.send("getVersion", struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, k)
	}
	for i, want := range []string{`"first"`, `"second"`} {
		if got, err := c.receive(sent[i]); err != nil || got != want {
			t.Errorf("answer %d: %s, %v", i, got, err)
		}
	}
	if len(c.calls) != 0 {
		t.Errorf("kept: %v", c.calls)
	}
}

// serve answers every connection to rpc.sock of a home with f.
func serve(t *testing.T, f func(net.Conn)) *collect.Session {
	t.Helper()
	home, err := os.MkdirTemp("", "p") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	l, err := net.Listen("unix", filepath.Join(home, "rpc.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go f(conn)
		}
	}()
	s := collecttest.Session(t, t.TempDir())
	s.Config.PM2Homes = []string{home}
	return s
}

// answer reads calls and writes what reply makes of them.
func answer(reply func(method, id string) []byte) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		for {
			args, err := axon.ReadFrame(conn)
			if err != nil || len(args) != 2 {
				return
			}
			var call struct{ Method string }
			_ = json.Unmarshal([]byte(args[0][2:]), &call)
			if _, err := conn.Write(reply(call.Method, args[1][2:])); err != nil {
				return
			}
		}
	}
}

func reply(id, body string) []byte { return axon.Frame("j:"+body, "s:"+id) }

func TestCollect_misbehavingDaemon(t *testing.T) {
	giant := binary.BigEndian.AppendUint32([]byte{0x12}, 1<<32-1)
	for _, c := range []struct {
		title string
		serve func(net.Conn)
		state string
	}{
		{"never answers", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, hung},
		{"closes at once", func(c net.Conn) { c.Close() }, hung},
		{"garbage", func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); c.Close() }, hung},
		{"giant length", func(c net.Conn) { _, _ = c.Write(giant); _, _ = io.Copy(io.Discard, c) }, hung},
		{"half a frame", func(c net.Conn) { _, _ = c.Write([]byte{0x12, 0, 0, 0, 9, 'j'}); c.Close() }, hung},
		{"another id for ever", answer(func(m, id string) []byte { return bytes.Repeat(reply("other", `{"args":["7.0.4"]}`), 20) }), hung},
		{"an error", answer(func(m, id string) []byte { return reply(id, `{"error":{"s3cret":1}}`) }), hung},
		{"a list that is none", answer(func(m, id string) []byte { return reply(id, `{"args":["s3cret"]}`) }), hung},
		{"no results", answer(func(m, id string) []byte { return reply(id, `{"args":[]}`) }), hung},
		{"answers to others first", answer(func(m, id string) []byte {
			body := `{"args":["7.0.4"]}`
			if m == "getMonitorData" {
				body = `{"args":[[{"name":"api","pm_id":0,"pm2_env":{"status":"stopped"}}]]}`
			}
			return append(reply("9:9", `{"error":"x"}`), reply(id, body)...)
		}), alive},
	} {
		t.Run(c.title, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.serve)
			start := time.Now()
			res, err := Collector.Collect(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("took %s", d)
			}
			if got := state(res, "pm2/daemon"); got != c.state {
				t.Errorf("state %s, want %s", got, c.state)
			}
			for _, src := range res.Sources {
				if strings.HasPrefix(src.Name, "runtime:") && src.OK != (c.state == alive) {
					t.Errorf("source %+v", src)
				}
			}
			if b, _ := json.Marshal(res); bytes.Contains(b, []byte("s3cret")) {
				t.Errorf("what the daemon said stands in %s", b)
			}
		})
	}
}

// world is a real host with some answers replaced.
type world struct {
	host.Host
	dial  error
	procs func() ([]host.Process, error)
}

func (w world) Dial(ctx context.Context, path string) (net.Conn, error) {
	if w.dial != nil {
		return nil, w.dial
	}
	return w.Host.Dial(ctx, path)
}

// all lists the processes of a host with their titles.
func all(h host.Host) func() ([]host.Process, error) {
	return func() ([]host.Process, error) { return h.Processes(host.Titled) }
}

func (w world) Processes(func(int, string) bool) ([]host.Process, error) { return w.procs() }
