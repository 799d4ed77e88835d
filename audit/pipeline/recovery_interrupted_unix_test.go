//go:build unix

package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/plugin"
	"healthaudit/snapshot/collect/pm2/pm2test"
	"healthaudit/snapshot/host"
)

// A halting site keeps the intent and nothing after it, and its daemon is never
// told to start anything: what is left is what a kill between the two leaves.
type halting struct {
	rules.Site
	commits int
}

func (h *halting) Commit(st rules.State, e rules.Entry, before []rules.Write) error {
	if h.commits++; h.commits > 1 {
		return errHalted
	}
	return h.Site.Commit(st, e, before)
}

func (h *halting) Hand() *rules.Hand {
	hand := *h.Site.Hand()
	hand.Host = haltingHost{hand.Host}
	return &hand
}

type haltingHost struct{ host.Host }

func (h haltingHost) Dial(ctx context.Context, socket string) (net.Conn, error) {
	c, err := h.Host.Dial(ctx, socket)
	return haltingConn{c}, err
}

type haltingConn struct{ net.Conn }

func (c haltingConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(`"restartProcessId"`)) {
		return 0, errHalted
	}
	return c.Conn.Write(b)
}

var errHalted = errors.New("halted")

// halfway is a patient whose app was stopped by audit, which was interrupted before
// it started it again.
func halfway(t *testing.T) *patient {
	t.Helper()
	c := deedCases["untangle"]
	p := &patient{Fake: pm2test.NewFake(t, c.socket), t: t, root: t.TempDir(), rules: c.rules, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	c.make(p)
	p.run("plan")
	_, _, err := p.runner("apply").Apply(t.Context(), Request{wrap: func(s rules.Site) rules.Site { return &halting{Site: s} }})
	if !errors.Is(err, errHalted) || p.Of("api")[0].Status != "stopped" {
		t.Fatalf("%v, it is %s", err, p.Of("api")[0].Status)
	}
	p.Forget()
	return p
}

// What was interrupted is carried on for two hours, and never after: then the run
// fails, and a critical finding stands until a person resets the rule.
func TestInterrupted_too_old(t *testing.T) {
	p := halfway(t)
	p.now = p.now.Add(100 * time.Minute)
	if p.run("apply"); p.Of("api")[0].Status != "online" {
		t.Errorf("within its time it is %s", p.Of("api")[0].Status)
	}
	for mode, later := range map[string]int{"apply": 4, "plan": 1} {
		p = halfway(t)
		p.now = p.now.Add(50 * time.Hour)
		doc := p.run(mode)
		if calls := p.Calls(); len(calls) != 0 || p.Of("api")[0].Status != "stopped" {
			t.Errorf("%s: two days later it was carried on: %v", mode, calls)
		}
		if s := doc.Recovery.Steps; len(s) == 0 || s[0].Status != "failed" || !strings.Contains(s[0].Reason, "a person must look") || doc.Gate.Exit != exitAction {
			t.Errorf("%s: %+v, exit %d", mode, s, doc.Gate.Exit)
		}
		for range later {
			p.now = p.now.Add(24 * time.Hour)
			doc = p.run("apply")
			if got := stands(doc, "audit-rollback-failed"); len(got) != 1 || !strings.HasPrefix(got[0], "critical audit/(system) An action of the rule r on pm2/api was not brought to its end") || len(p.Calls()) != 0 {
				t.Errorf("%s: %q, calls %v", mode, got, p.Calls())
			}
		}
		err := p.runner("apply").Remember("recover reset", "pm2/api", "reset", func(st *rules.State) error { clear(st.Incidents); return nil })
		if got := stands(p.run("apply"), "audit-rollback-failed"); err != nil || len(got) != 0 {
			t.Errorf("%s: reset: %v %q", mode, err, got)
		}
	}
}

// What a person approved is done alone: nothing that was interrupted is carried on
// before it, whether it is then refused or not.
func TestInterrupted_before_what_is_approved(t *testing.T) {
	p := halfway(t)
	before := p.kept()
	for name, q := range map[string]Request{"stale_plan": {Plan: "none"}, "no_such_step": {Approved: []string{"none"}}, "another_rule": {Rule: "other"}} {
		_, _, err := p.runner("apply").Apply(t.Context(), q)
		if !errors.Is(err, ErrUnfinished) || len(p.Calls()) != 0 || p.kept() != before {
			t.Errorf("%s: %v, calls %v", name, err, p.Calls())
		}
	}
	if _, _, err := p.runner("apply").Apply(t.Context(), Request{Rule: "r"}); err != nil || p.Of("api")[0].Status != "online" {
		t.Errorf("%v, it is %s", err, p.Of("api")[0].Status)
	}
	if _, _, err := p.runner("apply").Apply(t.Context(), Request{Plan: "none"}); !errors.Is(err, ErrStale) {
		t.Errorf("%v", err)
	}
}

// kept is the whole store.
func (p *patient) kept() string {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.root, ".audit", "audit.db"))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// Killed at any moment and too old to be carried on, a saved list is taken back
// where it was saved; where it was not, nobody says that it was taken back.
func TestInterrupted_save_undone(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes: make test runs it")
	}
	c := deedCases["save"]
	back, nothing := 0, 0
	for at := 1; at < 60; at++ {
		p := &patient{Fake: pm2test.NewFake(t, c.socket), t: t, root: t.TempDir(), rules: c.rules, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
		c.make(p)
		p.Add("other", "online", nil)
		p.run("plan")
		old, _ := os.ReadFile(filepath.Join(p.Home, "dump.pm2"))
		dead, _ := killedChild(t, p.root, p.Home, p.rules, at)
		saved, _ := os.ReadFile(filepath.Join(p.Home, "dump.pm2"))
		p.now = time.Date(2026, 11, 25, 13, 0, 0, 0, time.UTC)
		p.run("plan")
		id := ""
		for _, e := range p.entries() {
			id = e.Data["id"]
		}
		_, err := p.runner("apply").Undo(id)
		now, _ := os.ReadFile(filepath.Join(p.Home, "dump.pm2"))
		did := string(saved) != string(old)
		if string(now) != string(old) || did != (err == nil) || !did && !errors.Is(err, rules.ErrNothing) && !errors.Is(err, ErrNoAction) {
			t.Errorf("killed at %d: saved %v, undo says %v, the old list is back %v", at, did, err, string(now) == string(old))
		}
		if did {
			back++
		} else if id != "" {
			nothing++
		}
		if !dead {
			break
		}
	}
	if back < 5 || nothing < 5 {
		t.Errorf("%d times taken back, %d times there was nothing", back, nothing)
	}
}

