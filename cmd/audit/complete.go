package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"

	"healthaudit/audit/check"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

// A candidate is a word that may stand where the cursor is.
type candidate struct{ word, help string }

// completeCmd is what the scripts of audit completion ask: which words may stand
// at the end of a command line.
type completeCmd struct {
	Shell string   `arg:"" enum:"bash,zsh,fish"`
	Words []string `arg:"" optional:""` // of zsh and fish: after audit, up to the cursor; of bash: the line up to the cursor
}

// Run prints one candidate a line, and nothing where only a file can stand: the
// shell then completes files. It never fails. Zsh and fish quote what they are
// offered; bash writes it on the line as it is.
func (c *completeCmd) Run(a *App) error {
	words := c.Words
	var typed typedWord
	if c.Shell == "bash" {
		words, typed = lineWords(strings.Join(c.Words, " "))
	}
	if len(words) == 0 {
		words = []string{""}
	}
	for _, k := range a.candidates(words) {
		switch c.Shell {
		case "bash":
			if word, ok := typed.complete(k.word); ok {
				fmt.Fprintln(a.Stdout, word)
			}
		case "zsh":
			fmt.Fprintf(a.Stdout, "%s:%s\n", strings.NewReplacer(`\`, `\\`, ":", `\:`).Replace(k.word), k.help)
		default:
			fmt.Fprintf(a.Stdout, "%s\t%s\n", k.word, k.help)
		}
	}
	return nil
}

// A cursor is what the words before the last one have led to.
type cursor struct {
	node  *kong.Node
	flag  *kong.Flag // whose value comes next
	args  int        // positional arguments that were given
	plain bool       // after --: no flags any more
}

// walk goes along the words that are complete.
func walk(root *kong.Node, words []string) cursor {
	at := cursor{node: root}
	for _, w := range words {
		switch {
		case at.flag != nil:
			at.flag = nil
		case w == "--":
			at.plain = true
		case strings.HasPrefix(w, "-") && !at.plain && w != "-":
			name, _, given := strings.Cut(w, "=")
			if f := flagOf(at.node, name); f != nil && !given && !f.IsBool() {
				at.flag = f
			}
		default:
			if i := slices.IndexFunc(at.node.Children, func(n *kong.Node) bool { return n.Name == w && !n.Hidden }); i >= 0 && at.args == 0 {
				at.node = at.node.Children[i]
			} else {
				at.args++
			}
		}
	}
	return at
}

// flagOf finds a flag of a command, of one around it, or of its default.
func flagOf(n *kong.Node, name string) *kong.Flag {
	groups := n.AllFlags(true)
	if n.DefaultCmd != nil {
		groups = n.DefaultCmd.AllFlags(true)
	}
	for _, group := range groups {
		for _, f := range group {
			if "--"+f.Name == name || f.Short != 0 && "-"+string(f.Short) == name {
				return f
			}
		}
	}
	return nil
}

// candidates are the words that may stand for the last one, sorted.
func (a *App) candidates(words []string) (out []candidate) {
	last := words[len(words)-1]
	at := walk(a.model.Node, words[:len(words)-1])
	node := at.node
	if node.DefaultCmd != nil && node != a.model.Node && len(node.Children) > 0 && at.args > 0 {
		node = node.DefaultCmd
	}
	name, value, given := strings.Cut(last, "=")
	switch {
	case at.flag != nil:
		out = prefixed("", a.values(node, at.flag.Value, last))
	case given && strings.HasPrefix(last, "-") && !at.plain:
		if f := flagOf(node, name); f != nil {
			out = prefixed(name+"=", a.values(node, f.Value, value))
		}
	case strings.HasPrefix(last, "-") && !at.plain:
		if node.DefaultCmd != nil {
			node = node.DefaultCmd
		}
		out = flags(node)
	case len(node.Children) > 0 && at.args == 0:
		for _, n := range node.Children {
			if !n.Hidden {
				out = append(out, candidate{n.Name, n.Help})
			}
		}
	case len(node.Positional) > 0:
		i := min(at.args, len(node.Positional)-1)
		if p := node.Positional[i]; at.args == i || p.IsSlice() {
			out = prefixed("", a.values(node, p, last))
		}
	}
	out = slices.DeleteFunc(out, func(k candidate) bool {
		return !strings.HasPrefix(k.word, last) || strings.ContainsFunc(k.word, unprintable)
	})
	slices.SortFunc(out, func(x, y candidate) int { return strings.Compare(x.word, y.word) })
	return slices.Compact(out)
}

// unprintable are the characters that leave a word out: no shell offers what does
// not fit on a line.
func unprintable(r rune) bool { return !unicode.IsPrint(r) }

func prefixed(prefix string, list []candidate) []candidate {
	for i := range list {
		list[i].word = prefix + list[i].word
	}
	return list
}

func flags(n *kong.Node) (out []candidate) {
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			out = append(out, candidate{"--" + f.Name, f.Help})
		}
	}
	return out
}

// valuesOf names what an argument or flag takes, by its name, or by its command
// and its name.
var valuesOf = map[string]string{
	"check": "check", "check explain id": "check", "rule": "rule", "rule explain id": "rule", "item": "item", "finding": "item",
	"snapshot": "snapshot", "old": "snapshot", "new": "snapshot", "only": "system", "skip": "system", "logs system": "part",
	"fail-on": "gate", "color": "color", "recover": "mode", "archive": "when", "run format": "format", "report format": "format", "topic": "topic",
}

// values are the words that a flag or argument takes; none where nobody can say.
func (a *App) values(n *kong.Node, v *kong.Value, last string) (out []candidate) {
	var words []string
	if v.Enum != "" {
		words = v.EnumSlice()
	}
	if n.DefaultCmd != nil {
		n = n.DefaultCmd
	}
	kind := valuesOf[n.Path()+" "+v.Name]
	if kind == "" && words == nil {
		kind = valuesOf[v.Name]
	}
	switch kind {
	case "check":
		checks, err := a.catalogue()
		if err != nil {
			checks = check.All()
		}
		for _, k := range checks {
			out = append(out, candidate{k.ID, k.Title})
		}
	case "rule":
		for _, r := range builtin().Rules {
			out = append(out, candidate{r.ID, r.Why})
		}
	case "format":
		for _, r := range report.All {
			words = append(words, r.Name)
		}
	case "topic":
		for _, t := range topics {
			out = append(out, candidate{t.name, t.title})
		}
	case "item":
		words = a.itemKeys()
	case "snapshot":
		words = []string{"latest", "previous", "baseline"}
	case "part":
		words = logParts
	case "system":
		words = logParts[4:8]
	case "gate":
		words = []string{"critical", "regression", "high", "medium", "low", "info", "new", "never"}
	case "color":
		words = []string{"auto", "always", "never"}
	case "mode":
		words = []string{"off", "plan", "apply"}
	case "when":
		words = []string{pipeline.WhenAuto, pipeline.WhenAlways, pipeline.WhenNever}
	}
	lead := ""
	if v.IsSlice() && v.Flag != nil { // a list with commas: what is there stays
		lead = last[:strings.LastIndexByte(last, ',')+1]
	}
	for _, w := range words {
		out = append(out, candidate{w, ""})
	}
	return prefixed(lead, out)
}

// itemKeys are the items of the latest snapshot; none where it cannot be read.
func (a *App) itemKeys() (keys []string) {
	_ = a.reading(func(s *settings, tx *store.Tx) error {
		v, err := pipeline.Load(tx, tx.Seq(), all.Collectors, s.checks())
		if err != nil {
			return err
		}
		for _, it := range v.Document(version).Items {
			keys = append(keys, it.Key)
		}
		return nil
	})
	return keys
}
