package workflow

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot"
)

// A Message is one thing a linter says of a file that may well load.
type Message struct {
	Pos
	Family  string `json:"f"`           // stable name of the kind of message
	Where   string `json:"w,omitempty"` // job, or job and step key: "build/Install"
	Text    string `json:"m,omitempty"`
	Subject string `json:"s,omitempty"` // the action, label, name it is about
}

// A Verdict is what is wrong with one file. It holds nothing of the file but
// names, so it may be cached and shown.
type Verdict struct {
	Problems []Problem      `json:"problems,omitempty"` // why GitHub does not load it, in order of position
	Lint     []Message      `json:"lint,omitempty"`     // in order of position
	Security []Hit          `json:"security,omitempty"` // in order of position; none of a file that does not load
	Notes    []Message      `json:"notes,omitempty"`    // what checks of many files together ask for, in order of position
	Body     string         `json:"body,omitempty"`     // digest of a workflow that loads, without its names: equal for clones
	Places   map[string]Pos `json:"places,omitempty"`   // where "on.EVENT", "concurrency", "jobs.ID" and "jobs.ID.concurrency" stand
}

// Invalid is the state of an item whose file GitHub does not load: its verdict has
// problems.
const Invalid = "invalid"

// Place returns where something stands, the first line when that is unknown.
func (v Verdict) Place(name string) Pos {
	if p, ok := v.Places[name]; ok {
		return p
	}
	return Pos{1, 1}
}

// Judge returns the verdict on a captured file, from the cache when these very
// bytes were judged before. config is the digest and the bytes of
// .github/actionlint.yaml, empty when there is none. open is called only when
// something has to be computed; a nil document gives an empty verdict.
func Judge(d *snapshot.Derived, path, sha string, config Config, open func() *Document) Verdict {
	in := []string{string(KindOf(path)), sha}
	if config.SHA256 != "" {
		in = append(in, path, config.SHA256)
	}
	return snapshot.Derive(d, "workflow.verdict", Version, in, func() Verdict {
		doc := open()
		if doc == nil {
			return Verdict{}
		}
		return doc.Verdict(config)
	})
}

// Verdict judges the document.
func (d *Document) Verdict(config Config) Verdict {
	v := Verdict{Problems: slices.Clone(d.problems)}
	if d.broken != nil {
		p, msg := d.fault(d.broken)
		v.Problems = append(v.Problems, Problem{Pos: p, Family: "yaml", Message: "is not valid YAML: " + msg})
	}
	if d.root == nil {
		return v
	}
	m := d.outline()
	v.Places = places(m)
	if m.Kind == Action {
		v.Problems = append(v.Problems, d.actionProblems(m)...)
	} else {
		p, l := d.lint(config, m)
		v.Problems = append(append(v.Problems, p...), d.queueProblems()...)
		l = slices.DeleteFunc(l, func(m Message) bool { return m.Family == "cron-never" || m.Family == "cron-too-often" })
		v.Lint = append(append(l, d.retiredThings(m)...), scheduleMessages(m)...)
	}
	slices.SortStableFunc(v.Problems, func(a, b Problem) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Message, b.Message))
	})
	v.Problems = slices.Compact(v.Problems)
	bad := map[int]bool{}
	for _, p := range v.Problems {
		bad[p.Line] = true
	}
	gone := map[string]bool{}
	for _, m := range v.Lint {
		if m.Family == "action-retired" {
			gone[m.Where] = true
		}
	}
	v.Lint = slices.DeleteFunc(v.Lint, func(m Message) bool { // one cause, one message
		return bad[m.Line] || m.Family == "action-outdated" && gone[m.Where] || judgedElsewhere[m.Family]
	})
	slices.SortStableFunc(v.Lint, func(a, b Message) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Family+a.Text, b.Family+b.Text))
	})
	v.Lint = slices.Compact(v.Lint)
	if len(v.Lint) > maxMessages {
		v.Lint = v.Lint[:maxMessages]
	}
	if len(v.Problems) == 0 {
		v.Security = d.security(m)
		v.Notes = d.notes(m)
		if m.Kind == Workflow {
			v.Body = d.body()
		}
	}
	return v
}

