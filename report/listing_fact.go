package report

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// tells reports whether the key of an item already says the path of its file.
func tells(key, file string) bool {
	system, name, _ := strings.Cut(key, "/")
	switch {
	case name == file, name == "file:"+file:
		return true
	case system == "workflows":
		return file == ".github/workflows/"+name
	}
	if dir, _, ok := strings.Cut("/"+name, "/npm:"); ok {
		return "/"+file == path.Join("/", dir, "package.json")
	}
	return false
}

// facts writes one line per changed fact, with an arrow for the risk.
func (p *page) facts(indent int, facts []FactChange, files []string) {
	steps := replacedSteps(facts)
	for _, f := range facts {
		if f.Risk == "neutral" && slices.ContainsFunc(steps, func(s string) bool { return strings.HasPrefix(f.Name, s) }) {
			continue
		}
		a := arrows[f.Risk]
		p.hang(indent, indent+2, a.ink, a.text+f.Name+": "+became(f, files))
	}
}

// replacedSteps returns how the names of those facts begin that belong to steps
// which came or went: the list of steps says so already.
func replacedSteps(facts []FactChange) (out []string) {
	for _, f := range facts {
		job, ok := strings.CutSuffix(f.Name, ".steps")
		old, isOld := texts(f.Old)
		now, isNow := texts(f.New)
		if !ok || !isOld || !isNow {
			continue
		}
		for _, s := range slices.Concat(without(now, old), without(old, now)) {
			out = append(out, job+".step["+s+"].")
		}
	}
	return out
}

// became says what a fact was and is.
func became(f FactChange, files []string) string {
	if secret(f.Old) || secret(f.New) {
		switch {
		case f.Old == nil:
			return "added (not shown)"
		case f.New == nil:
			return "gone"
		}
		return "changed (not shown)"
	}
	switch {
	case f.Old == nil:
		return "now " + value(f.New)
	case f.New == nil:
		return "gone, was " + value(f.Old)
	case f.Name == "content" && len(files) == 0:
		return "changed, in a file that it loads"
	case f.Name == "content":
		return "changed"
	}
	old, isOld := texts(f.Old)
	now, isNow := texts(f.New)
	if !isOld || !isNow {
		return value(f.Old) + " → " + value(f.New)
	}
	if len(old) == 1 && len(now) == 1 {
		return long(old[0] + " → " + now[0])
	}
	var parts []string
	if more := without(now, old); len(more) > 0 {
		parts = append(parts, "added "+strings.Join(more, ", "))
	}
	if less := without(old, now); len(less) > 0 {
		parts = append(parts, "removed "+strings.Join(less, ", "))
	}
	if len(parts) == 0 {
		return "in another order: " + value(f.New)
	}
	return long(strings.Join(parts, "; "))
}

// secret reports whether a value stands for one that must not be shown, as
// snapshot.Compare writes it.
func secret(v any) bool { return v == "(secret)" || v == "(another secret)" }

// without returns what list holds more often than other, in its order.
func without(list, other []string) (out []string) {
	n := map[string]int{}
	for _, s := range other {
		n[s]++
	}
	for _, s := range list {
		if n[s]--; n[s] < 0 {
			out = append(out, s)
		}
	}
	return out
}

// texts returns the parts of a value that is a list or a set.
func texts(v any) ([]string, bool) {
	switch x := v.(type) {
	case []string:
		return x, true
	case []any:
		s := make([]string, len(x))
		for i := range x {
			s[i] = fmt.Sprint(x[i])
		}
		return s, true
	}
	return nil, false
}

// value writes the value of a fact.
func value(v any) string {
	if s, ok := texts(v); ok {
		return long("[" + strings.Join(s, ", ") + "]")
	}
	switch x := v.(type) {
	case string:
		if x == "" {
			return `""`
		}
		return long(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return long(Clean(fmt.Sprint(v)))
}
