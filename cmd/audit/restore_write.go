package main

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// maxPatch is the largest file, in bytes, whose difference a dry run shows.
const maxPatch = 256 << 10

// patches are the differences of what a plan would write over, secrets masked.
func (b *bringing) patches(plan []archive.Outcome) map[string]string {
	out := map[string]string{}
	snaps := []*snapshot.Snapshot{}
	for _, s := range []*snapshot.Snapshot{b.from.snap, b.from.latest} {
		if s != nil {
			snaps = append(snaps, s)
		}
	}
	secret, known := secrets(snaps...), vocabulary(snaps...)
	for _, o := range plan {
		if o.Action != archive.Written && o.Action != archive.Kept || o.Was == "" || o.File.Link != "" || o.Before.Link != "" || o.Was == o.File.SHA256 {
			continue
		}
		s := secret[o.File.Path]
		if o.Item == secretFiles || o.Item == pm2Home || s != nil && s.program {
			out[o.File.Path] = withheld
			continue
		}
		was, err := b.r.Current(o)
		now, err2 := b.bytes(o.File.SHA256)
		if err != nil || err2 != nil || len(was)+len(now) > maxPatch || bytes.IndexByte(was, 0) >= 0 || bytes.IndexByte(now, 0) >= 0 {
			continue
		}
		out[o.File.Path] = maskedDiff(o.File.Path, was, now, &masker{value: s.valueOf(), known: known})
	}
	return out
}

// spare leaves files of secrets as they are that a plan would write over: what is
// written over goes into the store, and no such file ever does. One that has the
// bytes wanted, or those that the restore which is undone wrote, is kept elsewhere.
func (b *bringing) spare(plan []archive.Outcome) []archive.Outcome {
	for i := range plan {
		o := &plan[i]
		if !o.Changes() || !b.secret(o) || o.Was == o.File.SHA256 {
			continue
		}
		if last, ok := b.r.Latest(o.File.Path); o.Gone && ok && last.SHA256 == o.Was {
			continue
		}
		o.Action, o.Reason = archive.Kept, "another file is there, of which no copy could be kept, since it may hold secrets: move it away first"
	}
	return plan
}

// secret reports whether what stands in the place of a file may hold secrets.
func (b *bringing) secret(o *archive.Outcome) bool {
	return o.Was != "" && o.Before.Link == "" && (o.Item == secretFiles || o.Item == pm2Home || collect.Sensitive(o.File.Path))
}

// litterAge is how old must be what a restore left that is taken for killed: one
// from another store into the same folder does not wait for the lock of this one.
const litterAge = time.Hour

// sweep journals and removes what a restore left beside these files that was
// killed. What cannot be removed is in nobody's way.
func (b *bringing) sweep(plan []archive.Outcome, entry rules.Entry) error {
	var litter []string
	looked := map[string]bool{}
	for _, o := range plan {
		dir := path.Dir(o.File.Path)
		if !looked[dir] && o.Action != archive.Failed {
			looked[dir] = true
			left, _ := archive.Litter(b.target, o.File.Path, b.a.Now().Add(-litterAge))
			litter = append(litter, left...)
		}
	}
	if len(litter) == 0 {
		return nil
	}
	entry.At, entry.What = b.a.Now(), "remove what a restore left that was killed: "+strings.Join(litter, ", ")
	note := func() error { return b.st.Update(func(tx *store.Tx) error { return pipeline.Append(tx, entry) }) }
	if err := note(); err != nil {
		return err
	}
	entry.Phase = "done"
	for _, p := range litter {
		if b.target.Remove(filepath.FromSlash(p)) != nil {
			entry.Phase = "failed"
		}
	}
	entry.At = b.a.Now()
	return note()
}

