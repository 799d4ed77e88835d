package audit

import "healthaudit/snapshot"

// Unknown is the change of an item of which nobody knows whether it changed. The
// others are the operations of a diff, and Unchanged.
const (
	Unknown   = "unknown"
	Unchanged = "unchanged"
)

// Since is what is known of the snapshot that items are held against. Reports,
// rules of recovery and checks of the configuration ask it alone.
type Since struct {
	First  bool                  // there is none: everything is new
	Lost   bool                  // there was one, and it is not there or cannot be read
	Unsure map[snapshot.Key]bool // items of which this state or the one before is lost
}

// Teller returns what says in a word what became of an item, of which changes are
// all that are known.
func (s Since) Teller(changes []snapshot.Change) func(*snapshot.Item) string {
	ops := make(map[snapshot.Key]snapshot.Op, len(changes))
	for _, c := range changes {
		ops[c.Item] = c.Op
	}
	return func(it *snapshot.Item) string {
		switch op, ok := ops[it.Key]; {
		case it.Carried, s.Lost, s.Unsure[it.Key]:
			return Unknown
		case ok:
			return string(op)
		case s.First:
			return string(snapshot.OpAdded)
		}
		return Unchanged
	}
}