// entries are what recovery wrote into the journal.
func (p *patient) entries() (out []rules.Entry) {
	(&project{t: p.t, root: p.root}).entries(func(e rules.Entry) { out = append(out, e) })
	return out
}

// A program that may be run twice is run again when audit was killed, once, unless
// its item is mended, or its rule has another one run by now.
func TestInterrupted_command(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes: make test runs it")
	}
	for at := 0; at < 30; at++ { // 0: the program kills audit before it mends anything
		p := newProject(t)
		ran, tool := filepath.Join(t.TempDir(), "ran"), filepath.Join(t.TempDir(), "tool")
		kill := ""
		if at == 0 {
			kill = "test $(wc -l <" + ran + ") = 1 && kill -9 $PPID && exit\n"
		}
		writeMender(t, tool, ran, kill)
		p.rules = "version: 1\nrules:\n  - {id: mend, system: scripts, when: 'finding(\"script-syntax\")', for: 1, cooldown: 12h, action: {type: command, argv: [" + tool + ", \"{{item.path}}\", \"--password=hunter2\"], idempotent: true}}\n"
		p.run("plan")
		p.write("tools/x.sh", badScript)
		p.run("plan")
		if !p.killedAt(at) {
			break
		}
		began := slices.Contains(p.journal(), "intent")
		p.now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
		if p.run("plan"); at == 0 && p.read("tools/x.sh") != badScript {
			t.Error("a run that only plans carried it on")
		}
		p.run("apply")
		b, _ := os.ReadFile(ran)
		journal := strings.Join(p.journal(), " ")
		if p.read("tools/x.sh") != goodScript || strings.Count(string(b), "x") > 2 || !strings.HasSuffix(journal, "done") || began && strings.Count(journal, "intent") != 1 {
			t.Errorf("killed at %d: it ran %d times, journal %s", at, strings.Count(string(b), "x"), journal)
		}
		p.entries(func(e rules.Entry) {
			if text, _ := json.Marshal(e); strings.Contains(string(text), "hunter2") {
				t.Errorf("a secret in %s", text)
			}
		})
	}
}

