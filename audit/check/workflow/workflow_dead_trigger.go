package workflow

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// DeadTrigger finds occasions that never come.
var DeadTrigger = &audit.Check{
	ID:       "workflow-dead-trigger",
	System:   snapshot.Workflows,
	Title:    "trigger never fires",
	Severity: audit.Medium,
	Doc: "The workflow waits for something that cannot happen: workflow_run names a workflow that does not exist, no file of the project matches any pattern of paths:, branches: names only branches that the clone does not know (a full clone knows all), " +
		"or a reusable workflow is called by nobody although others of the repository are. Nothing is red; the workflow just never runs.",
	Hint:          "Correct the name or the pattern, or remove the trigger.",
	Discriminator: "the kind of trigger and its event",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#onpushpull_requestpull_request_targetpathspaths-ignore",
	Still:         true,
	Judge:         judgeDeadTrigger,
}

func judgeDeadTrigger(p *audit.Pass) {
	j := newJudge(p)
	var all []damage
	all = append(all, deadRuns(j)...)
	all = append(all, deadPaths(j)...)
	all = append(all, deadBranches(j)...)
	all = append(all, uncalled(j)...)
	reportAll(p, all)
}

// ofGitHub are workflows that no file declares.
// Source: the names under which GitHub lists its own runs: Pages, code scanning, Dependabot, Copilot.
var ofGitHub = map[string]bool{"pages-build-deployment": true, "pages build and deployment": true, "codeql": true, "codeql setup": true,
	"dependabot updates": true, "automatic dependency submission": true, "copilot": true, "copilot code review": true, "copilot coding agent": true}

