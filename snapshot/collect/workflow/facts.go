package workflow

import (
	"strconv"
	"strings"
	"unicode/utf8"

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
		it.below = at
		job(it, j)
		for k := range j.Steps {
			it.below = at + ".step[" + j.Steps[k].Key + "]"
			step(it, &j.Steps[k])
		}
	}
	it.below = ""
	setOf(it, "jobs", ids)
	it.Refs = snapshot.PartsOf(m.Refs...)
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

func job(it *facts, j *model.Job) {
	set(it, ".name", j.Name)
	setOf(it, ".needs", j.Needs)
	list(it, ".runs-on", j.RunsOn)
	set(it, ".if", condition(j.If))
	set(it, ".timeout", j.Timeout)
	set(it, ".continue-on-error", unlessFalse(j.Continue))
	set(it, ".environment", j.Environment)
	set(it, ".container", j.Container)
	set(it, ".uses", j.Uses)
	setOf(it, ".services", j.Services)
	setOf(it, ".secrets", j.Secrets)
	permissions(it, ".permissions", j.Permissions)
	concurrency(it, ".concurrency", j.Concurrency)
	defaults(it, ".defaults", j.Defaults)
	values(it, ".env", j.Env)
	values(it, ".with", j.With)
	for _, r := range j.Matrix {
		if r.Hash != "" {
			secret(it, ".matrix."+r.Name, r.Hash)
		} else {
			setOf(it, ".matrix."+r.Name, r.Values)
		}
	}
	setOf(it, ".runs", j.Runs)
	if j.Hollow {
		it.Add(snapshot.Semantic, ".hollow", snapshot.Bool(true))
	}
	var keys []string
	for i := range j.Steps {
		keys = append(keys, j.Steps[i].Key)
	}
	list(it, ".steps", keys)
}

func step(it *facts, s *model.Step) {
	if s.ID != "" { // not compared: the facts of the step stand below it
		it.text(snapshot.Detail, s.ID, ".id")
	}
	set(it, ".uses", s.Uses)
	set(it, ".if", condition(s.If))
	set(it, ".shell", s.Shell)
	set(it, ".working-directory", s.Dir)
	set(it, ".timeout", s.Timeout)
	set(it, ".continue-on-error", unlessFalse(s.Continue))
	if s.Run != "" {
		secret(it, ".run", s.Run)
	}
	if s.Masked > 0 {
		it.Add(snapshot.Semantic, ".masked", snapshot.Number(s.Masked))
	}
	values(it, ".with", s.With)
	values(it, ".env", s.Env)
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

func concurrency(it *facts, name string, c *model.Concurrency) {
	if c == nil {
		return
	}
	set(it, name, c.Group)
	set(it, name+".cancel-in-progress", unlessFalse(c.Cancel))
	if c.Queue != "single" {
		set(it, name+".queue", c.Queue)
	}
}

func defaults(it *facts, name string, d model.Defaults) {
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
	if len(s) <= most {
		return s
	}
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	r := []rune(s)
	return string(r[:most]) + "… " + strconv.Itoa(len(r)) + " characters, " + snapshot.Sum([]byte(s))[:8]
}

func set(it *facts, name, v string) {
	if v != "" {
		it.text(snapshot.Semantic, clip(v), name)
	}
}

func setOf(it *facts, name string, v []string) {
	if len(v) > 0 {
		it.strings(snapshot.Set, v, name)
	}
}

func list(it *facts, name string, v []string) {
	if len(v) > 0 {
		it.strings(snapshot.Semantic, v, name)
	}
}

func secret(it *facts, name, hash string) { it.text(snapshot.Secret, hash, name) }

func values(it *facts, name string, v []model.Value) {
	for _, e := range v {
		if e.Shown != "" {
			it.text(snapshot.Semantic, clip(e.Shown), name, ".", e.Name)
			continue
		}
		it.text(snapshot.Secret, e.Hash, name, ".", e.Name)
	}
}
