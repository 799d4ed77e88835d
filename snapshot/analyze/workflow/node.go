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
	for k, v := range pairs(n) {
		if strings.EqualFold(k.Value, key) {
			return v
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
		for e := range each(n) {
			b = appendCanonical(append(b, 1), e)
		}
		return append(b, 2)
	}
	start := len(b)
	var ends []int
	for k, v := range pairs(n) {
		b = appendPair(b, k, v)
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

// names returns the secrets and the variables that the file uses.
func names(root *yaml.Node) (secrets, vars []string) {
	found := map[string]map[string]bool{"secrets": {}, "vars": {}}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode && (strings.Contains(n.Value, "ecrets") || strings.Contains(n.Value, "vars") ||
			strings.Contains(n.Value, "SECRETS") || strings.Contains(n.Value, "VARS")) {
			for _, m := range secretName().FindAllStringSubmatch(n.Value, -1) {
				name := strings.ToUpper(mask.Credentials(m[2] + m[3]))
				if name == "" {
					name = "*"
				}
				if strings.Contains(n.Value, "${{") || !strings.Contains(n.Value, "\n") && name != "*" {
					found[strings.ToLower(m[1])][name] = true
				}
			}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(root)
	return sortedKeys(found["secrets"]), sortedKeys(found["vars"])
}

func sortedKeys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
