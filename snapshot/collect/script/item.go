package script

import (
	"fmt"
	"slices"

	"healthaudit/snapshot"
)

// Values of the fact "syntax".
const (
	syntaxOK     = "ok"
	syntaxBroken = "broken"
	syntaxNone   = "not assessed"
)

// A problem is one thing wrong with the text of a script. It is kept in the
// fact "problems" as "line:column:weight:message", so that a moved
// line is no change.
type problem struct {
	Line    int    `json:"l"`
	Column  int    `json:"c"`
	Weight  string `json:"w"`
	Message string `json:"m"`
}

// Weights of a problem.
const (
	weightSure     = "sure"     // whatever reads the file refuses it
	weightDoubt    = "doubt"    // our parser refuses it, perhaps alone
	weightLost     = "lost"     // a definition that does not count because of another
	weightConflict = "conflict" // a merge conflict was left in
)

// maxProblems is how many problems of one item are told.
const maxProblems = 5

func addProblems(it *snapshot.Item, problems []problem) {
	var list []string
	for _, p := range problems[:min(len(problems), maxProblems)] {
		list = append(list, fmt.Sprintf("%d:%d:%s:%s", max(p.Line, 1), max(p.Column, 1), p.Weight, p.Message))
	}
	if len(list) > 0 {
		it.Add(snapshot.Detail, "problems", snapshot.List(list...))
	}
}

func addSyntax(it *snapshot.Item, problems []problem) {
	verdict := syntaxOK
	if slices.ContainsFunc(problems, func(p problem) bool { return p.Weight != weightLost }) {
		verdict = syntaxBroken
	}
	it.Add(snapshot.Semantic, "syntax", snapshot.Text(verdict))
	addProblems(it, problems)
}

// addRefs sets what an item starts or loads, and the fact that shows the former.
func addRefs(it *snapshot.Item, refs []snapshot.Ref) {
	it.Refs = snapshot.PartsOf(refs...)
	var starts []string
	for _, r := range refs {
		if !r.Loads() {
			starts = append(starts, r.Target())
		}
	}
	if len(starts) > 0 {
		it.Add(snapshot.Set, "starts", snapshot.SetOf(starts...))
	}
}

// digest is enough of a content's sha256 to tell two versions apart.
func digest(f snapshot.File) snapshot.Value { return snapshot.Text(f.SHA256[:min(len(f.SHA256), 16)]) }
