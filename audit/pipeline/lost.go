package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// lostState is why an item whose row is damaged is unknown.
const lostState = "its row in the store is damaged"

// lostItems returns the items of a snapshot whose rows are damaged: all that is
// known of them is that they were there.
func lostItems(tx *store.Tx, seq uint64) (out []*snapshot.Item) {
	for _, at := range tx.Lost() {
		if at.Table == tableItem && at.Seq == seq {
			key := snapshot.Key(at.ID)
			_, name, _ := key.Split()
			out = append(out, &snapshot.Item{Key: key, Name: name, Unknown: lostState})
		}
	}
	return out
}

// lostKeys returns the items of which one state or another is lost: whether they
// changed is not known.
func lostKeys(tx *store.Tx) map[snapshot.Key]bool {
	gone := map[snapshot.Key]bool{}
	for _, at := range tx.Lost() {
		if at.Table == tableItem {
			gone[snapshot.Key(at.ID)] = true
		}
	}
	return gone
}

// notLost leaves out the items of lostKeys: they are neither added nor changed nor
// removed.
func notLost(tx *store.Tx, items []*snapshot.Item) []*snapshot.Item {
	gone := lostKeys(tx)
	if len(gone) == 0 {
		return items
	}
	return slices.DeleteFunc(slices.Clone(items), func(it *snapshot.Item) bool { return gone[it.Key] })
}

// lostAny reports whether a version of a row is lost.
func lostAny(tx *store.Tx, table, id string) bool {
	return slices.ContainsFunc(tx.Lost(), func(at store.Place) bool { return at.Table == table && at.ID == id })
}

// lostBetween reports whether a version of an item from one snapshot to another is lost.
func lostBetween(tx *store.Tx, key snapshot.Key, after, upto uint64) bool {
	return slices.ContainsFunc(tx.Lost(), func(at store.Place) bool {
		return at.Table == tableItem && at.ID == string(key) && at.Seq > after && at.Seq <= upto
	})
}

// IsLost reports whether the row of an item in a store is damaged: nothing is known
// of it but its key.
func IsLost(it *snapshot.Item) bool { return it.Unknown == lostState }

// lacks notes what the store could not give. The score is then the one that the
// run kept; those of the systems that may be others are not known, nor what each
// finding took.
func (v *View) lacks(tx *store.Tx) error {
	if v.lost = Lost(tx); len(v.lost) == 0 {
		return nil
	}
	for _, at := range tx.Lost() {
		if at.Table != tableFinding && at.Table != tableItem {
			continue
		}
		h, _, err := tx.Header(v.Seq)
		if err != nil {
			return err
		}
		v.Score.Value, v.Score.Loss = scoreOf(h), nil
		if at.Table == tableItem {
			delete(v.Score.Systems, snapshot.Key(at.ID).System())
		} else {
			v.Score.Systems, v.scoreless = nil, true
		}
	}
	return nil
}

// Lost says of everything that the transaction left out, for a person, what it
// is; sorted.
func Lost(tx *store.Tx) (out []report.Error) {
	for _, at := range tx.Lost() {
		e := report.Error{System: string(snapshot.Auditor), Source: "store", Message: lostWords(at) + " is damaged in the store",
			Hint: "audit store verify --repair drops what is lost and keeps the damaged file; a good copy of the store, or an archive, still has it"}
		if at.Table == tableItem {
			e.System = string(snapshot.Key(at.ID).System())
		}
		if more := lostMeans(at); more != "" {
			e.Message += ": " + more
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b report.Error) int { return strings.Compare(a.Message, b.Message) })
	return out
}

// InWords returns what is damaged as a person calls it, before the name of the row.
func InWords(e *store.CorruptError) string {
	at := e.Row()
	if at == nil || at.Bucket == "blob" {
		return e.What
	}
	return lostWords(*at) + " (" + e.What + ")"
}

// shortWords is InWords without what exactly is wrong with a row.
func shortWords(e *store.CorruptError) string {
	switch at := e.Row(); {
	case at == nil:
		return e.What
	case at.Bucket == "blob":
		return fmt.Sprintf("blob %.12s", at.Blob)
	default:
		return lostWords(*at)
	}
}

func lostWords(at store.Place) string {
	of := fmt.Sprintf(" of snapshot #%d", at.Seq)
	if at.Seq == 0 { // the newest, of whatever snapshot that is
		of = ""
	}
	switch at.Bucket {
	case "snap":
		return "the header" + of
	case "journal":
		return fmt.Sprintf("entry %d of the journal", at.Seq)
	case "obs":
		return "what was measured of " + at.Name + " in" + strings.TrimPrefix(of, " of")
	case "blob":
		return fmt.Sprintf("the list of the project's files (blob %.12s)", at.Blob)
	case "meta":
		return "the note " + strings.TrimPrefix(at.Name, "user/") + " of the store"
	}
	switch at.Table {
	case tableItem:
		return "item " + at.ID + of
	case tableFinding:
		return fmt.Sprintf("finding %.12s", at.ID) + of
	case tableRegression:
		return "regression " + at.ID + of
	case tableState:
		return "what the run kept of itself (" + at.ID + ")" + of
	}
	return at.Table + " " + at.ID + of
}

func lostMeans(at store.Place) string {
	switch {
	case at.Table == tableItem:
		return "shown as unknown; whether it changed is not known"
	case at.Table == tableFinding:
		return "shown without it; its item may look better than it is"
	case at.Table == tableRegression:
		return "shown without it"
	case at.Bucket == "snap":
		return "that run is left out"
	}
	return ""
}

// PartlyError says that something was shown without what is damaged.
type PartlyError struct{ Lost []report.Error }

// maxLost is how many losses an error tells one by one.
const maxLost = 5

func (e *PartlyError) Error() string {
	var told []string
	for _, l := range e.Lost[:min(len(e.Lost), maxLost)] {
		told = append(told, l.Message)
	}
	if n := len(e.Lost) - maxLost; n > 0 {
		told = append(told, fmt.Sprintf("and %d more", n))
	}
	return "the store is damaged in part: " + strings.Join(told, "; ")
}

// Hint says what to do.
func (e *PartlyError) Hint() string { return e.Lost[0].Hint }

// Whole returns a *PartlyError when the transaction left something out.
func Whole(tx *store.Tx) error {
	if lost := Lost(tx); len(lost) > 0 {
		return &PartlyError{lost}
	}
	return nil
}
