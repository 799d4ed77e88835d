package workflow

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/mask"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/trait"
)

// Traits are what a run text is like, read while it is parsed anyway.
type traits struct {
	talk       bool           // it says something, and does nothing else
	idle       bool           // it does nothing: it says something, or only installs
	safe       bool           // it works, and none of its failures can fail the step
	calm       bool           // it does something that cannot fail anyway: it writes a line into a file
	pushes     bool           // it pushes commits, without asking whether there are any
	push       *pushing       // it pushes to where the project came from
	dispatches []string       // workflows it starts, whatever happened before
	foreign    string         // in what other language it is written, for a person
	machines   []trait.Mark   // paths of one machine that it uses
	broken     *shell.Problem // why the shell ends in the middle of it; nil: it does not
	status     *trait.Mark    // where it asks for $? before it has run anything; nil: it does not
}

// noTraits are those of a step that runs no text.
var noTraits traits

// readTraits reads a run text in the shell it is given to; "" is bash.
func readTraits(src, sh string, r *trait.Script) traits {
	var t traits
	t.foreign = foreign(src, sh)
	if name := shellName(sh); t.foreign == "" && r.Text.Err != nil && (sh == "" || name == "bash" || name == "sh") {
		if p := r.Text.Problems(); len(p) > 0 && p[0].Sure {
			t.broken = &p[0]
		}
	}
	if !shellLike(sh) && sh != "" || r.Text.Err != nil {
		return t
	}
	if !strings.Contains(src, "::") && !strings.Contains(src, "toJ") {
		t.idle, t.talk = r.Idle()
	}
	if !t.idle {
		safe, masks := r.Safe()
		t.safe, t.calm = masks, safe && !masks
	}
	t.pushes, t.push = plainPush(src, r), pushOf(src, r)
	t.dispatches = dispatches(src, r)
	t.machines, t.status = trait.Machines(r.Text), earlyStatus(r)
	return t
}

// earlyStatus finds a $? that nothing in the text has set: the first command
// reads it. The shell of a step begins with 0, whatever the step before did.
func earlyStatus(r *trait.Script) *trait.Mark {
	var found *trait.Mark
	set := false // bash: by a substitution that stands before it
	read := func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			set = true
			return false
		case *syntax.ProcSubst:
			return false
		case *syntax.ParamExp:
			if found == nil && !set && n.Param != nil && n.Param.Value == "?" {
				found = &trait.Mark{Line: int(n.Pos().Line()), Column: int(n.Pos().Col())}
			}
		}
		return true
	}
	var first func(s *syntax.Stmt)
	first = func(s *syntax.Stmt) {
		switch c := s.Cmd.(type) {
		case *syntax.IfClause:
			if len(c.Cond) > 0 {
				first(c.Cond[0])
			}
		case *syntax.BinaryCmd:
			first(c.X)
		case *syntax.CallExpr: // which has its words expanded before its assignments
			for _, w := range c.Args {
				syntax.Walk(w, read)
			}
			for _, a := range c.Assigns {
				syntax.Walk(a, read)
			}
		case *syntax.TestClause, *syntax.ArithmCmd:
			syntax.Walk(c, read)
		}
	}
	if len(r.Text.Stmts) > 0 {
		first(r.Text.Stmts[0])
	}
	return found
}

var dispatchPath = lazyregexp.New(`/actions/workflows/([\w.-]+\.ya?ml)/dispatches`)

// dispatches returns the workflows that a text starts with gh or curl, on no
// condition that stands in it.
func dispatches(src string, r *trait.Script) []string {
	if !strings.Contains(src, "gh workflow run") && !strings.Contains(src, "/dispatches") || strings.Contains(src, "exit") {
		return nil
	}
	var out []string
	for _, s := range r.Text.Stmts {
		c, ok := s.Cmd.(*syntax.CallExpr)
		if !ok || len(c.Args) < 2 {
			continue
		}
		switch name := r.Program(c); {
		case name == "gh" && len(c.Args) > 3 && r.Literal(c.Args[1]) == "workflow" && r.Literal(c.Args[2]) == "run":
			if w := r.Literal(c.Args[3]); w != "" && !strings.HasPrefix(w, "-") && !strings.Contains(src, "--repo") && !strings.Contains(src, " -R ") {
				out = append(out, mask.Credentials(w))
			}
		case name == "curl", name == "gh":
			text := src[s.Pos().Offset():s.End().Offset()]
			if m := dispatchPath().FindStringSubmatch(text); m != nil && strings.Contains(text, "github.repository") || m != nil && strings.Contains(text, "GITHUB_REPOSITORY") {
				out = append(out, m[1])
			}
		}
	}
	return out
}

