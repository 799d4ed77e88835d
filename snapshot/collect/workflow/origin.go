package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/collect"
)

// Facts that say since when a file does not work, and what it was before. They
// are details: git learns more of a change when it is committed.
const (
	// BrokenBy is the commit, its author and its day; nothing is known of what is
	// not committed yet, and the list is empty then.
	BrokenBy = "broken-by"
	// BrokenWith are the other files that this commit broke and that still are, at
	// most the first maxWith of them: with all of them for each, two thousand files
	// that one commit breaks would take a hundred megabytes.
	BrokenWith = "broken-with"
	// BrokenWithMore is how many BrokenWith leaves out; absent where that is none.
	BrokenWithMore = "broken-with-more"
	// ValidAt is the commit that has the last version that works, its day, and the
	// path it has there; empty when there never was one.
	ValidAt = "valid-at"
)

const originCursor = "origins"

const maxWith = 20

// originVersion is raised when origins are found differently.
const originVersion = 2

// An origin is since when a file is broken. Both commits may be empty.
type origin struct {
	Commit string    `json:"c,omitempty"`
	Author string    `json:"a,omitempty"`
	At     time.Time `json:"t,omitzero"`
	Valid  string    `json:"v,omitempty"`
	Path   string    `json:"p,omitempty"`
	Then   time.Time `json:"n,omitzero"`
	Lost   bool      `json:"l,omitempty"` // it was broken as far back as the history that is here goes
}

// origins are what one state of the project's broken files came from.
type origins struct {
	Of  string            `json:"of"` // what was asked: commit, and files with their digests
	All map[string]origin `json:"all"`
}

// broken reports whether a file does no work that it should: GitHub does not
// load it, or all its jobs are hollow.
func broken(it *snapshot.Item) bool {
	return it.State == model.Invalid && it.Unknown == "" || hollow(it)
}

// hollow reports whether a workflow has jobs, and none of them does any work.
func hollow(it *snapshot.Item) bool {
	v, _ := it.Fact("jobs")
	for _, id := range v.Strings() {
		if h, _ := it.Fact("jobs." + id + ".hollow"); !h.IsTrue() {
			return false
		}
	}
	return len(v.Strings()) > 0
}

// tellOrigins adds to the broken ones among the items since when they are. It
// asks git only when the files or the commit are others than the last time, and
// returns what to keep, and in one line why something is not known.
func (r *reader) tellOrigins(ctx context.Context, items []*snapshot.Item) (keep json.RawMessage, why string) {
	var bad []*snapshot.Item
	for _, it := range items {
		if broken(it) {
			bad = append(bad, it)
		}
	}
	if len(bad) == 0 {
		return nil, ""
	}
	known := r.knownOrigins(bad)
	if known == nil {
		all, err := r.findOrigins(ctx, bad)
		if errors.Is(err, collect.ErrNoHistory) {
			return nil, ""
		}
		if err != nil {
			return nil, fmt.Sprintf("since when %d of its files are broken could not be told: %v", len(bad), err)
		}
		known = &origins{r.asked(bad), all}
	}
	lost := 0
	together := known.byCommit()
	for i, it := range items {
		o, ok := known.All[it.Path]
		if !ok || !broken(it) {
			continue
		}
		items[i] = withOrigin(it, o, together[o.Commit])
		if o.Lost {
			lost++
		}
	}
	if lost > 0 {
		why = fmt.Sprintf("since when %d of its files are broken is not known: the history that is here does not go back so far, or lacks their bytes (a shallow or partial clone? git fetch --unshallow)", lost)
	}
	keep, err := json.Marshal(known)
	if err != nil {
		return nil, err.Error()
	}
	return keep, why
}

// byCommit returns the paths of the files that each commit broke, sorted. What
// is not committed broke nothing together.
func (o *origins) byCommit() map[string][]string {
	out := map[string][]string{}
	for _, p := range slices.Sorted(maps.Keys(o.All)) {
		if c := o.All[p].Commit; c != "" {
			out[c] = append(out[c], p)
		}
	}
	return out
}

