package pm2

import (
	"slices"
	"strconv"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// An app is one app of one home: declared, running, dumped, or any of them.
type app struct {
	home     *home // nil: no PM2 home
	name, ns string
	decl     *declaration
	declared *ecosystem.App
	twice    bool // declared more than once: PM2 treats them as one app, and which entry counts nobody can tell
	procs    []process
	inDump   bool
	dumped   []dumped       // its entries in the dump
	meant    string         // status in the dump
	was      *snapshot.Item // what the last run saw, when the daemon died since
}

// expected reports whether the app should run: declared, dumped, or running
// when it was last seen.
func (a *app) expected() bool {
	switch {
	case a.inDump || a.declared != nil:
		return true
	case a.was != nil:
		return a.was.Kind == "app" && a.was.State != "stopped"
	}
	return slices.ContainsFunc(a.procs, func(p process) bool { return !p.Module && p.Status != "stopped" })
}

// A builder makes the items of one run.
type builder struct {
	s       *collect.Session
	hash    func(clear string) string // see placeless
	decls   []declaration
	homes   []home
	plain   string // the home whose keys say nothing of it, though there are others
	apps    []*app
	index   map[appID]*app
	names   map[string]string         // of the facts of variables: see envFact
	seen    map[string]seen           // by absolute path: see stat
	top     host.Files                // the folder /, once something was looked at: see close
	lists   map[*home][]string        // by home: see listsFact
	sockets map[string][]int          // processes by the inode of a socket; nil until one is asked for
	logged  map[string]logCursor      // by home: what the last run knew of its logs
	stated  map[string][]snapshot.Key // see declaredBy
	lost    map[*home][]string        // by home without a daemon: what it listed when it could last be asked
}

type appID struct{ home, ns, name string }

func newBuilder(s *collect.Session, decls []declaration, homes []home) *builder {
	b := &builder{s: s, hash: placeless(s), decls: decls, homes: homes, index: map[appID]*app{}, names: map[string]string{}, seen: map[string]seen{}, lists: map[*home][]string{}, lost: map[*home][]string{}}
	if s.Config.PM2HomesNow || slices.ContainsFunc(homes, func(h home) bool { return h.forgotten }) {
		if old := s.Previous.Item(snapshot.NewKey(snapshot.PM2, daemonName)); old != nil {
			b.plain = strings.TrimPrefix(old.Source, daemonSource)
		}
	}
	for i := range homes {
		h := &homes[i]
		for _, p := range h.daemon.list {
			a := b.app(h, p.Namespace, p.Name)
			a.procs = append(a.procs, p)
		}
		for _, d := range h.dump {
			a := b.app(h, d.Namespace, d.Name)
			a.inDump, a.meant = true, d.Status
			a.dumped = append(a.dumped, d)
		}
	}
	for i := range decls {
		d := &decls[i]
		if !d.known() {
			continue
		}
		for j := range d.what.Apps {
			e := &d.what.Apps[j]
			for _, a := range b.named(e) {
				if a.declared == nil { // two entries of one name act as one app (PM2 matches by name)
					a.decl, a.declared = d, e
					continue
				}
				a.twice = true
			}
		}
	}
	for i := range homes {
		b.recall(&homes[i])
	}
	return b
}

func (b *builder) close() {
	if b.top != nil {
		b.top.Close()
	}
}

// named returns the apps that a declaration means: that of its name, or those
// that PM2 calls by name and environment (append_env_to_name).
func (b *builder) named(e *ecosystem.App) []*app {
	var out []*app
	if v, _ := e.Setting("append_env_to_name"); v.IsTrue() {
		for _, a := range b.apps {
			env, ok := strings.CutPrefix(a.name, e.Name+"-")
			if ok && a.ns == e.Namespace && e.HasEnv(env) {
				out = append(out, a)
			}
		}
	}
	if out == nil {
		out = []*app{b.app(b.homeOf(e), e.Namespace, e.Name)}
	}
	return out
}

func (b *builder) app(h *home, ns, name string) *app {
	id := appID{ns: ns, name: name}
	if h != nil {
		id.home = h.path
	}
	a := b.index[id]
	if a == nil {
		a = &app{home: h, ns: ns, name: name}
		b.index[id] = a
		b.apps = append(b.apps, a)
	}
	return a
}

// homeOf returns the home in which a declared app runs or is dumped, else that
// in which it was last seen, else the first.
func (b *builder) homeOf(e *ecosystem.App) *home {
	if len(b.homes) == 0 {
		return nil
	}
	for i := range b.homes {
		if b.index[appID{b.homes[i].path, e.Namespace, e.Name}] != nil {
			return &b.homes[i]
		}
	}
	for i := range b.homes {
		if b.s.Previous.Item(b.key(&b.homes[i], e.Namespace, e.Name)) != nil {
			return &b.homes[i]
		}
	}
	return &b.homes[0]
}

// key returns the key of an app. The namespace stands in front where it is not
// the default one, or where the name would read like another kind of key.
func (b *builder) key(h *home, ns, name string) snapshot.Key {
	k := snapshot.Escape(name)
	reserved := name == daemonName || name == "(system)" || strings.Contains(name, ":") || strings.HasPrefix(name, "home=")
	if ns != "default" || reserved {
		k = snapshot.EscapePart(ns) + ":" + k
	}
	return snapshot.NewKey(snapshot.PM2, b.prefix(h)+k)
}

// prefix tells homes apart where there are several. A home that was the only
// one keeps its keys as long as another one is forgotten, or looked at only now.
func (b *builder) prefix(h *home) string {
	if h == nil || len(b.homes) < 2 || h.path == b.plain {
		return ""
	}
	return "home=" + snapshot.EscapePart(h.path) + "/"
}

func (b *builder) appItems() []*snapshot.Item {
	var out []*snapshot.Item
	for _, a := range b.apps {
		slices.SortFunc(a.procs, func(p, q process) int { return p.PMID - q.PMID })
		it := b.appItem(a)
		if a.home != nil && !a.home.listed() {
			if old := b.s.Previous.Item(it.Key); old != nil && a.home.failed(old.Source) {
				continue // carried as it was last seen
			}
			it.Unknown = "the PM2 daemon " + a.home.daemon.why
		}
		all := append([]*snapshot.Item{it}, b.instances(a, it)...)
		all = append(all, b.recalled(a, it)...)
		if len(a.procs) > 0 || a.was != nil {
			for _, it := range all {
				b.lists[a.home] = append(b.lists[a.home], it.Key.Name())
			}
		}
		out = append(out, all...)
	}
	return out
}

func (b *builder) appItem(a *app) *snapshot.Item {
	it := &snapshot.Item{Key: b.key(a.home, a.ns, a.name), Name: a.name, Kind: "app", Source: "declared", State: b.state(a)}
	switch {
	case a.home == nil:
		it.Unknown = noHome
	case a.declared == nil && len(a.procs) == 0:
		it.Source = dumpSource + a.home.path
	default:
		it.Source = runtimeSource + a.home.path
	}
	if len(a.procs) > 0 && a.procs[0].Module {
		it.Kind = "module"
	}
	if a.ns != "default" {
		it.Name = a.ns + ":" + a.name
		it.Add(snapshot.Semantic, "namespace", snapshot.Text(a.ns))
	}
	if a.home != nil && a.home.unread == nil {
		it.Add(snapshot.Semantic, "in-dump", snapshot.Bool(a.inDump))
	}
	if a.declared != nil {
		b.declaredFacts(it, a)
	}
	if len(a.procs) > 0 {
		b.runningFacts(it, a)
		b.aroundApp(it, a)
	}
	if a.declared == nil && len(a.procs) > 0 {
		it.Refs = snapshot.PartsOf(b.runningRefs(&a.procs[0])...)
	}
	b.schedule(it, a)
	return it
}

func (b *builder) instances(a *app, of *snapshot.Item) []*snapshot.Item {
	if len(a.procs) == 0 || !isMany(a.procs) {
		return nil
	}
	taken := map[string]bool{}
	var out []*snapshot.Item
	for i := range a.procs {
		p := &a.procs[i]
		n := p.Instance
		if _, err := strconv.Atoi(n); err != nil || taken[n] {
			for k := 0; n == "" || taken[n]; k++ {
				n = strconv.Itoa(k)
			}
		}
		taken[n] = true
		it := &snapshot.Item{
			Key: of.Key + snapshot.Key("#"+snapshot.Escape(n)), Name: of.Name + " #" + n, Kind: "instance", Path: of.Path, Line: of.Line,
			Source: of.Source, State: stateOf(p, a.home), Unknown: of.Unknown,
		}
		b.processFacts(it, p, a.home)
		b.logSizes(it, p, a.home)
		out = append(out, it)
	}
	return out
}
