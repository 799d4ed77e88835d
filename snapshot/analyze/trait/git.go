package trait

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// gitWords returns the literal words of a git command behind git's own options;
// elsewhere is true where it is told another folder.
func (m *marker) gitWords(args []*syntax.Word) (words []string, elsewhere bool) {
	for i := 1; i < len(args); i++ {
		switch l := m.Literal(args[i]); {
		case l == "-C" || l == "--git-dir" || l == "--work-tree":
			elsewhere = true
			i++
		case l == "-c":
			i++
		case strings.HasPrefix(l, "-"):
		default:
			for _, w := range args[i:] {
				words = append(words, m.Literal(w))
			}
			return words, elsewhere
		}
	}
	return nil, elsewhere
}

// git marks what a git command does with whatever it finds.
func (m *marker) git(c *syntax.CallExpr, args []*syntax.Word) {
	words, _ := m.gitWords(args)
	switch {
	case pushes(words):
		m.mark(Push, c, "")
	case addsAll(words):
		m.mark(AddAll, c, "")
	}
}

// pushes reports whether the words behind git push something.
func pushes(words []string) bool {
	return len(words) > 0 && words[0] == "push" && !slices.Contains(words, "--dry-run") && !slices.Contains(words, "-n") && !slices.Contains(words, "--delete")
}

// addsAll reports whether the words behind git take along whatever lies there.
func addsAll(words []string) bool {
	if len(words) == 0 {
		return false
	}
	rest := words[1:]
	switch words[0] {
	case "add":
		return slices.ContainsFunc(rest, func(w string) bool { return w == "-A" || w == "--all" || w == "." || w == ":/" }) &&
			!slices.ContainsFunc(rest, func(w string) bool { return w != "" && w != "." && w != ":/" && w[0] != '-' }) // git add -A docs
	case "commit":
		return slices.ContainsFunc(rest, func(w string) bool {
			return w == "--all" || len(w) > 1 && w[0] == '-' && w[1] != '-' && strings.Contains(strings.SplitN(w, "m", 2)[0], "a")
		})
	}
	return false
}

// GitCommand reports what a git command of literal words does: [push origin main]
// pushes, [add -A] takes along whatever lies there.
func GitCommand(words []string) (push, all bool) { return pushes(words), addsAll(words) }

// gitDestroys names a git command that destroys or takes along what lies in the
// folder it runs in.
func (m *marker) gitDestroys(args []*syntax.Word) string {
	words, elsewhere := m.gitWords(args)
	if len(words) == 0 || elsewhere {
		return ""
	}
	switch {
	case words[0] == "clean" && slices.ContainsFunc(words, func(w string) bool { return len(w) > 1 && w[0] == '-' && strings.Contains(w, "f") }):
		return "git clean"
	case words[0] == "reset" && slices.Contains(words, "--hard"):
		return "git reset --hard"
	case addsAll(words) && words[0] == "add":
		return "git add -A"
	case addsAll(words):
		return "git commit -a"
	}
	return ""
}
