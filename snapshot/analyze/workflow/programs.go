package workflow

import (
	"path"
	"slices"
	"strings"
	"sync"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/trait"
)

// Hollow reports whether a name of Job.Runs or Step.Programs does no work.
func Hollow(program string) bool { return trait.Hollow(program) }

// Works reports whether a name of Job.Runs does work of its own: not a command
// that only says something, nor one that only prepares.
func Works(program string) bool { return !setup(program) && trait.Works(program) }

// setup reports whether an action only prepares a job.
func setup(action string) bool {
	if !strings.HasPrefix(action, "uses:") {
		return false
	}
	a := strings.TrimPrefix(action, "uses:")
	base := path.Base(a)
	return base == "setup" || base == "install" || strings.HasPrefix(base, "setup-") || strings.HasPrefix(base, "install-") || a == "actions/checkout" || strings.HasPrefix(a, "actions/cache")
}

// known are the short scripts that were read first: a project says `npm ci` in
// hundreds of steps.
var known = memo[*script]{longest: 120, most: 512}

// readScript reads a run text. A text that is no shell runs nothing known.
func readScript(src string) *script {
	return known.get(src, func(src string) *script { return &script{Script: trait.Of(parseShell(src)), src: src} })
}

// A script is a run text that was read.
type script struct {
	*trait.Script
	src string

	once  sync.Once
	plain traits // where the step asks for no shell

	walked           sync.Once
	starts, installs []snapshot.Ref // in the root of the workspace, where the text is all there is
	fetched          []string
}

// traits are those of the text in the shell it is given to; "" is bash.
func (s *script) traits(sh string) *traits {
	if sh != "" {
		t := readTraits(s.src, sh, s.Script)
		return &t
	}
	s.once.Do(func() { s.plain = readTraits(s.src, sh, s.Script) })
	return &s.plain
}

// walk returns what the text starts, and what it installs by a lockfile. Short texts
// stand in many steps, as they are in many files: they are walked once.
func (s *script) walk(o refs.Origin) (starts, installs []snapshot.Ref, fetched []string) {
	if o.Dir != "." || o.Action != "" || len(s.src) > known.longest {
		return refs.Walk(s.Text, o)
	}
	s.walked.Do(func() {
		s.starts, s.installs, s.fetched = refs.Walk(s.Text, refs.Origin{Dir: o.Dir, Line: 1, Column: 1})
	})
	return moved(s.starts, o, o.Where), moved(s.installs, o, ""), s.fetched
}

// moved returns refs of a text that begins at 1:1 as those of one that begins at o.
func moved(list []snapshot.Ref, o refs.Origin, where string) []snapshot.Ref {
	list = slices.Clone(list)
	for i := range list {
		r := &list[i]
		r.Line, r.Column, r.Where = r.Line+o.Line-1, r.Column+o.Column-1, where
	}
	return list
}

func parseShell(src string) (text shell.Text) {
	err := guarded(func() error { text = shell.ReadRun([]byte(src)); return nil })
	if err != nil {
		text.Err = err
	}
	return text
}
