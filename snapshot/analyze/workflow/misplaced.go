package workflow

import (
	"path"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/litter"
)

// setAside matches folders whose name says that what is in them is not to run.
var setAside = lazyregexp.New(`(?i)(disabled|archive|backup|\bbak\b|\bold\b|unused|deprecated|template|example|sample|draft|wip|inactive|legacy|history|tests?\b|fixture|docs?\b|config|reusable)`)

// Misplaced reports whether a path is one at which people put workflows and
// GitHub does not look for them: a subfolder of .github/workflows, .github
// itself, a folder named almost like it, or a name without its ending.
func Misplaced(p string) bool {
	rest, ok := strings.CutPrefix(p, ".github/")
	if !ok || KindOf(p) == Action {
		return false
	}
	dir, name := path.Split(rest)
	yaml := strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")
	switch first, _, _ := strings.Cut(dir, "/"); first {
	case "workflows":
		if dir == "workflows/" {
			switch path.Ext(name) {
			case "", ".yam", ".ymal", ".ylm", ".yl":
				return name != "README" && name != "LICENSE" && name != "CODEOWNERS"
			}
			return false
		}
	case "workflow", "Workflows", "Workflow", "":
	default:
		return false
	}
	l, copied := litter.Classify(p)
	return yaml && !setAside().MatchString(dir) && !(copied && l.Sure)
}

// LooksLike reports whether bytes with that digest are a workflow: a mapping with
// triggers and jobs. open is called when it is not known yet.
func LooksLike(d *snapshot.Derived, sha string, open func() []byte) bool {
	return snapshot.Derive(d, "workflow.looks", 1, []string{sha}, func() bool {
		doc := Parse("x.yml", open())
		on, jobs := false, false
		for k, v := range pairs(doc.root) {
			on = on || k.Value == "on" || k.Value == "true"
			jobs = jobs || k.Value == "jobs" && len(v.Content) > 0
		}
		return on && jobs
	})
}
