//go:build unix

package pipeline

import (
	"errors"
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
	"healthaudit/snapshot/store"
)

// A ward is a real PM2, a project with rules, and a store.
type ward struct {
	*pm2test.Real
	t     *testing.T
	rules string
	later time.Duration // the clock of audit is so much ahead

	beside func() // done once by act, between the look and the first call
}

const wardHead = "version: 1\nlimits: {max_actions: 50, max_per_system: 50, max_unhealthy_pct: 100, max_actions_per_day: 500, stop_after_failures: 50}\n" +
	"defaults: {for: 1, cooldown: 1s, max_attempts: 9}\nrules:\n"

func newWard(t *testing.T, files string) *ward {
	w := &ward{Real: pm2test.New(t), t: t}
	w.Env = []string{"SHELL_SECRET=s3cret-of-the-shell"}
	collecttest.Write(t, w.Tree, files)
	if err := os.Mkdir(w.bin(), 0o755); err != nil {
		t.Fatal(err)
	}
	return w
}

// rule is one rule of a file.
func rule(id, item, when, act string) string {
	return "  - {id: " + id + ", system: pm2, match: {items: ['" + item + "']}, when: '" + when + "', action: {" + act + "}}\n"
}

// builtin is a rule that audit brings along, about one item and at once.
func (w *ward) builtin(id, item string) string {
	w.t.Helper()
	set, err := rules.Parse("builtin.yaml", rules.Builtin, vocabulary())
	if err != nil {
		w.t.Fatal(err)
	}
	out := "  - match: {items: ['" + item + "']}\n"
	for line := range strings.Lines(set.Rule(id).Text) {
		line = strings.Replace(line, "  - id:", "    id:", 1)
		line = strings.Replace(line, "start_daemon: no", "start_daemon: yes", 1)
		key, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "match", "for", "cooldown", "max_attempts":
		default:
			out += line
		}
	}
	return out
}

// vocabulary is what conditions may name.
func vocabulary() rules.Vocabulary {
	v := rules.Vocabulary{Actions: action.All()}
	for _, c := range check.All() {
		v.Checks = append(v.Checks, c.ID)
	}
	for _, c := range all.Collectors {
		v.Metrics = append(v.Metrics, c.Metrics...)
	}
	return v
}

func (w *ward) runner(mode string) *Runner {
	w.t.Helper()
	h, err := host.New(w.Tree, func(k string) string {
		return map[string]string{"PATH": w.bin() + ":" + os.Getenv("PATH"), "HOME": w.Home, "PM2_HOME": w.Home}[k]
	}, func() time.Time { return time.Now().Add(w.later) })
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { h.Close() })
	var set *rules.Set
	if w.rules != "" {
		if set, err = rules.Parse("audit.rules.yaml", []byte(wardHead+w.rules), vocabulary()); err != nil {
			w.t.Fatal(err)
		}
		set.Trust()
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
	for began := time.Now(); time.Since(began) < 15*time.Second; { // each look waits for the daemon's answer
		if got = w.state(w.run("off"), key); got == state {
			return
		}
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
		states := ""
		for _, it := range doc.Items {
			states += it.Key + " " + it.State + ", "
		}
		w.t.Fatalf("%+v, unknown %+v, want %s\n%s\n%s", doc.Recovery.Steps, doc.Recovery.Unknown, status, states, log)
	}
	return doc.Recovery.Steps[0]
}

// act asks one action about an item, as a rule without a condition would, and
// carries out what it answers.
func (w *ward) act(a *rules.Action, key snapshot.Key, params map[string]string) (rules.Deed, error) {
	w.t.Helper()
	s, done, err := w.runner("apply").site()
	if err != nil {
		w.t.Fatal(err)
	}
	defer done()
	var e rules.Effect
	err = s.Look(w.t.Context(), key, func(_ *rules.Subject, p *rules.Preparation) (err error) {
		if p == nil {
			w.t.Fatalf("%s is gone", key)
		}
		p.Params, p.Trusted = map[string]string{}, true
		for _, param := range a.Params {
			p.Params[param.Name] = param.Default
		}
		for k, v := range params {
			p.Params[k] = v
		}
		e, err = a.Prepare(p)
		return err
	})
	if err != nil {
		return rules.Deed{}, err
	}
	h := s.Hand()
	if h.Keep == nil {
		h.Keep = func(rules.Deed) error {
			if w.beside != nil {
				w.beside()
				w.beside = nil
			}
			return nil
		}
	}
	d, err := a.Do(w.t.Context(), h, *e.Deed)
	if err != nil {
		return d, err
	}
	return d, a.Settled(w.t.Context(), s.Hand(), d)
}

// undo takes a deed back.
func (w *ward) undo(a *rules.Action, d rules.Deed) error {
	s, done, err := w.runner("apply").site()
	if err != nil {
		w.t.Fatal(err)
	}
	defer done()
	return a.Undo(w.t.Context(), s.Hand(), d)
}

// refused wants an action to refuse, for this reason.
func (w *ward) refused(a *rules.Action, key snapshot.Key, params map[string]string, want string) {
	w.t.Helper()
	var r *rules.Refusal
	if _, err := w.act(a, key, params); !errors.As(err, &r) || !strings.Contains(r.Why, want) {
		w.t.Errorf("%s of %s: %v, want a refusal because of %q", a.ID, key, err, want)
	}
}

func (w *ward) write(name, text string) {
	w.t.Helper()
	collecttest.WriteFile(w.t, w.Tree, name, []byte(text))
}

// ids returns the processes of an app, by number, with their pids.
func (w *ward) ids(name string) map[int]int {
	w.t.Helper()
	m := map[int]int{}
	for _, p := range w.List() {
		if p.Name == name {
			m[p.ID] = p.PID
		}
	}
	return m
}

func (w *ward) readHome(name string) string {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.Home, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// bin is a folder that is on PATH.
func (w *ward) bin() string { return filepath.Join(w.Home, "bin") }

// entries returns the journal.
func (w *ward) entries() (out []rules.Entry) {
	w.t.Helper()
	st, err := store.Open(filepath.Join(w.Tree, ".audit", "audit.db"), store.Options{ReadOnly: true})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	err = st.View(func(tx *store.Tx) error {
		_, err := VerifyJournal(tx, func(e rules.Entry, _ string) { out = append(out, e) })
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// cut takes the lines of an app out of a census.
func cut(census, name string) (out string) {
	for line := range strings.Lines(census) {
		if !strings.Contains(line, "Name:"+name+" ") {
			out += line
		}
	}
	return out
}
