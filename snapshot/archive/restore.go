// Package archive brings captured bytes back to disk.
//
// Restoring never leaves the target folder, never writes through a symbolic
// link, never leaves a half-written file, and reads every byte back after
// writing it.
package archive

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// A Policy says what happens to a file that is there and differs.
type Policy string

const (
	Never       Policy = "never"        // keep it
	IfUnchanged Policy = "if-unchanged" // overwrite it when it is as the latest snapshot saw it
	Always      Policy = "always"       // overwrite it
)

// A Wanted is one file to bring back, for an item.
type Wanted struct {
	Item snapshot.Key
	File snapshot.File
	Gone bool // there is to be no such file: only its path counts
	Mode bool // where its bytes are there they stay, and need not be known: its mode alone is to be as it was
}

// An Outcome is what happened to one file, or would happen.
type Outcome struct {
	Wanted
	Action Action
	Reason string        // why Kept, Missing or Failed
	NoRoom bool          // Failed since the disk took no more: see NoRoom
	Was    string        // digest of the bytes that were overwritten; empty when nothing was there
	Before snapshot.File // what stood there; its path is empty when nothing did
}

// An Action is what a restore does with one file.
type Action string

const (
	Written   Action = "written"
	Unchanged Action = "unchanged" // it is there as wanted
	Kept      Action = "kept"      // the policy forbids to overwrite it
	Missing   Action = "missing"   // its bytes were never captured, or are damaged
	Failed    Action = "failed"
	Removed   Action = "removed" // it was not to be there
)

// Changes reports whether something is to be done.
func (o Outcome) Changes() bool { return o.Action == Written || o.Action == Removed }

// A Restorer restores into one folder.
type Restorer struct {
	Target *os.Root
	Policy Policy
	Bytes  func(sha256 string) ([]byte, error)          // is called for several files at once
	Latest func(path string) (f snapshot.File, ok bool) // what the latest snapshot saw; as Bytes
	Since  string                                       // what Latest is of, for the reasons; empty: the latest snapshot

	reread func(path string) (snapshot.File, error) // how what was written is verified; nil is disk
}

// Plan says what would happen, sorted by path. It writes nothing.
func (r *Restorer) Plan(files []Wanted) []Outcome {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b Wanted) int { return strings.Compare(a.File.Path, b.File.Path) })
	files = slices.CompactFunc(files, func(a, b Wanted) bool { return a.File.Path == b.File.Path })
	out := make([]Outcome, len(files))
	sideBySide(len(out), func(i int) { out[i] = r.plan(files[i]) })
	return out
}

// plan is look, and sees to it that there are bytes to write.
func (r *Restorer) plan(w Wanted) Outcome {
	o := r.look(w)
	if o.modeAlone() {
		return o
	}
	if o.Action != Written && o.Action != Unchanged && o.Action != Kept || w.Gone || w.File.Link != "" {
		return o
	}
	if _, err := r.bytes(w.File); err != nil {
		o = Outcome{Wanted: w, Action: Missing, Reason: err.Error()}
	}
	return o
}

// look says what is to be done by what stands there now.
func (r *Restorer) look(w Wanted) Outcome {
	o := Outcome{Wanted: w}
	if err := r.reachable(w.File.Path); err != nil {
		o.Action, o.Reason = Failed, err.Error()
		return o
	}
	if w.Gone {
		return r.planGone(o)
	}
	if w.File.SHA256 == "" {
		o.Action, o.Reason = Missing, "its bytes were not captured (too large, unreadable, or of a kind that may hold secrets)"
		return o
	}
	is, err := r.disk(w.File.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		o.Action = Written
		return o
	case err != nil:
		o.Action, o.Reason = Failed, err.Error()
		return o
	}
	o.Was, o.Before = is.SHA256, is
	if is.SHA256 == w.File.SHA256 && is.Link == w.File.Link && (is.Link != "" || is.Mode.Perm() == w.File.Mode.Perm()) {
		o.Action = Unchanged
		return o
	}
	o.Action = Written
	return r.allow(o, is)
}

// allow lets the policy decide about a file that is there.
func (r *Restorer) allow(o Outcome, is snapshot.File) Outcome {
	switch r.Policy {
	case Never:
		o.Action, o.Reason = Kept, "a file is there"
	case IfUnchanged:
		since, does := cmp.Or(r.Since, "the latest snapshot"), "replaces"
		if o.Gone {
			does = "removes"
		}
		if last, ok := r.Latest(o.File.Path); !ok {
			o.Action, o.Reason = Kept, "a file is there that "+since+" does not know (--overwrite always "+does+" it)"
		} else if last.SHA256 != is.SHA256 || last.Link != is.Link || is.Link == "" && last.Mode.Perm() != is.Mode.Perm() {
			o.Action, o.Reason = Kept, "it changed since "+since+" (--overwrite always "+does+" it)"
		}
	}
	return o
}

// planGone plans what is not to be there.
func (r *Restorer) planGone(o Outcome) Outcome {
	is, err := r.disk(o.File.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		o.Action = Unchanged
	case err != nil:
		o.Action, o.Reason = Failed, err.Error()
	default:
		o.Action, o.Was, o.Before = Removed, is.SHA256, is
		return r.allow(o, is)
	}
	return o
}

// Do carries out a plan. A file that changed since the plan was made is kept,
// unless the policy is Always. Each is verified after writing.
func (r *Restorer) Do(plan []Outcome) []Outcome {
	out := slices.Clone(plan)
	b := &batch{r: r}
	for i := range out {
		o := &out[i]
		if !o.Changes() {
			continue
		}
		if b.full(o.File) {
			b.finish()
		}
		if o.modeAlone() {
			r.chmod(o)
		} else if !o.Gone {
			b.add(o)
		} else if r.again(o) {
			if err := r.Target.Remove(filepath.FromSlash(o.File.Path)); err != nil {
				o.Action, o.Reason = Failed, plain(err)
			}
		}
	}
	b.finish()
	return out
}

// modeAlone reports whether a file needs no bytes: it has them.
func (o Outcome) modeAlone() bool {
	return o.Mode && o.Was != "" && o.Was == o.File.SHA256 && o.Before.Link == ""
}

// chmod gives a file its mode, and verifies it.
func (r *Restorer) chmod(o *Outcome) {
	if !r.again(o) {
		return
	}
	if !o.modeAlone() {
		o.Action, o.Reason = Kept, changedMeanwhile
		return
	}
	name := filepath.FromSlash(o.File.Path)
	err := r.Target.Chmod(name, o.File.Mode.Perm())
	if err == nil {
		if err = r.verify(o.File); err != nil {
			err = errors.Join(err, r.Target.Chmod(name, o.Before.Mode.Perm()))
		}
	}
	if err != nil {
		o.Action, o.Reason = Failed, err.Error()
	}
}

// again looks at a file once more before it is touched, and reports whether the
// plan still holds.
func (r *Restorer) again(o *Outcome) bool {
	now := r.look(o.Wanted)
	if now.Action != o.Action || now.Was != o.Was && r.Policy != Always {
		o.Action, o.Reason = Kept, changedMeanwhile
		return false
	}
	o.Was, o.Before = now.Was, now.Before
	return true
}

// bytes returns what is to be written; bytes that are not what the digest says
// must not replace anything.
func (r *Restorer) bytes(f snapshot.File) ([]byte, error) {
	b, err := r.Bytes(f.SHA256)
	if err == nil && snapshot.Sum(b) != f.SHA256 {
		err = errors.New("its kept bytes are damaged")
	}
	return b, err
}
