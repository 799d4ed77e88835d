package workflow

import (
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var looseExpression = lazyregexp.New(`\$\{\{[ \t]*([^{}]*?)[ \t]*\}\}`)

// plainRun returns a run text without what means nothing in it, so that a comment, an
// empty line or the style of the scalar is no change: comments on lines of their own,
// blank lines, spaces at the end of lines and of expressions. Where text goes over
// lines, in quotes or in a here-document, all of it counts.
func plainRun(src string) string {
	src = plainExpressions(src)
	if strings.Contains(src, "<<") || multiline(src) {
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

// plainExpressions returns a text with one space at both ends of each expression.
func plainExpressions(src string) string {
	if !strings.Contains(src, "${{") {
		return src
	}
	return looseExpression().ReplaceAllString(src, "$${{ $1 }}")
}
