package trait

import "healthaudit/snapshot"

// Facts of an item: the names of its traits, which are compared, and beside them
// where they stand, which is not: a moved line is no change.
const (
	kindsFact  = "traits"
	placesFact = "trait-places"
)

// Keep adds the marks of an item's text to its facts; nothing when there are none.
func Keep(it *snapshot.Item, marks []Mark) {
	if len(marks) == 0 {
		return
	}
	var kinds, places []string
	for _, m := range marks {
		if m.Kind != NoPackage { // a question that other files answer
			kinds = append(kinds, string(m.Kind))
		}
		places = append(places, m.String())
	}
	if len(kinds) > 0 {
		it.Add(snapshot.Set, kindsFact, snapshot.SetOf(kinds...))
	}
	it.Add(snapshot.Volatile, placesFact, snapshot.List(places...))
}

// Kept returns the marks that Keep added, in their order.
func Kept(it *snapshot.Item) (out []Mark) {
	v, _ := it.Fact(placesFact)
	for _, s := range v.Strings() {
		if m, ok := read(s); ok {
			out = append(out, m)
		}
	}
	return out
}

// First returns the first mark of a kind that Keep added.
func First(it *snapshot.Item, kind Kind) (Mark, bool) {
	for _, m := range Kept(it) {
		if m.Kind == kind {
			return m, true
		}
	}
	return Mark{}, false
}
