package workflow

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	model "healthaudit/snapshot/analyze/workflow"
)

// CallMismatch finds calls that do not fit what is called.
var CallMismatch = &audit.Check{
	ID:       "workflow-call-mismatch",
	Version:  2,
	System:   snapshot.Workflows,
	Title:    "call does not fit",
	Severity: audit.High,
	Doc: "A job calls a reusable workflow of this repository without an input or a secret that it requires, or with one that it does not declare, or the file has no workflow_call trigger. " +
		"GitHub refuses the whole run of the caller then, with all its other jobs. Typical after an input was renamed in one of the two files. " +
		"Of an action of this repository it is only worth a note: GitHub warns, and the action goes on with an empty value or its default.",
	Hint:          "Give each call what the called file declares: correct the name, add what is required, or declare it under on.workflow_call.",
	Discriminator: "job, or job and step key",
	Source:        "https://docs.github.com/actions/how-tos/reuse-automations/reuse-workflows#passing-inputs-and-secrets-to-a-reusable-workflow; GitHub: \"Input NAME is required, but not provided while calling\"",
	Still:         true,
	Judge:         judgeCallMismatch,
}

func judgeCallMismatch(p *audit.Pass) {
	j := newJudge(p)
	table := refs.NewTable(p.Now, p.Derived)
	declared := map[snapshot.Key][]string{}
	for _, n := range j.notes(model.NoteDeclares) {
		declared[n.it.Key] = strings.Split(n.Text, "\n")
	}
	var last note
	for _, n := range j.notes(model.NoteCalls) {
		if n.it == last.it && n.Pos == last.Pos { // one call, which several jobs have by an alias
			continue
		}
		i := slices.IndexFunc(n.it.Refs.All(), func(r snapshot.Ref) bool {
			return r.Where == n.Where && (r.Kind == snapshot.RefWorkflow || r.Kind == snapshot.RefAction)
		})
		if i < 0 { // of another repository, or never run
			continue
		}
		called := p.Now.Item(table.Resolve(n.it.Refs.All()[i]).Item)
		if called == nil || called.State == model.Invalid || called.Unknown != "" || called.Torn {
			p.Doubt(n.it.Key, n.Where)
			continue
		}
		wrong := misfits(called, declared[called.Key], n)
		if len(wrong) == 0 {
			continue
		}
		last = n
		r := audit.Report{Item: n.it.Key, Discriminator: n.Where, At: locate(n.it, n.Pos),
			Message:  fmt.Sprintf("%s of %s calls %s, which %s", stepName(n.it, n.Where), short(n.it), short(called), strings.Join(wrong, " and ")),
			Evidence: []audit.Evidence{{Name: "called", Value: called.Path}}}
		switch {
		case called.Kind == string(model.Action):
			r.Severity = audit.Low
			r.Hint = "Correct the name at the step, or declare the input in the action."
		case starts(n.it) == "":
			r.Severity = audit.Medium
		}
		if r.Severity != audit.Low {
			r.Message += ": GitHub refuses the run"
		}
		p.Report(r)
	}
}

// misfits says what a call gives that the called file does not have, and what it lacks.
func misfits(called *snapshot.Item, declared []string, call note) []string {
	if called.Kind == string(model.Workflow) && !slices.Contains(onOf(called), "workflow_call") {
		return []string{"has no workflow_call trigger"}
	}
	given := strings.Split(call.Text, "\n")
	has := func(name string) bool {
		kind, _, _ := strings.Cut(name, " ")
		return slices.Contains(given, name) || slices.Contains(given, kind+" "+model.GivesAll)
	}
	var unknown, lacking []string
	for _, name := range given {
		if name != "" && !strings.HasSuffix(name, " "+model.GivesAll) && !slices.Contains(declared, name) && !slices.Contains(declared, name+"!") && !ofContainer(called, name) {
			unknown = append(unknown, quotedName(name))
		}
	}
	for _, name := range declared {
		if must, ok := strings.CutSuffix(name, "!"); ok && !has(must) {
			lacking = append(lacking, quotedName(must))
		}
	}
	var out []string
	if len(unknown) > 0 {
		out = append(out, "has no "+and(unknown))
	}
	if len(lacking) > 0 {
		out = append(out, "requires the "+and(lacking))
	}
	return out
}

// ofContainer reports whether an input is one that every action in a container has.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepswithargs
func ofContainer(called *snapshot.Item, name string) bool {
	return fact(called, "using") == "docker" && (name == model.GivesInput+"args" || name == model.GivesInput+"entrypoint")
}

// quotedName is input "target" for "input target".
func quotedName(s string) string {
	kind, name, _ := strings.Cut(s, " ")
	return fmt.Sprintf("%s %q", kind, name)
}
