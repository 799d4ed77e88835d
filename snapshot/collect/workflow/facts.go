package workflow

import (
	"strconv"
	"strings"

	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// describe turns the model of a file into the facts, schedules and refs of its
// item. What may be a value is a keyed hash, everything else stands in clear.
func describe(to *snapshot.Item, m *model.Model, same *shared) {
	it := &facts{Item: to, same: same}
	it.begin()
	defer it.end()
	set(it, "name", m.Name)
	if len(m.Uses) > 0 {
		it.Add(snapshot.Volatile, "salvaged.uses", snapshot.SetOf(m.Uses...))
	}
	var events []string
	for _, t := range m.Triggers {
		events = append(events, t.Event)
		for _, f := range t.Filters {
			setOf(it, "on."+t.Event+"."+f.Name, f.Values)
		}
	}
	setOf(it, "on", events)
	schedules(it, m)
	if !m.Broken {
		permissions(it, "permissions", m.Permissions)
	}
	concurrency(it, "concurrency", m.Concurrency)
	defaults(it, "defaults", m.Defaults)
	values(it, "env", m.Env)
	set(it, "using", m.Using)
	setOf(it, "inputs", m.Inputs)
	setOf(it, "secrets", m.Secrets)
	setOf(it, "vars", m.Vars)
	setOf(it, "owners", owners(m))
	var ids []string
	for i := range m.Jobs {
		j := &m.Jobs[i]
		at := "jobs." + j.ID
		if j.ID == "" {
			at = "runs"
		} else {
			ids = append(ids, j.ID)
		}
		job(it, at, j)
		for k := range j.Steps {
			step(it, at, &j.Steps[k])
		}
	}
	setOf(it, "jobs", ids)
	it.Refs = m.Refs
}

func schedules(it *facts, m *model.Model) {
	var list []string
	for _, s := range m.Schedules {
		list = append(list, strings.TrimSpace(s.Cron+" "+s.Timezone))
		sched := snapshot.Schedule{Dialect: "github", Expression: s.Cron, Timezone: s.Timezone, Effective: it.State == "active",
			Path: it.Path, Line: s.Pos.Line, Column: s.Pos.Column}
		if !sched.Effective {
			sched.Why = "GitHub cannot load the file"
		}
		it.Schedules = append(it.Schedules, sched)
	}
	setOf(it, "schedule.cron", list)
}

func job(it *facts, at string, j *model.Job) {
	set(it, at+".name", j.Name)
	setOf(it, at+".needs", j.Needs)
	list(it, at+".runs-on", j.RunsOn)
	set(it, at+".if", condition(j.If))
	set(it, at+".timeout", j.Timeout)
	set(it, at+".continue-on-error", unlessFalse(j.Continue))
	set(it, at+".environment", j.Environment)
	set(it, at+".container", j.Container)
	set(it, at+".uses", j.Uses)
	setOf(it, at+".services", j.Services)
	setOf(it, at+".secrets", j.Secrets)
	permissions(it, at+".permissions", j.Permissions)
	concurrency(it, at+".concurrency", j.Concurrency)
	defaults(it, at+".defaults", j.Defaults)
	values(it, at+".env", j.Env)
	values(it, at+".with", j.With)
	for _, r := range j.Matrix {
		if r.Hash != "" {
			secret(it, at+".matrix."+r.Name, r.Hash)
		} else {
			setOf(it, at+".matrix."+r.Name, r.Values)
		}
	}
	setOf(it, at+".runs", j.Runs)
	if j.Hollow {
		it.Add(snapshot.Semantic, at+".hollow", snapshot.Bool(true))
	}
	var keys []string
	for _, s := range j.Steps {
		keys = append(keys, s.Key)
	}
	list(it, at+".steps", keys)
}

func step(it *facts, job string, s *model.Step) {
	at := job + ".step[" + s.Key + "]"
	set(it, at+".uses", s.Uses)
	set(it, at+".if", condition(s.If))
	set(it, at+".shell", s.Shell)
	set(it, at+".working-directory", s.Dir)
	set(it, at+".timeout", s.Timeout)
	set(it, at+".continue-on-error", unlessFalse(s.Continue))
	if s.Run != "" {
		secret(it, at+".run", s.Run)
	}
	if s.Masked > 0 {
		it.Add(snapshot.Semantic, at+".masked", snapshot.Number(s.Masked))
	}
	values(it, at+".with", s.With)
	values(it, at+".env", s.Env)
}

// Levels of the fact permissions when it is not a list of scopes.
const (
	permDefault = "default" // what the repository's settings say
	permNone    = "none"
)

func permissions(it *facts, name string, p *model.Permissions) {
	switch {
	case p == nil && name == "permissions" && it.Kind == string(model.Workflow):
		setOf(it, name, []string{permDefault})
	case p == nil:
	case p.All != "":
		setOf(it, name, []string{p.All})
	case len(p.Scopes) == 0:
		setOf(it, name, []string{permNone})
	default:
		setOf(it, name, p.Scopes)
	}
}

func concurrency(it adder, name string, c *model.Concurrency) {
	if c == nil {
		return
	}
	set(it, name, c.Group)
	set(it, name+".cancel-in-progress", unlessFalse(c.Cancel))
}

func defaults(it adder, name string, d model.Defaults) {
	set(it, name+".shell", d.Shell)
	set(it, name+".working-directory", d.Dir)
}

// owners are whose actions a file runs, apart from GitHub's own.
func owners(m *model.Model) []string {
	var out []string
	add := func(uses string) {
		if _, local := model.Local(uses); uses == "" || local || strings.HasPrefix(uses, "docker://") {
			return
		}
		owner, _, ok := strings.Cut(uses, "/")
		if ok && owner != "actions" && owner != "github" && owner != "." && owner != "$" {
			out = append(out, strings.ToLower(owner))
		}
	}
	for _, j := range m.Jobs {
		add(j.Uses)
		for _, s := range j.Steps {
			add(s.Uses)
		}
	}
	for _, u := range m.Uses {
		add(u)
	}
	return out
}

// condition brings an if: into one form: ${{ }} around the whole means nothing.
func condition(s string) string {
	s = strings.TrimSpace(s)
	if in, ok := strings.CutPrefix(s, "${{"); ok {
		if in, ok := strings.CutSuffix(in, "}}"); ok && !strings.Contains(in, "${{") {
			s = in
		}
	}
	return clip(strings.Join(strings.Fields(s), " "))
}

func unlessFalse(s string) string {
	if s == "false" {
		return ""
	}
	return s
}

// clip shortens a text that is only there to be read; a hash keeps differences.
func clip(s string) string {
	const most = 300
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "… " + strconv.Itoa(len(r)) + " characters, " + snapshot.Sum([]byte(s))[:8]
}

func set(it adder, name, v string) {
	if v != "" {
		it.Add(snapshot.Semantic, name, snapshot.Text(clip(v)))
	}
}

func setOf(it adder, name string, v []string) {
	if len(v) > 0 {
		it.Add(snapshot.Set, name, snapshot.SetOf(v...))
	}
}

func list(it adder, name string, v []string) {
	if len(v) > 0 {
		it.Add(snapshot.Semantic, name, snapshot.List(v...))
	}
}

func secret(it adder, name, hash string) {
	it.Add(snapshot.Secret, name, snapshot.Text(hash))
}

func values(it adder, name string, v []model.Value) {
	for _, e := range v {
		if e.Shown != "" {
			set(it, name+"."+e.Name, e.Shown)
			continue
		}
		secret(it, name+"."+e.Name, e.Hash)
	}
}
