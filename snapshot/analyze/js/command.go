package js

import (
	"strings"

	ast "github.com/tdewolff/parse/v2/js"

	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/trait"
)

// runners are functions that run a command: those of child_process, execa and
// zx, and what people call their own.
var runners = map[string]bool{"exec": true, "execSync": true, "execFile": true, "execFileSync": true, "spawn": true, "spawnSync": true, "execa": true,
	"execaSync": true, "execaCommand": true, "execaCommandSync": true, "$": true, "run": true, "runCommand": true, "sh": true, "shell": true, "execAsync": true,
	"execPromise": true, "runCmd": true, "execCommand": true, "safeExec": true}

func isRunner(name string) bool { return runners[name[strings.LastIndexByte(name, '.')+1:]] }

// command marks what a literal command does with git.
func (w *walker) command(n *ast.CallExpr) {
	first := n.Args.List[0].Value
	text, ok := commandText(first)
	if !ok {
		return
	}
	if text != "git" || len(n.Args.List) < 2 {
		w.shell(first, text)
		return
	}
	list, ok := ungroup(n.Args.List[1].Value).(*ast.ArrayExpr)
	if !ok {
		return
	}
	var words []string
	for _, e := range list.List {
		word, _ := commandText(e.Value)
		words = append(words, word)
	}
	push, all := trait.GitCommand(words)
	if raw := stringLiteral(first); push {
		w.mark(trait.Push, raw, "")
	} else if all {
		w.mark(trait.AddAll, raw, "")
	}
}

// commandText returns the text of a literal command; what a template puts in is
// a word that is not known.
func commandText(e ast.IExpr) (string, bool) {
	if raw := stringLiteral(e); raw != nil {
		return unquote(raw), true
	}
	if t, ok := ungroup(e).(*ast.TemplateExpr); ok && t.Tag == nil {
		return templateText(t), true
	}
	return "", false
}

func templateText(t *ast.TemplateExpr) string {
	var b strings.Builder
	for _, p := range t.List {
		b.WriteString(strings.TrimSuffix(strings.TrimPrefix(string(p.Value), "`"), "${"))
		b.WriteByte('x')
	}
	b.WriteString(strings.Trim(string(t.Tail), "`}"))
	return strings.ReplaceAll(b.String(), "x}", "x")
}

// shell marks what the text of a command does with git.
func (w *walker) shell(at ast.IExpr, text string) {
	if !strings.Contains(text, "git ") || len(text) > 4096 {
		return
	}
	raw := stringLiteral(at)
	if t, ok := ungroup(at).(*ast.TemplateExpr); raw == nil && ok {
		raw = t.Tail
		if len(t.List) > 0 {
			raw = t.List[0].Value
		}
	}
	for _, m := range trait.Marks([]byte(text), shell.ReadRun([]byte(text))) {
		if m.Kind == trait.Push || m.Kind == trait.AddAll {
			w.mark(m.Kind, raw, "")
		}
	}
}
