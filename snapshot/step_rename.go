package snapshot

import (
	"slices"
	"strings"
)

// sameSteps takes out of the changes of a workflow those that only come of steps
// which were renamed: as many steps as before in each job, and in the place of each
// that is gone one that does the same. The name of a step is shown, and means nothing.
func sameSteps(old, new *Item, list []FactChange) []FactChange {
	renamed := map[string]string{} // what the facts of a step begin with: before, now
	for i := range list {
		job, ok := strings.CutSuffix(list[i].Name, ".steps")
		if !ok || list[i].Old == nil || list[i].New == nil || strings.Contains(job, "[") {
			continue
		}
		was, is := list[i].Old.Strings(), list[i].New.Strings()
		if len(was) != len(is) {
			continue
		}
		before, now := setOf(was), setOf(is)
		pairs := map[string]string{}
		for k := range was {
			if was[k] == is[k] {
				continue
			}
			a, b := job+".step["+was[k]+"].", job+".step["+is[k]+"]."
			if now[was[k]] || before[is[k]] || !sameBelow(old, a, new, b) {
				pairs = nil
				break
			}
			pairs[a] = b
		}
		for a, b := range pairs {
			renamed[a], renamed[b] = b, a
		}
		if len(pairs) > 0 {
			renamed[list[i].Name] = ""
		}
	}
	if len(renamed) == 0 {
		return list
	}
	return slices.DeleteFunc(list, func(c FactChange) bool {
		name := c.Name
		if i := strings.LastIndex(name, "]."); i >= 0 {
			name = name[:i+2]
		}
		_, ok := renamed[name]
		return ok
	})
}

// sameBelow reports whether the facts of old whose names begin with a are those of
// new whose names begin with b.
func sameBelow(old *Item, a string, new *Item, b string) bool {
	was, is := below(old, a), below(new, b)
	return slices.EqualFunc(was, is, func(x, y Fact) bool {
		return x.Name[len(a):] == y.Name[len(b):] && x.Class == y.Class && x.Value.Equal(y.Value)
	})
}

// below returns the facts whose names begin with a prefix: they stand together.
func below(it *Item, prefix string) []Fact {
	all := it.Facts.All()
	from, _ := slices.BinarySearchFunc(all, prefix, func(f Fact, p string) int { return strings.Compare(f.Name, p) })
	end := from
	for end < len(all) && strings.HasPrefix(all[end].Name, prefix) {
		end++
	}
	return all[from:end]
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}
