package pm2

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/analyze/trait"
)

func (b *builder) declaredFacts(it *snapshot.Item, a *app) {
	e := a.declared
	it.Path, it.Line = a.decl.path, e.Line
	it.Add(snapshot.Semantic, "declared.file", snapshot.Text(a.decl.path))
	for name, v := range map[string]string{"script": e.Script, "cwd": e.Cwd} {
		if v != "" {
			it.Add(snapshot.Semantic, "declared."+name, snapshot.Text(b.show(v, a.home)))
		}
	}
	for name, yes := range map[string]bool{"command": e.Command, "script.rooted": e.Rooted, "cwd.rooted": e.CwdRooted} {
		if yes {
			it.Add(snapshot.Semantic, "declared."+name, snapshot.Bool(true))
		}
	}
	if a.twice {
		it.Add(snapshot.Semantic, "declared.twice", snapshot.Bool(true))
	}
	if len(e.Varies) > 0 {
		it.Add(snapshot.Volatile, "declared.varies", snapshot.List(e.Varies...))
	}
	for _, s := range e.Settings {
		it.Add(snapshot.Semantic, "declared."+s.Key, s.Value)
	}
	for _, h := range e.Secrets {
		name := "declared." + h.Name
		if !strings.HasPrefix(h.Name, "env") {
			name += ".hash"
		}
		it.Add(snapshot.Secret, name, snapshot.Text(h.Hash))
	}
	trait.Keep(it, e.Marks)
	dir := path.Dir(a.decl.path)
	if e.Rooted || e.CwdRooted { // its paths do not depend on where PM2 is called
		dir = "."
	}
	for _, r := range e.Refs {
		// PM2 resolves against the shell's folder, which is not known: that of the
		// file where the target is there, else the root.
		if r.Kind == snapshot.RefFile && b.s.Tree.HasFile(path.Join(dir, r.Path)) {
			r.Path = path.Join(dir, r.Path)
		}
		if r.Kind == snapshot.RefNPM && b.s.Tree.HasFile(path.Join(dir, r.Dir, "package.json")) {
			r.Dir = path.Join(dir, r.Dir)
		}
		it.Refs.Add(r)
	}
}

func (b *builder) runningFacts(it *snapshot.Item, a *app) {
	p := &a.procs[0]
	it.Add(snapshot.Semantic, "processes", snapshot.Number(len(a.procs)))
	it.Add(snapshot.Semantic, "script", snapshot.Text(b.show(p.ExecPath, a.home)))
	it.Add(snapshot.Semantic, "cwd", snapshot.Text(b.show(p.Cwd, a.home)))
	for name, list := range map[string][]string{"args": p.Args, "node_args": p.NodeArgs} {
		if len(list) > 0 {
			it.Add(snapshot.Semantic, name, snapshot.List(ecosystem.MaskArgs(list)...))
			it.Add(snapshot.Secret, name+".hash", snapshot.Text(b.hash(strings.Join(list, "\x00"))))
		}
	}
	if line := commandLine(p.Args); line != "" {
		it.Add(snapshot.Secret, "script.hash", snapshot.Text(b.hash(line)))
	}
	if a.declared == nil {
		trait.Keep(it, trait.Argv(append([]string{p.ExecPath}, p.Args...)))
	}
	many := isMany(a.procs)
	for _, s := range p.Settings {
		if s.Key == "instances" || s.Key == "merge_logs" {
			it.Add(snapshot.Volatile, s.Key, s.Value) // moved by PM2 itself: see stable
			continue
		}
		v := s.Value
		if strings.HasSuffix(s.Key, "_log_path") {
			if many { // PM2 writes the number of the process into it
				continue
			}
			v = snapshot.Text(b.show(v.Str(), a.home))
		}
		it.Add(snapshot.Semantic, s.Key, v)
	}
	b.variables(it, p)
	b.unset(it, a)
	b.gone(it, p)
	if !many {
		b.processFacts(it, p, a.home)
		return
	}
	online := 0
	for i := range a.procs {
		if a.procs[i].Status == "online" && !a.home.daemon.ghost(&a.procs[i]) {
			online++
		}
	}
	it.Metrics = append(it.Metrics, snapshot.Metric{Name: "online", Value: float64(online)})
}

// variables adds the variables of an app: those that PM2 says it was started
// with, and those of the last run and of its file that PM2 still has.
func (b *builder) variables(it *snapshot.Item, p *process) {
	add := func(fact, hash string) {
		it.Facts.Add(snapshot.Fact{Name: fact, Class: snapshot.Secret, Value: snapshot.Text(hash)})
	}
	declared := it.Facts.All()
	it.Facts.Grow(len(p.Env) + moreFacts)
	for _, e := range p.Env {
		add(b.envFact(e.Name), e.Hash)
	}
	var more map[string]bool // beside p.Env, which is sorted
	known := func(fact string) {
		name, ok := strings.CutPrefix(fact, "env.")
		if !ok || more[name] {
			return
		}
		if _, ok := slices.BinarySearchFunc(p.Env, name, func(e ecosystem.Hashed, name string) int { return strings.Compare(e.Name, name) }); ok {
			return
		}
		if h, ok := p.variable(name, b.hash); ok {
			add(fact, h)
			if more == nil {
				more = map[string]bool{}
			}
			more[name] = true
		}
	}
	if old := b.s.Previous.Item(it.Key); old != nil {
		for _, f := range old.Facts.All() {
			known(f.Name)
		}
	}
	for _, f := range declared {
		known(declaredVariable(f.Name))
	}
}

// moreFacts is how many facts an app has about, beside its variables.
const moreFacts = 20

// envFact returns the name of the fact of a variable, which most apps have.
func (b *builder) envFact(name string) string {
	fact, ok := b.names[name]
	if !ok {
		fact = "env." + name
		b.names[name] = fact
	}
	return fact
}

// declaredVariable returns the fact of the running variable that a fact declares
// (declared.env.X, declared.env_production.X), or "".
func declaredVariable(fact string) string {
	block, name, ok := strings.Cut(strings.TrimPrefix(fact, "declared."), ".")
	if !ok || !strings.HasPrefix(fact, "declared.env") || block != "env" && !strings.HasPrefix(block, "env_") {
		return ""
	}
	return "env." + name
}

// unset names the declared variables that PM2 has not for a running app: one that
// it has and that is no fact (those of a terminal) is not among them.
func (b *builder) unset(it *snapshot.Item, a *app) {
	var names []string
	for _, f := range it.Facts.All() {
		name, ok := strings.CutPrefix(declaredVariable(f.Name), "env.")
		if ok && !a.procs[0].has(name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		it.Add(snapshot.Volatile, "env-unset", snapshot.SetOf(names...))
	}
}

// isMany reports whether the processes of an app are items of their own.
func isMany(procs []process) bool {
	if len(procs) > 1 {
		return true
	}
	return procs[0].setting("exec_mode") == "cluster_mode"
}

// show writes a path so that it does not depend on where the project lies.
func (b *builder) show(p string, h *home) string {
	if p == "" || !filepath.IsAbs(p) {
		return p
	}
	if rel, err := filepath.Rel(b.s.Host.Root(), p); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	if h != nil {
		if rel, err := filepath.Rel(h.path, p); err == nil && filepath.IsLocal(rel) {
			return "$PM2_HOME/" + filepath.ToSlash(rel)
		}
	}
	return p
}
