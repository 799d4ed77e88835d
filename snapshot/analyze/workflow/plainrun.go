package workflow

import (
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var looseExpression = lazyregexp.New(`\$\{\{[ \t]*([^{}]*?)[ \t]*\}\}`)

// plainRun returns a run text without what means nothing in it, so that a comment, an
// empty line or the style of the scalar is no change: comments on lines of their own,
// blank lines, spaces at the end of lines and of expressions. Where text goes over
// lines, in quotes, in a here-document or between <# and #>, all of it counts; so it
// does where # is no comment to the shell.
func plainRun(src, sh string) string {
	src = plainExpressions(src)
	if strings.Contains(src, "<<") || strings.Contains(src, "<#") || multiline(src) || !hashComments(sh) {
		return strings.TrimRight(src, " \t\r\n")
	}
	if !strings.ContainsAny(src, "\n\r") {
		return strings.TrimRight(src, " \t")
	}
	var b strings.Builder
	goesOn := false // the line before ends with a backslash
	for line := range strings.Lines(src) {
		line = strings.TrimRight(line, "\r\n")
		text := strings.TrimRight(line, " \t")
		if strings.HasSuffix(text, `\`) {
			text = line // a space behind the backslash ends the command
		}
		if first := strings.TrimLeft(text, " \t"); goesOn || first != "" && first[0] != '#' {
			b.WriteString(text)
			b.WriteByte('\n')
		}
		goesOn = strings.HasSuffix(text, `\`)
	}
	return strings.TrimRight(b.String(), "\n")
}

// hashComments reports whether a line that begins with # is a comment to a shell. To
// node it may be a private field, to cmd a command.
func hashComments(sh string) bool {
	name := shellName(sh)
	return shellLike(sh) || name == "pwsh" || name == "powershell" || strings.HasPrefix(name, "python")
}

// plainExpressions returns a text with one space at both ends of each expression.
func plainExpressions(src string) string {
	for rest := src; ; {
		_, after, found := strings.Cut(rest, "${{")
		if !found {
			return src
		}
		inner, behind, found := strings.Cut(after, "}}")
		if !found || inner != " "+strings.Trim(inner, " \t")+" " {
			return looseExpression().ReplaceAllString(src, "$${{ $1 }}")
		}
		rest = behind
	}
}
