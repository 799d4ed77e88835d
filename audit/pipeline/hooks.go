package pipeline

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/plugin"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// A Hook is a program that is told of runs.
type Hook struct {
	plugin.Program
	Name string // its program and event, for a person
	At   audit.Location
}

// Hooks are those of the configuration. A run that keeps nothing tells none.
type Hooks struct {
	Before       []Hook // before anything is looked at
	After        []Hook // when the run is kept
	OnRegression []Hook // after those, when something became worse in this run
	Ping         string // an address that is sent a summary at the very end; empty: none
	PingAt       audit.Location
}

// HookSchema is the version of what hooks are given.
const HookSchema = "audit.hook/v1"

// HookSchemaJSON is its JSON Schema, docs/hook.schema.json.
//
//go:embed hook.schema.json
var HookSchemaJSON []byte

// maxTold bounds the findings and regressions that a hook is told of.
const maxTold = 100

// A Told is what a hook is given on its standard input, and an address is sent.
type Told struct {
	Schema      string              `json:"schema"`
	Event       string              `json:"event"` // before, after, regression or ping
	Run         ToldRun             `json:"run"`
	Gate        *report.Gate        `json:"gate,omitempty"`
	Score       *ToldScore          `json:"score,omitempty"`
	Counts      *report.Counts      `json:"counts,omitempty"`      // of open findings that are not accepted
	News        []ToldFinding       `json:"news,omitempty"`        // new and reopened ones, the worst first
	Regressions []report.Regression `json:"regressions,omitempty"` // that began in this run
	Errors      []ToldError         `json:"errors,omitempty"`      // what of the run itself went wrong
}

// A ToldRun says which run it is.
type ToldRun struct {
	ID      string    `json:"id,omitempty"`
	Seq     uint64    `json:"seq,omitempty"`
	Started time.Time `json:"started"`
	Host    string    `json:"host"`
	Root    string    `json:"root,omitempty"`
}

// A ToldScore is the score of a run; null where nothing was judged.
type ToldScore struct {
	Value *float64 `json:"value"`
	Grade *string  `json:"grade"`
	Delta *float64 `json:"delta"`
}

// A ToldFinding is a finding in short.
type ToldFinding struct {
	ID       string `json:"id"`
	Check    string `json:"check"`
	Severity string `json:"severity"`
	Item     string `json:"item"`
	Message  string `json:"message"`
}

