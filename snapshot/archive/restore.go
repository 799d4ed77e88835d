// Package archive brings captured bytes back to disk.
//
// Restoring never leaves the target folder, never writes through a symbolic
// link, never leaves a half-written file, and reads every byte back after
// writing it.
package archive

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
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

// maxCurrent bounds, in bytes, a file whose bytes are kept before it is
// overwritten: nothing that was ever captured is larger.
const maxCurrent = 64 << 20

// Current returns the bytes that a plan would overwrite: those that Was is the
// digest of, which for a symbolic link are its target's text. A file of more
// than 64 MiB is an error.
func (r *Restorer) Current(o Outcome) ([]byte, error) {
	name := filepath.FromSlash(o.File.Path)
	if st, err := r.Target.Lstat(name); err == nil && st.Mode()&fs.ModeSymlink != 0 {
		l, err := r.Target.Readlink(name)
		return []byte(l), err
	}
	f, err := r.Target.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCurrent+1))
	if err == nil && len(b) > maxCurrent {
		return nil, fmt.Errorf("it is larger than %d MiB, too large to be kept before it is overwritten: move it away first", maxCurrent>>20)
	}
	return b, err
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

// reachable refuses a path that leaves the target or passes a symbolic link.
func (r *Restorer) reachable(p string) error {
	if !filepath.IsLocal(filepath.FromSlash(p)) || path.Clean(p) != p || p == "." || strings.ContainsRune(p, 0) ||
		filepath.Separator != '/' && strings.ContainsRune(p, filepath.Separator) {
		return fmt.Errorf("%q is no path below the target", p)
	}
	for i, c := range p { // from the top: below a link that leads out nothing can be told
		if c != '/' {
			continue
		}
		st, err := r.Target.Lstat(filepath.FromSlash(p[:i]))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case st.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a link, and nothing is written through one: move it away first", p[:i])
		case !st.IsDir():
			return fmt.Errorf("%s is not a folder: move it away first", p[:i])
		}
	}
	return nil
}

// disk says what stands at a path now.
func (r *Restorer) disk(p string) (snapshot.File, error) {
	name := filepath.FromSlash(p)
	st, err := r.Target.Lstat(name)
	if err != nil {
		return snapshot.File{}, err
	}
	f := snapshot.File{Path: p, Mode: st.Mode(), Size: st.Size()}
	switch {
	case st.Mode()&fs.ModeSymlink != 0:
		if f.Link, err = r.Target.Readlink(name); err == nil {
			f.SHA256 = snapshot.Sum([]byte(f.Link))
		}
		return f, err
	case st.IsDir():
		return f, fmt.Errorf("%s is a folder: move it away first", p)
	case !st.Mode().IsRegular():
		return f, fmt.Errorf("%s is neither a file nor a link", p)
	}
	in, err := r.Target.Open(name)
	if err != nil {
		return f, err
	}
	defer in.Close()
	h := sha256.New()
	_, err = io.Copy(h, in)
	f.SHA256 = hex.EncodeToString(h.Sum(nil))
	return f, err
}

// verify reads back what was written.
func (r *Restorer) verify(f snapshot.File) error {
	reread := r.reread
	if reread == nil {
		reread = r.disk
	}
	switch is, err := reread(f.Path); {
	case err != nil:
		return fmt.Errorf("verify: %w", err)
	case is.SHA256 != f.SHA256 || is.Link != f.Link || f.Link == "" && runtime.GOOS != "windows" && is.Mode.Perm() != f.Mode.Perm():
		return errors.New("verify: what was written reads back differently")
	}
	return nil
}

// undo puts back what stood in the place of a file, by the name it was kept under,
// or nothing where nothing stood.
func (r *Restorer) undo(o *Outcome, before string, why error) (err error) {
	name := filepath.FromSlash(o.File.Path)
	if o.Before.Path == "" {
		err = r.Target.Remove(name)
	} else if err = r.Target.Rename(before, name); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; what stood there before is kept in the store", why)
	}
	if err != nil {
		return fmt.Errorf("%w; it could not be put back as it was: %w", why, err)
	}
	return fmt.Errorf("%w; it was put back as it was", why)
}

// plain is an error without the names of our own temporary files.
func plain(err error) string {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe) && strings.Contains(pe.Path, temporary):
		return strings.Replace(err.Error(), pe.Error(), "write into its folder: "+pe.Err.Error(), 1)
	case errors.As(err, &le) && strings.Contains(le.Old+le.New, temporary):
		return strings.Replace(err.Error(), le.Error(), "write into its folder: "+le.Err.Error(), 1)
	}
	return err.Error()
}

// temporary begins the names of files that are not yet in their place.
const temporary = ".audit-restore-"

// asBefore ends the name under which a file stays until what replaced it is verified.
const asBefore = ".before"
