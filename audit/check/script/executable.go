package script

import (
	"bytes"
	"fmt"
	"path"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// NotExecutable reports scripts that are started directly but must not be.
var NotExecutable = &audit.Check{
	ID:       "script-not-executable",
	System:   snapshot.Scripts,
	Title:    "started without executable bit",
	Severity: audit.Medium,
	Doc: "Something runs the script as a program (./x.sh, or its path in a crontab), but the file has no executable bit: \"permission denied\", exit 126. " +
		"Git keeps the bit, so a clone has the same fault. A third of all shell scripts lack it; only those that are started directly are reported, " +
		"and not where the caller sets the bit itself.",
	Hint:          "Run `git update-index --chmod=+x FILE` (and `chmod +x FILE`), or start it through its interpreter: `bash FILE`.",
	Discriminator: "empty: one per script",
	Source:        "execve(2), EACCES; measured: 414 of 1,224 shell scripts in public repositories have mode 100644",
	Still:         true,
	Judge:         judgeExecutable,
}

func judgeExecutable(p *audit.Pass) {
	callers := directCallers(p)
	paths := make([]string, 0, len(callers))
	for to := range callers {
		paths = append(paths, to)
	}
	slices.Sort(paths)
	for _, to := range paths {
		by := callers[to]
		r := audit.Report{At: audit.Location{Path: to, Line: 1, Column: 1}, Severity: audit.Low}
		r.Item = by[0].item.Key
		if it := p.Now.Item(snapshot.NewKey(snapshot.Scripts, snapshot.Escape(to))); it != nil {
			r.Item = it.Key
		} else {
			r.Discriminator = to
		}
		for _, c := range by {
			if !c.ref.Guarded {
				r.Severity = audit.Medium
			}
		}
		at := where(by[0].item, by[0].ref)
		r.Message = fmt.Sprintf("%s is started as a program by %s, but it has no executable bit.", to, name(by[0].item))
		r.Evidence = []audit.Evidence{{Name: "started at", Value: fmt.Sprintf("%s:%d", at.Path, max(at.Line, 1))}}
		if n := len(by) - 1; n > 0 {
			r.Evidence = append(r.Evidence, audit.Evidence{Name: "further callers", Value: fmt.Sprint(n)})
		}
		p.Report(r)
	}
}

type caller struct {
	item *snapshot.Item
	ref  snapshot.Ref
}

// directCallers returns who starts a file without executable bit directly, and
// does not set the bit first; in key order.
func directCallers(p *audit.Pass) map[string][]caller {
	out := map[string][]caller{}
	for _, it := range p.Now.Items {
		for _, r := range it.Refs.All() {
			if r.Kind == snapshot.RefFile && r.Direct && plain(p.Now.Tree, r.Path) && !setsBit(p, it, r) {
				out[r.Path] = append(out[r.Path], caller{it, r})
			}
		}
	}
	return out
}

func plain(t *snapshot.Tree, p string) bool {
	e, ok := t.At(p)
	return ok && e.Kind == snapshot.PathFile && e.State != snapshot.Ignored
}

// setsBit reports whether the file that holds the call also sets the bit: by
// chmod or install, on a line that names the script, its folder, or a pattern.
func setsBit(p *audit.Pass, it *snapshot.Item, r snapshot.Ref) bool {
	file := it.Path
	if r.File != "" {
		file = r.File
	}
	var text []byte
	for _, f := range it.Files {
		if f.Path == file {
			text = p.Bytes(f)
		}
	}
	if !bytes.Contains(text, []byte("chmod")) {
		return false
	}
	for line := range bytes.Lines(text) {
		_, after, ok := bytes.Cut(line, []byte("chmod"))
		if !ok {
			continue
		}
		for _, sign := range []string{path.Base(r.Path), "*", "-R", "{}", "$"} {
			if bytes.Contains(after, []byte(sign)) {
				return true
			}
		}
	}
	return false
}
