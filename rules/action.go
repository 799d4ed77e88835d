package rules

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// An Action is one way to mend something: a value that carries its own
// documentation. What Prepare answers is carried out, verified and undone by who
// applies a plan: files by that itself, deeds by the functions of the action.
type Action struct {
	ID      string // "file.restore"
	Title   string
	Doc     string
	Systems []snapshot.System
	Class   Class
	Params  []Param
	About   string // the check that it is about; then its rules are about SYSTEM/(system), and what is left of that afterwards is no failure

	// Check says what is wrong with settings that each by itself are right; may be nil.
	Check func(params map[string]string) error
	// Twice is the same action for a rule that says idempotent: true; nil where no
	// rule can know that.
	Twice *Action

	// Prepare says what would be done about an item, from what is known. It
	// changes nothing and gives the same answer for the same world. A *Refusal
	// says why nothing may be done.
	Prepare func(p *Preparation) (Effect, error)

	// Of an action whose effects are deeds, and nil of one that writes files. Do
	// carries a deed out, and returns it with what it made, also with an error: as
	// far as it came. Carried out a second time, the deed of an Idempotent action
	// changes nothing that is as it should be already.
	Do func(ctx context.Context, h *Hand, d Deed) (Deed, error)
	// Renew returns a deed that was interrupted with what it takes to carry it out
	// (Deed.Now), which died with the process; nil where a deed has all that it
	// takes. An error is that the world is not the one of the deed any more.
	Renew func(p *Preparation, d Deed) (Deed, error)
	// Ask tells whether the world of a deed answers now, so that it can be carried
	// out at all: nil is that it does. It changes nothing. Nil where nothing is asked.
	Ask func(ctx context.Context, h *Hand, d Deed) error
	// Settled tells whether a deed is done and holds: nil is that it does. It
	// changes nothing, and waits for as long as it takes to know.
	Settled func(ctx context.Context, h *Hand, d Deed) error
	// Undo takes a deed back, as far as it came; nil is that there is no way back.
	// ErrNothing is that it did not come so far that anything could be taken back.
	Undo func(ctx context.Context, h *Hand, d Deed) error
}

// ErrNothing says that a deed made nothing that could be taken back.
var ErrNothing = errors.New("nothing of it was done, or stands any more: there is nothing to take back")

// Idempotently is the setting by which a rule says that its action may be done twice.
const Idempotently = "idempotent"

// A Class says what it means when an action is done twice.
type Class string

const (
	Idempotent Class = "idempotent"   // the second time changes nothing: an interrupted one may be done again
	AtMostOnce Class = "at_most_once" // an interrupted one is not done again in that run: nobody knows whether it was
)

// A Param is one setting of an action.
type Param struct {
	Name    string
	Doc     string
	Values  []string      // the words it may be
	Max     int           // above 0: it is a whole number from 0 to this instead
	Longest time.Duration // above 0: it is a span of at most this instead
	List    bool          // it is a list of words instead: Words reads it
	Default string
}

// A Preparation is what an action may ask.
type Preparation struct {
	Item     *snapshot.Item
	Worst    audit.Severity // of its findings
	Params   map[string]string
	Trusted  bool // who may change the rules may have programs run: they lie outside of the project
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
	// Host is the machine, for a look: Prepare changes nothing.
	Host() host.Host
}

// A Hand is what carries out a deed.
type Hand struct {
	Host host.Host
	// Pause waits, and returns early when the context ends.
	Pause func(ctx context.Context, d time.Duration)
	// Folder opens a folder, by its absolute path, for changing what stands in it.
	Folder func(dir string) (Folder, error)
	// Keep has what a deed made so far on disk when it returns, so that it is known
	// whatever happens next. Nil where nothing needs to be: see Note.
	Keep func(d Deed) error
}

// Note keeps what a deed made so far, where somebody does.
func (h *Hand) Note(d Deed) error {
	if h.Keep == nil {
		return nil
	}
	return h.Keep(d)
}

// A Folder is a folder in which something is changed; *os.Root is one. No path
// leads out of it.
type Folder interface {
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Lstat(name string) (fs.FileInfo, error)
	Rename(from, to string) error
	Remove(name string) error
	Close() error
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
	Deed   *Deed   `json:"deed,omitempty"` // what is done instead of writing files
}

// A Deed is what an action does to the world other than writing project files:
// plain words, so that plan and journal hold all of it. Only the action that
// made it can carry it out. It never holds a secret.
type Deed struct {
	Of   string            `json:"of"`             // the verb: "restart"
	Args map[string]string `json:"args,omitempty"` // what is done, and to what: two deeds with the same are the same
	Was  map[string]string `json:"was,omitempty"`  // how that was before
	Made map[string]string `json:"made,omitempty"` // what came of it, as far as undoing it needs that

	// Now is what it takes to carry the deed out and must stand nowhere: it may
	// hold a secret. It lasts as long as the process.
	Now map[string]string `json:"-"`
}

// With returns the deed with one more word about what it made; an empty one takes
// it away. The deed itself stays as it is.
func (d Deed) With(name, word string) Deed {
	d.Made = maps.Clone(d.Made)
	if d.Made == nil {
		d.Made = map[string]string{}
	}
	if d.Made[name] = word; word == "" {
		delete(d.Made, name)
	}
	return d
}

// Same reports whether two deeds do the same.
func (d *Deed) Same(e *Deed) bool {
	if d == nil || e == nil {
		return d == e
	}
	return d.Of == e.Of && maps.Equal(d.Args, e.Args)
}

// back returns what undoes a write.
func (w Write) back() Write {
	return Write{Path: w.Path, Was: w.Sum, Sum: w.Was, Mode: w.Old, Old: w.Mode}
}

// A Write puts bytes into one file of the project, or takes the file away: what
// stood there is in the store, and comes back from there.
type Write struct {
	Path string      `json:"path"`
	Was  string      `json:"was"`      // sha256 of what stands there now; empty: nothing does
	Sum  string      `json:"sha256"`   // of what stands there then; empty: nothing does
	Mode fs.FileMode `json:"mode"`     // permission bits then
	Old  fs.FileMode `json:"old_mode"` // and now
	New  []byte      `json:"-"`        // the bytes, where the store does not have them yet
}
