package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"healthaudit/audit"
	"healthaudit/audit/check/custom"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/plugin"
)

// A Plugin is a program that collects or checks, and where it is configured.
type Plugin struct {
	plugin.Plugin
	At audit.Location
}

// Plugins are those of the configuration.
type Plugins struct {
	Collectors []Plugin
	Checks     []Plugin
}

// abreast is how many programs of the configuration run at once.
const abreast = 4

// kept leaves out of items that are gone those of plugins that the configuration
// no longer has: whoever took the plugin out explained it.
func (p *Plugins) kept(gone []*snapshot.Item) []*snapshot.Item {
	return slices.DeleteFunc(gone, func(it *snapshot.Item) bool {
		return it.Foreign() && !slices.ContainsFunc(p.Collectors, func(c Plugin) bool { return plugin.Source(c.Name) == it.Source && c.System == it.System() })
	})
}

// fail notes that a program did not do what it is there for.
func (s *session) fail(kind, name string, f *plugin.Failure, at audit.Location) {
	s.foreign.Failed = append(s.foreign.Failed, audit.Failed{Kind: kind, Name: name, What: f.What, Hint: f.Hint, At: at})
}

// An asking is the collectors among the plugins, under way.
type asking struct {
	session *session
	wg      sync.WaitGroup
	items   [][]*snapshot.Item
	failed  []*plugin.Failure
}

// askCollectors starts them, beside those of our own.
func (s *session) askCollectors(ctx context.Context) *asking {
	list := s.Config.Plugins.Collectors
	a := &asking{session: s, items: make([][]*snapshot.Item, len(list)), failed: make([]*plugin.Failure, len(list))}
	room := make(chan struct{}, abreast)
	for i := range list {
		if s.Config.wants(list[i].System) {
			a.wg.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				a.items[i], a.failed[i] = list[i].Collect(ctx, s.Host, s.started, s.secret)
			})
		}
	}
	return a
}

func (a *asking) wait() { a.wg.Wait() }

// join adds what they found to what our own collectors did. A plugin that has no
// answer is a source that could not be read.
func (a *asking) join(ctx context.Context, g *gathering) error {
	a.wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s := a.session
	if len(a.items) == 0 {
		return nil
	}
	ours := map[snapshot.Key]bool{}
	for _, it := range g.items {
		ours[it.Key] = true
	}
	for i, p := range s.Config.Plugins.Collectors {
		n := slices.IndexFunc(g.states, func(st snapshot.SystemState) bool { return st.System == p.System })
		if n < 0 || !g.states[n].Status.Listed() {
			s.foreign.Unasked = append(s.foreign.Unasked, "collector "+p.Name)
			continue
		}
		st, failed := &g.states[n], a.failed[i]
		if k := slices.IndexFunc(a.items[i], func(it *snapshot.Item) bool { return ours[it.Key] }); k >= 0 {
			failed = &plugin.Failure{What: fmt.Sprintf("lists %s, which is there without it", a.items[i][k].Key), Hint: "Give the plugin another name."}
		}
		src := snapshot.Source{Name: plugin.Source(p.Name), OK: failed == nil}
		switch {
		case failed != nil:
			src.Message, src.Hint = fmt.Sprintf("the plugin %s %s", p.Name, failed.What), failed.Hint
			st.Status = snapshot.StatusPartial
			s.fail("collector", p.Name, failed, p.At)
		case len(a.items[i]) > 0:
			if st.Status == snapshot.StatusAbsent {
				st.Status = snapshot.StatusOK
			}
			g.items = append(g.items, a.items[i]...)
		}
		st.Sources = append(st.Sources, src)
	}
	return nil
}

// askChecks asks the checks among the plugins, and completes what programs said.
func (s *session) askChecks(ctx context.Context) error {
	list := s.Config.Plugins.Checks
	if len(list) > 0 {
		err := s.stageOf("plugins", func() error { return s.askEach(ctx, list) })
		if err != nil {
			return err
		}
	}
	return s.recallHooks()
}

func (s *session) askEach(ctx context.Context, list []Plugin) error {
	found, failed := make([]*plugin.Findings, len(list)), make([]*plugin.Failure, len(list))
	var wg sync.WaitGroup
	room := make(chan struct{}, abreast)
	for i := range list {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			found[i], failed[i] = list[i].Check(ctx, s.Host, s.started, s.snap.Items)
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.foreign.Answered = map[string]audit.Answer{}
	for i, p := range list {
		if failed[i] != nil {
			s.fail("check", p.Name, failed[i], p.At)
			continue
		}
		for _, id := range p.Finds {
			s.foreign.Answered[custom.CheckID(p.Name, id)] = answerOf(found[i], id)
		}
	}
	return nil
}

// answerOf is what a plugin found by one of its checks.
func answerOf(f *plugin.Findings, id string) audit.Answer {
	a := audit.Answer{Unlooked: f.Unlooked}
	for _, one := range f.Found {
		if one.Check != id {
			continue
		}
		r := audit.Report{Item: one.Item, Discriminator: one.Discriminator, Message: one.Message, Hint: one.Hint,
			At: audit.Location{Path: one.Path, Line: one.Line, Column: one.Column}}
		for _, e := range one.Evidence {
			r.Evidence = append(r.Evidence, audit.Evidence{Name: e[0], Value: cmp.Or(e[1], "(empty)")})
		}
		a.Reports = append(a.Reports, r)
	}
	return a
}
