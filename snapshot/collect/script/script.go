// Package script collects custom scripts: npm scripts, crontab entries, and
// the shell, Node and Python files that automation is made of.
//
// It executes nothing of the audited tree and never imports it: shell and
// JavaScript are parsed in this process, Python by one optional python3 that
// only builds syntax trees. What the text of a file says is analysed once per
// content and cached; where its references lead is asked of the tree each time.
package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// The sources of the system, values of snapshot.Item.Source. An npm script or
// a crontab entry has its file behind the name: "npm:web/package.json". Such a
// source is only mentioned when it could not be read.
const (
	sourceNPM   = "npm"
	sourceCron  = "crontabs"
	sourceUnits = "units"
	sourceFiles = "files"

	sourceFollowed = snapshot.Followed // files outside the usual folders that something starts
)

// maxItems bounds the files of one project; more are counted, not listed.
const maxItems = 20_000

// Collector lists the scripts of a project.
var Collector = &collect.Collector{
	System: snapshot.Scripts,
	Title:  "Scripts",
	Doc: "The npm scripts of every package.json, the entries of crontab files, systemd services and timers, the shell, Node and Python files in folders where automation lives " +
		"(scripts, bin, tools, automation, ci, cron, jobs, deploy, ops, hack, .github/scripts), executable files with a #! line anywhere, " +
		"and whatever file another system starts. Backups, vendored and ignored files are left out. A script's facts are its language, " +
		"interpreter, executable bit, content digest, whether it parses, and what it starts.",
	Epoch:     3,
	Collect:   listAll,
	Recollect: recollect,
	Follow:    follow,
	Risk:      risk,
}

func listAll(ctx context.Context, s *collect.Session) (collect.Result, error) {
	var res collect.Result
	listing := []func(context.Context, *collect.Session, *collect.Result){npmItems, cronItems, unitItems, fileItems}
	for _, list := range listing {
		list(ctx, s, &res)
		if err := ctx.Err(); err != nil {
			return collect.Result{}, &collect.SourceError{Message: "listing scripts was interrupted", Hint: "give the run more time", Err: err}
		}
	}
	res.Items = finish(res.Items)
	res.Absent = len(res.Items) == 0
	return res, nil
}

// finish brings items into their canonical order and drops the later of two
// with one key, which only a file named like "npm:build" can bring about.
func finish(items []*snapshot.Item) []*snapshot.Item {
	seen := make(map[snapshot.Key]bool, len(items))
	for _, it := range items {
		it.Sort()
	}
	return slices.DeleteFunc(items, func(it *snapshot.Item) bool {
		again := seen[it.Key]
		seen[it.Key] = true
		return again
	})
}

func follow(ctx context.Context, s *collect.Session, targets []string) ([]*snapshot.Item, error) {
	f := newFinder(s)
	defer f.close()
	var paths []snapshot.TreePath
	for _, p := range targets {
		e, ok := s.Tree.At(p)
		if ok && len(paths) < maxItems && f.followed(e) {
			paths = append(paths, e)
		}
	}
	var res collect.Result
	scripts(ctx, s, paths, &res)
	for _, it := range res.Items {
		it.Source = sourceFollowed
	}
	return finish(res.Items), ctx.Err()
}

// recollect reads one item past the caches of the run.
func recollect(ctx context.Context, s *collect.Session, key snapshot.Key) (*snapshot.Item, error) {
	fresh := *s
	fresh.Files, fresh.Derived = &collect.Capture{Host: s.Host, Keep: s.Files.Keep}, nil
	var res collect.Result
	name := key.Name()
	switch {
	case strings.HasPrefix(name, "npm:"), strings.Contains(name, "/npm:"):
		npmItems(ctx, &fresh, &res)
	case strings.HasPrefix(name, "cron:"):
		cronItems(ctx, &fresh, &res)
	case strings.HasPrefix(name, "file:"):
		npmItems(ctx, &fresh, &res)
		cronItems(ctx, &fresh, &res)
	case strings.HasPrefix(name, "unit:"):
		unitItems(ctx, &fresh, &res)
	default:
		p, err := url.PathUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("%s: not a key of a script", key)
		}
		e, ok := s.Tree.At(p)
		if !ok {
			e = snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Untracked}
		}
		if st, err := s.Host.Stat(p); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		} else if err == nil && st.Mode.IsRegular() && (e.State != snapshot.Tracked || e.Kind == snapshot.PathMissing) {
			e.Kind = snapshot.PathFile
			if st.Mode&0o111 != 0 {
				e.Kind = snapshot.PathExec
			}
		}
		scripts(ctx, &fresh, []snapshot.TreePath{e}, &res)
		f := newFinder(&fresh)
		defer f.close()
		for _, it := range res.Items {
			if !f.script(e) {
				it.Source = sourceFollowed
			}
		}
	}
	for _, it := range finish(res.Items) {
		if it.Key == key {
			return it, ctx.Err()
		}
	}
	return nil, ctx.Err()
}

// risk: what stops parsing, starting or being startable is more dangerous than
// before. Starting another thing instead is a change without direction.
func risk(fact string, old, new *snapshot.Value) snapshot.Risk {
	switch fact {
	case "executable":
		if new != nil && new.IsTrue() {
			return snapshot.RiskDown
		}
		return snapshot.RiskUp
	case "syntax":
		switch {
		case new != nil && new.Str() == syntaxBroken:
			return snapshot.RiskUp
		case old != nil && old.Str() == syntaxBroken:
			return snapshot.RiskDown
		}
	case "starts", "schedule":
		if old != nil && (new == nil || len(new.Strings()) < len(old.Strings())) {
			return snapshot.RiskUp
		}
	}
	return snapshot.RiskNeutral
}

// changed is why an item is unknown whose bytes are no longer those that were captured.
const changed = "it changed while it was audited"

const linked = "a symbolic link, which is not followed"

// known reports whether an earlier run read the file of that key, and none has
// said since that it is no such file: what it declared is then not gone, but unknown.
func known(s *collect.Session, file snapshot.Key, source string) bool {
	old := s.Previous.Item(file)
	if old == nil {
		return false
	}
	if _, link := old.Fact("link"); link {
		return false
	}
	for _, src := range s.Previous.System(snapshot.Scripts).Sources {
		if src.Name == source && !src.OK {
			return true
		}
	}
	return old.Unknown == ""
}

// unreadable says in words for a person why a file could not be read.
func unreadable(err error) string {
	switch {
	case errors.Is(err, host.ErrNotRegular):
		return "not a regular file"
	case errors.Is(err, host.ErrTooLarge):
		return fmt.Sprintf("larger than %d MiB: not read", collect.MaxFile>>20)
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it"
	case errors.Is(err, collect.ErrSensitive):
		return collect.ErrSensitive.Error()
	case errors.Is(err, fs.ErrNotExist):
		return "it disappeared while it was audited"
	}
	return "it cannot be read"
}
