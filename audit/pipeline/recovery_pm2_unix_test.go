//go:build unix

package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"healthaudit/audit/check"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/rules/action"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/pm2/pm2test"
	"healthaudit/snapshot/host"
)

// A ward is a real PM2, a project with rules, and a store.
type ward struct {
	*pm2test.Real
	t     *testing.T
	rules string
}

const wardHead = "version: 1\nlimits: {max_actions: 50, max_per_system: 50, max_unhealthy_pct: 100, max_actions_per_day: 500, stop_after_failures: 50}\n" +
	"defaults: {for: 1, cooldown: 1s, max_attempts: 9}\nrules:\n"

func newWard(t *testing.T, files string) *ward {
	w := &ward{Real: pm2test.New(t), t: t}
	w.Env = []string{"SHELL_SECRET=s3cret-of-the-shell"}
	collecttest.Write(t, w.Tree, files)
	return w
}

// rule is one rule of a file.
func rule(id, item, when, act string) string {
	return "  - {id: " + id + ", system: pm2, match: {items: ['" + item + "']}, when: '" + when + "', action: {" + act + "}}\n"
}

func (w *ward) runner(mode string) *Runner {
	w.t.Helper()
	h, err := host.New(w.Tree, func(k string) string {
		return map[string]string{"PATH": os.Getenv("PATH"), "HOME": w.Home, "PM2_HOME": w.Home}[k]
	}, time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { h.Close() })
	ids := []string{}
	for _, c := range check.All() {
		ids = append(ids, c.ID)
	}
	var set *rules.Set
	if w.rules != "" {
		if set, err = rules.Parse("audit.rules.yaml", []byte(wardHead+w.rules), rules.Vocabulary{Checks: ids, Actions: action.All()}); err != nil {
			w.t.Fatal(err)
		}
	}
	return &Runner{Host: h, Config: &Config{Only: []snapshot.System{snapshot.PM2}}, Collectors: all.Collectors, Checks: check.All(), Store: filepath.Join(w.Tree, ".audit", "audit.db"),
		Version: "test", Recovery: mode, Rules: set}
}

func (w *ward) run(mode string) *report.Document {
	w.t.Helper()
	doc, err := w.runner(mode).Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return doc
}

// state returns how an item is in a document.
func (w *ward) state(doc *report.Document, key string) string {
	for _, it := range doc.Items {
		if it.Key == key {
			return it.State
		}
	}
	return "(no item)"
}

// until audits, acting on nothing, until an item is in a state.
func (w *ward) until(key, state string) {
	w.t.Helper()
	got := ""
	for range 100 {
		if got = w.state(w.run("off"), key); got == state {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatalf("%s is %s, never %s", key, got, state)
}

// mend acts by one rule, and wants its one step to end so.
func (w *ward) mend(rule, status string) report.Step {
	w.t.Helper()
	w.rules = rule
	doc := w.run("apply")
	if len(doc.Recovery.Steps) != 1 || doc.Recovery.Steps[0].Status != status {
		log, _ := os.ReadFile(filepath.Join(w.Home, "pm2.log"))
		w.t.Fatalf("%+v, unknown %+v, want %s\n%s", doc.Recovery.Steps, doc.Recovery.Unknown, status, log)
	}
	return doc.Recovery.Steps[0]
}

func (w *ward) write(name, text string) {
	w.t.Helper()
	collecttest.WriteFile(w.t, w.Tree, name, []byte(text))
}

const hospital = `
-- ecosystem.config.js --
module.exports = { apps: [
  { name: 'api', script: 'healthy.js', env: { API_KEY: 's3cret-env' } },
  { name: 'pool', script: 'listening.js', instances: 2, exec_mode: 'cluster' },
  { name: 'broken', script: 'picky.js', max_restarts: 2 },
  { name: 'tangled', script: 'picky.js', max_restarts: 2, exp_backoff_restart_delay: 20 },
  { name: 'lost', script: 'healthy.js', env: { API_KEY: 's3cret-env' } },
] }
-- healthy.js --
setInterval(() => {}, 1000)
-- listening.js --
require('http').createServer().listen(0, '127.0.0.1')
-- picky.js --
if (!require('fs').existsSync('well')) throw new Error('not yet')
setInterval(() => {}, 1000)
`

// Every action mends its own real failure, and nothing else moves.
func TestRealPM2_recovery(t *testing.T) {
	w := newWard(t, hospital)
	w.Run("start", "ecosystem.config.js")
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

	restart := rule("restart", "pm2/broken", `finding("pm2-errored")`, "type: pm2.restart")
	t.Run("a_restart_that_does_not_help_has_failed", func(t *testing.T) {
		w.t = t
		if s := w.mend(restart, "failed"); !strings.Contains(s.Reason, "gave process") {
			t.Errorf("%+v", s)
		}
		same(t)
	})
	w.write("well", "")
	t.Run("restart", func(t *testing.T) {
		w.t = t
		w.mend(restart, "done")
		w.until("pm2/broken", "online")
		same(t)
	})
	t.Run("untangle", func(t *testing.T) {
		w.t = t
		if s := w.mend(rule("plain", "pm2/tangled", `finding("pm2-waiting-forever")`, "type: pm2.restart"), "skipped"); s.Skip != "refused" || !strings.Contains(s.Reason, "never comes") {
			t.Errorf("%+v", s)
		}
		w.mend(rule("untangle", "pm2/tangled", `finding("pm2-waiting-forever")`, "type: pm2.untangle"), "done")
		w.until("pm2/tangled", "online")
		same(t)
	})
	t.Run("start", func(t *testing.T) {
		w.t = t
		w.mend(rule("start", "pm2/lost", `finding("pm2-not-running")`, "type: pm2.start"), "done")
		w.until("pm2/lost", "online")
		same(t)
	})
}
