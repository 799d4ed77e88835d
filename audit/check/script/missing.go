package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
)

// MissingTarget reports scripts that start something that is not there.
var MissingTarget = &audit.Check{
	ID:       "script-missing-target",
	System:   snapshot.Scripts,
	Title:    "starts what is not there",
	Severity: audit.Medium,
	Doc: "An npm script, a crontab line or a script file starts a file or an npm script that the project does not have: it was renamed, moved or deleted, " +
		"and nobody told the caller. It is high where nobody is watching (a crontab) or where something else starts the caller, and for an import, " +
		"without which the script cannot even begin; low where the text itself provides for the absence (`|| true`, `[ -f x ] &&`, try). " +
		"Build products, ignored files and paths that are computed are left out.",
	Hint:          "Correct the name, bring the file back (`audit restore` has it if it was there before), or remove the line.",
	Discriminator: "what is missing: the file's path, or the npm script and its folder",
	Source:        "measured: 1,699 npm scripts of 59 public repositories start 142 missing files",
	Judge:         judgeMissing,
}

func judgeMissing(p *audit.Pass) {
	table := refs.NewTable(p.Now, p.Derived)
	started := startedItems(p.Now, table)
	for _, it := range p.Items() {
		seen := map[string]bool{}
		for _, r := range it.Refs {
			if r.Kind == snapshot.RefBin || seen[r.Target()] {
				continue
			}
			res := table.Resolve(r)
			if res.Status != refs.Missing {
				continue
			}
			seen[r.Target()] = true
			p.Report(missing(it, r, res, started[it.Key]))
		}
	}
}

func missing(it *snapshot.Item, r snapshot.Ref, res refs.Resolution, starter snapshot.Key) audit.Report {
	out := audit.Report{Item: it.Key, Discriminator: r.Target(), At: where(it, r), Severity: audit.Medium}
	verb := "starts"
	if r.Where == "import" {
		verb = "imports"
	}
	out.Message = fmt.Sprintf("%s %s %s, which is not there", what(it), verb, r.Target())
	switch {
	case r.Guarded:
		out.Severity = audit.Low
		out.Message += " (its absence is provided for)"
	case it.Kind == "cron", r.Where == "import":
		out.Severity = audit.High
	case starter != "":
		out.Severity = audit.High
		out.Evidence = append(out.Evidence, audit.Evidence{Name: "started by", Value: string(starter)})
	}
	if it.Kind == "cron" || it.Kind == "script" && r.Where != "import" {
		out.Confidence = audit.Likely // the folder it runs in is not written there
	}
	if res.OtherCase != "" {
		out.Message += fmt.Sprintf(": only %s is, and Linux tells upper from lower case", res.OtherCase)
	} else if res.Why != "" {
		out.Evidence = append(out.Evidence, audit.Evidence{Name: "why", Value: res.Why})
	}
	out.Message += "."
	return out
}

// startedItems maps what runs by itself or by another item to one that starts it.
func startedItems(now *snapshot.Snapshot, t *refs.Table) map[snapshot.Key]snapshot.Key {
	out := map[snapshot.Key]snapshot.Key{}
	for _, it := range now.Items {
		for _, r := range it.Refs {
			if r.Kind == snapshot.RefBin || r.Guarded {
				continue
			}
			if to := t.Resolve(r).Item; to != "" && to != it.Key && out[to] == "" {
				out[to] = it.Key
			}
		}
	}
	return out
}
