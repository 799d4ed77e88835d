package script

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Interpreter reports scripts that are started as programs and that no
// interpreter runs.
var Interpreter = &audit.Check{
	ID:       "script-interpreter",
	System:   snapshot.Scripts,
	Title:    "no interpreter runs it",
	Severity: audit.High,
	Doc: "The script is executable and started as a program (./x, or its path in a crontab), but its first line does not lead to an interpreter. Without a #! line a shell reads JavaScript or Python " +
		"as its own text and stops in the first line, and systemd does not start the file at all; `#!/usr/bin/env node --flag` makes Linux look for a program of the name \"node --flag\"; `#!node`, without a " +
		"folder, is looked for where the caller stands; and a #! line that is not the very first, or behind a byte order mark, is a comment. A carriage return in that line is told by `script-syntax`, " +
		"a missing executable bit by `script-not-executable`.",
	Hint:          "Begin the file with `#!/usr/bin/env node` (`python3`, `bash`) in its first line; options need `env -S`: `#!/usr/bin/env -S node --flag`. Or start it through its interpreter.",
	Discriminator: "empty: one per script",
	Source:        "execve(2), Interpreter scripts; env(1), -S; systemd.exec(5), 203/EXEC",
	Still:         true,
	Judge:         judgeInterpreter,
}

func judgeInterpreter(p *audit.Pass) {
	by := map[string][]caller{}
	for _, it := range p.Now.Items {
		for _, r := range it.Refs.All() {
			if e, ok := p.Now.Tree.At(r.Path); r.Kind == snapshot.RefFile && r.Direct && ok && e.Kind == snapshot.PathExec && it.System() != snapshot.PM2 { // PM2 chooses by the extension
				by[r.Path] = append(by[r.Path], caller{it, r})
			}
		}
	}
	for _, it := range p.Items() {
		callers := by[it.Path]
		f, ok := it.OwnFile()
		if len(callers) == 0 || it.Kind != "script" || !ok || f.SHA256 == "" || f.Link != "" {
			continue
		}
		language, _ := it.Fact("language")
		why := astray(head(p, f), language.Str(), callers)
		if why == "" {
			continue
		}
		at := where(callers[0].item, callers[0].ref)
		p.Report(audit.Report{Item: it.Key, At: audit.Location{Path: it.Path, Line: 1, Column: 1},
			Message:  fmt.Sprintf("%s starts %s as a program, and %s", name(callers[0].item), it.Path, why),
			Evidence: []audit.Evidence{{Name: "started at", Value: fmt.Sprintf("%s:%d", at.Path, max(at.Line, 1))}}})
	}
}

// head returns the first bytes of a file.
func head(p *audit.Pass, f snapshot.File) []byte {
	return snapshot.Derive(p.Derived, "script.head", 1, []string{f.SHA256}, func() []byte {
		b := p.Bytes(f)
		return b[:min(len(b), 256)]
	})
}

// astray says why the beginning of a file leads to no interpreter; "" when it does.
func astray(b []byte, language string, callers []caller) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	if words, ok := bytes.CutPrefix(line, []byte("#!")); ok {
		return misled(strings.Fields(string(words)))
	}
	service := slices.ContainsFunc(callers, func(c caller) bool { return c.item.Kind == "service" || c.item.Kind == "timer" })
	switch foreign := language == "javascript" || language == "typescript" || language == "python"; {
	case !foreign && (!service || language != "shell"):
		return ""
	case bytes.HasPrefix(b, []byte("\ufeff#!")):
		return "its #! line stands behind a byte order mark"
	case bytes.Contains(b, []byte("\n#!/")):
		return "its #! line is not the first one"
	case foreign && !service:
		return fmt.Sprintf("it has no #! line: a shell reads its %s as shell text", spoken[language])
	}
	return "it has no #! line: systemd does not start it"
}

var spoken = map[string]string{"javascript": "JavaScript", "typescript": "TypeScript", "python": "Python"}

// misled says why the words of a #! line lead to no interpreter.
func misled(words []string) string {
	switch {
	case len(words) == 0:
		return "its #! line is empty"
	case !strings.HasPrefix(words[0], "/"):
		return "its #! line names no absolute path"
	case path.Base(words[0]) == "env" && len(words) > 2 && !strings.HasPrefix(words[1], "-") && !strings.Contains(words[1], "="):
		return fmt.Sprintf("its #! line gives env one word with a blank in it: Linux looks for a program named \"%s …\"", words[1])
	}
	return ""
}