// A run whose recovery could not be kept is told to those who wait for it, as one
// that failed.
func TestHooks_of_a_run_whose_recovery_fails(t *testing.T) {
	p := newProject(t)
	p.run("plan")
	heard := filepath.Join(t.TempDir(), "heard")
	tool := filepath.Join(filepath.Dir(heard), "tool")
	collecttest.WriteFile(t, filepath.Dir(heard), "tool*", []byte("#!/bin/sh\ncat >"+heard+"\n"))
	ping := make(chan Told, 9)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var told Told
		_ = json.NewDecoder(r.Body).Decode(&told)
		ping <- told
	}))
	defer srv.Close()
	err := p.runner("apply").Remember("test", "", "", func(st *rules.State) error { // what no folder of the project can be
		st.Global.Pending = &rules.Pending{Step: rules.Step{Worst: audit.High, Effect: &rules.Effect{Writes: []rules.Write{{Path: "none/x\x00"}}}}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r := p.runner("plan")
	r.Config.Hooks = Hooks{After: []Hook{{Program: plugin.Program{Command: []string{tool}, Timeout: 10 * time.Second}, Name: "tool (after)"}}, Ping: srv.URL}
	if _, err = r.Run(t.Context()); err == nil {
		t.Fatal("the run does not fail")
	}
	if !strings.Contains(err.Error(), "clean up") {
		t.Fatal(err)
	}
	b, rerr := os.ReadFile(heard)
	var told Told
	if err := errors.Join(rerr, json.Unmarshal(b, &told)); err != nil || told.Event != "after" || told.Gate.Exit != exitAction || told.Run.Seq != 2 {
		t.Fatalf("the hook heard %s, %v", b, err)
	}
	if n := len(told.Errors); n == 0 || told.Errors[n-1].Source != "recovery" || !strings.Contains(told.Errors[n-1].Message, "clean up after an interrupted action") {
		t.Errorf("%+v", told.Errors)
	}
	select {
	case got := <-ping:
		if got.Event != "ping" || got.Gate.Exit != exitAction || got.Errors != nil {
			t.Errorf("the address was sent %+v", got)
		}
	default:
		t.Error("the address was sent nothing")
	}
}

// away takes the daemon's socket away, or brings it back: as on a machine that was
// just booted.
func (p *patient) away(gone bool) {
	p.t.Helper()
	from, to := filepath.Join(p.Home, "rpc.sock"), filepath.Join(p.Home, "later.sock")
	if !gone {
		from, to = to, from
	}
	if err := os.Rename(from, to); err != nil {
		p.t.Fatal(err)
	}
}

// state is what recovery remembers.
func (p *patient) state() rules.State {
	p.t.Helper()
	s, done, err := p.runner("plan").site()
	if err != nil {
		p.t.Fatal(err)
	}
	defer done()
	return s.kept
}

// Until the daemon is there again, an interrupted deed waits for it; then it is
// carried on. Comes the daemon too late, a person is told, though nobody can look.
func TestInterrupted_while_the_daemon_is_down(t *testing.T) {
	for _, mode := range []string{"apply", "plan"} {
		p := halfway(t)
		p.away(true)
		for range 3 {
			p.run(mode)
		}
		if g := p.state().Global; g.Pending == nil || g.Pending.Resumed || len(p.Calls()) != 0 {
			t.Errorf("%s: it does not wait: %+v, calls %v", mode, g.Pending, p.Calls())
		}
		p.away(false)
		if p.run("apply"); p.Of("api")[0].Status != "online" || p.state().Global.Pending != nil {
			t.Errorf("%s: it is %s, pending %+v", mode, p.Of("api")[0].Status, p.state().Global.Pending)
		}
		p = halfway(t)
		p.away(true)
		p.now = p.now.Add(3 * time.Hour)
		doc := p.run(mode)
		if s := doc.Recovery.Steps; len(s) == 0 || s[0].Status != "failed" || !strings.Contains(s[0].Reason, "a person must look") || doc.Gate.Exit != exitAction {
			t.Errorf("%s: %+v, exit %d", mode, s, doc.Gate.Exit)
		}
		p.away(false)
		doc = p.run("apply")
		if got := stands(doc, "audit-rollback-failed"); len(got) != 1 || len(p.Calls()) != 0 {
			t.Errorf("%s: %q, calls %v", mode, got, p.Calls())
		}
	}
}

// A deed that was interrupted a second time, while it was carried on, is not tried
// a third time: a person is told.
func TestInterrupted_again(t *testing.T) {
	for _, mode := range []string{"apply", "plan"} {
		p := halfway(t)
		err := p.runner("apply").Remember("test", "", "", func(st *rules.State) error {
			again := *st.Global.Pending
			again.Resumed = true
			st.Global.Pending = &again
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		p.away(true)
		if p.run(mode); p.state().Global.Pending == nil {
			t.Errorf("%s: it is ended though nobody can look", mode)
		}
		p.away(false)
		doc := p.run(mode)
		if s := doc.Recovery.Steps; len(s) == 0 || s[0].Status != "failed" || !strings.Contains(s[0].Reason, "it was carried out again, once") || doc.Gate.Exit != exitAction || len(p.Calls()) != 0 {
			t.Errorf("%s: %+v, exit %d, calls %v", mode, s, doc.Gate.Exit, p.Calls())
		}
		if got := stands(p.run("apply"), "audit-rollback-failed"); len(got) != 1 || len(p.Calls()) != 0 {
			t.Errorf("%s: %q, calls %v", mode, got, p.Calls())
		}
	}
}

// What waits for the daemon does not keep a rule from starting the daemon.
func TestInterrupted_resurrects(t *testing.T) {
	c := deedCases["resurrect"]
	p := halfway(t)
	p.rules += rule("d", "pm2/daemon", `finding("pm2-daemon-down")`, "type: pm2.resurrect, start_daemon: yes")
	c.make(p)
	p.Dump(p.Entry("other"))
	p.away(true)
	if err := os.Rename(filepath.Join(p.Home, "later.sock"), filepath.Join(p.Home, "real.sock")); err != nil {
		t.Fatal(err)
	}
	p.run("apply")
	if b, _ := os.ReadFile(filepath.Join(p.Home, "starts")); len(b) == 0 || p.state().Global.Pending == nil {
		t.Errorf("the daemon was started %d times, pending %+v", len(b)/2, p.state().Global.Pending)
	}
	if p.run("apply"); p.Of("api")[0].Status != "online" || p.state().Global.Pending != nil {
		t.Errorf("it is %s, pending %+v", p.Of("api")[0].Status, p.state().Global.Pending)
	}
}

// An action that was cut off before it made anything, and too long ago, has
// nothing to take back; who says so knows that its rule acts no more.
func TestInterrupted_nothing_to_undo(t *testing.T) {
	c := deedCases["start"]
	p := &patient{Fake: pm2test.NewFake(t, c.socket), t: t, root: t.TempDir(), rules: c.rules, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	c.make(p)
	p.run("plan")
	func() {
		defer func() { _ = recover() }()
		_, _, _ = p.runner("apply").Apply(t.Context(), Request{wrap: func(s rules.Site) rules.Site { return dying{s} }})
	}()
	pending := p.state().Global.Pending
	if pending == nil {
		t.Fatal("it was not begun")
	}
	p.now = p.now.Add(50 * time.Hour)
	p.run("plan")
	_, err := p.runner("plan").Undo(pending.Step.ID)
	var none *NothingError
	if !errors.As(err, &none) || !none.Held || !errors.Is(err, rules.ErrNothing) {
		t.Errorf("%v, %+v", err, none)
	}
	for _, inc := range p.state().Incidents {
		if !inc.Cut {
			t.Errorf("%+v", inc)
		}
	}
}

// A dying site ends with the process when its deed begins.
type dying struct{ rules.Site }

func (dying) Hand() *rules.Hand { panic(errHalted) }
