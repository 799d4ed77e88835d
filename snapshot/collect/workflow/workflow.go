// Package workflow lists the GitHub workflows of a project, and its local
// actions, as items.
//
// Invariants: it reads the project's own files only, from disk and never from
// GitHub; nothing is executed; values of env and with and the text of commands
// reach an item only as keyed hashes. A file that cannot be read or parsed is
// an item that says so; it never hides the others.
//
// It does not judge: checks do. It only sees to it that the verdict on a file
// it has open anyway is in the cache.
package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// Folder is where GitHub looks for workflows, without looking into subfolders.
const Folder = ".github/workflows"

// Actions is where local actions usually stand; actions elsewhere are found
// through the workflows that use them.
const Actions = ".github/actions"

// source is the one source of this system.
const source = "files"

// maxFiles bounds the items of this system.
const maxFiles = 10_000

// epoch is raised when the meaning of a fact changes.
const epoch = 3

// Collector lists workflows and local actions.
var Collector = &collect.Collector{
	System: snapshot.Workflows,
	Title:  "GitHub workflows",
	Doc: "Reads .github/workflows/*.yml and *.yaml (one level, as GitHub does) and the action.yml of local actions. " +
		"Of each it keeps what it means: triggers, schedules, permissions, jobs, steps, the actions and programs they run, the secrets they use. " +
		"Comments and formatting mean nothing.",
	Epoch:     epoch,
	Recalls:   true,
	Collect:   collectAll,
	Recollect: recollect,
	Risk:      Risk,
}

func collectAll(ctx context.Context, s *collect.Session) (collect.Result, error) {
	for _, p := range []string{".github", Folder} {
		if e, ok := s.Tree.At(p); ok && e.State != snapshot.Ignored && (e.Kind == snapshot.PathLink || e.Kind == snapshot.PathModule) {
			why := p + " is a symbolic link or a submodule, which GitHub does not follow"
			return collect.Result{Reason: why, Sources: []snapshot.Source{{Name: source, Message: why, Hint: "Make it a folder of the repository."}}}, nil
		}
	}
	if dir, ok := s.Tree.InUnread(Folder); ok {
		return collect.Result{}, &collect.SourceError{Message: dir + " may not be read", Hint: "Let the user who runs audit read that folder."}
	}
	paths := candidates(s.Tree)
	res := collect.Result{Sources: []snapshot.Source{{Name: source, OK: true}}}
	if len(paths) == 0 {
		return collect.Result{Absent: true}, nil
	}
	if len(paths) > maxFiles {
		res.Reason = fmt.Sprintf("%d workflow files, only the first %d were read", len(paths), maxFiles)
		paths = paths[:maxFiles]
	}
	r := newReader(s)
	res.Context = append(r.context, r.misplaced()...)
	res.Items = r.readAll(ctx, paths)
	more := referenced(s.Tree, res.Items, paths)
	res.Items = append(res.Items, r.readAll(ctx, more)...)
	if err := ctx.Err(); err != nil {
		return collect.Result{}, &collect.SourceError{Message: "workflows were not read to the end", Err: err}
	}
	res.Cursors = map[string]json.RawMessage{cursorName: r.stamp}
	if keep := r.tellBranches(ctx, res.Items); keep != nil {
		res.Cursors[branchCursor] = keep
	}
	keep, why := r.tellOrigins(ctx, res.Items)
	if keep != nil {
		res.Cursors[originCursor] = keep
	}
	if res.Reason == "" {
		res.Reason = why
	}
	unlinted, done := r.lintShells(ctx)
	if unlinted != "" {
		res.Reason = strings.TrimPrefix(res.Reason+"; "+unlinted, "; ")
	}
	if done {
		res.Cursors[shellCursor] = r.shells.stamp()
	}
	return res, nil
}

// candidates returns the paths that GitHub takes for workflows or local
// actions, and whatever else stands at such a path.
func candidates(t *snapshot.Tree) []string {
	var out []string
	seen := map[string]bool{}
	add := func(p string) {
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	for _, e := range t.Under(Folder) {
		if e.State == snapshot.Ignored || e.Kind == snapshot.PathMissing {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(e.Path, Folder+"/"), "/")
		if isYAML(name) {
			add(Folder + "/" + name) // a folder of that name too: it is told, not read
		}
	}
	if len(out) == 0 {
		return nil
	}
	for _, e := range t.Under(Actions) {
		if e.State != snapshot.Ignored && e.Kind != snapshot.PathMissing && model.KindOf(e.Path) == model.Action {
			add(e.Path)
		}
	}
	return out
}

func isYAML(name string) bool {
	return (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")) && name != ".yml" && name != ".yaml"
}

// referenced returns the action files outside of Actions that items use.
func referenced(t *snapshot.Tree, items []*snapshot.Item, have []string) []string {
	seen := map[string]bool{}
	for _, p := range have {
		seen[p] = true
	}
	var out []string
	for _, it := range items {
		for r := range it.Refs.Each() {
			if r.Kind != snapshot.RefAction {
				continue
			}
			for _, name := range []string{"action.yml", "action.yaml"} {
				p := path.Join(r.Path, name)
				if t.HasFile(p) && !seen[p] {
					seen[p] = true
					out = append(out, p)
					break
				}
			}
		}
	}
	return out
}

// KeyOf returns the key of the item at that path.
func KeyOf(p string) snapshot.Key {
	if model.KindOf(p) == model.Action {
		dir := path.Dir(p)
		return snapshot.NewKey(snapshot.Workflows, "action:"+snapshot.Escape(dir))
	}
	return snapshot.NewKey(snapshot.Workflows, snapshot.Escape(path.Base(p)))
}

func (r *reader) readAll(ctx context.Context, paths []string) []*snapshot.Item {
	items := make([]*snapshot.Item, len(paths))
	r.s.Each(ctx, len(paths), func(i int) { items[i] = r.read(paths[i]) })
	return items
}

func recollect(ctx context.Context, s *collect.Session, key snapshot.Key) (*snapshot.Item, error) {
	for _, p := range pathsOf(key) {
		_, err := s.Host.Stat(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, &collect.SourceError{Source: source, Message: "read " + p, Err: err}
		}
		r := newReader(s)
		r.fresh = true
		return r.read(p), ctx.Err()
	}
	return nil, nil
}

// pathsOf returns the paths at which the item of that key may stand.
func pathsOf(key snapshot.Key) []string {
	name := unescape(key.Name())
	if dir, ok := strings.CutPrefix(name, "action:"); ok {
		return []string{path.Join(dir, "action.yml"), path.Join(dir, "action.yaml")}
	}
	return []string{path.Join(Folder, name)}
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			var c byte
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// unreadable says for a person why the bytes of a file are not there.
func unreadable(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "it may not be read (permission denied)"
	case errors.Is(err, host.ErrTooLarge):
		return "it is too large"
	case errors.Is(err, host.ErrNotRegular):
		return "it is not a regular file"
	case errors.Is(err, fs.ErrNotExist):
		return "it went away while it was read"
	}
	return "it could not be read"
}
