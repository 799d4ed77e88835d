// Package script judges custom scripts: npm scripts, crontab entries, and
// shell, Node and Python files.
package script

import (
	"path"
	"strconv"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// All lists the checks of the system.
var All = []*audit.Check{Syntax, MissingTarget, ConflictMarker, NotExecutable, UnguardedCD, DangerousRM, CurlPipeShell, SecretPrinted, NPMRecursion, NPMBackground, ModuleFormat, MissingBinary, Interpreter}

// A problem is one entry of a script's fact "problems", which the collector
// writes as "line:column:weight:message".
type problem struct {
	line, column int
	weight       string // sure, doubt, lost or conflict
	message      string
}

func problems(it *snapshot.Item) (out []problem) {
	v, _ := it.Fact("problems")
	for _, s := range v.Strings() {
		parts := strings.SplitN(s, ":", 4)
		if len(parts) != 4 {
			continue
		}
		line, _ := strconv.Atoi(parts[0])
		column, _ := strconv.Atoi(parts[1])
		out = append(out, problem{line, column, parts[2], parts[3]})
	}
	return out
}

func (p problem) at(it *snapshot.Item) audit.Location {
	return audit.Location{Path: it.Path, Line: p.line, Column: p.column}
}

// what names an item in a sentence.
func what(it *snapshot.Item) string {
	switch it.Kind {
	case "npm":
		name, dir, nested := strings.Cut(strings.TrimPrefix(it.Name, "npm run "), " in ")
		if nested {
			return strconv.Quote(name) + " in " + dir
		}
		return strconv.Quote(name)
	case "cron":
		return "the crontab entry on line " + strconv.Itoa(it.Line)
	}
	return path.Base(it.Path)
}

// name names an item of any system in a sentence about another one.
func name(it *snapshot.Item) string {
	switch {
	case it.Kind == "cron":
		return "line " + strconv.Itoa(it.Line) + " of " + it.Path
	case it.Kind == "script":
		return it.Path
	case it.System() == snapshot.Scripts:
		return it.Name
	}
	return string(it.Key)
}

func where(it *snapshot.Item, r snapshot.Ref) audit.Location {
	at := audit.Location{Path: it.Path, Line: r.Line, Column: r.Column}
	if r.File != "" {
		at.Path = r.File
	}
	return at
}
