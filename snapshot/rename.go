package snapshot

import (
	"cmp"
	"slices"
	"strings"
)

// alike is the share of facts that two workflows must have in common to be one
// that was renamed and edited in one go, as git asks for half of the lines; and
// fewFacts how many there must be for that to say anything.
const (
	alike     = 0.6
	fewFacts  = 6
	mostTried = 10_000 // pairs that are compared fact by fact
)

// Renames tells which items that are gone are there under another key: workflows
// with the same bytes, or with most facts in common. It returns old key → new
// key; each item is paired once, the most alike first.
func Renames(gone, added []*Item) map[Key]Key {
	gone, added = slices.DeleteFunc(slices.Clone(gone), unmovable), slices.DeleteFunc(slices.Clone(added), unmovable)
	out := map[Key]Key{}
	taken := map[Key]bool{}
	type pair struct {
		a, b  *Item
		share float64
	}
	var pairs []pair
	for _, a := range gone {
		for _, b := range added {
			if len(gone)*len(added) > mostTried && sum(a) != sum(b) {
				continue
			}
			if s := share(a, b); s >= alike {
				pairs = append(pairs, pair{a, b, s})
			}
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int {
		return cmp.Or(cmp.Compare(y.share, x.share), strings.Compare(string(x.a.Key), string(y.a.Key)), strings.Compare(string(x.b.Key), string(y.b.Key)))
	})
	for _, p := range pairs {
		if _, done := out[p.a.Key]; !done && !taken[p.b.Key] {
			out[p.a.Key] = p.b.Key
			taken[p.b.Key] = true
		}
	}
	return out
}

func sum(it *Item) string {
	f, _ := it.OwnFile()
	return f.SHA256
}

// share says how much two items have in common: 1 for equal bytes.
func share(a, b *Item) float64 {
	if a.Kind != b.Kind {
		return 0
	}
	if s := sum(a); s != "" && s == sum(b) {
		return 1
	}
	before, after := a.Facts.All(), b.Facts.All()
	most := max(len(before), len(after))
	if most < fewFacts {
		return 0
	}
	same := 0
	for i, j := 0, 0; i < len(before) && j < len(after); {
		switch c := strings.Compare(before[i].Name, after[j].Name); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			if before[i].Value.Equal(after[j].Value) {
				same++
			}
			i++
			j++
		}
	}
	return float64(same) / float64(most)
}

// movable reports whether a file is the whole of an item, so that it stays the
// same under another name. A function or a script is known by its name.
func movable(it *Item) bool {
	return it.System() == Workflows && it.Kind == "workflow" && !it.Carried && it.Unknown == ""
}

func unmovable(it *Item) bool { return !movable(it) }

// followRenames makes one change of the removal and the addition of an item that
// was renamed.
func followRenames(list []Change, old, new *Snapshot, risk func(System) RiskFunc) []Change {
	var gone, added []*Item
	for _, c := range list {
		if c.Item.System() == Workflows {
			switch c.Op {
			case OpRemoved:
				gone = append(gone, old.Item(c.Item))
			case OpAdded:
				added = append(added, new.Item(c.Item))
			}
		}
	}
	if len(gone) == 0 || len(added) == 0 {
		return list
	}
	from := map[Key]Key{}
	moved := Renames(gone, added)
	for a, b := range moved {
		from[b] = a
	}
	var out []Change
	for _, c := range list {
		if _, ok := moved[c.Item]; ok && c.Op == OpRemoved {
			continue
		}
		if a, ok := from[c.Item]; ok && c.Op == OpAdded {
			was, is := old.Item(a), new.Item(c.Item)
			c = Change{Item: c.Item, From: a, Op: OpChanged, Facts: compareFacts(was, is, riskOf(risk, Workflows)), Files: filesChanged(was.Files, is.Files)}
		}
		out = append(out, c)
	}
	return out
}

func riskOf(risk func(System) RiskFunc, sys System) RiskFunc {
	if risk == nil {
		return nil
	}
	return risk(sys)
}
