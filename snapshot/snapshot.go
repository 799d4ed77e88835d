// Package snapshot is the model of what audit saw: systems, items, facts,
// files, the project tree, and what changed between two of them.
//
// It is pure: no I/O, no clock, no randomness, and it imports no other package
// of this module. Everything that reads the world lives in its subpackages
// (host, collect, store, archive); everything that judges lives in audit.
//
// Invariants:
//   - Items and facts are sorted (by key, by name); equal input gives equal bytes.
//   - No value of this package holds a secret in clear: facts of class Secret
//     hold a keyed hash, and files that may hold secrets have no digest.
package snapshot

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// A System is one of the kinds of automation that audit knows.
type System string

// The systems, in the order of every report. Audit is the auditor watching
// itself: its findings can gate but weigh nothing in the score.
const (
	PM2       System = "pm2"
	Workflows System = "workflows"
	Functions System = "functions"
	Scripts   System = "scripts"
	Auditor   System = "audit"
)

// Systems lists the audited systems in report order, without Auditor.
var Systems = []System{PM2, Workflows, Functions, Scripts}

// ParseSystem returns the system of that name; the error names the valid ones.
func ParseSystem(s string) (System, error) {
	for _, sys := range Systems {
		if string(sys) == s {
			return sys, nil
		}
	}
	return "", fmt.Errorf("unknown system %q (one of pm2, workflows, functions, scripts)", s)
}

// A Status says how well a system could be listed.
type Status string

const (
	StatusOK      Status = "ok"      // every source was read
	StatusPartial Status = "partial" // the listing is there, some source of it could not be read
	StatusError   Status = "error"   // the listing failed: all items of the system are unknown
	StatusSkipped Status = "skipped" // not asked for in this run (--only, --skip, configuration)
	StatusAbsent  Status = "absent"  // nothing of that kind here
)

// Listed reports whether the items of a system with this status are what is
// really there, so that a missing one is gone. Partial counts: what its failed
// sources list is kept by source, not by system.
func (s Status) Listed() bool { return s == StatusOK || s == StatusPartial || s == StatusAbsent }

// A Source is one place a system's items are listed from: a PM2 home, a
// folder, a crontab. When it fails, exactly its items become unknown.
type Source struct {
	Name    string `json:"name"`              // stable within the system, the value of Item.Source
	OK      bool   `json:"ok"`                // it was read to its end
	Message string `json:"message,omitempty"` // why it was not, for a person
	Hint    string `json:"hint,omitempty"`    // what to do about it
}

// A SystemState is the outcome of collecting one system.
type SystemState struct {
	System  System        `json:"system"`
	Status  Status        `json:"status"`
	Reason  string        `json:"reason,omitempty"` // one line for a person: why not ok
	Hint    string        `json:"hint,omitempty"`
	Off     bool          `json:"off,omitempty"` // skipped in every run, by the configuration: nobody waits for it
	Epoch   int           `json:"epoch"`         // schema epoch of its collector; another one rebases instead of diffing
	Sources []Source      `json:"sources,omitempty"`
	Took    time.Duration `json:"took,omitempty"`
}

// Failed returns the sources that could not be read, by name.
func (s SystemState) Failed() map[string]Source {
	m := map[string]Source{}
	for _, src := range s.Sources {
		if !src.OK {
			m[src.Name] = src
		}
	}
	return m
}

// A Snapshot is everything audit saw in one run, complete: items whose source
// could not be read this time are carried with their last known state and
// marked Carried.
type Snapshot struct {
	Seq     uint64 // 0 before it is stored
	ID      string // ULID
	At      time.Time
	Systems []SystemState // sorted in report order
	Items   []*Item       // sorted by key
	Tree    *Tree         // never nil
	Context []File        // captured files that belong to no item (.nvmrc, .env.example), sorted by path
	Content Content       // bytes of captured files

	index  map[Key]*Item
	moving *Snapshot // see Moving
}

// Past is what may be asked of an earlier snapshot without reading all of it.
type Past interface {
	// Item returns the item as it was, with its metrics, or nil.
	Item(Key) *Item
	// System returns the state of the system when it was last listed.
	System(System) SystemState
}

// Nothing is the past of a first run: it has no items.
var Nothing Past = (*Snapshot)(nil)

// Content returns the bytes of captured files by digest. The bytes are the
// caller's to keep but not to change. It returns an error when nothing with
// that digest was kept or the stored bytes are damaged.
type Content interface {
	Bytes(sha256 string) ([]byte, error)
}

// Item returns the item with that key, or nil.
func (s *Snapshot) Item(k Key) *Item {
	if s == nil {
		return nil
	}
	if s.index == nil { // not brought into order yet
		s.Sort()
	}
	return s.index[k]
}

// Of returns the items of one system, in key order.
func (s *Snapshot) Of(sys System) []*Item {
	if s == nil {
		return nil
	}
	lo := sort.Search(len(s.Items), func(i int) bool { return s.Items[i].Key >= Key(sys)+"/" })
	hi := sort.Search(len(s.Items), func(i int) bool { return s.Items[i].Key >= Key(sys)+"0" })
	return s.Items[lo:hi]
}

// System returns the state of one system; a system the snapshot does not
// mention was skipped.
func (s *Snapshot) System(sys System) SystemState {
	if s != nil {
		for _, st := range s.Systems {
			if st.System == sys {
				return st
			}
		}
	}
	return SystemState{System: sys, Status: StatusSkipped}
}

// ContextFile returns the captured context file at that path.
func (s *Snapshot) ContextFile(path string) (File, bool) {
	i := sort.Search(len(s.Context), func(i int) bool { return s.Context[i].Path >= path })
	if i < len(s.Context) && s.Context[i].Path == path {
		return s.Context[i], true
	}
	return File{}, false
}

// Followed is the source of items that are listed because something else starts
// them. It is read whole only when every source of every system is.
const Followed = "followed"

// Unread reports whether the source of an item of an earlier snapshot was not
// read in this one, so that its absence says nothing.
func (s *Snapshot) Unread(it *Item) bool {
	st := s.System(it.System())
	if !st.Status.Listed() {
		return true
	}
	if it.Source == Followed && !s.complete() {
		return true
	}
	if _, ok := s.Tree.InUnread(it.Path); ok {
		return true
	}
	for _, src := range st.Sources {
		if src.Name == it.Source && !src.OK {
			return true
		}
	}
	return false
}

// complete reports whether every source of every system was read: only then is
// it known what nothing starts any more.
func (s *Snapshot) complete() bool {
	return s.Whole() && !slices.ContainsFunc(s.Systems, func(st SystemState) bool { return len(st.Failed()) > 0 })
}

// Whole reports whether every system was listed that ever is.
func (s *Snapshot) Whole() bool {
	for _, st := range s.Systems {
		if !st.Status.Listed() && !st.Off {
			return false
		}
	}
	return true
}

// Sort brings items and context files into the canonical order and makes the
// index of items. After it, a snapshot may be read concurrently.
func (s *Snapshot) Sort() {
	sort.Slice(s.Items, func(i, j int) bool { return s.Items[i].Key < s.Items[j].Key })
	sort.Slice(s.Context, func(i, j int) bool { return s.Context[i].Path < s.Context[j].Path })
	s.index = make(map[Key]*Item, len(s.Items))
	for _, it := range s.Items {
		s.index[it.Key] = it
	}
}
