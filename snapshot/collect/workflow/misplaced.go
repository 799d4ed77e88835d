package workflow

import (
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// maxMisplaced bounds the files that are kept because they may be workflows
// where GitHub does not look for them.
const maxMisplaced = 100

// misplaced returns them: what they are, a check finds out.
func (r *reader) misplaced() []snapshot.File {
	var out []snapshot.File
	for _, e := range r.s.Tree.Under(".github") {
		if len(out) == maxMisplaced {
			break
		}
		if e.State == snapshot.Ignored || e.Kind != snapshot.PathFile && e.Kind != snapshot.PathExec || !model.Misplaced(e.Path) {
			continue
		}
		if f, err := r.s.Files.File(e.Path, snapshot.Shared); err == nil {
			out = append(out, f)
		}
	}
	return out
}
