package rules

import (
	"errors"
	"io/fs"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// An Action is one way to mend something: a value that carries its own
// documentation. It never touches the world; what it answers is carried out,
// verified and undone by who applies a plan.
type Action struct {
	ID      string // "file.restore"
	Title   string
	Doc     string
	Systems []snapshot.System
	Class   Class
	Params  []Param

	// Prepare says what would be done about an item, from what is known. It
	// changes nothing and gives the same answer for the same world. A *Refusal
	// says why nothing may be done.
	Prepare func(p *Preparation) (Effect, error)
}

// A Class says what it means when an action is done twice.
type Class string

const (
	Idempotent Class = "idempotent" // the second time changes nothing: an interrupted one may be done again
	Proposal   Class = "proposal"   // a person does it; audit only says what and when
)

// A Param is one setting of an action.
type Param struct {
	Name    string
	Doc     string
	Values  []string // the words it may be
	Default string
}

// A Preparation is what an action may ask.
type Preparation struct {
	Item     *snapshot.Item
	Worst    audit.Severity // of its findings
	Params   map[string]string
	Snapshot *snapshot.Snapshot
	Sources  Sources
}

// Sources are the questions of actions about the world and the past. The
// pipeline answers them.
type Sources interface {
	// LastGood returns an item's own file as it was when it was last good: judged,
	// with nothing that counts of high severity or worse, nor as bad as what is
	// found now; and the number of the last snapshot that saw it. fs.ErrNotExist:
	// it never was. A *Refusal says why that version cannot be written: its bytes
	// are those that are there, or were not kept.
	LastGood(it *snapshot.Item, now audit.Severity) (f snapshot.File, seq uint64, err error)
	// Free says why a project file must not be written, as a *Refusal; nil when
	// it may. Is is the digest of what stands there, want of what is to: a file
	// that git tracks may only become what its last commit holds.
	Free(path, is, want string) error
	// Bytes returns captured bytes by digest.
	Bytes(sha256 string) ([]byte, error)
}

// A Refusal says why an action is not done now, in a sentence for a person,
// and what to do instead.
type Refusal struct{ Why, Hint string }

func (r *Refusal) Error() string { return r.Why }

// refused returns the refusal in an error, or makes one of it.
func refused(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return &Refusal{Why: err.Error()}
}

// An Effect is what an action does.
type Effect struct {
	Target string  `json:"target"`         // the resource that is changed: two steps with one target are one step
	What   string  `json:"what"`           // one sentence for a person
	From   uint64  `json:"from,omitempty"` // the snapshot whose bytes are written; 0: they are new
	Writes []Write `json:"writes,omitempty"`
}

// back returns what undoes a write.
func (w Write) back() Write {
	return Write{Path: w.Path, Was: w.Sum, Sum: w.Was, Mode: w.Old, Old: w.Mode}
}

// A Write puts bytes into one file of the project.
type Write struct {
	Path string      `json:"path"`
	Was  string      `json:"was"` // sha256 of what stands there now; empty: nothing does
	Sum  string      `json:"sha256"`
	Mode fs.FileMode `json:"mode"`     // permission bits then
	Old  fs.FileMode `json:"old_mode"` // and now
	New  []byte      `json:"-"`        // the bytes, where the store does not have them yet
}
