package main

import (
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

type diffCmd struct {
	listing
	Old   string `arg:"" optional:"" help:"The earlier snapshot (default previous)."`
	New   string `arg:"" optional:"" help:"The later snapshot (default latest)."`
	Patch bool   `help:"Add text diffs of the files."`
}

// Run prints the semantic changes and exits 0 when there are none, 1 when there are.
func (c *diffCmd) Run(a *App) error {
	if c.Old == "" {
		c.Old = "previous"
	}
	changed := false
	err := a.reading(func(_ *settings, tx *store.Tx) error {
		was, err := find(tx, c.Old, a.Now())
		if err != nil {
			return err
		}
		now, err := find(tx, c.New, a.Now())
		if err != nil {
			return err
		}
		view, err := compare(tx, was, now, c.Patch)
		if err != nil {
			return err
		}
		changed = len(view.Changes) > 0
		if a.Quiet && !changed {
			return nil
		}
		return show(a, c.listing, view, report.Diff)
	})
	if err == nil && changed {
		return exitCode(exitGate)
	}
	return err
}

func compare(tx *store.Tx, was, now uint64, patch bool) (report.DiffView, error) {
	old, oi, err := pipeline.LoadSnapshot(tx, was)
	if err != nil {
		return report.DiffView{}, err
	}
	cur, ci, err := pipeline.LoadSnapshot(tx, now)
	if err != nil {
		return report.DiffView{}, err
	}
	v := report.DiffView{Old: ref(was, oi), New: ref(now, ci), NotCompared: []report.NotCompared{}, Patches: []report.Patch{}}
	v.Changes = pipeline.DocumentChanges(snapshot.Diff(old, cur, pipeline.Risks(all.Collectors)))
	for _, st := range cur.Systems {
		if !st.Status.Listed() {
			v.NotCompared = append(v.NotCompared, report.NotCompared{System: string(st.System), Reason: st.Reason})
		}
	}
	if patch {
		v.Patches = patches(old, cur)
	}
	return v, nil
}

func ref(seq uint64, i *pipeline.Info) report.SnapshotRef {
	return report.SnapshotRef{Seq: seq, ID: i.ID, At: i.Started.UTC().Truncate(time.Second)}
}

// patches are the text diffs of every captured file that differs, sorted by path.
func patches(old, cur *snapshot.Snapshot) []report.Patch {
	a, b := files(old), files(cur)
	paths := make([]string, 0, len(a)+len(b))
	for p := range a {
		paths = append(paths, p)
	}
	for p := range b {
		if _, ok := a[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	out := []report.Patch{}
	for _, p := range paths {
		if a[p].SHA256 == b[p].SHA256 {
			continue
		}
		d := diff.Diff("a/"+p, content(old, a[p]), "b/"+p, content(cur, b[p]))
		out = append(out, report.Patch{Path: p, Text: strings.ToValidUTF8(string(d), "\ufffd")})
	}
	return out
}

func files(s *snapshot.Snapshot) map[string]snapshot.File {
	m := map[string]snapshot.File{}
	for _, it := range s.Items {
		for _, f := range it.Files {
			if f.SHA256 != "" && f.Link == "" {
				m[f.Path] = f
			}
		}
	}
	return m
}

func content(s *snapshot.Snapshot, f snapshot.File) []byte {
	if f.SHA256 == "" {
		return nil
	}
	b, err := s.Content.Bytes(f.SHA256)
	if err != nil {
		return []byte("(bytes not readable: " + err.Error() + ")\n")
	}
	return b
}
