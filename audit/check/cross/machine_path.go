package cross

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/analyze/workflow"
)

// MachinePath reports automation that names a folder of one machine.
var MachinePath = &audit.Check{
	ID:         "cross-machine-path",
	Needs:      []snapshot.System{snapshot.Scripts},
	Title:      "bound to one machine",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "Automation names a folder of one person's machine (/Users/NAME, C:\\Users\\NAME, Termux on a telephone). It works there and nowhere else: not for a colleague, not on a server, " +
		"and not after the next machine. It is medium where a workflow or Netlify runs it, because that machine is certainly another one; there /home/NAME counts too. " +
		"Comments, what is only said, and names that stand for anybody (/Users/runner, /home/user) are left out.",
	Hint:          "Find the folder from the script's own place (`cd \"$(dirname \"$0\")/..\"`, `import.meta.dirname`) or take it from a variable with a default.",
	Discriminator: "whose folder: mac, windows, termux or home; of five files or more one for all",
	Source:        "measured: 7 % of 1,224 shell scripts name such a folder",
	Still:         true,
	Judge:         judgeMachinePath,
}

// machines says whose folder it is, for a sentence.
var machines = map[string]string{trait.Mac: "one Mac (/Users/…)", trait.Windows: "one Windows machine (C:\\Users\\…)", trait.Termux: "Termux on a telephone (/data/data/com.termux)",
	trait.Home: "one Linux machine (/home/…)"}

func judgeMachinePath(p *audit.Pass) {
	all := append(boundScripts(p), boundApps(p)...)
	p.ReportAll(append(all, boundWorkflows(p)...))
}

func boundScripts(p *audit.Pass) (out []audit.Damage) {
	index := marksOf(p)
	for _, it := range index.Items {
		if it.System() != snapshot.Scripts || it.Kind == "cron" { // a crontab is of one machine
			continue
		}
		seen := map[string]bool{}
		for _, m := range index.Of(it, trait.Machine) {
			elsewhere := startedBy(p)[it.Key].Elsewhere()
			if seen[m.Name] || m.Name == trait.Home && elsewhere == "" {
				continue
			}
			seen[m.Name] = true
			out = append(out, bound(it, at(it, m), m.Name, elsewhere))
		}
	}
	return out
}

// boundApps finds process files whose apps run in such folders: one finding for
// each file, at the first of them.
func boundApps(p *audit.Pass) (out []audit.Damage) {
	names := map[string][]string{} // of the apps, by file and machine
	lines := map[string]int{}      // where the first of them stands
	for _, it := range p.Now.Of(snapshot.PM2) {
		file := p.Now.Item(snapshot.NewKey(snapshot.PM2, "file:"+snapshot.Escape(it.Path)))
		if it.Carried || it.Kind != "app" || file == nil {
			continue
		}
		for _, fact := range []string{"declared.cwd", "declared.script"} {
			v, _ := it.Fact(fact)
			whose := trait.MachinePath(v.Str() + "/")
			if whose == "" || whose == trait.Home {
				continue
			}
			id := it.Path + "\x00" + whose
			if len(names[id]) == 0 {
				out = append(out, bound(file, audit.Location{Path: it.Path}, whose, ""))
				lines[id] = it.Line
			}
			lines[id] = min(lines[id], it.Line)
			names[id] = append(names[id], it.Name)
			break
		}
	}
	for i := range out {
		r := &out[i].Report
		r.At.Line = lines[r.At.Path+"\x00"+r.Discriminator]
		r.Evidence = []audit.Evidence{{Name: "apps", Value: strings.Join(names[r.At.Path+"\x00"+r.Discriminator], ", ")}}
	}
	return out
}

func bound(it *snapshot.Item, at audit.Location, whose string, elsewhere snapshot.Key) audit.Damage {
	r := audit.Report{Item: it.Key, Discriminator: whose, At: at, Message: fmt.Sprintf("%s names a folder of %s", what(it), machines[whose])}
	if elsewhere != "" {
		r.Severity = audit.Medium
		r.Message += fmt.Sprintf(", and %s runs it on another", elsewhere)
	}
	return audit.Damage{Cause: whose, What: "name folders of " + machines[whose], Report: r}
}

// boundWorkflows finds such folders in what workflows run.
func boundWorkflows(p *audit.Pass) (out []audit.Damage) {
	for _, it := range p.Now.Of(snapshot.Workflows) {
		seen := map[string]bool{}
		for _, n := range verdictOf(p, it).Notes {
			if n.Family != workflow.NoteMachine || seen[n.Subject] {
				continue
			}
			seen[n.Subject] = true
			d := bound(it, audit.Location{Path: it.Path, Line: n.Line, Column: n.Column}, n.Subject, "")
			d.Report.Severity = audit.Medium
			d.Report.Message += ", but runs on another"
			out = append(out, d)
		}
	}
	return out
}
