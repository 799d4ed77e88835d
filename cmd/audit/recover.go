package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

type recoverPlanCmd struct {
	listing
	Patch bool   `help:"Add the difference of every file that would be written."`
	Rule  string `help:"Plan for this rule only." placeholder:"ID"`
	Out   string `help:"Write the plan to this file as well, for audit recover apply --plan." placeholder:"FILE"`
}

func (c *recoverPlanCmd) Run(a *App) error {
	if err := a.writable(c.Out); err != nil {
		return err
	}
	var v report.RecoveryView
	var plan *rules.Plan
	err := a.reading(func(s *settings, tx *store.Tx) error {
		set, err := s.rules(a)
		if err != nil {
			return err
		}
		if c.Rule != "" && set.Rule(c.Rule) == nil {
			return noRule(c.Rule, set)
		}
		v, plan, err = c.plan(a, s, tx, set)
		return err
	})
	if err != nil {
		return err
	}
	if c.Out != "" && plan != nil {
		err := a.write(c.Out, exitOK, func(w io.Writer, _ report.Options) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(plan)
		})
		if err != nil {
			return err
		}
	}
	return show(a, c.listing, exitOK, v, report.RecoveryPlan)
}

// plan plans on the latest snapshot. It writes nothing, the store included.
func (c *recoverPlanCmd) plan(a *App, s *settings, tx *store.Tx, set *rules.Set) (v report.RecoveryView, p *rules.Plan, err error) {
	h, err := host.New(s.root, a.Env, a.Now)
	if err != nil {
		return v, nil, &usageError{err.Error(), ""}
	}
	defer h.Close()
	seq, err := find(tx, "latest", a.Now())
	if err != nil {
		return v, nil, err
	}
	view, err := pipeline.Load(tx, seq, all.Collectors, s.checks())
	if err != nil {
		return v, nil, err
	}
	v = report.RecoveryView{Snapshot: ref(seq, view.Info), Patches: []report.Patch{}, Recovery: report.Recovery{Mode: "plan", Steps: []report.Step{}, Totals: map[string]int{}, Unknown: []report.UntoldRule{}}}
	if set == nil {
		return v, nil, nil
	}
	state, err := pipeline.LoadState(tx)
	if err != nil {
		return v, nil, err
	}
	w := view.World(pipeline.Sources(a.ctx, h, tx, view), a.Now())
	w.Only = c.Rule
	p, _ = set.Make(w, state)
	v.Rules, v.Recovery = set.Path, pipeline.DocumentRecovery("plan", &pipeline.Recovered{Rules: len(set.Rules), Plan: p})
	if c.Patch {
		v.Patches, err = stepPatches(tx, view.Snapshot, p)
	}
	return v, p, err
}

// recovering locks the store and runs fn with what recovery needs.
func (a *App) recovering(fn func(*settings, *pipeline.Runner) error) error {
	return a.maintaining(func(c *change) error {
		set, err := c.rules(a)
		if err != nil {
			return err
		}
		return fn(c.settings, &pipeline.Runner{Host: c.host, Config: &c.pipeline, Collectors: all.Collectors, Checks: c.checks(), Store: a.Store, Version: version,
			Actor: c.actor, Recovery: "apply", Rules: set, Command: a.line})
	})
}

