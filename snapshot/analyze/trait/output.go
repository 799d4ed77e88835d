package trait

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/shell"
)

// An Output is a file that the output of a text goes to: an absolute path. It is
// what stands in the text, so it is for evidence of plain paths only, and never
// an argument. Line and Column are those of the text, 1-based.
type Output struct {
	Path         string `json:"p"`
	Empties      bool   `json:"e,omitempty"` // what was in it is lost: > and not >>
	Line, Column int
}

// maxOutputs bounds the outputs of one text.
const maxOutputs = 20

var plainPath = lazyregexp.New(`^/[\w./-]{1,300}$`)

// Outputs returns the files that the standard output and standard error of a text's
// commands go to, of those whose path is written out and absolute, or relative to
// a folder that the text goes to first. Devices are left out.
func Outputs(text shell.Text) (out []Output) {
	if text.Err != nil {
		return nil
	}
	s := &Script{Text: text}
	dir := ""
	if len(text.Stmts) > 0 {
		dir = s.firstFolder(text.Stmts[0])
	}
	syntax.Walk(&syntax.File{Stmts: text.Stmts}, func(n syntax.Node) bool {
		r, ok := n.(*syntax.Redirect)
		if !ok || r.Word == nil || r.N != nil && r.N.Value != "1" && r.N.Value != "2" || len(out) == maxOutputs {
			return true
		}
		o := Output{Path: s.Literal(r.Word), Line: int(r.Pos().Line()), Column: int(r.Pos().Col())}
		switch r.Op {
		case syntax.AppOut, syntax.AppAll:
		case syntax.RdrOut, syntax.RdrClob, syntax.RdrAll:
			o.Empties = true
		default:
			return true
		}
		if !path.IsAbs(o.Path) && dir != "" && o.Path != "" {
			o.Path = path.Join(dir, o.Path)
		}
		if PlainFile(o.Path) {
			o.Path = path.Clean(o.Path)
			out = append(out, o)
		}
		return true
	})
	return out
}

// PlainFile reports whether a text is an absolute path of letters, digits and
// the usual marks, and not of a device.
func PlainFile(p string) bool {
	return plainPath().MatchString(p) && !strings.HasPrefix(p, "/dev/") && !strings.HasPrefix(p, "/proc/")
}

// firstFolder returns the absolute folder that a text goes to before anything
// else: cd /srv/shop && …
func (s *Script) firstFolder(first *syntax.Stmt) string {
	for {
		switch c := first.Cmd.(type) {
		case *syntax.BinaryCmd:
			first = c.X
			continue
		case *syntax.CallExpr:
			if len(c.Args) == 2 && s.Literal(c.Args[0]) == "cd" && path.IsAbs(s.Literal(c.Args[1])) {
				return s.Literal(c.Args[1])
			}
		}
		return ""
	}
}

// alone are parts of words by which a text sees to it that it runs once at a time,
// in lower case.
var alone = []string{"pgrep", "pidof", "pidfile", "pid_file", "pid-file", ".pid", "run-one", "timeout", "already running", "is_running", "isrunning", "is-running",
	"singleton", "mutex", "semaphore", "concurren"}

// Alone reports whether a text seems to see to it that it does not run beside
// itself, or not for long: by a lock, a pid file, a timeout. A word is enough: of
// two errors the one that says nothing is the better.
func Alone(src []byte) bool {
	lower := bytes.ToLower(src)
	for rest := lower; ; {
		i := bytes.Index(rest, []byte("lock"))
		if i < 0 {
			break
		}
		if i == 0 || rest[i-1] < 'a' || rest[i-1] > 'z' || rest[i-1] == 'f' || rest[i-1] == 'n' { // flock, unlock; not block or clock
			return true
		}
		rest = rest[i+4:]
	}
	return slices.ContainsFunc(alone, func(w string) bool { return bytes.Contains(lower, []byte(w)) })
}