func deadRuns(j *judge) []damage {
	var waiting []*snapshot.Item
	for _, it := range j.files {
		if slices.Contains(onOf(it), "workflow_run") {
			waiting = append(waiting, it)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	known := map[string]bool{}
	torn := false
	for _, it := range j.p.Now.Of(snapshot.Workflows) {
		if it.Kind != string(model.Workflow) {
			continue
		}
		torn = torn || it.Unknown != "" || it.Torn
		known[strings.ToLower(fact(it, "name"))] = true
		known[strings.ToLower(it.Path)] = true
		known[strings.ToLower(short(it))] = true
	}
	var out []damage
	for _, it := range waiting {
		v, _ := it.Fact("on.workflow_run.workflows")
		var missing []string
		for _, name := range v.Strings() {
			low := strings.ToLower(strings.TrimSpace(name))
			plain := strings.ReplaceAll(low, `\`, "") // a name is a pattern: the + of C++ is escaped
			if !known[low] && !known[plain] && !ofGitHub[plain] && !strings.ContainsAny(low, "*?[!$") {
				missing = append(missing, strings.ReplaceAll(name, `\`, ""))
			}
		}
		if len(missing) == 0 {
			continue
		}
		if torn { // it may be the one whose name is not known now
			j.p.Doubt(it.Key, "workflow_run")
			continue
		}
		r := audit.Report{Item: it.Key, Discriminator: "workflow_run", At: j.place(it, "on.workflow_run"), Severity: audit.Low,
			Message:  fmt.Sprintf("%s waits for %s, and no workflow has that name", short(it), and(quoted(missing))),
			Evidence: []audit.Evidence{{Name: "missing", Value: strings.Join(missing, ", ")}}}
		if len(missing) < len(v.Strings()) {
			r.Title = "waits for what is not there"
		} else {
			r.Severity = audit.Medium
			if len(onOf(it)) == 1 {
				r.Severity = audit.High
				r.Message += ": it never runs"
			}
		}
		out = append(out, damage{"workflow_run " + strings.Join(missing, "\x00"), fmt.Sprintf("wait for %s, and no workflow has that name", and(quoted(missing))), r, 0, nil})
	}
	return out
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return out
}

func deadPaths(j *judge) []damage {
	g := &globs{tree: j.p.Now.Tree, known: map[string]bool{}}
	var out []damage
	for _, it := range j.files {
		for _, event := range onOf(it) {
			v, ok := it.Fact("on." + event + ".paths")
			if !ok || g.any(v.Strings()) {
				continue
			}
			r := audit.Report{Item: it.Key, Discriminator: "paths of " + event, At: j.place(it, "on."+event), Severity: audit.Low, Confidence: audit.Likely,
				Message:  fmt.Sprintf("%s runs on %s for files that are not there: nothing matches %s", short(it), event, and(quoted(v.Strings()))),
				Evidence: []audit.Evidence{{Name: "paths", Value: strings.Join(v.Strings(), ", ")}}}
			if !slices.ContainsFunc(onOf(it), func(e string) bool { return e != event && e != "workflow_dispatch" }) {
				r.Severity = audit.Medium
			}
			out = append(out, damage{"paths " + strings.Join(v.Strings(), "\x00"), "run for files that are not there: nothing matches " + and(quoted(v.Strings())), r, 0, nil})
		}
	}
	return out
}

// deadBranches finds filters that name only branches which the repository does not have.
func deadBranches(j *judge) []damage {
	var out []damage
	for _, it := range j.files {
		for _, event := range onOf(it) {
			v, dead := noBranch(it, event)
			if !dead {
				continue
			}
			if len(v.Strings()) == 0 { // git could not tell this time
				j.p.Doubt(it.Key, "branches of "+event)
				continue
			}
			names := and(quoted(v.Strings()))
			r := audit.Report{Item: it.Key, Discriminator: "branches of " + event, At: j.place(it, "on."+event), Severity: audit.Low, Confidence: audit.Likely,
				Message:  fmt.Sprintf("%s runs on %s only for the branch %s, and there is no such branch", short(it), event, names),
				Hint:     "Write the branch that is meant (the default branch may have got another name), or remove the trigger; `git fetch` first, if this clone is old.",
				Evidence: []audit.Evidence{{Name: "branches", Value: strings.Join(v.Strings(), ", ")}}}
			if !slices.ContainsFunc(onOf(it), func(e string) bool {
				_, dead := noBranch(it, e)
				return !dead && e != "workflow_dispatch"
			}) {
				r.Severity = audit.Medium
				r.Message += ": it never runs by itself"
			}
			out = append(out, damage{"branches " + strings.Join(v.Strings(), "\x00"), fmt.Sprintf("run on %s only for the branch %s, and there is no such branch", event, names), r, 0, nil})
		}
	}
	return out
}

// noBranch returns the branches that the filter of an event names, where there is none
// of them; empty when that could not be told again. A push of a tag needs no branch.
func noBranch(it *snapshot.Item, event string) (v snapshot.Value, ok bool) {
	for _, tags := range []string{".tags", ".tags-ignore"} {
		if _, has := it.Fact("on." + event + tags); has {
			return v, false
		}
	}
	return it.Fact("on." + event + ".no-branch")
}

// uncalled finds reusable workflows without a caller, in repositories that call
// others: one that calls none keeps them for other repositories.
func uncalled(j *judge) []damage {
	called := map[string]bool{}
	var reusable []*snapshot.Item
	for _, it := range j.files {
		for _, r := range it.Refs.All() {
			if r.Kind == snapshot.RefWorkflow {
				called[r.Name] = true
			}
		}
		if slices.Equal(onOf(it), []string{"workflow_call"}) {
			reusable = append(reusable, it)
		}
	}
	if !slices.ContainsFunc(reusable, func(it *snapshot.Item) bool { return called[short(it)] }) {
		return nil
	}
	var out []damage
	for _, it := range reusable {
		if !called[short(it)] {
			out = append(out, damage{"uncalled", "can only be called, and no workflow of this repository calls them",
				audit.Report{Item: it.Key, Discriminator: "workflow_call", At: j.place(it, "on.workflow_call"), Severity: audit.Low, Confidence: audit.Likely,
					Message: short(it) + " can only be called, and no workflow of this repository calls it",
					Hint:    "Remove it, or waive this if another repository calls it."}, 0, nil})
		}
	}
	return out
}
