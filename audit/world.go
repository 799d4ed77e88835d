package audit

import (
	"slices"

	"healthaudit/snapshot"
)

// A World is what all checks see.
type World struct {
	Now      *snapshot.Snapshot
	Before   snapshot.Past // the reference; never nil
	Changes  []snapshot.Change
	Since    Since // what Changes are known of
	Gone     []Gone
	History  History                 // nil: there is none
	Expect   []Expected              // what the configuration expects to be there
	Failing  map[snapshot.System]int // in how many runs in a row, this one counted, the listing of a system failed
	Derived  *snapshot.Derived
	Limits   map[string]float64  // "check-id.limit" → value, from the configuration
	Severity map[string]Severity // check → severity, from the configuration
	Waivers  []Waiver            // of the snapshot's files, in order of place; then those of the configuration and of the store
	Ignores  []Ignore            // of the configuration
	Self     *Watch              // nil: not known, as of an old snapshot
	Foreign  *Foreign            // what programs of the configuration said; nil: none was asked, as of an old snapshot
	Backups  *Backups            // of this store; nil where nobody looked
	Recovery *Recovery           // what recovery cannot mend; nil where nobody looked
	Known    map[string]Found    // what checks that are Still found in an equal world, by check; nil: nothing is known
	All      []*Check            // every check there is, those that are off included
	Off      []string            // checks that are switched off: what they found before stays as it was, and is not shown

	crashed []Crash    // set before the checks that run Later and Last
	doubts  *Judgement // what nobody could look for, set before the checks that run Later
}

// An Expected is an item that must be there, and where the configuration says so.
type Expected struct {
	Item snapshot.Key
	At   Location
}

// Expected reports whether the configuration expects an item to be there.
func (w *World) Expected(k snapshot.Key) bool {
	return slices.ContainsFunc(w.Expect, func(e Expected) bool { return e.Item == k })
}

// Gone is an item that is no longer there although its source was read, and
// whose absence nothing explains.
type Gone struct {
	Item  snapshot.Key
	Name  string
	Path  string
	Level Level  // what it was when it was last seen
	Since uint64 `json:",omitempty"` // the number of the snapshot that missed it first
	// Commit deleted its file; empty when none is known. What was not healthy then is
	// told all the same, so that nobody mends a score by deleting.
	Commit string `json:",omitempty"`
}
