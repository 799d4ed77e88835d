package workflow

import (
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// effectiveShell returns the shell a run step asks for, "" for the default of
// a Unix runner.
func effectiveShell(m *Model, j *Job, s *Step) string {
	for _, sh := range []string{s.Shell, j.Defaults.Shell, m.Defaults.Shell} {
		if sh != "" {
			return sh
		}
	}
	r := &j.runner
	if r.windows || onlyWindows(s.If) || onlyWindows(j.If) || !r.known && (powerful(s.run) || !choosy(s.If) && r.powerful) {
		return "pwsh"
	}
	return ""
}

// A runner is what each step of a job asks of it.
type runner struct {
	windows, known bool // as onWindows says
	powerful       bool
}

// runnerOf looks at all of a job; effectiveShell, which is asked of each step, only
// at what this found.
func runnerOf(j *Job) runner {
	on, known := onWindows(j)
	return runner{on, known, !known && powerfulJob(j)}
}

// powerfulJob reports whether a step for every runner is written in PowerShell, and
// leaves it to the runner which shell reads it.
func powerfulJob(j *Job) bool {
	return slices.ContainsFunc(j.Steps, func(s Step) bool { return s.Shell == "" && !choosy(s.If) && powerful(s.run) })
}

// onWindows reports whether a job's runners have Windows; known is false when
// that is decided at run time, or when some have it.
func onWindows(j *Job) (on, known bool) {
	for _, label := range j.RunsOn {
		values := []string{label}
		if strings.Contains(label, "${{") {
			if values = j.rowOf(label); values == nil {
				return false, false
			}
		}
		n := 0
		for _, v := range values {
			if strings.HasPrefix(strings.ToLower(v), "windows") {
				n++
			}
		}
		switch {
		case n == len(values):
			return true, true
		case n > 0:
			return false, false
		}
	}
	return false, true
}

var matrixRow = lazyregexp.New(`^\$\{\{\s*matrix\.([\w-]+)\s*\}\}$`)

// rowOf returns the values of the matrix that an expression takes one of; nil
// when they are not known, or when more of them may be included.
func (j *Job) rowOf(expression string) []string {
	name := matrixRow().FindStringSubmatch(expression)
	if name == nil {
		return nil
	}
	var values []string
	for _, r := range j.Matrix {
		switch {
		case r.Name == "include", slices.ContainsFunc(r.Values, func(v string) bool { return strings.Contains(v, "${{") }):
			return nil
		case strings.EqualFold(r.Name, name[1]):
			values = r.Values
		}
	}
	return values
}

var (
	isWindows  = lazyregexp.New(`(?i)==\s*'windows[^']*'|'windows[^']*'\s*==|(?:contains|startswith)\s*\([^()]*'windows[^']*'\s*\)`)
	notWindows = lazyregexp.New(`(?i)!=|!\s*(?:\(|contains|startswith)|\|\|`)
	chooses    = lazyregexp.New(`(?i)runner\.|matrix\.|inputs\.|ubuntu|linux|macos|windows`)
	powerEnv   = lazyregexp.New(`(?im)\$env:\w|^[ \t]*& `)                                           // a variable, the call operator
	powerOn    = lazyregexp.New("(?m)^[^`\n]*(?:`[^`\n]*`[^`\n]*)*[ \t]`[ \t]*\r?\n[ \t]*-[A-Za-z]") // a line that goes on with a parameter
)

// onlyWindows reports whether a condition holds on Windows only.
func onlyWindows(cond string) bool {
	return strings.Contains(strings.ToLower(cond), "windows") && isWindows().MatchString(cond) && !notWindows().MatchString(cond)
}

// choosy reports whether a condition may ask for some runners only.
func choosy(cond string) bool { return chooses().MatchString(cond) }

// powerful reports whether a text looks like PowerShell.
func powerful(src string) bool {
	return powerEnv().MatchString(src) || strings.Contains(src, "`") && powerOn().MatchString(src) || some(src, powerHints) && powerLines().MatchString(src)
}
