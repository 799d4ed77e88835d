package script

import (
	"fmt"
	"path"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
)

// MissingTarget reports scripts that start something that is not there.
var MissingTarget = &audit.Check{
	ID:       "script-missing-target",
	Version:  3,
	System:   snapshot.Scripts,
	Title:    "starts what is not there",
	Severity: audit.Medium,
	Doc: "An npm script, a crontab line or a script file starts a file or an npm script that the project does not have: it was renamed, moved or deleted, " +
		"and nobody told the caller. It is high where nobody is watching (a crontab) or where something else starts the caller, and for an import, " +
		"without which the script cannot even begin; low where the text itself provides for the absence (`|| true`, `[ -f x ] &&`, try). " +
		"Of what code starts through child_process, only calls are looked at that stand there in words, on no condition, and for what the code does not name a second time. " +
		"Build products, ignored files and paths that are computed are left out.",
	Hint:          "Correct the name, bring the file back (`audit restore` has it if it was there before), or remove the line.",
	Discriminator: "what is missing: the file's path, or the npm script and its folder; \"imports\" for all that a script cannot begin without",
	Source:        "measured: 1,699 npm scripts of 59 public repositories start 142 missing files",
	Still:         true,
	Judge:         judgeMissing,
}

func judgeMissing(p *audit.Pass) {
	table := refs.NewTable(p.Now, p.Derived)
	started := startedItems(p.Now, table)
	moved := movedTo(p.Now.Tree)
	for _, it := range p.Items() {
		if v, _ := it.Fact("syntax"); v.Str() == unparsed { // what it starts is not all seen, and not mended by that
			p.DoubtAll(it.Key)
		}
		seen := map[string]bool{}
		var imports []audit.Report
		for _, r := range it.Refs.All() {
			child := r.Where == snapshot.Child
			if r.Kind == snapshot.RefBin || child && r.Guarded {
				continue
			}
			res := table.Resolve(r)
			if res.Status != refs.Missing && !res.Unread {
				continue
			}
			target := r.Target()
			if seen[target] {
				continue
			}
			if res.Unread {
				p.Doubt(it.Key, target)
				if r.Where == snapshot.Import {
					p.Doubt(it.Key, importsTogether)
				}
			}
			if res.Status != refs.Missing || child && besides(it, r, table) {
				continue
			}
			seen[target] = true
			out := missing(it, r, res, started[it.Key])
			if to := moved(r); to != "" {
				out.Hint = fmt.Sprintf("There is %s: correct the path if that is meant, bring the file back, or remove the line.", to)
			}
			if r.Where == snapshot.Import && !r.Guarded {
				imports = append(imports, out)
				continue
			}
			p.Report(out)
		}
		if len(imports) > 0 {
			p.Report(together(it, imports))
		}
	}
}

// besides reports whether what a program starts may be there in another of the
// folders in which that program may run: those above it, and its own.
func besides(it *snapshot.Item, r snapshot.Ref, table *refs.Table) bool {
	at := &r.Path
	if r.Kind == snapshot.RefNPM {
		at = &r.Dir
	}
	var dirs []string
	for d := path.Dir(it.Path); d != "." && len(dirs) < 5; d = path.Dir(d) { // as many as its collector tries
		dirs = append(dirs, d)
	}
	dirs = append(dirs, ".")
	whole := *at
	for _, from := range dirs {
		rest, ok := below(whole, from)
		for _, to := range dirs {
			if *at = path.Join(to, rest); ok && *at != whole && table.Resolve(r).Status != refs.Missing {
				return true
			}
		}
	}
	return false
}

// below returns a path as it is seen from a folder at or above it.
func below(p, dir string) (string, bool) {
	switch {
	case dir == ".":
		return p, true
	case p == dir:
		return ".", true
	}
	return strings.CutPrefix(p, dir+"/")
}

// importsTogether is the discriminator of all that a script cannot begin without.
const importsTogether = "imports"

