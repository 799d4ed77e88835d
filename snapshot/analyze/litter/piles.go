package litter

import (
	"maps"
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// Places that are not folders of automation.
const (
	Elsewhere = "elsewhere"
	Root      = "the root folder"
)

// pages are what a site shows, not what runs it.
var pages = map[string]bool{".html": true, ".htm": true, ".css": true, ".md": true, ".txt": true, ".png": true, ".jpg": true, ".jpeg": true, ".svg": true,
	".gif": true, ".webp": true, ".ico": true, ".pdf": true}

// A Pile is one family of leftovers in one place.
type Pile struct {
	Place, Family string
	System        snapshot.System
	Paths         []string
	Live          []string // living siblings, where the name tells them
}

// Piles returns the leftovers of a project that git does not ignore, by place and
// family.
func Piles(now *snapshot.Snapshot) []Pile {
	places := placesOf(now)
	piles := map[string]*Pile{}
	for _, e := range now.Tree.All() {
		if e.State == snapshot.Ignored || e.Kind == snapshot.PathMissing || e.Kind == snapshot.PathDir || e.Kind == snapshot.PathModule || Vendored(e.Path) {
			continue
		}
		l, ok := Classify(e.Path)
		alive := l.Live != "" && now.Tree.HasFile(l.Live)
		if !ok || !l.Sure && (!alive || ownName(now, e.Path, l.Live)) {
			continue
		}
		place, sys := places.of(e.Path)
		if (place == Elsewhere || place == Root) && l.Live != "" && (!alive || pages[path.Ext(l.Live)]) {
			continue // an .old in the application may be anything
		}
		if place == Elsewhere {
			l.Family = "" // one for all: it is not where automation lives
		}
		id := place + "\x00" + l.Family
		if piles[id] == nil {
			piles[id] = &Pile{Place: place, Family: l.Family, System: sys}
		}
		piles[id].Paths = append(piles[id].Paths, e.Path)
		if alive {
			piles[id].Live = append(piles[id].Live, l.Live)
		}
	}
	out := make([]Pile, 0, len(piles))
	for _, id := range slices.Sorted(maps.Keys(piles)) {
		out = append(out, *piles[id])
	}
	return out
}

// ownName reports whether both are workflows, and each has a name of its own: linux-old.yml
// tests an old Linux, and is no copy of linux.yml.
func ownName(now *snapshot.Snapshot, paths ...string) bool {
	var names []string
	for _, p := range paths {
		it := now.Item(snapshot.NewKey(snapshot.Workflows, snapshot.Escape(path.Base(p))))
		if it == nil || it.Path != p {
			return false
		}
		v, _ := it.Fact("name")
		names = append(names, strings.ToLower(v.Str()))
	}
	return names[0] != "" && names[1] != "" && names[0] != names[1]
}

// places are the folders where automation lives, and the system each belongs to.
type places struct {
	dirs map[string]snapshot.System
}

// usual are the folders of scripts at the root of a project.
var usual = []string{"scripts", "bin", "tools", "automation", "ci", "cron", "jobs", "deploy", "ops", "hack"}

func placesOf(now *snapshot.Snapshot) places {
	pl := places{map[string]snapshot.System{".github": snapshot.Workflows, ".github/workflows": snapshot.Workflows, ".github/scripts": snapshot.Scripts,
		"netlify/functions": snapshot.Functions, "netlify/edge-functions": snapshot.Functions, ".": snapshot.Scripts}}
	for _, d := range usual {
		pl.dirs[d] = snapshot.Scripts
	}
	for _, it := range now.Of(snapshot.Functions) {
		if it.Path != "" && it.Kind != "file" && path.Dir(it.Path) != "." {
			pl.dirs[path.Dir(it.Path)] = snapshot.Functions
		}
	}
	return pl
}

// of returns the innermost place that holds the path. The root holds only what
// lies in it directly.
func (pl places) of(p string) (string, snapshot.System) {
	if strings.HasPrefix(path.Base(p), "ecosystem") {
		return path.Dir(p), snapshot.PM2
	}
	dir := path.Dir(p)
	if dir == "." {
		return Root, snapshot.Scripts
	}
	for d := dir; d != "."; d = path.Dir(d) {
		if d == ".github" && !strings.HasPrefix(p, ".github/workflows") {
			break // templates and the like start nothing
		}
		if sys, ok := pl.dirs[d]; ok {
			return d, sys
		}
	}
	return Elsewhere, snapshot.Scripts
}

// Vendored reports whether a path lies among other people's code or products.
func Vendored(p string) bool {
	for part := range strings.SplitSeq(path.Dir(p), "/") {
		switch part {
		case "node_modules", "bower_components", "vendor", "third_party", ".venv", "venv", "site-packages", "__pycache__", "testdata", "fixtures", ".fixtures", "__fixtures__":
			return true
		}
	}
	return false
}
