package pm2

import (
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// listsFact is the fact of a daemon that names the items of what it lists. A
// daemon that died took its list with it: the next run finds here what ran.
const listsFact = "lists"

// listed returns what the daemon's item keeps for the next run: what the daemon
// lists, or what it listed when it could last be asked.
func (b *builder) listed(h *home) []string {
	if h.listed() {
		return b.lists[h]
	}
	return b.listedBefore(h)
}

func (b *builder) listedBefore(h *home) []string {
	old := b.s.Previous.Item(b.daemonKey(h))
	if old == nil {
		return nil
	}
	v, _ := old.Fact(listsFact)
	return v.Strings()
}

// daemonName names the item of a daemon, behind what tells its home.
const daemonName = "daemon"

func (b *builder) daemonKey(h *home) snapshot.Key {
	return snapshot.NewKey(snapshot.PM2, b.prefix(h)+daemonName)
}

// recall finds what a daemon that died ran. After pm2 kill only what should run
// all the same is recalled: the rest was ended on purpose.
func (b *builder) recall(h *home) {
	if !h.dead() {
		return
	}
	b.lost[h] = b.listedBefore(h)
	for _, name := range b.lost[h] {
		old := b.s.Previous.Item(snapshot.NewKey(snapshot.PM2, name))
		if old == nil || old.Kind == "instance" {
			continue
		}
		v, ok := old.Fact("namespace")
		ns := v.Str()
		if !ok {
			ns = "default"
		}
		app := strings.TrimPrefix(old.Name, ns+":")
		if b.index[appID{h.path, ns, app}] == nil && h.daemon.state == notRunning {
			continue
		}
		b.app(h, ns, app).was = old
	}
}

// recalled completes the item of an app whose daemon died: nothing of it can be
// seen, but nothing is known to be gone either. It returns its instances.
func (b *builder) recalled(a *app, it *snapshot.Item) []*snapshot.Item {
	if a.home == nil || !a.home.dead() {
		return nil
	}
	if a.was == nil {
		it.Torn = true
		return nil
	}
	it.Kind, it.Torn, it.State = a.was.Kind, a.was.Torn, stateAfter(a.was)
	for _, f := range a.was.Facts.All() {
		has := func(g snapshot.Fact) bool { return g.Name == f.Name }
		if f.Class != snapshot.Volatile && !strings.HasPrefix(f.Name, "declared.") && !slices.ContainsFunc(it.Facts.All(), has) {
			it.Facts.Add(f)
		}
	}
	if a.declared == nil {
		it.Refs = a.was.Refs
	}
	b.recallSchedules(a, it)
	return b.recalledInstances(a, it)
}

func (b *builder) recalledInstances(a *app, of *snapshot.Item) (out []*snapshot.Item) {
	for _, name := range b.lost[a.home] {
		key := snapshot.NewKey(snapshot.PM2, name)
		if !strings.HasPrefix(string(key), string(of.Key)+"#") {
			continue
		}
		old := b.s.Previous.Item(key)
		if old == nil {
			continue
		}
		one := *old
		one.Path, one.Line, one.Source, one.State, one.Metrics, one.Carried = of.Path, of.Line, of.Source, stateAfter(old), nil, false
		one.Facts = snapshot.PartsOf(slices.DeleteFunc(slices.Clone(old.Facts.All()), func(f snapshot.Fact) bool { return f.Class == snapshot.Volatile })...)
		out = append(out, &one)
	}
	return out
}

// stateAfter returns the state of an app or instance whose daemon died: one that
// was stopped before still is.
func stateAfter(old *snapshot.Item) string {
	if old.State == "stopped" {
		return old.State
	}
	return absentState
}

// recallSchedules keeps the schedules of an app that only its daemon knew.
func (b *builder) recallSchedules(a *app, it *snapshot.Item) {
	if len(it.Schedules) > 0 {
		return
	}
	it.Schedules = slices.Clone(a.was.Schedules)
	for i := range it.Schedules {
		it.Schedules[i].Effective, it.Schedules[i].Why = false, "the PM2 daemon does not run"
	}
}
