package trait

import (
	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// Idle reports whether the text only says something or prepares, and whether it
// says anything.
func (s *Script) Idle() (idle, said bool) {
	q := quiet{r: s}
	idle = q.all(s.Text.Stmts, q.idle)
	return idle, idle && q.said
}

// Safe reports whether nothing in the text can fail it, in a shell that ends at
// the first failure, and whether that is because a failure is swallowed.
func (s *Script) Safe() (safe, masks bool) {
	q := quiet{r: s}
	safe = q.all(s.Text.Stmts, q.safe)
	return safe, safe && q.masks
}

// quiet asks of statements whether they do anything, or can fail.
type quiet struct {
	r     *Script
	said  bool
	masks bool // a failure is swallowed

	hidden *syntax.CallExpr // the first command whose failure is, and whose success would have been of use
}

func (q *quiet) all(list []*syntax.Stmt, is func(*syntax.Stmt) bool) bool {
	for _, s := range list {
		if !is(s) {
			return false
		}
	}
	return true
}

// idle reports whether a statement only says something or prepares.
func (q *quiet) idle(s *syntax.Stmt) bool {
	for _, r := range s.Redirs {
		switch q.r.Literal(r.Word) {
		case "/dev/null", "/dev/stderr", "/dev/stdout", "1", "2":
		default:
			return false
		}
	}
	if c, ok := s.Cmd.(*syntax.BinaryCmd); ok {
		return c.Op != syntax.Pipe && c.Op != syntax.PipeAll && q.idle(c.X) && q.idle(c.Y)
	}
	c, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(c.Assigns) > 0 || substitutes(c) {
		return false
	}
	name := q.r.Program(c)
	switch name {
	case "echo", "printf":
		q.said = true
		return true
	case "exit", "return":
		return len(c.Args) == 1 || q.r.Literal(c.Args[1]) == "0"
	case "true", ":", "sleep", "date", "pwd", "set", "cd":
		return true
	}
	return !Works(name) && !hollow[name]
}

// substitutes reports whether a command runs others for its words, apart from
// those that only tell.
func substitutes(c *syntax.CallExpr) bool { return !shell.Bare(c) && substitutesAny(c) }

func substitutesAny(c *syntax.CallExpr) bool {
	found := false
	syntax.Walk(c, func(n syntax.Node) bool {
		if sub, ok := n.(*syntax.CmdSubst); ok {
			for _, s := range sub.Stmts {
				in, ok := s.Cmd.(*syntax.CallExpr)
				found = found || !ok || len(in.Args) == 0 || in.Args[0].Lit() != "date" && in.Args[0].Lit() != "pwd" && in.Args[0].Lit() != "echo"
			}
			return false
		}
		return !found
	})
	return found
}

// safe reports whether a statement cannot fail the step, which the shell ends
// at the first failure.
func (q *quiet) safe(s *syntax.Stmt) bool {
	switch c := s.Cmd.(type) {
	case *syntax.BinaryCmd:
		if c.Op == syntax.OrStmt {
			if swallows(c.Y) && len(c.Y.Redirs) == 0 {
				q.masks = true
				q.hide(c.X)
				return true
			}
			return q.safe(c.Y) && q.safe(c.X)
		}
		return c.Op == syntax.AndStmt && q.safe(c.X) && q.safe(c.Y)
	case *syntax.CallExpr:
		switch name := q.r.Program(c); name {
		case "exit":
			return len(c.Args) == 2 && q.r.Literal(c.Args[1]) == "0"
		case "echo", "printf", "true", ":", "sleep", "date", "pwd", "mkdir", "export":
			return true
		}
		return false
	case *syntax.Block:
		return q.all(c.Stmts, q.safe)
	}
	return false
}

// tidy are programs that find nothing to do as often as not: that they fail says
// nothing.
var tidy = map[string]bool{"rm": true, "rmdir": true, "kill": true, "pkill": true, "killall": true, "fuser": true, "docker": true, "pm2": true, "lsof": true,
	"unlink": true, "umount": true, "launchctl": true, "systemctl": true, "crontab": true, "husky": true, "mv": true, "cp": true, "ln": true, "chmod": true,
	"chown": true, "grep": true, "which": true, "cat": true, "ls": true, "docker-compose": true, "clear": true, "tput": true,
	"xargs": true, "ps": true, "ss": true, "netstat": true, "deluser": true, "userdel": true}

// hide notes what a swallowed failure is of.
func (q *quiet) hide(s *syntax.Stmt) {
	syntax.Walk(s, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok && q.hidden == nil {
			if name := q.r.Program(c); name != "" && Works(name) && !plumbing[name] && !tidy[name] {
				q.hidden = c
			}
		}
		return q.hidden == nil
	})
}

// swallows reports whether a command can only succeed and does nothing.
func swallows(s *syntax.Stmt) bool {
	c, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(c.Args) == 0 {
		return false
	}
	switch c.Args[0].Lit() {
	case "true", ":", "echo", "printf":
		return true
	case "exit":
		return len(c.Args) == 2 && c.Args[1].Lit() == "0"
	}
	return false
}
