//go:build unix

package pm2

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// A series is one audit after another, each with the cursors of the one before.
type series struct {
	*real
	last  collect.Result
	later time.Duration // the clock of audit is so much ahead
}

func (s *series) next() collect.Result {
	s.t.Helper()
	sess := collecttest.Session(s.t, s.tree)
	h, err := host.New(s.tree, func(k string) string {
		if k == "PM2_HOME" {
			return s.home
		}
		return ""
	}, func() time.Time { return time.Now().Add(s.later) })
	if err != nil {
		s.t.Fatal(err)
	}
	defer h.Close()
	before := s.last
	sess.Host, sess.Files = h, &collect.Capture{Host: h}
	sess.Previous = &snapshot.Snapshot{Items: before.Items}
	sess.Cursors = func(_ snapshot.System, name string) json.RawMessage { return before.Cursors[name] }
	res, err := Collector.Collect(s.t.Context(), sess)
	if err != nil {
		s.t.Fatal(err)
	}
	s.last = res
	return res
}

// untilNext audits on until it is so.
func (s *series) untilNext(what string, ok func(collect.Result) bool) collect.Result {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for {
		if res := s.next(); ok(res) {
			return res
		}
		select {
		case <-tick.C:
		case <-deadline:
			log, _ := os.ReadFile(filepath.Join(s.home, "pm2.log"))
			s.t.Fatalf("never: %s\n%s", what, log)
		}
	}
}

func (s *series) fact(key snapshot.Key, name string) string {
	s.t.Helper()
	it := itemOf(s.last, key)
	if it == nil {
		s.t.Fatalf("no item %s", key)
	}
	return text(it, name)
}

const daemonShop = `
-- healthy.js --
setInterval(() => {}, 1000)
-- stubborn.js --
process.on('SIGINT', () => {}); setInterval(() => {}, 1000)
-- listening.js --
require('http').createServer().listen(+process.env.PORT, '127.0.0.1')
-- chatty.js --
process.stdout.write('x'.repeat(50000)); setInterval(() => {}, 1000)
`

