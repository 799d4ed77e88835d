package workflow

import (
	"iter"
	"path"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/mask"
	"healthaudit/snapshot/analyze/trait"
)

// pairs yields the keys and values of a mapping, aliases followed; nothing for
// any other node.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		n := deref(n)
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(deref(n.Content[i]), deref(n.Content[i+1])) {
				return
			}
		}
	}
}

// each yields the elements of a sequence, aliases followed; nothing for any other node.
func each(n *yaml.Node) iter.Seq[*yaml.Node] {
	return func(yield func(*yaml.Node) bool) {
		if n := deref(n); n != nil && n.Kind == yaml.SequenceNode {
			for _, c := range n.Content {
				if !yield(deref(c)) {
					return
				}
			}
		}
	}
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n = deref(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 { // no pairs: this is asked more often than all else
		if strings.EqualFold(deref(n.Content[i]).Value, key) {
			return deref(n.Content[i+1])
		}
	}
	return nil
}

func deref(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// text returns the text of a scalar as it may be shown, "" for anything else
// and for null.
func text(n *yaml.Node) string { return mask.Credentials(raw(n)) }

// shownShell is the text of a shell as it may be shown: its program where that is a
// known one, with its options; anything else may be a value in the wrong place.
func shownShell(n *yaml.Node) string {
	s := text(n)
	if s == "" || knownShell().MatchString(s) {
		return s
	}
	return trait.Computed
}

var knownShell = lazyregexp.New(`^(\S*/)?(bash|sh|zsh|dash|ksh|pwsh|powershell|cmd|python3?|node|perl|ruby|fish|nu|deno)(\s[-\w {}+.'"/]*)?$`)

// minutes is the text of a timeout as it may be shown: a number or an expression.
func minutes(n *yaml.Node) string {
	s := text(n)
	if _, err := strconv.ParseFloat(s, 64); s == "" || err == nil || strings.HasPrefix(s, "${{") {
		return s
	}
	return trait.Computed
}

// raw is text with whatever stands there.
func raw(n *yaml.Node) string {
	if n = deref(n); n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// list returns the texts of a sequence, or of a single scalar.
func list(n *yaml.Node) []string {
	if t := text(n); t != "" {
		return []string{t}
	}
	var out []string
	for e := range each(n) {
		if t := text(e); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// canonical returns a text that is equal for values that mean the same.
func canonical(n *yaml.Node) string {
	if n = deref(n); n == nil {
		return ""
	}
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return string(appendCanonical(nil, n))
}

func appendCanonical(b []byte, n *yaml.Node) []byte {
	if n = deref(n); n == nil {
		return b
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return append(b, n.Value...)
	case yaml.SequenceNode:
		for _, e := range n.Content {
			b = appendCanonical(append(b, 1), e)
		}
		return append(b, 2)
	}
	if n.Kind != yaml.MappingNode {
		return append(b, 5)
	}
	start := len(b)
	var room [8]int
	ends := room[:0]
	for i := 0; i+1 < len(n.Content); i += 2 {
		b = appendPair(b, deref(n.Content[i]), n.Content[i+1])
		ends = append(ends, len(b))
	}
	return append(sorted(b, start, ends), 5)
}

func appendPair(b []byte, k, v *yaml.Node) []byte {
	b = append(append(b, 3), k.Value...)
	return appendCanonical(append(b, 4), v)
}

// sorted brings the parts of b into order; they end at ends, and the first begins at start.
func sorted(b []byte, start int, ends []int) []byte {
	if len(ends) < 2 {
		return b
	}
	parts, from := make([]string, len(ends)), start
	whole := string(b[start:])
	for i, to := range ends {
		parts[i], from = whole[from-start:to-start], to
	}
	if sort.StringsAreSorted(parts) {
		return b
	}
	sort.Strings(parts)
	b = b[:start]
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func cleanDir(dir string) string { return path.Clean(strings.TrimSuffix(dir, "/")) }

var secretName = lazyregexp.New(`(?i)\b(secrets|vars)\s*(?:\.\s*([a-z_][a-z0-9_-]*)|\[\s*'([a-z_][a-z0-9_-]*)'\s*\]|([)\[]))`)

// A named is a secret or a variable that a text uses; every secret is "*".
type named struct {
	variable bool
	name     string
}

// namedIn are the names that texts use: a project's files use the same.
var namedIn = memo[[]named]{longest: 100, most: 512}

// names returns the secrets and the variables that the file uses.
func names(root *yaml.Node) (secrets, vars []string) {
	found := map[named]bool{}
	eachName(root, found)
	for n := range found {
		if n.variable {
			vars = append(vars, n.name)
		} else {
			secrets = append(secrets, n.name)
		}
	}
	sort.Strings(secrets)
	sort.Strings(vars)
	return secrets, vars
}

func eachName(n *yaml.Node, found map[named]bool) {
	if v := n.Value; len(v) > len("vars") && (strings.Contains(v, "ecrets") || strings.Contains(v, "vars") || strings.Contains(v, "SECRETS") || strings.Contains(v, "VARS")) &&
		n.Kind == yaml.ScalarNode {
		for _, name := range namedIn.get(v, namesOf) {
			found[name] = true
		}
	}
	for _, c := range n.Content {
		eachName(c, found)
	}
}

func namesOf(text string) (out []named) {
	for _, m := range secretName().FindAllStringSubmatch(text, -1) {
		name := strings.ToUpper(mask.Credentials(m[2] + m[3]))
		if name == "" {
			name = "*"
		}
		if strings.Contains(text, "${{") || !strings.Contains(text, "\n") && name != "*" {
			out = append(out, named{strings.EqualFold(m[1], "vars"), name})
		}
	}
	return out
}
