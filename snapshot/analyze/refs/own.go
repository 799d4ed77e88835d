package refs

import (
	"cmp"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// A script finds its own folder by an expansion that is always the same:
// "$(dirname "$0")", "${BASH_SOURCE[0]%/*}", "$(cd "$(dirname "$0")" && pwd)",
// or a variable that holds one of them. Where the origin says which folder that
// is, what is built on it is as certain as a plain word.

// rooted returns the word as a path of the project when it begins with the
// script's own folder.
func (t *source) rooted(n *syntax.Word, at word) word {
	rel, ok := t.own(n.Parts)
	base := cmp.Or(t.w.o.Self, t.w.o.Action)
	if !ok || base == "" {
		return at
	}
	to := path.Join(base, rel)
	if outside(to) {
		return at
	}
	return word{text: to, known: true, rooted: true, quoted: true, line: at.line, column: at.column}
}

// own returns the path of parts relative to the script's folder; ok is false
// when they do not begin with that, or hold anything else that expands.
func (t *source) own(parts []syntax.WordPart) (rel string, ok bool) {
	var flat []syntax.WordPart
	for _, p := range parts {
		if q, quoted := p.(*syntax.DblQuoted); quoted && !q.Dollar {
			flat = append(flat, q.Parts...)
		} else {
			flat = append(flat, p)
		}
	}
	if len(flat) == 0 {
		return "", false
	}
	if rel, ok = t.folder(flat[0]); !ok {
		return "", false
	}
	var rest strings.Builder
	for _, p := range flat[1:] {
		lit, ok := p.(*syntax.Lit)
		if !ok || !unquoted(&rest, lit.Value, false) {
			return "", false
		}
	}
	if s := rest.String(); s == "" || s[0] == '/' {
		return path.Join(rel, "./"+s), true
	}
	return "", false
}

// actionPath is the variable that holds the folder of a composite action.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/variables
const actionPath = "GITHUB_ACTION_PATH"

var actionPathExpression = lazyregexp.New(`^\$\{\{\s*github\.action_path\s*\}\}$`)

// ofAction returns the word as a path of the project when it begins with an
// expression, at that span, for the folder of the action that the text stands in.
func (t *source) ofAction(n *syntax.Word, span [2]int, at word) word {
	at.known = false
	if t.w.o.Action == "" || len(n.Parts) != 1 || span[1] > len(t.src) || !actionPathExpression().Match(t.src[span[0]:span[1]]) {
		return at
	}
	part := n.Parts[0]
	if q, ok := part.(*syntax.DblQuoted); ok && len(q.Parts) == 1 && !q.Dollar {
		part = q.Parts[0]
	}
	lit, ok := part.(*syntax.Lit)
	if !ok || int(lit.Pos().Offset()) != span[0] || len(lit.Value) < span[1]-span[0] {
		return at
	}
	var b strings.Builder
	if rest := lit.Value[span[1]-span[0]:]; rest != "" && rest[0] != '/' || !unquoted(&b, rest, false) {
		return at
	}
	to := path.Join(t.w.o.Action, "./"+b.String())
	if outside(to) {
		return at
	}
	return word{text: to, known: true, rooted: true, quoted: true, line: at.line, column: at.column}
}

// folder reads one expansion that gives a folder.
func (t *source) folder(p syntax.WordPart) (rel string, ok bool) {
	switch p := p.(type) {
	case *syntax.ParamExp:
		if t.isSelf(p) && p.Exp != nil && p.Exp.Op == syntax.RemSmallSuffix && p.Exp.Word != nil && p.Exp.Word.Lit() == "/*" {
			return ".", true
		}
		if name(p) == actionPath && t.w.o.Action != "" && p.Exp == nil && p.Index == nil {
			return ".", true
		}
		if rel, ok = t.w.folders[name(p)]; ok && p.Exp == nil && p.Index == nil && rel != "" {
			return rel, true
		}
	case *syntax.CmdSubst:
		if len(p.Stmts) == 1 {
			return t.folderOf(p.Stmts[0].Cmd)
		}
	}
	return "", false
}

// folderOf reads the command of a substitution.
func (t *source) folderOf(cmd syntax.Command) (rel string, ok bool) {
	switch c := cmd.(type) {
	case *syntax.CallExpr:
		program, arg := last(c)
		switch program {
		case "dirname":
			if t.isSelfWord(arg) {
				return ".", true
			}
			rel, ok = t.ownWord(arg)
			return path.Join(rel, ".."), ok
		case "realpath", "readlink":
			return t.ownWord(arg)
		}
	case *syntax.BinaryCmd: // cd FOLDER && pwd
		to, isCall := c.X.Cmd.(*syntax.CallExpr)
		and, isPwd := c.Y.Cmd.(*syntax.CallExpr)
		if c.Op != syntax.AndStmt || !isCall || !isPwd || len(and.Args) == 0 || and.Args[0].Lit() != "pwd" {
			return "", false
		}
		if program, arg := last(to); program == "cd" {
			return t.ownWord(arg)
		}
	}
	return "", false
}

func (t *source) ownWord(w *syntax.Word) (string, bool) {
	if w == nil {
		return "", false
	}
	return t.own(w.Parts)
}

// last returns the program of a call and its last word, nil when it has none.
func last(c *syntax.CallExpr) (program string, arg *syntax.Word) {
	if len(c.Args) < 2 || len(c.Args) > 4 {
		return "", nil
	}
	return c.Args[0].Lit(), c.Args[len(c.Args)-1]
}

// isSelfWord recognises "$0", "${BASH_SOURCE[0]}" and $(readlink -f "$0").
func (t *source) isSelfWord(w *syntax.Word) bool {
	if w == nil || len(w.Parts) != 1 {
		return false
	}
	part := w.Parts[0]
	if q, ok := part.(*syntax.DblQuoted); ok && len(q.Parts) == 1 {
		part = q.Parts[0]
	}
	switch p := part.(type) {
	case *syntax.ParamExp:
		return t.isSelf(p) && p.Exp == nil
	case *syntax.CmdSubst:
		if len(p.Stmts) == 1 {
			if c, ok := p.Stmts[0].Cmd.(*syntax.CallExpr); ok {
				program, arg := last(c)
				return (program == "readlink" || program == "realpath") && t.isSelfWord(arg)
			}
		}
	}
	return false
}

// isSelf recognises the variable that holds the script's own path: of a step of an
// action that is a file which the runner makes.
func (t *source) isSelf(p *syntax.ParamExp) bool {
	switch name(p) {
	case "0":
		return p.Index == nil && t.w.o.Action == ""
	case "BASH_SOURCE":
		w, ok := p.Index.(*syntax.Word)
		return t.w.o.Action == "" && (p.Index == nil || ok && w.Lit() == "0")
	}
	return false
}

func name(p *syntax.ParamExp) string {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.Slice != nil || p.Repl != nil {
		return ""
	}
	return p.Param.Value
}

// assign notes a variable that holds a folder. One that is ever given anything
// else holds none.
func (t *source) assign(a *syntax.Assign) {
	if a.Name == nil || a.Naked {
		return
	}
	rel, ok := t.ownWord(a.Value)
	if was, known := t.w.folders[a.Name.Value]; !ok || a.Append || a.Index != nil || known && was != rel {
		rel = ""
	}
	put(&t.w.folders, a.Name.Value, rel)
}