// judgedElsewhere are the messages of the linter that a Rule judges with more
// knowledge: of events, of where a text comes from, of the style of a scalar.
var judgedElsewhere = map[string]bool{"untrusted-input": true, "credentials": true, "condition-always-true": true}

// Bounds of what is looked at and kept of one file.
const (
	maxErrors   = 1000
	maxMessages = 200
)

// outline is the model for the sake of its places, whatever mask made it.
func (d *Document) outline() *Model {
	if d.model == nil {
		d.Model(nil)
	}
	return d.model
}

func places(m *Model) map[string]Pos {
	out := map[string]Pos{}
	if m.Concurrency != nil {
		out["concurrency"] = m.Concurrency.Pos
	}
	for _, t := range m.Triggers { // those a check may have something to say of
		if t.Event == "workflow_run" || t.Event == "workflow_call" || slices.ContainsFunc(t.Filters, func(f Filter) bool { return f.Name == "paths" || f.Name == "branches" }) {
			out["on."+t.Event] = t.Pos
		}
	}
	for _, j := range m.Jobs {
		if j.ID == "" {
			continue
		}
		out["jobs."+j.ID] = j.Pos
		if j.Concurrency != nil {
			out["jobs."+j.ID+".concurrency"] = j.Concurrency.Pos
		}
	}
	return out
}

// whereIs returns the job, and the step key behind it, in which a line stands.
func whereIs(m *Model, line int) string {
	var job *Job
	for i := range m.Jobs {
		if m.Jobs[i].Pos.Line <= line && m.Jobs[i].ID != "" {
			job = &m.Jobs[i]
		}
	}
	if job == nil {
		return ""
	}
	step := -1
	for i := range job.Steps {
		if job.Steps[i].Pos.Line <= line {
			step = i
		}
	}
	if step < 0 {
		return job.ID
	}
	return job.ID + "/" + job.Steps[step].Key
}

// actionProblems are the reasons for which GitHub does not load an action.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax
func (d *Document) actionProblems(m *Model) []Problem {
	runs := child(d.root, "runs")
	if runs == nil {
		return []Problem{{Pos{1, 1}, "missing-key", `has no "runs" key`}}
	}
	var out []Problem
	switch {
	case m.Using == "":
		out = append(out, Problem{at(runs), "missing-key", `has no "using" key below "runs"`})
	case m.Using == "composite" && child(runs, "steps") == nil:
		out = append(out, Problem{at(runs), "missing-key", `is composite and has no "steps"`})
	case m.Using == "docker" && child(runs, "image") == nil:
		out = append(out, Problem{at(runs), "missing-key", `runs in docker and has no "image"`})
	case strings.HasPrefix(m.Using, "node") && child(runs, "main") == nil:
		out = append(out, Problem{at(runs), "missing-key", `runs in node and has no "main"`})
	}
	if m.Using != "composite" {
		return out
	}
	for _, j := range m.Jobs {
		for _, s := range j.Steps {
			switch {
			case s.run != "" && s.Shell == "":
				out = append(out, Problem{s.Pos, "missing-key", `has a run step without "shell", which composite actions require: ` + quote(s.Key)})
			case s.run == "" && s.Uses == "":
				out = append(out, Problem{s.Pos, "step-without-work", "has a step with neither run nor uses: " + quote(s.Key)})
			}
		}
	}
	return out
}

func quote(s string) string {
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:77], "") + "…"
	}
	return strconv.Quote(s)
}

// blocks returns the block scalars of the document by the line of their
// indicator, to correct positions within them.
func blocks(n *yaml.Node, out map[int]*yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		out[n.Line] = n
	}
	for _, c := range n.Content {
		blocks(c, out)
	}
}
