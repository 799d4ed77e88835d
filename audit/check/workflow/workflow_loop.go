package workflow

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	model "healthaudit/snapshot/analyze/workflow"
)

// Loop finds workflows that start themselves.
var Loop = &audit.Check{
	ID:         "workflow-loop",
	System:     snapshot.Workflows,
	Title:      "workflow starts itself",
	Severity:   audit.High,
	Confidence: audit.Likely,
	Doc: "A run ends by starting the same workflow again, directly or through others: it dispatches itself, waits for itself with workflow_run, " +
		"or pushes with a token whose pushes start workflows. Such a chain ends when the minutes of the month do; GitHub cuts only chains of workflow_run, after three. " +
		"Starts behind any condition are not counted.",
	Hint:          "Put a condition before the start, use a schedule instead, or push with GITHUB_TOKEN or [skip ci].",
	Discriminator: "the workflows of the circle; \"push\" for pushes",
	Source:        "https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/trigger-a-workflow",
	Still:         true,
	Judge:         judgeLoop,
}

// An edge is one workflow that starts another.
type edge struct {
	to    int
	chain bool // by workflow_run, which GitHub ends
	at    model.Pos
}

func judgeLoop(p *audit.Pass) {
	j := newJudge(p)
	for _, n := range j.notes(model.NotePush) {
		p.Report(audit.Report{Item: n.it.Key, Discriminator: "push", At: locate(n.it, n.Pos), Severity: audit.Medium,
			Message: fmt.Sprintf("%s of %s pushes with a token of its own, and every push starts %[2]s", stepName(n.it, n.Where), short(n.it))})
	}
	list := j.files
	if !slices.ContainsFunc(list, func(it *snapshot.Item) bool { return slices.Contains(onOf(it), "workflow_run") }) && len(j.notes(model.NoteDispatch)) == 0 {
		return
	}
	edges := startEdges(j, list)
	told := map[string]bool{}
	for from := range list {
		circle := refs.Circle(from, func(i int) iter.Seq[int] { return ends(edges[i]) })
		if circle == nil {
			continue
		}
		report(j, list, edges, circle, told)
	}
}

func report(j *judge, list []*snapshot.Item, edges [][]edge, circle []int, told map[string]bool) {
	ids := slices.Clone(circle)
	slices.Sort(ids)
	var names []string
	for _, i := range ids {
		names = append(names, short(list[i]))
	}
	id := strings.Join(names, " ")
	if told[id] {
		return
	}
	told[id] = true
	r := audit.Report{Item: list[ids[0]].Key, Discriminator: id, Message: and(names) + " start each other in a circle"}
	for k, i := range circle {
		next := circle[(k+1)%len(circle)]
		for _, e := range edges[i] {
			if e.to == next && e.chain {
				r.Severity = audit.Medium
			}
			if e.to == next && i == ids[0] {
				at := list[i]
				if e.chain {
					at = list[next]
				}
				r.At = locate(at, e.at)
			}
		}
	}
	if len(ids) == 1 {
		r.Message = names[0] + " starts itself each time it runs"
	}
	j.p.Report(r)
}

// startEdges returns whom each workflow starts without a condition.
func startEdges(j *judge, list []*snapshot.Item) [][]edge {
	byName := map[string]int{}
	for i, it := range list {
		if it.Kind == string(model.Workflow) {
			byName[short(it)] = i
			if n := fact(it, "name"); n != "" {
				byName[n] = i
			}
		}
	}
	edges := make([][]edge, len(list))
	for i, it := range list {
		for _, n := range j.verdict(it).Notes {
			if to, ok := byName[n.Subject]; n.Family == model.NoteDispatch && ok && slices.Contains(onOf(list[to]), "workflow_dispatch") {
				edges[i] = append(edges[i], edge{to: to, at: n.Pos})
			}
		}
		v, _ := it.Fact("on.workflow_run.workflows")
		if _, some := it.Fact("on.workflow_run.branches"); some || !runsAlways(it) {
			continue
		}
		for _, name := range v.Strings() {
			if from, ok := byName[name]; ok {
				edges[from] = append(edges[from], edge{to: i, chain: true, at: j.verdict(it).Place("on.workflow_run")})
			}
		}
	}
	for _, e := range edges {
		slices.SortFunc(e, func(a, b edge) int { return cmp.Or(a.to-b.to, a.at.Line-b.at.Line) })
	}
	return edges
}

// runsAlways reports whether a job of the workflow has no condition.
func runsAlways(it *snapshot.Item) bool {
	return slices.ContainsFunc(jobNames(it), func(id string) bool { return fact(it, "jobs."+id+".if") == "" })
}

// ends gives where edges lead.
func ends(list []edge) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, e := range list {
			if !yield(e.to) {
				return
			}
		}
	}
}
