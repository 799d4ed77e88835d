package snapshot

import "slices"

// Still returns the snapshot without what moves by itself: its number, id and
// time, how long it took to read the systems, metrics and volatile facts. Items
// that have none of these are shared with s, which must be sorted.
func (s *Snapshot) Still() *Snapshot {
	still := &Snapshot{Systems: s.StillSystems(), Items: s.Items, Tree: s.Tree, Context: s.Context, Content: s.Content, index: s.index, moving: s}
	for i, it := range s.Items {
		if !it.moves() {
			continue
		}
		if &still.Items[0] == &s.Items[0] {
			still.Items, still.index = slices.Clone(s.Items), nil
		}
		still.Items[i] = it.still()
	}
	if still.index == nil {
		still.Sort()
	}
	return still
}

// StillSystems returns the systems without how long it took to read them.
func (s *Snapshot) StillSystems() []SystemState {
	still := slices.Clone(s.Systems)
	for i := range still {
		still[i].Took = 0
	}
	return still
}

// Moving returns the snapshot that s is the still one of, else s itself: by it
// goes what the two have in common.
func (s *Snapshot) Moving() *Snapshot {
	if s != nil && s.moving != nil {
		return s.moving
	}
	return s
}

func (it *Item) moves() bool { return len(it.Metrics) > 0 || len(it.Volatile()) > 0 }

func (it *Item) still() *Item {
	still := *it
	still.Metrics = nil
	if len(it.Volatile()) > 0 {
		still.Facts = PartsOf(slices.DeleteFunc(slices.Clone(it.Facts.All()), func(f Fact) bool { return f.Class == Volatile })...)
	}
	return &still
}
