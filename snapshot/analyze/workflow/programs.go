package workflow

import (
	"path"
	"strings"
	"sync"

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
	return strings.HasPrefix(base, "setup-") || strings.HasPrefix(base, "install-") || a == "actions/checkout" || strings.HasPrefix(a, "actions/cache")
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

func parseShell(src string) (text shell.Text) {
	err := guarded(func() error { text = shell.ReadRun([]byte(src)); return nil })
	if err != nil {
		text.Err = err
	}
	return text
}