// day is the day of a commit, empty where git gives a time that is none.
func day(t time.Time) string {
	if t.IsZero() || t.Year() > 9999 {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// withOrigin returns the item with the facts of its origin; together are the
// files that its commit broke. An item of the last run is left as it is.
func withOrigin(it *snapshot.Item, o origin, together []string) *snapshot.Item {
	facts := slices.DeleteFunc(slices.Clone(it.Facts.All()), func(f snapshot.Fact) bool {
		return f.Name == BrokenBy || f.Name == BrokenWith || f.Name == BrokenWithMore || f.Name == ValidAt
	})
	c := *it
	c.Facts = snapshot.PartsOf(facts...)
	if o.Lost {
		c.Sort()
		return &c
	}
	by, valid := snapshot.List(), snapshot.List()
	if o.Commit != "" {
		by = snapshot.List(o.Commit, o.Author, day(o.At))
	}
	if o.Valid != "" {
		valid = snapshot.List(o.Valid, day(o.Then), o.Path)
	}
	c.Add(snapshot.Detail, BrokenBy, by)
	c.Add(snapshot.Detail, ValidAt, valid)
	if n := len(together) - 1; n > 0 {
		with := slices.Clone(together[:min(len(together), maxWith+1)])
		with = slices.DeleteFunc(with, func(p string) bool { return p == it.Path })
		with = with[:min(len(with), maxWith)]
		c.Add(snapshot.Detail, BrokenWith, snapshot.SetOf(with...))
		if n > len(with) {
			c.Add(snapshot.Detail, BrokenWithMore, snapshot.Number(n-len(with)))
		}
	}
	c.Sort()
	return &c
}

// asked names everything that origins depend on.
func (r *reader) asked(bad []*snapshot.Item) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d.%d %s", originVersion, model.Version, r.config.SHA256)
	if r.s.Repository != nil {
		b.WriteString(" " + r.s.Repository.Commit)
	}
	for _, it := range bad {
		f, _ := it.OwnFile()
		fmt.Fprintf(&b, "\x00%s\x00%s", it.Path, f.SHA256)
	}
	return snapshot.Sum([]byte(b.String()))
}

func (r *reader) knownOrigins(bad []*snapshot.Item) *origins {
	if r.s.Cursors == nil || r.fresh {
		return nil
	}
	var o origins
	if json.Unmarshal(r.s.Cursors(snapshot.Workflows, originCursor), &o) != nil || o.Of != r.asked(bad) {
		return nil
	}
	return &o
}

// Rounds of findOrigins: the newest versions of all files first, then many of
// those files that were broken in all of these.
var rounds = []int{6, 300}

func (r *reader) findOrigins(ctx context.Context, bad []*snapshot.Item) (map[string]origin, error) {
	paths := []string{Folder}
	for _, it := range bad {
		if !strings.HasPrefix(it.Path, Folder+"/") {
			paths = append(paths, it.Path)
		}
	}
	h, err := r.s.ReadHistory(ctx, paths...)
	if err != nil {
		return nil, err
	}
	out := map[string]origin{}
	left := bad
	for n, depth := range rounds {
		var names []string
		for _, it := range left {
			for _, v := range first(h.Of(it.Path), depth) {
				if v.Blob != "" {
					names = append(names, v.Blob)
				}
			}
		}
		blobs, err := r.s.Blobs(ctx, names)
		if err != nil {
			return nil, err
		}
		left = slices.DeleteFunc(slices.Clone(left), func(it *snapshot.Item) bool {
			list := h.Of(it.Path)
			o, done := r.originOf(it, first(list, depth), blobs)
			if done || n == len(rounds)-1 || len(list) <= depth {
				o.Lost = o.Lost || !done && (h.Shallow || len(list) > depth)
				out[it.Path] = o
				return true
			}
			return false
		})
	}
	return out, nil
}

func first(list []collect.Revision, n int) []collect.Revision { return list[:min(n, len(list))] }

// originOf walks a file's versions, newest first, to the last that worked. It
// is done when it found one, or a deletion; what came before bytes that are not
// there is lost.
func (r *reader) originOf(it *snapshot.Item, list []collect.Revision, blobs map[string][]byte) (o origin, done bool) {
	if len(list) == 0 { // never committed
		return o, true
	}
	f, _ := it.OwnFile()
	b, err := r.bytes(f)
	if err != nil {
		return o, true
	}
	for i, v := range list {
		if i == 0 && collect.SameBlob(b, v.Blob) { // else the newest change is not committed
			o.Commit, o.Author, o.At = v.Commit, v.Author, v.At
			continue
		}
		src, ok := blobs[v.Blob]
		if v.Blob == "" {
			return o, true
		}
		if !ok {
			o.Lost = true
			return o, false
		}
		if r.worked(v.Path, src) {
			o.Valid, o.Path, o.Then = v.Commit, v.Path, v.At
			return o, true
		}
		o.Commit, o.Author, o.At = v.Commit, v.Author, v.At
	}
	return o, false
}

// worked reports whether an earlier version of a file loads and does anything.
func (r *reader) worked(p string, src []byte) bool {
	if len(src) > model.MaxSize {
		return false
	}
	doc := model.Parse(p, src)
	m := doc.Model(nil)
	if m.Broken || len(doc.Verdict(r.config).Problems) > 0 {
		return false
	}
	for _, j := range m.Jobs {
		if !j.Hollow {
			return true
		}
	}
	return len(m.Jobs) == 0
}
