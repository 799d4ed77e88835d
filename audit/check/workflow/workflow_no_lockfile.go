package workflow

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// NoLockfile finds installs that need a lockfile where there is none.
var NoLockfile = &audit.Check{
	ID:       "workflow-no-lockfile",
	System:   snapshot.Workflows,
	Title:    "lockfile is missing",
	Severity: audit.High,
	Version:  2,
	Doc: "npm ci, pnpm install --frozen-lockfile and the cache of actions/setup-node take their versions from a lockfile and fail at once without one. " +
		"Where .gitignore names the lockfile it is there for whoever wrote the workflow, and never for the runner.",
	Hint:          "Run npm install once, take the lockfile out of .gitignore and commit it; or use npm install in the workflow.",
	Discriminator: "the folder, and the lockfile that is asked for",
	Source:        "https://docs.npmjs.com/cli/commands/npm-ci; actions/setup-node src/cache-utils.ts; measured: in one repository .gitignore lists the lockfile and nearly every workflow runs npm ci",
	Still:         true,
	Judge:         judgeNoLockfile,
}

// lockfiles are what each kind of step looks for; any of them will do.
var lockfiles = map[string][]string{
	"npm": {"package-lock.json", "npm-shrinkwrap.json"}, "pnpm": {"pnpm-lock.yaml"},
	"cache-npm": {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock"}, "cache-pnpm": {"pnpm-lock.yaml"}, "cache-yarn": {"yarn.lock"},
}

func judgeNoLockfile(p *audit.Pass) {
	by := map[string][]note{}
	why := map[string]string{}
	reach := newReach(p)
	for _, n := range newJudge(p).notes(model.NoteLock) {
		kind, dir, _ := strings.Cut(n.Subject, " ")
		names := lockfiles[kind]
		if names == nil {
			continue
		}
		id := dir + " " + names[0]
		if !reach.here[n.it.Key] { // it installs in the repository of whoever calls it
			if reach.broken {
				p.Doubt(snapshot.Pseudo(snapshot.Workflows), id)
			}
			continue
		}
		if _, done := why[id+kind]; !done {
			why[id+kind] = lockMissing(p.Now.Tree, dir, names, strings.HasPrefix(kind, "cache-"))
		}
		if why[id+kind] != "" {
			by[id] = append(by[id], n)
			why[id] = why[id+kind]
		}
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		ns := by[id]
		var names []string
		severity, confidence := audit.Low, audit.Likely
		for _, n := range ns {
			if !slices.Contains(names, short(n.it)) {
				names = append(names, short(n.it))
			}
			switch {
			case starts(n.it) != "":
				severity, confidence = audit.High, audit.Certain
			case !reach.lent(n.it) && severity != audit.High:
				severity, confidence = audit.Medium, audit.Certain
			}
		}
		p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: id, Severity: severity, Confidence: confidence, At: locate(ns[0].it, ns[0].Pos), Wide: len(names) > 1,
			Message:  fmt.Sprintf("%s of %s fails: %s", stepName(ns[0].it, ns[0].Where), and(names), why[id]),
			Evidence: []audit.Evidence{{Name: "workflows", Value: strings.Join(names, ", ")}}})
	}
}

// lockMissing says why none of the lockfiles is there for a step that runs in a
// folder, and "" when one is, or when that is not known. npm and pnpm look in
// the folders above too, where a workspace has its lockfile.
func lockMissing(t *snapshot.Tree, dir string, names []string, here bool) string {
	if t.Len() == 0 || dir != "." && !t.HasDir(dir) {
		return "" // the missing folder is told of elsewhere
	}
	ignored := ""
	for d := path.Clean(dir); ; d = path.Dir(d) {
		for _, n := range names {
			f := path.Join(d, n)
			e, ok := t.At(f)
			switch {
			case ok && e.State == snapshot.Ignored:
				ignored = f
			case ok:
				return "" // also one that is only missing on disk: git has it
			}
		}
		if _, hidden := t.Hidden(path.Join(d, names[0])); hidden || inModule(t, d) {
			return ""
		}
		if here || d == "." {
			break
		}
	}
	switch {
	case ignored != "":
		return ignored + " is ignored by git, so that no runner has it"
	case !packaged(t, dir):
		return "" // no package at all: another cause
	}
	where := "in the root folder"
	if dir != "." {
		where = "in " + dir + " or above"
	}
	return fmt.Sprintf("there is no %s %s", names[0], where)
}

func inModule(t *snapshot.Tree, dir string) bool {
	e, ok := t.At(dir)
	return ok && (e.Kind == snapshot.PathModule || e.State == snapshot.Ignored)
}
