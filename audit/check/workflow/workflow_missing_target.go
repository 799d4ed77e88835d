package workflow

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	model "healthaudit/snapshot/analyze/workflow"
)

// MissingTarget finds steps that start something the project does not have.
var MissingTarget = &audit.Check{
	ID:       "workflow-missing-target",
	System:   snapshot.Workflows,
	Title:    "target is missing",
	Severity: audit.High,
	Version:  2,
	Doc: "A step starts an npm script, a file, a local action or a reusable workflow that is not in the project: the step fails each time it runs. " +
		"Typical after a script was renamed or deleted and its workflow forgotten. " +
		"A reusable workflow or a composite action that nothing here starts works on the files of whoever calls it, and is left alone. " +
		"It is low where a missing target does no harm, medium where only a person or another workflow starts the run. Five workflows or more that lack the same target are one critical finding.",
	Hint:          "Restore the target, correct its name, or remove the step.",
	Discriminator: "job and step key, and the target; the folder alone where there is no package.json for it; one finding for all when five files or more lack the same",
	Source:        "measured: all 8 missing npm scripts found in the workflows of 59 repositories were real",
	Still:         true,
	Judge:         judgeMissingTarget,
}

func judgeMissingTarget(p *audit.Pass) {
	table, reach := refs.NewTable(p.Now, p.Derived), newReach(p)
	var all []damage
	for _, it := range files(p) {
		seen := map[string]bool{}
		if reach.broken && !reach.here[it.Key] { // what calls it may be in there
			p.DoubtAll(it.Key)
		}
		for _, r := range it.Refs.All() {
			switch r.Kind {
			case snapshot.RefNPM, snapshot.RefFile, snapshot.RefAction, snapshot.RefWorkflow:
			default:
				continue
			}
			if byFullName(it, r) { // of another commit
				continue
			}
			res := table.Resolve(r)
			if res.Status != refs.Missing && !res.Unread || rearranged(p, it, r) || reach.elsewhere(it, r) {
				continue
			}
			id := r.Where + " " + r.Target()
			if r.Kind == snapshot.RefNPM && !packaged(p.Now.Tree, r.Dir) {
				id = "package.json for " + cmp.Or(r.Dir, ".") // one cause, however many scripts are asked for
			}
			if res.Unread {
				p.Doubt(it.Key, id)
				p.Doubt(snapshot.Pseudo(snapshot.Workflows), "cluster "+common(r, id))
				continue
			}
			once := fmt.Sprintf("%d:%d %s", r.Line, r.Column, r.Target()) // several steps are one text, by an alias
			if seen[id] || seen[once] && r.Line > 0 {
				continue
			}
			seen[id], seen[once] = true, true
			out := audit.Report{Item: it.Key, Discriminator: id, Severity: missingSeverity(it, r),
				At:      audit.Location{Path: it.Path, Line: r.Line, Column: r.Column},
				Message: fmt.Sprintf("%s of %s starts %s, which is not there%s", stepName(it, r.Where), short(it), target(r), because(res)),
				Evidence: []audit.Evidence{
					{Name: "target", Value: r.Target()},
				}}
			if reach.lent(it) && out.Severity == audit.Medium {
				out.Severity, out.Confidence = audit.Low, audit.Likely
			}
			if res.Why == refs.Unclonable {
				out.Hint = "Take its pattern out of .gitignore and commit the file, let an earlier step make it, or remove the step."
			}
			all = append(all, damage{common(r, id), fmt.Sprintf("start %s, which is not there%s", target(r), because(res)), out, audit.Critical, nil})
		}
	}
	reportAll(p, all)
}

// movers are programs after which a workspace may hold other files than the project.
var movers = []string{"mv", "cp", "rm", "ln", "tar", "unzip", "git", "rsync"}

// rearranged reports whether a local action of an earlier step may have moved the
// files of the workspace about.
func rearranged(p *audit.Pass, it *snapshot.Item, r snapshot.Ref) bool {
	id, step, ok := strings.Cut(r.Where, "/")
	steps, _ := it.Fact("jobs." + id + ".steps")
	for _, key := range steps.Strings() {
		if key == step || !ok {
			return false
		}
		dir, local := model.Local(fact(it, "jobs."+id+".step["+key+"].uses"))
		if !local {
			continue
		}
		if a := p.Now.Item(snapshot.NewKey(snapshot.Workflows, "action:"+snapshot.Escape(dir))); a != nil {
			runs, _ := a.Fact("runs.runs")
			if slices.ContainsFunc(runs.Strings(), func(name string) bool { return slices.Contains(movers, name) }) {
				return true
			}
		}
	}
	return false
}

// common is what steps of different files have in common that start the same
// missing target.
func common(r snapshot.Ref, id string) string {
	what := r.Target()
	if strings.HasPrefix(id, "package.json") {
		what = id
	}
	if r.Guarded {
		return what + " (guarded)"
	}
	return what
}

// packaged reports whether npm finds a package.json from a folder on.
func packaged(t *snapshot.Tree, dir string) bool {
	for d := path.Clean(dir); ; d = path.Dir(d) {
		if t.HasFile(path.Join(d, "package.json")) {
			return true
		}
		if d == "." || d == "/" || strings.HasPrefix(d, "..") {
			return false
		}
	}
}

func missingSeverity(it *snapshot.Item, r snapshot.Ref) audit.Severity {
	switch {
	case r.Guarded:
		return audit.Low
	case it.Kind == string(model.Workflow) && starts(it) == "":
		return audit.Medium
	case it.Kind == string(model.Action):
		return audit.Medium
	}
	return audit.High
}

// stepName names a step for a person. A step without id and name has a key
// made of what it does.
func stepName(it *snapshot.Item, where string) string {
	job, step, ok := strings.Cut(where, "/")
	if it.Kind == string(model.Action) { // it has no jobs
		job, step, ok = "", where, true
	}
	key, _, _ := strings.Cut(step, "~")
	kind, _, _ := strings.Cut(key, ":")
	switch {
	case !ok:
		return fmt.Sprintf("job %q", where)
	case kind == "run" || kind == "uses" || key == "step":
		step = "a step"
	default:
		step = fmt.Sprintf("step %q", step)
	}
	if job != "" {
		step += fmt.Sprintf(" of job %q", job)
	}
	return step
}

func target(r snapshot.Ref) string {
	switch r.Kind {
	case snapshot.RefNPM:
		if r.Dir != "" && r.Dir != "." {
			return fmt.Sprintf("the npm script %q in %s", r.Name, r.Dir)
		}
		return fmt.Sprintf("the npm script %q", r.Name)
	case snapshot.RefWorkflow:
		return "the reusable workflow " + r.Name
	case snapshot.RefAction:
		return "the local action " + r.Path
	}
	return r.Path
}

func because(res refs.Resolution) string {
	switch {
	case res.OtherCase != "":
		return fmt.Sprintf(" (%s is, and Linux runners tell case apart)", res.OtherCase)
	case res.Why != "":
		return ": " + res.Why
	}
	return ""
}
