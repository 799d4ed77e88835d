package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	model "healthaudit/snapshot/analyze/workflow"
)

// SharedConcurrency finds workflows that cancel each other.
var SharedConcurrency = &audit.Check{
	ID:       "workflow-shared-concurrency",
	System:   snapshot.Workflows,
	Title:    "workflows cancel each other",
	Severity: audit.High,
	Doc: "A concurrency group spans the whole repository. Workflows whose groups come out as the same text share one, and with cancel-in-progress " +
		"each run cancels those of the others. The usual cause is github.workflow outside of ${{ }}, which is the same text in every file.",
	Hint:          "Begin the group with ${{ github.workflow }}-, so that each workflow has its own.",
	Discriminator: "the group, in lower case",
	Source:        "https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency",
	Still:         true,
	Judge:         judgeSharedConcurrency,
}

// A member is one workflow in a group.
type member struct {
	it      *snapshot.Item
	fact    string // name of the concurrency fact
	cancels bool
}

func judgeSharedConcurrency(p *audit.Pass) {
	j := newJudge(p)
	groups := j.groups(func(string) bool { return true })
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		if ms := groups[g]; shared(ms) {
			reportShared(j, g, ms)
		}
	}
}

// shared reports whether several workflows of a group cancel each other.
func shared(ms []member) bool {
	return len(ms) > 1 && slices.ContainsFunc(ms, func(m member) bool { return m.cancels })
}

// groups returns the workflows of each concurrency group that is asked for as it
// stands, as far as the files alone tell what the group comes to.
func (j *judge) groups(asked func(group string) bool) map[string][]member {
	groups := map[string][]member{}
	for _, it := range j.files {
		if it.Kind != string(model.Workflow) {
			continue
		}
		var names []string
		for name := range j.verdict(it).Places {
			if strings.HasSuffix(name, "concurrency") {
				names = append(names, name)
			}
		}
		slices.Sort(names) // that of the workflow comes before those of its jobs
		taken := map[string]bool{}
		for _, name := range names {
			text := fact(it, name)
			if text == "" || !asked(text) {
				continue
			}
			g, own := evaluate(text, it)
			if g == "" || own || taken[g] {
				continue
			}
			taken[g] = true
			groups[g] = append(groups[g], member{it, name, fact(it, name+".cancel-in-progress") == "true"})
		}
	}
	return groups
}

func reportShared(j *judge, group string, ms []member) {
	var names []string
	for _, m := range ms {
		names = append(names, short(m.it))
	}
	slices.Sort(names)
	literal := strings.Contains(expression().ReplaceAllString(group, ""), "github.workflow")
	r := audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: group, At: j.place(ms[0].it, ms[0].fact),
		Message:  fmt.Sprintf("%s share the concurrency group %q and cancel each other's runs", and(names), group),
		Evidence: []audit.Evidence{{Name: "workflows", Value: strings.Join(names, ", ")}}}
	if literal {
		r.Message += ": github.workflow stands outside of ${{ }} and is plain text"
	}
	if !literal && !together(ms) {
		r.Severity, r.Confidence = audit.Medium, audit.Likely
		r.Hint = "If that is wanted (a clean-up that stops a preview), waive it; else begin the group with ${{ github.workflow }}-."
	}
	j.p.Report(r)
}

// together reports whether two of the workflows listen to the same event, so
// that one occasion starts both and one of them always dies.
func together(ms []member) bool {
	seen := map[string]bool{}
	for _, m := range ms {
		v, _ := m.it.Fact("on")
		for _, e := range v.Strings() {
			if e == "workflow_dispatch" || e == "workflow_call" || e == "repository_dispatch" {
				continue
			}
			types := fact(m.it, "on."+e+".types")
			for _, t := range strings.Split(types, ", ") {
				if seen[e+" "+t] || seen[e+" "] && e != "pull_request" {
					return true
				}
			}
			for _, t := range strings.Split(types, ", ") {
				seen[e+" "+t] = true
			}
		}
	}
	return false
}

var (
	expression = lazyregexp.New(`\$\{\{\s*(.*?)\s*\}\}`)
	blank      = lazyregexp.New(`\s+`)
)

// evaluate returns what a group comes to, as far as the file alone tells:
// names are put in, other expressions brought into one form. own is true when
// no other workflow has the same, or when it cannot be told.
func evaluate(group string, it *snapshot.Item) (text string, own bool) {
	name := fact(it, "name")
	if name == "" {
		name = it.Path
	}
	called := slices.Equal(onOf(it), []string{"workflow_call"})
	if !strings.Contains(group, "${{") {
		return strings.ToLower(strings.TrimSpace(group)), false
	}
	text = expression().ReplaceAllStringFunc(group, func(e string) string {
		in := strings.ToLower(blank().ReplaceAllString(expression().FindStringSubmatch(e)[1], ""))
		switch {
		case in == "github.workflow":
			own = own || called // it is the caller's name, whoever that is
			return name
		case in == "github.run_id", strings.Contains(in, "github.workflow"): // also workflow_ref and workflow_sha
			own = true
		}
		return "${{" + in + "}}"
	})
	return strings.ToLower(strings.TrimSpace(text)), own
}

func onOf(it *snapshot.Item) []string { v, _ := it.Fact("on"); return v.Strings() }
