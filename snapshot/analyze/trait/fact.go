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
		if m.Kind != NoPackage && m.Kind != Needs { // a question that other files answer
			kinds = append(kinds, string(m.Kind))
		}
		places = append(places, m.String())
	}
	if len(kinds) > 0 {
		it.Add(snapshot.Set, kindsFact, snapshot.SetOf(kinds...))
	}
	it.Add(snapshot.Detail, placesFact, snapshot.List(places...))
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

// An Index is what the items of a snapshot are like, read once for all checks.
type Index struct {
	Items  []*snapshot.Item // those that have marks and are not carried, in the order of the snapshot
	Broken []snapshot.Key   // scripts that do not parse this time: what was found in them is not mended by that
	Torn   bool             // something that may start others could not be read whole

	marks map[*snapshot.Item][]Mark
}

type indexOf struct{ *snapshot.Snapshot }

// Indexed returns the index of a snapshot. With a d all who ask for it share it;
// it is not to be changed.
func Indexed(now *snapshot.Snapshot, d *snapshot.Derived) *Index {
	return snapshot.Once(d, indexOf{now}, func() *Index {
		x := &Index{marks: map[*snapshot.Item][]Mark{}}
		for _, it := range now.Items {
			sys := it.System()
			syntax, _ := it.Fact("syntax")
			broken := sys == snapshot.Scripts && syntax.Str() == "broken"
			x.Torn = x.Torn || broken || it.Torn || it.Carried || it.Unknown != "" || sys == snapshot.Workflows && it.State == "invalid"
			if it.Carried || sys != snapshot.Scripts && sys != snapshot.PM2 {
				continue
			}
			if list := Kept(it); len(list) > 0 {
				x.Items = append(x.Items, it)
				x.marks[it] = list
			}
			if broken {
				x.Broken = append(x.Broken, it.Key)
			}
		}
		return x
	})
}

// Of returns the marks of an item that are of a kind.
func (x *Index) Of(it *snapshot.Item, kind Kind) (out []Mark) {
	for _, m := range x.marks[it] {
		if m.Kind == kind {
			out = append(out, m)
		}
	}
	return out
}

// First returns the first mark of a kind of an item.
func (x *Index) First(it *snapshot.Item, kind Kind) (Mark, bool) {
	for _, m := range x.marks[it] {
		if m.Kind == kind {
			return m, true
		}
	}
	return Mark{}, false
}