// together makes one finding of the imports that are missing: the script does
// not begin, however many they are.
func together(it *snapshot.Item, imports []audit.Report) audit.Report {
	out := imports[0]
	if n := len(imports) - 1; n > 0 {
		var more []string
		for _, r := range imports[1:] {
			more = append(more, r.Discriminator)
		}
		out.Message = fmt.Sprintf("%s imports %s and %d more files, which are not there.", what(it), out.Discriminator, n)
		if n == 1 {
			out.Message = fmt.Sprintf("%s imports %s and %s, which are not there.", what(it), out.Discriminator, more[0])
		}
		out.Evidence = append(out.Evidence, audit.Evidence{Name: "also missing", Value: strings.Join(more, ", ")})
	}
	out.Discriminator = importsTogether
	return out
}

// runnable are endings of what a line may have meant instead.
var runnable = map[string]bool{".js": true, ".mjs": true, ".cjs": true, ".ts": true, ".sh": true, ".py": true, ".ps1": true, ".rb": true, ".php": true}

// movedTo returns what the project has instead of a missing file: the only file
// of that name, else the only one beside it that differs in its ending; "" when
// there is none or several.
func movedTo(t *snapshot.Tree) func(snapshot.Ref) string {
	var byName map[string][]string
	stem := func(p string) string { return "/" + strings.TrimSuffix(p, path.Ext(p)) }
	index := func() {
		byName = map[string][]string{}
		for _, e := range t.All() {
			if !runnable[path.Ext(e.Path)] || e.State == snapshot.Ignored || !t.HasFile(e.Path) {
				continue
			}
			for _, k := range []string{path.Base(e.Path), stem(e.Path)} {
				byName[k] = append(byName[k], e.Path)
			}
		}
	}
	return func(r snapshot.Ref) string {
		if r.Kind != snapshot.RefFile {
			return ""
		}
		if byName == nil {
			index()
		}
		for _, k := range []string{path.Base(r.Path), stem(r.Path)} {
			if at := byName[k]; len(at) == 1 {
				return at[0]
			}
		}
		return ""
	}
}

func missing(it *snapshot.Item, r snapshot.Ref, res refs.Resolution, starter snapshot.Key) audit.Report {
	out := audit.Report{Item: it.Key, Discriminator: r.Target(), At: where(it, r), Severity: audit.Medium}
	verb := "starts"
	switch {
	case r.Loads():
		verb = "imports"
	case r.Kind == snapshot.RefFile && !r.Direct && settings[path.Ext(r.Path)]:
		verb = "reads"
	}
	out.Message = fmt.Sprintf("%s %s %s, which is not there", what(it), verb, r.Target())
	switch {
	case r.Guarded:
		out.Severity = audit.Low
		out.Message += " (its absence is provided for)"
	case it.Kind == "cron", r.Where == snapshot.Import:
		out.Severity = audit.High
	case starter != "" && r.Where != snapshot.LazyImport && r.Where != snapshot.Child: // which code may never reach
		out.Severity = audit.High
		out.Evidence = append(out.Evidence, audit.Evidence{Name: "started by", Value: string(starter)})
	}
	if it.Kind == "cron" || it.Kind == "script" && verb == "starts" {
		out.Confidence = audit.Likely // the folder it runs in is not written there
	}
	if res.OtherCase != "" {
		out.Message += fmt.Sprintf(": only %s is, and Linux tells upper from lower case", res.OtherCase)
	} else if res.Why != "" {
		out.Message += ": " + res.Why
	}
	if res.Why == refs.Unclonable {
		out.Hint = "Take its pattern out of .gitignore and commit the file, or remove the line."
	}
	out.Message += "."
	return out
}

// settings are endings of files that a program is told to read, not to run.
var settings = map[string]bool{".json": true, ".yml": true, ".yaml": true, ".toml": true, ".prisma": true}

// startedItems maps what runs by itself or by another item to one that starts it.
func startedItems(now *snapshot.Snapshot, t *refs.Table) map[snapshot.Key]snapshot.Key {
	out := map[snapshot.Key]snapshot.Key{}
	for _, it := range now.Items {
		for _, r := range it.Refs.All() {
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