// plainPush reports whether a text pushes a commit of its own to the branch it
// runs on, and nothing in it looks whether that is needed.
func plainPush(src string, r *trait.Script) bool {
	if !strings.Contains(src, "git push") || !strings.Contains(src, "git commit") {
		return false
	}
	lower := strings.ToLower(src)
	for _, end := range []string{"skip ci", "ci skip", "no ci", "skip actions", "actions skip", "skip-checks", "git diff", "git status", "checkout", "switch",
		"--tags", "head:", "git branch", "refs/tags", "github.actor", "||", "if "} {
		if strings.Contains(lower, end) {
			return false
		}
	}
	pushes := false
	syntax.Walk(&syntax.File{Stmts: r.Text.Stmts}, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		if ok && len(c.Args) > 1 && r.Program(c) == "git" && r.Literal(c.Args[1]) == "push" {
			pushes = pushes || len(c.Args) == 2 || len(c.Args) == 3 && r.Literal(c.Args[2]) == "origin"
		}
		return true
	})
	return pushes
}

// Lines that are of one language and of no shell. Two different ones make sure.
var (
	pythonLines = lazyregexp.New(`(?m)^[ \t]*(?:(import (?:os|sys|re|json|yaml|glob|time|subprocess|pathlib)\b[ \t,\w]*)|(from [\w.]+ import [\w*, ]+)|(def \w+\([^)]*\)[^:\n]*:[ \t]*)|(\w+ = (?:\[\]|\{\}|None|True|False)[ \t]*)|(\w+\.(?:append|extend|strip|join|split|get|items)\(.*\)[ \t]*)|(for \w+(?:, \w+)? in [^;\n]+:[ \t]*)|(except(?: [\w.]+)?(?: as \w+)?:[ \t]*)|(print\(.*\)[ \t]*)|(try:[ \t]*)|(with open\(.*\) as \w+:[ \t]*))$`)
	powerLines  = lazyregexp.New(`(?m)^[ \t]*(?:(\$env:\w+ = .*)|(\$\w+ = .*)|((?:Write|Get|Set|New|Remove|Invoke|Copy|Test|Install|Start|Select|Out)-[A-Z]\w+\b.*)|(if \(.*\) \{[ \t]*)|(foreach \(\$\w+ in .*\) \{[ \t]*))$`)
	bashLines   = lazyregexp.New(`(?m)^[ \t]*(?:(if \[\[? .* \]\]?; ?then[ \t]*)|(fi[ \t]*)|(done[ \t]*)|(export [A-Z_]+=.*)|(set -[eux]+(?:o pipefail)?[ \t]*)|(for \w+ in .*; ?do[ \t]*)|(esac[ \t]*))$`)
)

// foreign says in what other language a text is than its shell reads; "" when
// it is not sure. Texts that hold another one on purpose are left alone.
func foreign(src, sh string) string {
	if !strings.Contains(src, "\n") || strings.Contains(src, "<<") || strings.Contains(src, "@\"") || strings.Contains(src, "@'") || len(src) > 64<<10 {
		return "" // two lines of a kind each are asked for
	}
	name := "bash"
	if sh != "" {
		name = shellName(sh)
	}
	switch {
	case sh == "" || shellLike(sh):
		if !some(src, pythonHints) && !some(src, powerHints) || multiline(src) {
			return ""
		}
		if kinds(pythonLines().FindAllStringSubmatch(src, 50)) >= 2 {
			return "Python is given to " + name
		}
		if kinds(powerLines().FindAllStringSubmatch(src, 50)) >= 2 {
			return "PowerShell is given to " + name
		}
	case name == "pwsh" || name == "powershell" || name == "cmd" || strings.HasPrefix(name, "python"):
		if !multiline(src) && kinds(bashLines().FindAllStringSubmatch(src, 50)) >= 2 {
			return "bash is given to " + name
		}
	}
	return ""
}

// Letters of which every text of a language has some: most texts have none, and
// need no pattern.
var (
	pythonHints = []string{"import ", "def ", " = [", " = {", " = None", " = True", " = False", ".append(", "print(", "try:", "except"}
	powerHints  = []string{"$env:", "Write-", "Get-", "Set-", "New-", "Remove-", "Invoke-", "Test-", "foreach ("}
)

func some(src string, hints []string) bool {
	return slices.ContainsFunc(hints, func(h string) bool { return strings.Contains(src, h) })
}

// kinds counts how many of the alternatives matched.
func kinds(all [][]string) int {
	seen := map[int]bool{}
	for _, m := range all {
		for i := 1; i < len(m); i++ {
			if m[i] != "" {
				seen[i] = true
			}
		}
	}
	return len(seen)
}

// multiline reports whether a quoted string goes over lines, as code for
// another interpreter does: python -c '…'.
func multiline(src string) bool {
	for line := range strings.Lines(src) {
		if strings.Count(line, "'")%2 == 1 || strings.Count(line, `"`)%2 == 1 || strings.Count(line, "`")%2 == 1 {
			return true
		}
	}
	return false
}