// carryOut journals the intent with the bytes that will be overwritten, writes,
// and journals the outcome.
func (b *bringing) carryOut(plan []archive.Outcome) ([]archive.Outcome, error) {
	target, err := filepath.Abs(b.target.Name())
	if err != nil {
		return nil, err
	}
	entry := rules.Entry{Actor: b.a.actor(b.host), Tool: version, Command: "restore", Phase: "intent", Item: target}
	if err := b.sweep(plan, entry); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(plan, archive.Outcome.Changes) {
		return plan, nil
	}
	plan = slices.Clone(plan)
	err = b.st.Update(func(tx *store.Tx) error {
		n := 0
		for i := range plan {
			o := &plan[i]
			if !o.Changes() {
				continue
			}
			if err := b.keep(tx, o); err != nil {
				return err
			}
			if o.Changes() {
				n++
			}
		}
		if err := pipeline.KeepUndo(tx, &entry, plan); err != nil {
			return err
		}
		entry.At, entry.What = b.a.Now(), fmt.Sprintf("restore %s %s", counted(n, "file"), b.whence())
		if err := pipeline.Append(tx, entry); err != nil {
			return err
		}
		b.view.Undo = tx.JournalHead()
		return pipeline.BeginRestore(tx, b.again())
	})
	if err != nil {
		return nil, err
	}
	done := b.r.Do(plan)
	return done, b.told(entry, done)
}

// keep puts the bytes that will be overwritten into the store. Nothing is
// overwritten that could not be brought back; the others can.
func (b *bringing) keep(tx *store.Tx, o *archive.Outcome) error {
	if o.Was == "" || tx.HasBlob(o.Was) || b.secret(o) {
		return nil
	}
	raw, err := b.r.Current(*o)
	if err != nil {
		o.Action, o.Reason = archive.Failed, err.Error()
		return nil
	}
	return tx.PutBlob(snapshot.Sum(raw), raw, "")
}

// refused reports whether a file is not as was asked for: with --overwrite never
// one that stays is.
func (b *bringing) refused(o archive.Outcome) bool {
	asked := o.Action == archive.Kept && archive.Policy(b.Overwrite) == archive.Never
	return !o.Changes() && o.Action != archive.Unchanged && !asked
}

// told journals what came of it.
func (b *bringing) told(entry rules.Entry, done []archive.Outcome) error {
	changed, failed, lost, began := 0, 0, false, b.view.Undo
	for _, o := range done {
		switch {
		case o.Changes():
			changed++
			lost = lost || o.Action == archive.Removed && b.secret(&o) // of which no copy was kept
		case b.refused(o):
			failed++
		}
	}
	entry.At, entry.Phase, entry.Data = b.a.Now(), "done", nil
	entry.What = fmt.Sprintf("restored %s %s", counted(changed, "file"), b.whence())
	if failed > 0 {
		entry.Phase = "failed"
		entry.What += fmt.Sprintf(", %d not", failed)
	}
	if changed == 0 || lost {
		b.view.Undo = 0
	}
	return b.st.Update(func(tx *store.Tx) error {
		return errors.Join(pipeline.Append(tx, entry), pipeline.EndRestores(tx, began))
	})
}

// again is the command that does the same once more: it goes on where something
// killed this one. "" where there is none: --last-good judges by how it is now.
func (b *bringing) again() string {
	if b.LastGood {
		return ""
	}
	words := []string{"audit", "restore"}
	if b.Undo > 0 {
		words = append(words, "--undo", fmt.Sprint(b.Undo))
	} else {
		words = append(words, fmt.Sprintf("'#%d'", b.seq))
	}
	for _, item := range b.Items {
		words = append(words, snapshot.ShellWord(item))
	}
	if archive.Policy(b.Overwrite) != archive.IfUnchanged {
		words = append(words, "--overwrite", b.Overwrite)
	}
	for _, f := range []struct{ flag, path string }{{"--target", b.Target}, {"--archive", b.Archive}, {"--identity", b.Identity}} {
		if f.path == "" {
			continue
		}
		path, err := filepath.Abs(f.path)
		if err != nil {
			path = f.path
		}
		words = append(words, f.flag, snapshot.ShellWord(path))
	}
	return strings.Join(words, " ")
}

// whence says where the files come from.
func (b *bringing) whence() string {
	switch {
	case b.Undo > 0:
		return fmt.Sprintf("as they were before restore %d", b.Undo)
	case b.Archive != "":
		return fmt.Sprintf("from snapshot #%d in %s", b.seq, filepath.Base(b.Archive))
	}
	return fmt.Sprintf("from snapshot #%d", b.seq)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