func TestRealPM2_dump(t *testing.T) {
	s := &series{real: newReal(t)}
	collecttest.Write(t, s.tree, daemonShop)
	s.pm2("start", "healthy.js", "--name", "api", "--", "--old")
	s.next()
	if got := s.fact("pm2/daemon", "dump"); got != "absent" {
		t.Errorf("before pm2 save the dump is %s", got)
	}
	s.pm2("start", "healthy.js", "--name", "pool", "-i", "2")
	s.pm2("save")
	res := s.next()
	for _, key := range []snapshot.Key{"pm2/api", "pm2/pool"} {
		if got := facts(itemOf(res, key), "dump."); got != "" || s.fact(key, "in-dump") != "true" {
			t.Errorf("%s, just saved: %q", key, got)
		}
	}
	s.pm2("delete", "api")
	s.pm2("start", "healthy.js", "--name", "api", "--", "--new")
	s.pm2("start", "healthy.js", "--name", "fresh")
	s.pm2("scale", "pool", "3")
	s.pm2("stop", "fresh")
	s.next()
	for key, want := range map[snapshot.Key]string{"pm2/api": "arguments", "pm2/pool": "processes", "pm2/fresh": ""} {
		if got := s.fact(key, "dump.differs"); got != want {
			t.Errorf("%s differs in %q, want %q", key, got, want)
		}
	}
	if got := s.fact("pm2/fresh", "in-dump"); got != "false" {
		t.Errorf("fresh stands in the dump: %s", got)
	}
	s.pm2("save")
	s.pm2("start", "fresh")
	s.pm2("delete", "pool")
	res = s.next()
	if got := s.fact("pm2/fresh", "dump.differs"); got != "saved as stopped" {
		t.Errorf("fresh differs in %q", got)
	}
	if got := state(res, "pm2/pool"); got != absentState {
		t.Errorf("the app that was deleted after the save is %s", got)
	}
	dump := filepath.Join(s.home, "dump.pm2")
	b, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dump, b[:len(b)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	res = s.next()
	if got := s.fact("pm2/daemon", "dump"); got != "torn" || state(res, "pm2/fresh") != "online" {
		t.Errorf("half a dump is %s, the app %s", got, state(res, "pm2/fresh"))
	}
	if after, err := os.ReadFile(dump); err != nil || !bytes.Equal(after, b[:len(b)/2]) {
		t.Errorf("the torn dump was touched: %v", err)
	}
	if b, _ := json.Marshal(s.last); bytes.Contains(b, []byte("s3cret")) {
		t.Errorf("a secret in %s", b)
	}
}

// What ends apps is told once, and only what PM2 did not do itself.
func TestRealPM2_timeline(t *testing.T) {
	s := &series{real: newReal(t)}
	collecttest.Write(t, s.tree, daemonShop)
	s.pm2("start", "healthy.js", "--name", "api")
	s.pm2("start", "stubborn.js", "--name", "stubborn")
	s.pm2("start", "healthy.js", "--name", "pool", "-i", "1")
	s.untilNext("all are online", func(res collect.Result) bool {
		return state(res, "pm2/api") == "online" && state(res, "pm2/stubborn") == "online" && state(res, "pm2/pool") == "online"
	})
	kill := func(key snapshot.Key, sig syscall.Signal) {
		v, ok := itemOf(s.last, key).Fact("pid")
		if n, _ := v.Num(); ok {
			signal(t, int(n), sig)
		}
	}
	kill("pm2/api", syscall.SIGKILL)
	kill("pm2/pool#0", syscall.SIGABRT)
	s.pm2("restart", "stubborn") // PM2 has to kill it
	s.untilNext("the log tells of both", func(collect.Result) bool {
		return s.fact("pm2/api", "killed") != "" && s.fact("pm2/pool", "killed") != ""
	})
	for range 2 {
		for key, want := range map[snapshot.Key]string{"pm2/api": "1 SIGKILL", "pm2/pool": "1 SIGABRT", "pm2/stubborn": " "} {
			if got := s.fact(key, "killed") + " " + s.fact(key, "killed.by"); got != want {
				t.Errorf("%s was killed: %q, want %q", key, got, want)
			}
		}
		s.next()
	}
	if code := s.fact("pm2/api", "exit_code"); code != "0" {
		t.Errorf("PM2 says exit code %s of an app that was killed", code)
	}
	if b, _ := json.Marshal(s.last); bytes.Contains(b, []byte("[SIGKILL]")) {
		t.Errorf("a line of the log in %s", b)
	}
	s.later = 25 * time.Hour
	if s.next(); s.fact("pm2/api", "killed") != "" {
		t.Error("a day later it still counts")
	}
}

func TestRealPM2_daemonKilled(t *testing.T) {
	s := &series{real: newReal(t)}
	collecttest.Write(t, s.tree, daemonShop)
	s.pm2("start", "healthy.js", "--name", "api")
	s.pm2("save")
	s.untilNext("it is online", func(res collect.Result) bool { return state(res, "pm2/api") == "online" })
	if m, _ := itemOf(s.last, "pm2/daemon").Metric("memory"); m.Value < 20<<20 || m.Value > 300<<20 {
		t.Errorf("memory of the daemon %+v", m)
	}
	// In order: no death.
	for _, how := range []func(){func() { s.pm2("kill") }, func() { signal(t, s.daemonPID(), syscall.SIGTERM) }} {
		how()
		s.untilNext("it is gone", func(res collect.Result) bool { return state(res, "pm2/daemon") != alive })
		s.pm2("resurrect")
		s.untilNext("it is back", func(res collect.Result) bool { return state(res, "pm2/api") == "online" })
		if got := s.fact("pm2/daemon", "log.deaths"); got != "" {
			t.Errorf("ended in order: %s deaths", got)
		}
	}
	pid := s.daemonPID()
	signal(t, pid, syscall.SIGKILL)
	s.untilNext("it is dead", func(res collect.Result) bool { return state(res, "pm2/daemon") == crashed })
	s.pm2("resurrect")
	res := s.untilNext("another one runs", func(res collect.Result) bool { return state(res, "pm2/daemon") == alive })
	if got := s.fact("pm2/daemon", "log.deaths"); got != "1" {
		t.Errorf("%q deaths", got)
	}
	if s.next(); s.fact("pm2/daemon", "log.deaths") != "1" {
		t.Errorf("the next audit: %s", facts(itemOf(s.last, "pm2/daemon"), ""))
	}
	if got := text(itemOf(res, "pm2/daemon"), "program"); got != "ok" {
		t.Errorf("its program is %q", got)
	}
}

func TestRealPM2_logs(t *testing.T) {
	s := &series{real: newReal(t)}
	collecttest.Write(t, s.tree, daemonShop)
	s.pm2("start", "chatty.js", "--name", "chatty", "--log", filepath.Join(s.tree, "all.log")) // which gets the same once more
	s.untilNext("it wrote", func(res collect.Result) bool {
		it := itemOf(res, "pm2/chatty")
		m, ok := itemOrNone(it).Metric("log.out")
		return ok && m.Value >= 50000
	})
	s.last = collect.Result{} // growth is measured from here
	first := s.next()
	if _, ok := itemOf(first, "pm2/daemon").Metric("log.own"); !ok {
		t.Error("pm2.log has no size")
	}
	s.pm2("restart", "chatty")
	s.later = 2 * time.Hour
	s.untilNext("it wrote again", func(res collect.Result) bool {
		m, _ := itemOrNone(itemOf(res, "pm2/chatty")).Metric("log.out")
		if m.Value < 100000 { // measured too early: as if it were the first time
			s.last = first
		}
		return m.Value >= 100000
	})
	if m, ok := itemOf(s.last, "pm2/daemon").Metric("logs.growth"); !ok || m.Value < 50000 || m.Value > 80000 {
		t.Errorf("100,000 bytes in two hours are %+v", m)
	}
	if m, ok := itemOf(s.last, "pm2/chatty").Metric("log.all"); !ok || m.Value < 100000 {
		t.Errorf("both in one: %+v", m)
	}
	first = s.last
	s.pm2("flush")
	s.next()
	was, _ := itemOf(first, "pm2/chatty").Metric("log.out")
	if m, ok := itemOf(s.last, "pm2/chatty").Metric("log.out"); !ok || m.Value != 0 || m.Incarnation != was.Incarnation {
		t.Errorf("after pm2 flush %+v, before %+v", m, was)
	}
}

func itemOrNone(it *snapshot.Item) *snapshot.Item {
	if it == nil {
		return &snapshot.Item{}
	}
	return it
}

func TestRealPM2_portClash(t *testing.T) {
	s := &series{real: newReal(t)}
	collecttest.Write(t, s.tree, daemonShop+`
-- taken.js --
const s = require('net').createServer().listen(0, '127.0.0.1', () => require('fs').writeFileSync('port', String(s.address().port)))
`)
	s.pm2("start", "taken.js", "--name", "first")
	port := ""
	s.untilNext("it listens", func(collect.Result) bool {
		b, err := os.ReadFile(filepath.Join(s.tree, "port"))
		port = strings.TrimSpace(string(b))
		return err == nil && port != ""
	})
	collecttest.Write(t, s.tree, "-- ecosystem.config.js --\nmodule.exports = { apps: [{ name: 'second', script: 'listening.js', max_restarts: 2, min_uptime: '60s', env: { PORT: "+port+" } }] }\n")
	s.pm2("start", "ecosystem.config.js")
	s.untilNext("PM2 gives it up", func(res collect.Result) bool { return state(res, "pm2/second") == "errored" })
	if got := s.fact("pm2/second", "port.taken"); got != port {
		t.Errorf("port %q is taken, want %s", got, port)
	}
	if got := s.fact("pm2/second", "PORT"); got != port {
		t.Errorf("PORT %q, want %s", got, port)
	}
	if got := s.fact("pm2/second", "port.app"); got != "first" {
		t.Errorf("%q has the port, want first: %s", got, facts(itemOf(s.last, "pm2/second"), "port."))
	}
	t.Run("a program that is none of PM2's", func(t *testing.T) {
		s.pm2("delete", "first")
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s.pm2("restart", "second")
		s.untilNext("PM2 gives it up again", func(res collect.Result) bool { return state(res, "pm2/second") == "errored" })
		if got, want := s.fact("pm2/second", "port.pid"), strconv.Itoa(os.Getpid()); got != want {
			t.Errorf("process %q has the port, want %s: %s", got, want, facts(itemOf(s.last, "pm2/second"), "port."))
		}
		if got := s.fact("pm2/second", "port.program"); got != "pm2.test" {
			t.Errorf("program %q", got)
		}
	})
}
