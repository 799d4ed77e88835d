package trait

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// loaders are programs that download to their output.
var loaders = map[string]bool{"curl": true, "wget": true}

// maxPipe is through how many programs a download is followed.
const maxPipe = 16

// pipe marks what is downloaded and given to an interpreter: curl … | bash.
func (m *marker) pipe(b *syntax.BinaryCmd) {
	if b.Op != syntax.Pipe && b.Op != syntax.PipeAll {
		return
	}
	first, last := b.X, b.Y
	for range maxPipe {
		in, ok := first.Cmd.(*syntax.BinaryCmd)
		if !ok || in.Op != syntax.Pipe && in.Op != syntax.PipeAll {
			break
		}
		first = in.X
	}
	call, ok := last.Cmd.(*syntax.CallExpr)
	if load := m.load(first); ok && load != nil && m.readsCode(call) {
		m.download(b, load)
	}
}

// load returns the call of a downloader that a statement is, or nil.
func (m *marker) load(s *syntax.Stmt) *syntax.CallExpr {
	c, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || !loaders[m.Program(c)] {
		return nil
	}
	return c
}

// readsCode reports whether a command runs what it reads.
func (m *marker) readsCode(c *syntax.CallExpr) bool {
	args := m.Unwrapped(c.Args)
	if len(args) == 0 {
		return false
	}
	name := base(m.Literal(args[0]))
	given := false // a file or code of its own: what it reads is data
	for _, a := range args[1:] {
		l := m.Literal(a)
		if l == "--" || shells[name] && l == "-s" {
			return shells[name]
		}
		if l == "" || l[0] != '-' || len(l) > 1 && l[1] != '-' && strings.ContainsAny(l, "cem") {
			given = given || l != "-"
		}
	}
	return !given && (shells[name] || name == "python" || name == "python3" || name == "node" || name == "perl" || name == "ruby")
}

// runsDownload marks bash <(curl …), source <(curl …), sh -c "$(curl …)" and
// eval "$(curl …)".
func (m *marker) runsDownload(c *syntax.CallExpr, args []*syntax.Word) {
	name := base(m.Literal(args[0]))
	for _, w := range args[1:] {
		for _, p := range flat(w) {
			var list []*syntax.Stmt
			switch p := p.(type) {
			case *syntax.ProcSubst:
				list = p.Stmts
			case *syntax.CmdSubst:
				if name == "eval" || m.shellCode(args) == w {
					list = p.Stmts
				}
			}
			if len(list) == 1 {
				if load := m.load(list[0]); load != nil {
					m.download(c, load)
				}
			}
		}
	}
}

// flat returns the parts of a word, those in double quotes included.
func flat(w *syntax.Word) (out []syntax.WordPart) {
	for _, p := range w.Parts {
		if q, ok := p.(*syntax.DblQuoted); ok {
			out = append(out, q.Parts...)
			continue
		}
		out = append(out, p)
	}
	return out
}

// download marks a download that is run, unless it comes from this machine.
func (m *marker) download(at syntax.Node, load *syntax.CallExpr) {
	name := ""
	for _, w := range load.Args[1:] {
		s := strings.Trim(m.source(w), `"'`)
		switch {
		case strings.Contains(s, "://localhost"), strings.Contains(s, "://127."), strings.HasPrefix(s, "localhost"):
			return
		case strings.HasPrefix(s, "http://"):
			name = "http"
		}
	}
	m.mark(PipeToShell, at, name)
}
