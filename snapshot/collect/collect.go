// Package collect declares what a collector is and what it is given. Each
// system has one in a folder of its own; all.go lists them.
//
// A collector tells what is out there, as Items, and never judges. It reads
// only through its Session, changes nothing, and returns within its context's
// deadline. Everything it cannot read becomes a failed Source or an item with
// Unknown set, never an omission.
package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// A Collector lists the items of one system.
type Collector struct {
	System snapshot.System
	Title  string // for a person: "PM2 processes"
	Doc    string // what it reads and what it makes of it, one paragraph

	// Epoch is raised when the meaning of a fact changes, so that an upgrade
	// rebases instead of reporting every item as changed.
	Epoch int

	// Collect lists the system. A *SourceError (or any error) means the listing
	// itself failed: every item of the system becomes unknown. Repeated calls
	// with the same world give the same result.
	Collect func(context.Context, *Session) (Result, error)

	// Early, if not nil, looks at what does not depend on the project's files
	// while git lists them: Session.Tree is nil. Collect finds its answer as
	// Session.Early, or nil where Early was not called.
	Early func(context.Context, *Session) any

	// Recollect reads one item again, past every cache, for verification after
	// a recovery. It returns nil, nil when the item is gone.
	Recollect func(context.Context, *Session, snapshot.Key) (*snapshot.Item, error)
	// Beside does the same for a system whose items are judged by one another: it
	// returns all that is there now, of which the item is one. Nil: Recollect tells
	// enough.
	Beside func(context.Context, *Session, snapshot.Key) (Result, error)

	// Follow, if not nil, is called once after every Collect has ended, with
	// the project files that items of any system start and that no item has as
	// its own, sorted: see Unowned. It returns items for those that belong to its
	// system.
	Follow func(context.Context, *Session, []string) ([]*snapshot.Item, error)

	// Recalls says that Collect asks for most of its items of the last run: they
	// are read while git lists the project.
	Recalls bool

	// Metrics are the names of all metrics that its items may have.
	Metrics []string

	// Risk tells the direction of a changed fact; nil means neutral.
	Risk snapshot.RiskFunc
}

// A Result is what a collector found. Items need not be sorted.
type Result struct {
	Absent  bool   // nothing of this kind here: no items, no complaint
	Reason  string // one line for a person when something is partial or worth saying
	Items   []*snapshot.Item
	Sources []snapshot.Source
	Context []snapshot.File            // captured files that belong to no item
	Cursors map[string]json.RawMessage // kept for the next run: log offsets, counters
}

// A SourceError says that a source, or a whole listing, could not be read.
type SourceError struct {
	Source  string // empty: the listing of the system
	Message string
	Hint    string // what to do about it
	Err     error
}

func (e *SourceError) Error() string {
	s := e.Message
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Source != "" {
		return fmt.Sprintf("%s: %s", e.Source, s)
	}
	return s
}

func (e *SourceError) Unwrap() error { return e.Err }

// Config is the part of audit.yaml that collectors read. The zero value is the
// default configuration.
type Config struct {
	PM2Homes    []string // absolute PM2 homes; empty: PM2_HOME, else ~/.pm2
	PM2HomesNow bool     // PM2Homes are those of this run only: one that it leaves out has not gone for good
	PM2Files    []string // further ecosystem files, relative to the root
	PM2Node     bool     // real Node may evaluate ecosystem files that the sandbox cannot
	ScriptsIn   []string // globs of further scripts
	ScriptsOut  []string // globs of scripts to leave alone
	Crontabs    []string // further crontab files, relative to the root
	Manifests   []string // further lists of Netlify functions, relative to the root
	HomeFolder  string   // of the user, for ~; empty when unknown
	Concurrency int      // analyses at once; 0 is 2
}

// A Session is what one run gives to its collectors. It is shared by all of
// them and safe for concurrent use.
type Session struct {
	Host       host.Host
	Config     Config
	Tree       *snapshot.Tree
	Repository *Repository // nil where there is no git, or it could not be asked
	Derived    *snapshot.Derived
	Previous   snapshot.Past // the reference; never nil
	Cursors    func(sys snapshot.System, name string) json.RawMessage
	Secret     func(clear string) string // keyed hash for facts of class Secret, and for every env or with value
	Files      *Capture                  // captures files: bytes into the store, digests into items
	Early      any                       // what the collector's Early answered
}

// Unowned returns the project files that the items start and that no item has
// as its own, sorted: what Follow is given. What is merely imported is not
// among them.
func Unowned(items []*snapshot.Item) []string {
	own := map[string]bool{}
	for _, it := range items {
		for _, f := range it.Files {
			if f.Role != snapshot.Shared {
				own[f.Path] = true
			}
		}
	}
	seen := map[string]bool{}
	var out []string
	for _, it := range items {
		for r := range it.Refs.Each() {
			if r.Kind == snapshot.RefFile && !r.Loads() && !own[r.Path] && !seen[r.Path] {
				seen[r.Path] = true
				out = append(out, r.Path)
			}
		}
	}
	slices.Sort(out)
	return out
}