// A ToldError is an error of a run in short.
type ToldError struct {
	Source  string `json:"source"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// tellBefore tells the hooks that a run begins.
func (s *session) tellBefore(ctx context.Context) {
	if s.Ephemeral || len(s.Config.Hooks.Before) == 0 {
		return
	}
	_ = s.stageOf("hooks", func() error {
		told := Told{Event: "before", Run: ToldRun{Started: sec(s.started), Host: s.Host.Name(), Root: s.Host.Root()}}
		for _, h := range s.Config.Hooks.Before {
			if bad := h.run(ctx, s.Host, told); bad != nil {
				s.fail("hook", h.Name, bad, h.At)
			}
		}
		return nil
	})
}

func (h *Hook) run(ctx context.Context, m host.Host, told Told) *plugin.Failure {
	told.Schema = HookSchema
	in, err := json.Marshal(told)
	if err != nil {
		return &plugin.Failure{What: "could not be told: " + err.Error()}
	}
	_, bad := h.Run(ctx, m, in)
	return bad
}

// tell tells the hooks that a run is over and kept. What fails is among the errors
// of the report, and a finding of the next run.
func (s *session) tell(ctx context.Context, d *report.Document) {
	hooks := s.Config.Hooks
	if s.Ephemeral || len(hooks.After)+len(hooks.OnRegression) == 0 && hooks.Ping == "" {
		return
	}
	_ = s.stageOf("hooks", func() error {
		failed := map[string]plugin.Failure{}
		ran := map[string]bool{}
		note := func(name string, bad *plugin.Failure) {
			if ctx.Err() != nil {
				return // whether it works is not known
			}
			ran[name] = true
			if bad != nil {
				failed[name] = *bad
				if !slices.ContainsFunc(s.foreign.Failed, func(f audit.Failed) bool { return f.Kind == "hook" && f.Name == name && f.What == bad.What }) { // it is a finding already
					d.Errors = append(d.Errors, report.Error{System: string(snapshot.Auditor), Source: name, Message: "the hook " + name + " " + bad.What, Hint: bad.Hint})
				}
			}
		}
		told := toldOf(d)
		for _, h := range hooks.After {
			told.Event = "after"
			note(h.Name, h.run(ctx, s.Host, told))
		}
		for _, h := range hooks.OnRegression {
			if told.Event = "regression"; len(told.Regressions) > 0 {
				note(h.Name, h.run(ctx, s.Host, told))
			}
		}
		if hooks.Ping != "" {
			note(pingName, hooks.ping(ctx, told))
		}
		if s.lost != nil {
			return nil // nothing is written to that store
		}
		if err := s.keepHooks(ran, failed); err != nil {
			d.Errors = append(d.Errors, report.Error{System: string(snapshot.Auditor), Source: "hooks", Message: "that a hook failed could not be kept: " + err.Error()})
		}
		return nil
	})
}

// tellFailed tells the hooks of a run that is kept, and whose recovery is not.
func (s *session) tellFailed(ctx context.Context, d *report.Document, err error) {
	d.Gate.Exit = exitAction
	d.Errors = append(d.Errors, report.Error{System: string(snapshot.Auditor), Source: "recovery", Message: "the run was kept, what recovery did could not be: " + err.Error(), Hint: "audit store verify says whether the store is sound"})
	s.tell(ctx, d)
}

const pingName = "ping"

// ping sends what a stranger may know: no item, no path, no message.
func (h *Hooks) ping(ctx context.Context, told Told) *plugin.Failure {
	told.Schema, told.Event, told.News, told.Regressions, told.Errors, told.Run.Root = HookSchema, pingName, nil, nil, nil, ""
	body, err := json.Marshal(told)
	if err == nil {
		err = host.Post(ctx, h.Ping, body)
	}
	if err == nil {
		return nil
	}
	where := "its address"
	if u, uerr := url.Parse(h.Ping); uerr == nil {
		where = u.Hostname()
	}
	return &plugin.Failure{What: fmt.Sprintf("could not reach %s: %v", where, err), Hint: "See whether this machine can reach it, and whether the address is still the right one."}
}

// toldOf is what a document says, in short.
func toldOf(d *report.Document) Told {
	t := Told{Run: ToldRun{ID: d.Run.ID, Seq: d.Run.Seq, Started: d.Run.Started, Host: d.Run.Host, Root: d.Run.Root},
		Gate: &d.Gate, Score: &ToldScore{d.Score.Value, d.Score.Grade, d.Score.Delta}, Counts: &report.Counts{}}
	for _, f := range d.Findings {
		if f.Status == string(audit.Resolved) || f.Waiver != nil {
			continue
		}
		if sev, err := audit.ParseSeverity(f.Severity); err == nil {
			count(t.Counts, sev)
		}
		if (f.Status == string(audit.New) || f.Status == string(audit.Reopened)) && len(t.News) < maxTold {
			t.News = append(t.News, ToldFinding{f.ID, f.Check, f.Severity, f.Item, f.Message})
		}
	}
	for _, e := range d.Errors {
		if len(t.Errors) < maxTold {
			t.Errors = append(t.Errors, ToldError{e.Source, e.Message, e.Hint})
		}
	}
	for _, r := range d.Regressions {
		if r.Since.Run == d.Run.ID && len(t.Regressions) < maxTold {
			t.Regressions = append(t.Regressions, r)
		}
	}
	return t
}

// metaHooks is where the store keeps which hooks failed when they last ran.
const metaHooks = "hooks"

// recallHooks adds the hooks that failed after the last run.
func (s *session) recallHooks() error {
	if s.tx == nil || s.Ephemeral {
		return nil
	}
	kept, err := keptHooks(s.tx)
	if err != nil || len(kept) == 0 {
		return err
	}
	hooks := &s.Config.Hooks
	for _, h := range slices.Concat(hooks.After, hooks.OnRegression, []Hook{{Name: pingName, At: hooks.PingAt}}) {
		if bad, ok := kept[h.Name]; ok && (h.Name != pingName || hooks.Ping != "") {
			s.fail("hook", h.Name, &bad, h.At)
		}
	}
	return nil
}

func keptHooks(tx *store.Tx) (map[string]plugin.Failure, error) {
	kept := map[string]plugin.Failure{}
	b := tx.Meta(metaHooks)
	if len(b) == 0 {
		return kept, nil
	}
	if err := json.Unmarshal(b, &kept); err != nil {
		return nil, fmt.Errorf("failed hooks: %w", err)
	}
	return kept, nil
}

// keepHooks remembers which hooks failed, where that changed.
func (s *session) keepHooks(ran map[string]bool, failed map[string]plugin.Failure) error {
	st, err := store.Open(s.Store, store.Options{Wait: 10 * time.Second, Checked: true})
	if err != nil {
		return err
	}
	defer st.Close()
	err = st.Update(func(tx *store.Tx) error {
		old, err := keptHooks(tx)
		if err != nil {
			return err
		}
		now := map[string]plugin.Failure{}
		for name, bad := range old {
			if !ran[name] {
				now[name] = bad
			}
		}
		for name, bad := range failed {
			now[name] = bad
		}
		if reflect.DeepEqual(old, now) {
			return errUnchanged
		}
		b, err := json.Marshal(now)
		if err != nil {
			return err
		}
		return tx.PutMeta(metaHooks, b)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// errUnchanged ends a transaction that has nothing to write.
var errUnchanged = errors.New("nothing changed")
