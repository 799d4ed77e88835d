package action

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/litter"
	"healthaudit/snapshot/collect"
)

// maxMoved bounds the files that one step moves: of each, git is asked.
const maxMoved = 10

// maxCopy bounds, in bytes, a copy that is moved.
const maxCopy = 16 << 20

// LitterArchive moves backup copies out of the project into the store.
var LitterArchive = &rules.Action{
	ID:      "litter.archive",
	Title:   "move backup copies out of the project",
	Systems: snapshot.Systems,
	Class:   rules.Idempotent,
	About:   "cross-backup-litter",
	Doc: "The copies that cross-backup-litter finds in the folders of automation are kept in the store, read back from there, and then removed from the project: at most ten in one step, and audit recover undo brings them back. " +
		"A rule with it is about SYSTEM/(system), on which that check reports. What git tracks stays (git rm it), and so do workflows that somebody switched off by renaming them, " +
		"links, files larger than 16 MiB, files whose names say that they hold secrets, what a file that audit watches names or that is watched itself, and what file.restore would not write either: " +
		"what was changed in the last ten minutes, belongs to another user, or lies in a work tree in the middle of a merge. That copies are left which stay is no failure of it.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		var e rules.Effect
		var why error
		names := copies(p.Snapshot, p.Item.System())
		used := inUse(p, names)
		for _, name := range names {
			w, err := moved(p, name, used)
			var r *rules.Refusal
			switch {
			case errors.As(err, &r):
				why = cmp.Or(why, error(&rules.Refusal{Why: name + ": " + r.Why, Hint: r.Hint}))
				continue
			case err != nil:
				return e, err
			}
			if e.Writes = append(e.Writes, w); len(e.Writes) == maxMoved {
				break
			}
		}
		if len(e.Writes) == 0 {
			return e, cmp.Or(why, error(&rules.Refusal{Why: "no copy is left that may be moved", Hint: "git rm removes those that are committed"}))
		}
		e.Target = "litter " + string(p.Item.System())
		e.What = "move into the store: " + e.Writes[0].Path
		if n := len(e.Writes) - 1; n > 0 {
			e.What += fmt.Sprintf(" and %d more", n)
		}
		return e, nil
	},
}

// copies are the leftovers of a system that may be moved, by their names alone.
func copies(s *snapshot.Snapshot, sys snapshot.System) (out []string) {
	for _, q := range litter.Piles(s) {
		if q.System != sys || q.Place == litter.Elsewhere || q.Family == "*.disabled" {
			continue
		}
		for _, name := range q.Paths {
			if e, ok := s.Tree.At(name); ok && e.State == snapshot.Untracked && (e.Kind == snapshot.PathFile || e.Kind == snapshot.PathExec) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// inUse are those of the copies that something of the project may use: that are
// watched as items, or whose name stands in a file that is.
func inUse(p *rules.Preparation, names []string) map[string]bool {
	out := map[string]bool{}
	if len(names) == 0 {
		return out
	}
	seen := map[string]bool{}
	read := func(f snapshot.File) {
		out[f.Path] = true
		if f.SHA256 == "" || seen[f.SHA256] {
			return
		}
		seen[f.SHA256] = true
		b, err := p.Sources.Bytes(f.SHA256)
		if err != nil { // a link, or too large: what stands in it is not known of anything
			return
		}
		for _, n := range names {
			if bytes.Contains(b, []byte(path.Base(n))) {
				out[n] = true
			}
		}
	}
	for _, it := range p.Snapshot.Items {
		for _, r := range it.Refs.All() {
			out[r.Path] = true
		}
		for _, f := range it.Files {
			read(f)
		}
	}
	for _, f := range p.Snapshot.Context {
		read(f)
	}
	return out
}

// moved is the removal of one copy; a *Refusal says why it stays.
func moved(p *rules.Preparation, name string, used map[string]bool) (w rules.Write, err error) {
	l, _ := litter.Classify(name)
	switch {
	case collect.Sensitive(name) || collect.Sensitive(l.Live) || collect.Sensitive(strings.TrimSuffix(name, path.Ext(name))):
		return w, &rules.Refusal{Why: "by its name it holds secrets, and those are not kept"}
	case used[name]:
		return w, &rules.Refusal{Why: "something of the project uses it, or it is an item itself"}
	}
	h := p.Sources.Host()
	st, err := h.Stat(name)
	if err != nil || !st.Mode.IsRegular() || st.Size > maxCopy {
		return w, &rules.Refusal{Why: fmt.Sprintf("it is no regular file of at most %d MiB that can be read", maxCopy>>20)}
	}
	b, err := h.Read(name, maxCopy)
	if err != nil {
		return w, &rules.Refusal{Why: err.Error()}
	}
	sum := snapshot.Sum(b)
	return rules.Write{Path: name, Was: sum, Old: st.Mode.Perm()}, p.Sources.Free(name, sum, "")
}
