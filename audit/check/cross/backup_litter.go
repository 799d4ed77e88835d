package cross

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/litter"
)

// BackupLitter reports copies and backups that lie among living automation.
var BackupLitter = &audit.Check{
	ID:         "cross-backup-litter",
	Title:      "backup copies among living files",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "Copies such as ci.yml.bak, deploy copy.sh or .history/ lie beside the files they once were. Git remembers those already; the copies are searched, reviewed, " +
		"packed and repaired along with the living files, and sooner or later somebody edits the wrong one. In a functions folder Netlify bundles them; " +
		"in .github/workflows they hide which workflows really run. There is one finding for each family of names in each place, not one per file. " +
		"A few copies outside the folders of automation are only mentioned, and so are workflows that somebody switched off by renaming them.",
	Hint:          "Look whether a copy holds something the living file lacks, then `git rm` the family and add its pattern to .gitignore.",
	Discriminator: "place and family; outside the folders of automation the place alone",
	Source:        "measured: in one of 59 public repositories 47 % of all files, in another 2,471 of 95,622",
	Limits: []audit.Limit{{Name: "min", Default: 1, Unit: "files", Doc: "smallest family that is reported"},
		{Name: "many", Default: 20, Unit: "files", Doc: "copies outside the folders of automation that are more than information"}},
	Judge: judgeLitter,
}

// Places that are not folders of automation.
const (
	elsewhere  = "elsewhere"
	rootFolder = "the root folder"
)

// pages are what a site shows, not what runs it.
var pages = map[string]bool{".html": true, ".htm": true, ".css": true, ".md": true, ".txt": true, ".png": true, ".jpg": true, ".jpeg": true, ".svg": true,
	".gif": true, ".webp": true, ".ico": true, ".pdf": true}

// A pile is one family of leftovers in one place.
type pile struct {
	place, family string
	system        snapshot.System
	paths         []string
	live          []string // living siblings, where the name tells them
}

func judgeLitter(p *audit.Pass) {
	places := placesOf(p.Now)
	piles := map[string]*pile{}
	for _, e := range p.Now.Tree.All() {
		if e.State == snapshot.Ignored || e.Kind == snapshot.PathMissing || e.Kind == snapshot.PathDir || e.Kind == snapshot.PathModule || vendored(e.Path) {
			continue
		}
		l, ok := litter.Classify(e.Path)
		alive := l.Live != "" && p.Now.Tree.HasFile(l.Live)
		if !ok || !l.Sure && !alive {
			continue
		}
		place, sys := places.of(e.Path)
		if (place == elsewhere || place == rootFolder) && l.Live != "" && (!alive || pages[path.Ext(l.Live)]) {
			continue // an .old in the application may be anything
		}
		if place == elsewhere {
			l.Family = "" // one for all: it is not where automation lives
		}
		id := place + "\x00" + l.Family
		if piles[id] == nil {
			piles[id] = &pile{place: place, family: l.Family, system: sys}
		}
		piles[id].paths = append(piles[id].paths, e.Path)
		if alive {
			piles[id].live = append(piles[id].live, l.Live)
		}
	}
	for _, id := range sortedKeys(piles) {
		if q := piles[id]; len(q.paths) >= int(p.Limit("min")) && p.Now.System(q.system).Status.Listed() {
			p.Report(q.report(int(p.Limit("many"))))
		}
	}
}

func (q *pile) report(many int) audit.Report {
	r := audit.Report{Item: snapshot.Pseudo(q.system), Discriminator: q.place + " " + q.family, At: audit.Location{Path: q.paths[0]}, Wide: len(q.paths) > 1}
	slices.Sort(q.live)
	live := len(slices.Compact(q.live))
	off := q.family == "*.disabled" && q.place == ".github/workflows" && live == 0
	switch {
	case q.place == elsewhere && len(q.paths) < many:
		r.Severity = audit.Info
	case off:
		r.Title, r.Severity = "workflows switched off by renaming", audit.Info
		r.Hint = "Remove those that will not come back: git remembers them."
	case q.system == snapshot.Functions, q.place == ".github/workflows":
		r.Severity = audit.Medium
	}
	files, lie := "files", "lie"
	if len(q.paths) == 1 {
		files, lie = "file", "lies"
	}
	r.Message = fmt.Sprintf("%d %s of the family %s %s in %s", len(q.paths), files, q.family, lie, q.place)
	if q.place == elsewhere {
		r.Message = fmt.Sprintf("%d backup or copied %s %s outside the folders of automation", len(q.paths), files, lie)
	}
	switch {
	case off:
		r.Message += ": switched off by their names."
	case strings.HasSuffix(q.family, "/"), q.place == elsewhere:
		r.Message += "."
	case live == 0:
		r.Message += "; the living file is not beside it."
	default:
		r.Message += fmt.Sprintf("; %d living beside them.", live)
	}
	r.Evidence = []audit.Evidence{{Name: "files", Value: fmt.Sprint(len(q.paths))}, {Name: "examples", Value: strings.Join(q.paths[:min(3, len(q.paths))], ", ")}}
	return r
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
		return rootFolder, snapshot.Scripts
	}
	for d := dir; d != "."; d = path.Dir(d) {
		if d == ".github" && !strings.HasPrefix(p, ".github/workflows") {
			break // templates and the like start nothing
		}
		if sys, ok := pl.dirs[d]; ok {
			return d, sys
		}
	}
	return elsewhere, snapshot.Scripts
}

// vendored reports whether a path lies among other people's code or products.
func vendored(p string) bool {
	for part := range strings.SplitSeq(path.Dir(p), "/") {
		switch part {
		case "node_modules", "bower_components", "vendor", "third_party", ".venv", "venv", "site-packages", "__pycache__", "testdata", "fixtures", ".fixtures", "__fixtures__":
			return true
		}
	}
	return false
}

func sortedKeys(m map[string]*pile) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