// stepPatches are the differences that the steps of a plan would write, those
// that were refused included: a person may want them. Of a version that is
// brought back its own facts say what of it is secret: a broken file has none.
func stepPatches(tx *store.Tx, s *snapshot.Snapshot, p *rules.Plan) ([]report.Patch, error) {
	before, after := *s, *s
	before.Items, after.Items = nil, nil
	more := written{s.Content, map[string][]byte{}}
	after.Content = more
	for _, step := range p.Steps {
		it := s.Item(step.Item)
		if step.Effect == nil || len(step.Effect.Writes) == 0 || it == nil {
			continue
		}
		now := *it
		if step.Effect.From > 0 {
			good, err := pipeline.ItemAt(tx, step.Effect.From, step.Item)
			if err != nil {
				return nil, err
			}
			now = *good
		}
		now.Files = nil
		for _, w := range step.Effect.Writes {
			now.Files = append(now.Files, snapshot.File{Path: w.Path, SHA256: w.Sum, Mode: w.Mode})
			if w.New != nil {
				more.fresh[w.Sum] = w.New
			}
		}
		old := *it
		old.Files = slices.DeleteFunc(slices.Clone(it.Files), func(f snapshot.File) bool {
			return !slices.ContainsFunc(step.Effect.Writes, func(w rules.Write) bool { return w.Path == f.Path })
		})
		before.Items, after.Items = append(before.Items, &old), append(after.Items, &now)
	}
	return patches(&before, &after), nil
}

type recoverApplyCmd struct {
	listing
	Plan    string   `help:"Apply this plan, written by audit recover plan --out, and nothing else: refused when it is stale." placeholder:"FILE"`
	Approve []string `help:"Approve a step by its id (repeatable); only approved ones are done then." placeholder:"ID"`
	Rule    string   `help:"Apply this rule only." placeholder:"ID"`
}

func (c *recoverApplyCmd) Run(a *App) error {
	var v report.RecoveryView
	code := exitOK
	err := a.recovering(func(s *settings, r *pipeline.Runner) error {
		if err := s.trusted(a); err != nil {
			return err
		}
		if r.Rules == nil {
			return &usageError{"there are no recovery rules", "audit rule list shows those that audit brings along"}
		}
		if c.Rule != "" && r.Rules.Rule(c.Rule) == nil {
			return noRule(c.Rule, r.Rules)
		}
		q := pipeline.Request{Rule: c.Rule, Approved: c.Approve}
		if err := c.read(&q); err != nil {
			return err
		}
		d, view, err := r.Apply(a.ctx, q)
		if errors.Is(err, pipeline.ErrStale) {
			return &usageError{err.Error(), "nothing was done; audit recover plan --out FILE makes a new one"}
		}
		if errors.Is(err, pipeline.ErrUnfinished) {
			return &usageError{err.Error(), "nothing was done; audit journal names it, and audit run --recover apply ends it, as soon as its item can be looked at"}
		}
		if none := (*pipeline.NoStepError)(nil); errors.As(err, &none) {
			return &usageError{err.Error(), "audit recover plan names those that wait for a person"}
		}
		if err != nil {
			return err
		}
		if d.Failed() {
			code = exitAction
		}
		v = report.RecoveryView{Snapshot: ref(view.Seq, view.Info), Rules: r.Rules.Path, Recovery: pipeline.DocumentRecovery("apply", d), Patches: []report.Patch{}}
		return nil
	})
	if err != nil {
		return err
	}
	if err := show(a, c.listing, code, v, report.RecoveryPlan); err != nil || code == exitOK {
		return err
	}
	return exitCode(code)
}

// read reads the plan that was approved.
func (c *recoverApplyCmd) read(q *pipeline.Request) error {
	if c.Plan == "" {
		return nil
	}
	if len(c.Approve) > 0 {
		return &usageError{"--plan and --approve: a plan in a file is approved as a whole", "give one of them"}
	}
	b, err := os.ReadFile(c.Plan)
	if err != nil {
		return &usageError{"--plan: " + err.Error(), ""}
	}
	var p rules.Plan
	if err := json.Unmarshal(b, &p); err != nil || p.ID == "" {
		return &usageError{"--plan: " + c.Plan + " is no plan of recovery", "audit recover plan --out FILE writes one"}
	}
	q.Plan = p.ID
	return nil
}

// written is content with bytes that the store does not have yet.
type written struct {
	snapshot.Content
	fresh map[string][]byte
}

func (w written) Bytes(sum string) ([]byte, error) {
	if b, ok := w.fresh[sum]; ok {
		return b, nil
	}
	return w.Content.Bytes(sum)
}
