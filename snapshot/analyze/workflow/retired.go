package workflow

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// retired are the labels of runners that GitHub took away: a job that asks for
// one waits until it is cancelled.
// Source: https://github.blog/changelog/label/actions/ (removal dates in the past)
var retired = map[string]string{
	"ubuntu-16.04": "ubuntu-latest", "ubuntu-18.04": "ubuntu-latest", "ubuntu-20.04": "ubuntu-latest",
	"macos-10.15": "macos-latest", "macos-11": "macos-latest", "macos-12": "macos-latest", "macos-13": "macos-latest",
	"macos-11-xl": "macos-latest-large", "macos-12-xl": "macos-latest-large", "macos-12-large": "macos-latest-large", "macos-13-large": "macos-latest-large",
	"macos-13-xlarge": "macos-latest-xlarge", "macos-13-xl": "macos-latest-large",
	"windows-2016": "windows-latest", "windows-2019": "windows-latest",
}

// retiredActions are versions that GitHub's services refuse: the step fails.
// Source: https://github.blog/changelog/ 2024-04-16 (artifacts v3 and older),
// 2024-12-05 (cache v1 and v2, and what came before v3.4.0 and v4.2.0; the
// actions for Pages that are built upon artifacts v3).
var retiredActions = map[string]*regexp.Regexp{
	"actions/upload-artifact":   regexp.MustCompile(`^v[123](\.|$)`),
	"actions/download-artifact": regexp.MustCompile(`^v[123](\.|$)`),
	"actions/cache":             regexp.MustCompile(oldCache),
	"actions/cache/save":        regexp.MustCompile(oldCache),
	"actions/cache/restore":     regexp.MustCompile(oldCache),

	"actions/upload-pages-artifact": regexp.MustCompile(`^v[12](\.|$)`),
	"actions/deploy-pages":          regexp.MustCompile(`^v[123](\.|$)`),
}

const oldCache = `^v[12](\.|$)|^v3\.[0-3]\.|^v4\.[01]\.`

func retiredRef(action, ref string) bool {
	old := retiredActions[action]
	return old != nil && old.MatchString(ref)
}

// retiredThings returns what the file asks for and GitHub no longer has.
func (d *Document) retiredThings(m *Model) []Message {
	var out []Message
	for id, job := range pairs(child(d.root, "jobs")) {
		told := map[string]bool{}
		for _, l := range labels(job) {
			name := strings.ToLower(l.name)
			if to := retired[name]; to != "" && !told[name] {
				told[name] = true
				out = append(out, Message{Pos: l.at, Family: "runner-retired", Where: text(id), Subject: l.name, Text: fmt.Sprintf("job %s asks for the runner %s, which GitHub has removed (use %s)", quote(text(id)), l.name, to)})
			}
		}
	}
	for _, j := range m.Jobs {
		for _, s := range j.Steps {
			action, ref := ActionOf(s.Uses)
			if retiredRef(action, ref) {
				out = append(out, Message{Pos: s.UsesPos, Family: "action-retired", Where: j.ID + "/" + s.Key, Subject: s.Uses, Text: fmt.Sprintf("%s is refused by GitHub: the step fails", quote(s.Uses))})
			}
		}
	}
	return out
}

// A label is one that a job asks its runner to have, and where it says so.
type label struct {
	name string
	at   Pos
}

var (
	chosen    = lazyregexp.New(`(?:&&|\|\|)\s*'([A-Za-z][A-Za-z0-9.-]*)'\s*(?:\||&|\)|\}|$)`)
	matrixKey = lazyregexp.New(`matrix\.([\w-]+)`)
)

// labels returns the runner labels of a job: those it names, in expressions too, and
// those of the rows of its matrix that it asks for.
func labels(job *yaml.Node) []label {
	var out []label
	asked := map[string]bool{}
	take := func(n *yaml.Node) {
		t := text(n)
		if !strings.Contains(t, "${{") {
			out = append(out, label{t, at(n)})
			return
		}
		for rest := t; ; {
			m := chosen().FindStringSubmatchIndex(rest)
			if m == nil {
				break
			}
			out = append(out, label{rest[m[2]:m[3]], at(n)})
			rest = rest[m[3]:]
		}
		for _, m := range matrixKey().FindAllStringSubmatch(t, -1) {
			asked[strings.ToLower(m[1])] = true
		}
	}
	all := func(n *yaml.Node, take func(*yaml.Node)) {
		if n != nil && n.Kind == yaml.ScalarNode {
			take(n)
		}
		for e := range each(n) {
			take(e)
		}
	}
	on := child(job, "runs-on")
	all(on, take)
	all(child(on, "labels"), take)
	value := func(n *yaml.Node) {
		if t := text(n); t != "" && !strings.Contains(t, "${{") {
			out = append(out, label{t, at(n)})
		}
	}
	rows := func(n *yaml.Node) {
		for k, v := range pairs(n) {
			if asked[strings.ToLower(text(k))] {
				all(v, value)
			}
		}
	}
	matrix := child(child(job, "strategy"), "matrix")
	if len(asked) > 0 {
		rows(matrix)
		for in := range each(child(matrix, "include")) {
			rows(in)
		}
	}
	return out
}
