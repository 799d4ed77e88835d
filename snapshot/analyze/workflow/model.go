package workflow

import (
	"path"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// Model returns what the document says. The mask makes a keyed hash of a value
// whose change must show; nil leaves those hashes out.
func (d *Document) Model(mask func(string) string) Model {
	m := Model{Kind: KindOf(d.path)}
	if d.root == nil {
		d.salvage(&m)
		return m
	}
	if mask == nil {
		mask = func(string) string { return "" }
	}
	b := builder{mask: mask, dir: path.Dir(d.path)}
	if m.Kind == Action {
		b.action(&m, d.root)
	} else {
		b.workflow(&m, d.root)
	}
	m.Secrets, m.Vars = names(d.root)
	b.locate(&m, d.lines())
	self := ""
	if m.Kind == Action {
		self = b.dir
	}
	derive(&m, self, mask)
	if d.model == nil { // for the verdict, which asks for places only
		d.model = &m
	}
	return m
}

type builder struct {
	mask func(string) string
	dir  string       // of the file
	runs []*yaml.Node // the run scalars, in the order of the model's steps
}

func (b *builder) workflow(m *Model, root *yaml.Node) {
	for k, v := range pairs(root) {
		switch strings.ToLower(k.Value) {
		case "name":
			m.Name = text(v)
		case "on", "true":
			b.triggers(m, v)
		case "permissions":
			m.Permissions = permissions(v)
		case "env":
			m.Env = b.values(v)
		case "defaults":
			m.Defaults = defaults(v)
		case "concurrency":
			m.Concurrency = concurrency(k, v)
		case "jobs":
			if v.Kind == yaml.MappingNode {
				m.Jobs = slices.Grow(m.Jobs, len(v.Content)/2)
			}
			for id, job := range pairs(v) {
				m.Jobs = append(m.Jobs, b.job(id, job))
			}
		}
	}
}

func (b *builder) action(m *Model, root *yaml.Node) {
	for k, v := range pairs(root) {
		switch strings.ToLower(k.Value) {
		case "name":
			m.Name = text(v)
		case "inputs":
			for name, in := range pairs(v) {
				req := ""
				if strings.EqualFold(text(child(in, "required")), "true") {
					req = "!"
				}
				m.Inputs = append(m.Inputs, text(name)+req)
			}
		case "runs":
			m.Using = text(child(v, "using"))
			job := Job{Pos: at(k)}
			if steps := child(v, "steps"); steps != nil {
				job.Steps = b.steps(steps)
			}
			m.Jobs = append(m.Jobs, job)
			for _, name := range []string{"main", "pre", "post"} {
				if n := child(v, name); n != nil {
					m.Refs = append(m.Refs, entryPoint(b.dir, text(n), name, at(n)))
				}
			}
		}
	}
}

func (b *builder) job(id, n *yaml.Node) Job {
	j := Job{ID: text(id), Pos: at(id)}
	for k, v := range pairs(n) {
		switch strings.ToLower(k.Value) {
		case "name":
			j.Name = text(v)
		case "needs":
			j.Needs = list(v)
		case "runs-on":
			j.RunsOn = runsOn(v)
		case "if":
			j.If = text(v)
		case "timeout-minutes":
			j.Timeout = minutes(v)
		case "continue-on-error":
			j.Continue = text(v)
		case "environment":
			if j.Environment = text(v); j.Environment == "" {
				j.Environment = text(child(v, "name"))
			}
		case "permissions":
			j.Permissions = permissions(v)
		case "concurrency":
			j.Concurrency = concurrency(k, v)
		case "strategy":
			j.Matrix = b.matrix(child(v, "matrix"))
		case "container":
			if j.Container = text(v); j.Container == "" {
				j.Container = text(child(v, "image"))
			}
		case "services":
			for name, s := range pairs(v) {
				j.Services = append(j.Services, text(name)+": "+text(child(s, "image")))
			}
			sort.Strings(j.Services)
		case "env":
			j.Env = b.values(v)
		case "defaults":
			j.Defaults = defaults(v)
		case "uses":
			j.Uses, j.UsesPos = text(v), at(v)
		case "with":
			j.With = b.inputs(v)
		case "secrets":
			if j.Secrets = list(v); len(j.Secrets) == 0 {
				for name := range pairs(v) {
					j.Secrets = append(j.Secrets, text(name))
				}
			}
		case "steps":
			j.Steps = b.steps(v)
		}
	}
	return j
}

func (b *builder) values(n *yaml.Node) []Value {
	return b.valuesOf(n, func(string) bool { return false })
}

// inputs are the values that a with: gives: versions are shown.
func (b *builder) inputs(n *yaml.Node) []Value {
	return b.valuesOf(n, func(name string) bool { return strings.HasSuffix(name, "-version") })
}

// valuesOf returns the values of a mapping by their names. Those of which open says
// that they may be shown are, if they are harmless: of several of one name the first.
func (b *builder) valuesOf(n *yaml.Node, open func(name string) bool) []Value {
	if n = deref(n); n == nil || n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return nil
	}
	out := make([]Value, 0, len(n.Content)/2)
	first := map[string]string{} // of those that may be shown, by lower-case name
	for k, v := range pairs(n) {
		e := Value{Name: text(k)}
		if open(e.Name) {
			low := strings.ToLower(e.Name)
			t, known := first[low]
			if !known {
				t = text(v)
				first[low] = t
			}
			if harmless().MatchString(t) {
				e.Shown = t
			}
		}
		if e.Shown == "" {
			e.Hash = b.mask(plainExpressions(canonical(v)))
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(x, y Value) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// harmless matches what is shown of a matrix and of inputs: versions and runner labels.
var harmless = lazyregexp.New(`^(v?\d[\d.x*]{0,11}|(ubuntu|windows|macos)-[a-z0-9.-]{1,24}|lts/\*|latest|stable|true|false|\$\{\{[^}]{1,80}\}\})$`)

func (b *builder) matrix(n *yaml.Node) []Row {
	var out []Row
	if t := raw(n); t != "" {
		return []Row{{Name: "(expression)", Hash: b.mask(t)}}
	}
	for k, v := range pairs(n) {
		row := Row{Name: text(k)}
		vals := list(v)
		if len(vals) == 0 || slices.ContainsFunc(vals, func(s string) bool { return !harmless().MatchString(s) }) {
			row.Hash = b.mask(canonical(v))
		} else {
			row.Values = vals
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(x, y Row) int { return strings.Compare(x.Name, y.Name) })
	return out
}

func permissions(n *yaml.Node) *Permissions {
	p := &Permissions{All: text(n)}
	for k, v := range pairs(n) {
		p.Scopes = append(p.Scopes, text(k)+": "+text(v))
	}
	sort.Strings(p.Scopes)
	return p
}

func concurrency(k, n *yaml.Node) *Concurrency {
	c := &Concurrency{Group: text(n), Pos: at(k)}
	if c.Group == "" {
		g := child(n, "group")
		if c.Group = text(g); g != nil && g.Line > 0 {
			c.Pos = at(g)
		}
		c.Cancel, c.Queue = text(child(n, "cancel-in-progress")), text(child(n, "queue"))
	}
	return c
}

func defaults(n *yaml.Node) Defaults {
	run := child(n, "run")
	return Defaults{Shell: shownShell(child(run, "shell")), Dir: text(child(run, "working-directory"))}
}

func runsOn(n *yaml.Node) []string {
	if l := list(n); len(l) > 0 {
		return l
	}
	out := list(child(n, "labels"))
	if g := text(child(n, "group")); g != "" {
		out = append(out, "group: "+g)
	}
	return out
}
