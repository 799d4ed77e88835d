//go:build unix

package pipeline

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/rules/action"
)

const hospital = `
-- ecosystem.yml --
apps:
  - {name: api, script: healthy.js, env: {API_KEY: s3cret-env}}
  - {name: pool, script: listening.js, instances: 2, exec_mode: cluster}
  - {name: broken, script: picky.js, max_restarts: 2, min_uptime: 5000}
  - {name: tangled, script: picky.js, max_restarts: 2, min_uptime: 5000, exp_backoff_restart_delay: 20}
  - {name: lost, script: healthy.js, env: {API_KEY: s3cret-env}}
-- healthy.js --
setInterval(() => {}, 1000)
-- listening.js --
require('http').createServer().listen(0, '127.0.0.1')
-- picky.js --
if (!require('fs').existsSync('well')) throw new Error('not yet')
setInterval(() => {}, 1000)
`

// betweenCalls is the moment, in a killer's count, between the two calls of
// pm2.untangle: a look and the intent, each before and after, then the first call.
const betweenCalls = 8

// Every action mends its own real failure, and nothing else moves.
func TestRealPM2_recovery(t *testing.T) {
	w := newWard(t, hospital)
	w.Run("start", "ecosystem.yml")
	w.Run("save")
	w.until("pm2/broken", "errored")
	w.until("pm2/tangled", "waiting restart")
	w.Run("delete", "lost")
	w.until("pm2/lost", "not-running")
	others := w.Census("broken", "tangled", "lost")
	same := func(t *testing.T) {
		t.Helper()
		if now := w.Census("broken", "tangled", "lost"); now != others {
			t.Errorf("others moved:\n%s\nwere\n%s", now, others)
		}
	}

	t.Run("a_restart_that_does_not_help_has_failed", func(t *testing.T) {
		w.t = t
		if s := w.mend(rule("restart", "pm2/broken", `finding("pm2-errored")`, "type: pm2.restart"), "failed"); !strings.Contains(s.Reason, "gave process") {
			t.Errorf("%+v", s)
		}
		same(t)
	})
	w.write("well", "")
	t.Run("restart", func(t *testing.T) {
		w.t = t
		w.mend(w.builtin("restart-errored", "pm2/broken"), "done")
		same(t)
	})
	t.Run("one_without_a_process", func(t *testing.T) {
		w.t = t
		w.write("cwd/x", "")
		w.Run("start", filepath.Join(w.Tree, "healthy.js"), "--name", "haunted", "--cwd", filepath.Join(w.Tree, "cwd"))
		if err := os.RemoveAll(filepath.Join(w.Tree, "cwd")); err != nil {
			t.Fatal(err)
		}
		w.Run("restart", "haunted")
		w.until("pm2/haunted", "ghost")
		w.refused(action.PM2Restart, "pm2/haunted", nil, "its cwd is gone")
		w.write("cwd/x", "")
		if _, err := w.act(action.PM2Restart, "pm2/haunted", nil); err != nil {
			t.Error(err)
		}
		w.Run("delete", "haunted")
		same(t)
	})
	t.Run("untangle", func(t *testing.T) {
		w.t = t
		if s := w.mend(rule("plain", "pm2/tangled", `finding("pm2-waiting-forever")`, "type: pm2.restart"), "skipped"); s.Skip != "refused" || !strings.Contains(s.Reason, "never comes") {
			t.Errorf("%+v", s)
		}
		// Killed between its two calls, what it stopped is started by the next run,
		// though no rule asks for that any more.
		w.rules = w.builtin("untangle-waiting", "pm2/tangled")
		w.run("plan")
		if dead, out := killedChild(t, w.Tree, w.Home, w.rules, betweenCalls, "AUDIT_TEST_DEED_REAL=1"); !dead {
			t.Fatalf("it was not killed\n%s", out)
		}
		if got := w.state(w.run("plan"), "pm2/tangled"); got != "stopped" {
			t.Fatalf("killed half-way it is %s", got)
		}
		pause := func(until *time.Time) {
			if err := w.runner("apply").Remember("recover pause", "", "", func(st *rules.State) error { st.Global.Paused = until; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		soon := time.Now().Add(w.later + time.Hour)
		pause(&soon)
		if got := w.state(w.run("apply"), "pm2/tangled"); got != "stopped" {
			t.Fatalf("in a pause it is %s", got)
		}
		pause(nil)
		doc := w.run("apply")
		phases := ""
		for _, e := range w.entries() {
			if e.Item == "pm2/tangled" {
				phases += e.Phase + " "
			}
		}
		if phases != "intent resumed executed done " {
			t.Errorf("journal: %s, %+v", phases, doc.Recovery)
		}
		w.until("pm2/tangled", "online")
		same(t)
	})
	t.Run("start", func(t *testing.T) {
		w.t = t
		w.mend(w.builtin("start-missing", "pm2/lost"), "done")
		same(t)
		w.refused(action.PM2Start, "pm2/lost", nil, "PM2 lists it")
		w.Run("delete", "lost")
		d, err := w.act(action.PM2Start, "pm2/lost", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.undo(action.PM2Start, d); err != nil {
			t.Error(err)
		}
		w.until("pm2/lost", "not-running")
		// Somebody starts it between audit's look and its call: PM2's answer names ours.
		w.beside = func() { w.Run("start", filepath.Join(w.Tree, "healthy.js"), "--name", "lost") }
		d, err = w.act(action.PM2Start, "pm2/lost", nil)
		if err == nil || !strings.Contains(err.Error(), "lists 2 of its 1") || len(d.Made) != 1 || len(w.ids("lost")) != 2 {
			t.Fatalf("%v, made %v, PM2 lists %v", err, d.Made, w.ids("lost"))
		}
		ours, _ := strconv.Atoi(slices.Collect(maps.Keys(d.Made))[0])
		if err := w.undo(action.PM2Start, d); err != nil || len(w.ids("lost")) != 1 || w.ids("lost")[ours] != 0 {
			t.Errorf("%v, PM2 lists %v, of which %d was audit's", err, w.ids("lost"), ours)
		}
		w.Run("delete", "lost")
		same(t)
	})
	t.Run("nothing_is_saved_after_a_loss", func(t *testing.T) {
		w.t = t
		before := w.readHome("dump.pm2")
		w.refused(action.PM2Save, "pm2/daemon", nil, "after a loss nothing is saved")
		if w.readHome("dump.pm2") != before {
			t.Error("the dump changed")
		}
		if _, err := w.act(action.PM2Start, "pm2/lost", nil); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("reload", func(t *testing.T) {
		w.t = t
		old := w.ids("pool")
		if _, err := w.act(action.PM2Reload, "pm2/pool", nil); err != nil {
			t.Fatal(err)
		}
		for id, pid := range w.ids("pool") {
			if old[id] == 0 || old[id] == pid {
				t.Errorf("process %d: pid %d, before %d", id, pid, old[id])
			}
		}
		w.refused(action.PM2Reload, "pm2/api", map[string]string{"fork": "refuse"}, "fork mode")
		if now := w.Census("broken", "tangled", "lost", "pool"); now != cut(others, "pool") {
			t.Errorf("others moved:\n%s\nwere\n%s", now, others)
		}
		others = w.Census("broken", "tangled", "lost")
	})
	t.Run("scale", func(t *testing.T) {
		w.t = t
		for id := range w.ids("pool") {
			w.Run("delete", strconv.Itoa(id))
			break
		}
		left := w.ids("pool")
		w.later = 2 * time.Minute // what was just started counts as on its way
		w.mend(w.builtin("top-up-instances", "pm2/pool"), "done")
		now := w.ids("pool")
		for id, pid := range left {
			if len(now) != 2 || now[id] != pid {
				t.Errorf("processes %v, before %v", now, left)
			}
		}
		w.refused(action.PM2Scale, "pm2/pool", map[string]string{"to": "1"}, "unless the rule says down")
		w.refused(action.PM2Scale, "pm2/api", map[string]string{"to": "2"}, "fork mode")
		d, err := w.act(action.PM2Scale, "pm2/pool", map[string]string{"to": "4"})
		if err != nil || len(w.ids("pool")) != 4 {
			t.Fatalf("%v, %v", err, w.ids("pool"))
		}
		if err := w.undo(action.PM2Scale, d); err != nil || !maps.Equal(w.ids("pool"), now) {
			t.Errorf("%v: %v, before %v", err, w.ids("pool"), now)
		}
		if _, err := w.act(action.PM2Scale, "pm2/pool", map[string]string{"to": "1", "down": "yes"}); err != nil {
			t.Error(err)
		}
		for id, pid := range w.ids("pool") { // the newest goes, not the oldest
			if left[id] != pid {
				t.Errorf("%v is left of %v", w.ids("pool"), now)
			}
		}
		if _, err := w.act(action.PM2Scale, "pm2/pool", nil); err != nil {
			t.Error(err)
		}
		if now := w.Census("broken", "tangled", "lost", "pool"); now != cut(others, "pool") {
			t.Errorf("others moved:\n%s\nwere\n%s", now, others)
		}
		others = w.Census("broken", "tangled", "lost")
	})
	t.Run("rotate", func(t *testing.T) {
		w.t = t
		log, cluster := filepath.Join(w.Home, "logs", "api-out.log"), ""
		for _, p := range w.List() {
			if p.Name == "pool" {
				cluster = p.Env.Out
			}
		}
		for _, file := range []string{log, cluster} {
			if err := os.Truncate(file, 510e6); err != nil { // sparse
				t.Fatal(err)
			}
		}
		w.mend(w.builtin("rotate-large-logs", "pm2/daemon"), "done")
		for _, file := range []string{log, cluster} {
			st, err := os.Stat(file)
			packed, _ := filepath.Glob(file + ".*")
			if err != nil || st.Size() > 1000 || len(packed) != 1 || !strings.HasSuffix(packed[0], ".gz") {
				t.Errorf("%v %v, aside %v", st, err, packed)
			}
		}
		w.refused(action.PM2RotateLogs, "pm2/daemon", nil, "no log of an app has 100 MB")
		same(t)
	})
	t.Run("save", func(t *testing.T) {
		w.t = t
		w.Run("start", "healthy.js", "--name", "new")
		before := w.readHome("dump.pm2")
		d, err := w.act(action.PM2Save, "pm2/daemon", nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.readHome("dump.pm2"), `"name": "new"`) || w.readHome("dump.pm2.bak") != before {
			t.Error("the dump is not the list, or the one before is lost")
		}
		if err := w.undo(action.PM2Save, d); err != nil || w.readHome("dump.pm2") != before {
			t.Errorf("not undone: %v", err)
		}
		if _, err := w.act(action.PM2Save, "pm2/daemon", nil); err != nil {
			t.Error(err)
		}
		w.Run("stop", "new")
		w.refused(action.PM2Save, "pm2/daemon", nil, "new is stopped")
		w.Run("restart", "new")
	})
	t.Run("resurrect", func(t *testing.T) {
		w.t = t
		if err := os.Symlink(w.Bin, filepath.Join(w.bin(), "pm2")); err != nil {
			t.Fatal(err)
		}
		w.refused(action.PM2Resurrect, "pm2/daemon", map[string]string{"start_daemon": "yes"}, "the daemon is alive")
		_, apps := w.Processes()
		if err := syscall.Kill(w.Daemon(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		w.until("pm2/daemon", "crashed")
		for _, p := range apps { // they end when they notice
			for range 200 {
				if syscall.Kill(p.PID, 0) != nil {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		w.refused(action.PM2Resurrect, "pm2/daemon", nil, "never started uninvited")
		if daemons, _ := w.Processes(); len(daemons) != 0 {
			t.Fatal("a daemon was started uninvited")
		}
		w.mend(w.builtin("resurrect-daemon", "pm2/daemon"), "done")
		if daemons, _ := w.Processes(); len(daemons) != 1 || len(w.ids("pool")) != 2 || len(w.ids("api")) != 1 {
			t.Errorf("%d daemons, %s", len(daemons), w.Census())
		}
		if w.readHome("dump.pm2.audit-kept") != w.readHome("dump.pm2") {
			t.Error("the dump was not kept")
		}
	})
	t.Run("no_secret_is_told", func(t *testing.T) {
		w.t = t
		for _, e := range w.entries() {
			if b, _ := json.Marshal(e); strings.Contains(string(b), "s3cret") {
				t.Errorf("%s", b)
			}
		}
	})
}
