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
// hundreds of steps. What is in it does not change any more.
var known struct {
	sync.RWMutex
	of map[string]*trait.Script
}

// Of known: the longest text, in bytes, and how many.
const (
	maxKnown = 120
	allKnown = 512
)

// readScript reads a run text; the result is shared, and not to be changed. A
// text that is no shell runs nothing known.
func readScript(src string) *trait.Script {
	if len(src) > maxKnown {
		return trait.Of(parseShell(src))
	}
	known.RLock()
	s := known.of[src]
	known.RUnlock()
	if s != nil {
		return s
	}
	s = trait.Of(parseShell(src))
	known.Lock()
	defer known.Unlock()
	if known.of == nil {
		known.of = map[string]*trait.Script{}
	}
	if len(known.of) < allKnown {
		known.of[strings.Clone(src)] = s
	}
	return s
}

func parseShell(src string) (text shell.Text) {
	err := guarded(func() error { text = shell.ReadRun([]byte(src)); return nil })
	if err != nil {
		text.Err = err
	}
	return text
}
