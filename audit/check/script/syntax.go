package script

import (
	"fmt"
	"path"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Syntax reports scripts that cannot be read by what should run them.
var Syntax = &audit.Check{
	ID:       "script-syntax",
	Version:  3,
	System:   snapshot.Scripts,
	Title:    "script does not parse",
	Severity: audit.High,
	Doc: "A script that does not parse fails the moment it is started, or worse, half-way through. Automatic fixers, unresolved edits and Windows line ends " +
		"are the usual causes. Shell and JavaScript are parsed by audit itself, Python by the python3 on PATH (which only builds the syntax tree), " +
		"package.json and crontabs by their own readers. Where only our parser objects, or another Python version might agree, it is medium; " +
		"a name defined twice in package.json, of which only the last counts, is low.",
	Hint:          "Open the file at the place named and repair it; `bash -n FILE`, `node --check FILE` or `python3 -m py_compile FILE` tell whether it parses again.",
	Discriminator: "empty for a file that does not parse; \"lost\" for definitions that do not count",
	Source:        "npm and cron refuse such files as a whole; measured: in one repository 60 scripts stopped parsing with a single commit",
	Still:         true,
	Judge:         judgeSyntax,
}

// Values of the fact "syntax", as the collector writes them.
const (
	unparsed    = "broken"
	notAssessed = "not assessed" // nothing could parse it this time
)

func judgeSyntax(p *audit.Pass) {
	for _, it := range p.Items() {
		if v, _ := it.Fact("syntax"); v.Str() == notAssessed { // no python3 this time, for example
			p.Doubt(it.Key, "")
			p.Doubt(it.Key, "lost")
		}
		list := problems(it)
		if len(list) == 0 || list[0].weight == "conflict" { // that has a check of its own
			continue
		}
		var broken, lost []problem
		for _, q := range list {
			if q.weight == "lost" {
				lost = append(lost, q)
			} else {
				broken = append(broken, q)
			}
		}
		reportSyntax(p, it, broken)
		if len(broken) == 0 {
			reportLost(p, it, lost)
		}
	}
}

func reportSyntax(p *audit.Pass, it *snapshot.Item, list []problem) {
	if len(list) == 0 {
		return
	}
	worst := list[0]
	for _, q := range list {
		if q.weight == "sure" {
			worst = q
			break
		}
	}
	r := audit.Report{Item: it.Key, At: worst.at(it), Severity: audit.High, Confidence: audit.Certain,
		Message: fmt.Sprintf("%s does not parse: %s.", what(it), worst.message), Hint: repair(it)}
	sure, subject := worst.weight == "sure", what(it)
	if it.Kind == "cron" { // which may stand on several lines
		subject = fmt.Sprintf("the crontab entry on line %d", worst.line)
	}
	if it.Kind == "cron" && sure {
		r.Title = "crontab line cannot run as it is written"
		r.Message = fmt.Sprintf("%s cannot run as it is written: %s.", subject, worst.message)
	}
	if !sure {
		r.Severity, r.Confidence = audit.Medium, audit.Likely
		r.Message = fmt.Sprintf("%s may not parse: %s.", subject, worst.message)
		r.Hint = "Look at the place named: its own interpreter may accept the file and still not do what it seems to say."
	}
	if n := len(list) - 1; n > 0 {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "further problems", Value: fmt.Sprint(n)})
	}
	p.Report(r)
}

// repair says how to go on with a file of that kind; "" is what holds for all.
func repair(it *snapshot.Item) string {
	v, _ := it.Fact("language")
	tell := map[string]string{"shell": "`bash -n %s` tells", "javascript": "`node --check %s` tells", "python": "`python3 -m py_compile %s` tells"}[v.Str()]
	switch {
	case it.Kind == "cron", it.Kind == "file" && path.Base(it.Path) != "package.json":
		return "Open the file at the place named and repair it: five fields and a command, and a newline behind the last line too. cron says what it refuses in the log of the system alone."
	case it.Kind == "file":
		return "Open the file at the place named and repair it: until then npm runs none of its scripts. `npm pkg get name` beside it tells whether npm reads it again."
	case tell == "" || snapshot.ShellWord(it.Path) != it.Path:
		return ""
	}
	return "Open the file at the place named and repair it; " + fmt.Sprintf(tell, it.Path) + " whether it parses again."
}

func reportLost(p *audit.Pass, it *snapshot.Item, list []problem) {
	if len(list) == 0 {
		return
	}
	r := audit.Report{Item: it.Key, Discriminator: "lost", Title: "defined twice", At: list[0].at(it), Severity: audit.Low,
		Message: fmt.Sprintf("In %s %s.", it.Path, list[0].message), Hint: "Keep one of the definitions and rename or remove the other."}
	if n := len(list) - 1; n > 0 {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "further names defined twice", Value: fmt.Sprint(n)})
	}
	p.Report(r)
}
