package workflow

import (
	_ "unsafe" // for go:linkname

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// syntax returns what actionlint.Parse makes of the file. Parsing YAML again would
// take longer than all of its rules, and actionlint takes bytes only: it is given
// the tree that is here already. It puts what aliases stand for in their place, which must
// not happen to our tree: a file that has some is parsed again.
func (d *Document) syntax() (*actionlint.Workflow, []*actionlint.Error) {
	if d.aliases {
		return actionlint.Parse(d.src)
	}
	var p syntaxParser
	w := parseTree(&p, d.tree)
	return w, p.errors
}

// A syntaxParser is actionlint's own parser, field by field. The version of
// actionlint is pinned, and TestSyntax compares the result with that of Parse.
// Source: https://github.com/rhysd/actionlint/blob/v1.7.12/parse.go#L69
type syntaxParser struct{ errors []*actionlint.Error }

//go:linkname parseTree github.com/rhysd/actionlint.(*parser).parse
func parseTree(p *syntaxParser, doc *yaml.Node) *actionlint.Workflow
