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

// NotLoaded finds workflows where GitHub does not look for them.
var NotLoaded = &audit.Check{
	ID:       "workflow-not-loaded",
	System:   snapshot.Workflows,
	Title:    "workflow in a wrong place",
	Severity: audit.Medium,
	Doc: "The file is a workflow, with triggers and jobs, but GitHub loads only .github/workflows/*.yml and *.yaml: no subfolder, no other ending, no other folder. It never runs. " +
		"Folders whose name says that they hold copies, templates or what is switched off are left alone; backup copies are told by cross-backup-litter.",
	Hint:          "Move it to .github/workflows, or into a folder whose name says that it is not to run.",
	Discriminator: "the folder",
	Source:        "https://docs.github.com/actions/concepts/workflows-and-actions/workflows",
	Still:         true,
	Judge:         judgeNotLoaded,
}

func judgeNotLoaded(p *audit.Pass) {
	by := map[string][]string{}
	for _, f := range p.Now.Context {
		if !model.Misplaced(f.Path) || f.SHA256 == "" || f.Link != "" {
			continue
		}
		if model.LooksLike(p.Derived, f.SHA256, func() []byte { return p.Bytes(f) }) {
			by[path.Dir(f.Path)] = append(by[path.Dir(f.Path)], f.Path)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(by)) {
		var names []string
		for _, f := range by[dir] {
			names = append(names, path.Base(f))
		}
		what := fmt.Sprintf("%s in %s are workflows", and(names), dir)
		if len(names) == 1 {
			what = fmt.Sprintf("%s in %s is a workflow", names[0], dir)
		}
		p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: dir, At: audit.Location{Path: by[dir][0], Line: 1, Column: 1}, Wide: len(names) > 1,
			Message:  what + ", and GitHub does not load workflows from there",
			Evidence: []audit.Evidence{{Name: "files", Value: strings.Join(by[dir], ", ")}}})
	}
}
