package workflow

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// Clones finds workflows that are the same but for their names.
var Clones = &audit.Check{
	ID:       "workflow-clones",
	System:   snapshot.Workflows,
	Title:    "workflows are copies",
	Severity: audit.Low,
	Doc: "Two or more workflows do exactly the same on the same occasions; only names and comments differ. Everything runs twice, and a correction reaches one of them. " +
		"Files that do nothing are not counted: workflow-hollow tells of those.",
	Hint:          "Keep one and remove the others; for variants make it reusable with workflow_call and inputs.",
	Discriminator: "the first file of the copies; \"many\" when there are more than five groups",
	Source:        "digest of all that the file says, without names and comments",
	Still:         true,
	Judge:         judgeClones,
}

// manyGroups is from how many groups of copies on they are one finding.
const manyGroups = 5

func judgeClones(p *audit.Pass) {
	j := newJudge(p)
	by := map[string][]*snapshot.Item{}
	for _, it := range j.files {
		v := j.verdict(it)
		hollow := slices.ContainsFunc(v.Notes, func(m model.Message) bool { return m.Family == model.NoteHollow })
		if v.Body != "" && !hollow && !gutted(it) {
			by[v.Body] = append(by[v.Body], it)
		}
	}
	var groups [][]*snapshot.Item
	for _, g := range by { // put in order below
		if len(g) > 1 {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(a, b []*snapshot.Item) int { return strings.Compare(string(a[0].Key), string(b[0].Key)) })
	if len(groups) > manyGroups {
		var said []string
		for _, g := range groups {
			said = append(said, strings.Join(shorts(g), " = "))
		}
		p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: "many", Wide: true, At: locate(groups[0][0], model.Pos{Line: 1, Column: 1}),
			Message:  fmt.Sprintf("%d groups of workflows are the same but for their names, such as %s", len(groups), and(shorts(groups[0]))),
			Evidence: []audit.Evidence{{Name: "copies", Value: strings.Join(said, "; ")}}})
		return
	}
	for _, g := range groups {
		p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: short(g[0]), At: locate(g[0], model.Pos{Line: 1, Column: 1}),
			Message:  and(shorts(g)) + " are the same but for their names",
			Evidence: []audit.Evidence{{Name: "copies", Value: strings.Join(shorts(g), ", ")}}})
	}
}

func shorts(list []*snapshot.Item) []string {
	var out []string
	for _, it := range list {
		out = append(out, short(it))
	}
	return out
}
