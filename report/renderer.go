package report

import "io"

// A Renderer writes a Document in one format.
type Renderer struct {
	Name   string // the value of --format
	Doc    string // one line for the help
	Render func(io.Writer, *Document, Options) error

	// Summary is true when it needs neither facts, metrics, files nor references of items.
	Summary bool
}

// Options are what the reader's side brings. The zero value is a pipe.
type Options struct {
	Width int      // columns; 0 is 80
	Color bool     // the reader shows ANSI colours
	Links bool     // the reader follows OSC 8 hyperlinks
	Items bool     // the whole inventory, healthy too
	New   bool     // only what is new, reopened or regressed
	Only  []string // the systems the document was reduced to; nil: all
}
