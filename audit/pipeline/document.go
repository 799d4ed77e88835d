package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
)

// Document makes the JSON contract of a view. Version is that of the tool that
// writes the document, not of the one that made the snapshot.
func (v *View) Document(version string) *report.Document {
	var wg sync.WaitGroup
	var graph refs.Graph
	var week *report.Week
	wg.Go(func() { graph = refs.NewTable(v.Snapshot, v.derived).Graph() })
	wg.Go(func() { week = v.week() })
	d := v.Summary(version)
	d.Mended, d.Journal = v.mended(), append([]report.JournalRow{}, v.journal...)
	for i, it := range v.Snapshot.Items {
		detail(&d.Items[i], it)
	}
	wg.Wait()
	d.Week = week
	for i, it := range v.Snapshot.Items {
		d.Items[i].Starts, d.Items[i].StartedBy = keys(graph.Starts[it.Key]), keys(graph.StartedBy[it.Key])
	}
	return d
}

// Summary is Document without the facts, metrics, files and references of the
// items, and without what a page draws of past and week: most of its size, which
// a person's report does not show.
func (v *View) Summary(version string) *report.Document {
	i := v.Info
	d := &report.Document{
		Schema: report.Schema, Tool: report.Tool{Version: version},
		Run: report.Run{ID: i.ID, Seq: v.Seq, Started: sec(i.Started), Finished: sec(i.Finished),
			DurationMS: ms(i.Finished.Sub(i.Started)), Host: i.Host, Root: i.Root, Past: v.past()},
		Gate:        report.Gate{FailOn: i.FailOn, FailUnder: i.FailUnder, Passed: i.Passed, Why: v.reasons(), Exit: v.exit()},
		Recovery:    v.recovery(),
		Archive:     i.Archive,
		JournalHead: i.JournalHead,
	}
	if i.Git != nil {
		d.Run.Git = &report.Git{Commit: i.Git.Commit, Branch: i.Git.Branch, Dirty: i.Git.Dirty}
	}
	d.Items = v.items()
	d.Score = v.score()
	d.Systems = v.systems()
	d.Findings, d.Checks = v.documentFindings()
	d.Changes = v.changes()
	d.Regressions = v.regressions()
	d.Schedules = v.schedules()
	d.Errors = v.errors()
	d.Suppressed = v.suppressed()
	if b := i.Baseline; b != nil {
		d.Baseline = &report.SnapshotRef{Seq: b.Seq, ID: b.Run, At: sec(b.At)}
	}
	d.Rechecked = v.rechecked
	return d
}

// sec cuts a time to whole seconds in UTC, as every document shows it.
func sec(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func mark(m audit.Mark) report.Mark { return report.Mark{Run: m.Run, At: sec(m.At)} }

// past says in a word what there was to compare with.
func (v *View) past() string {
	switch {
	case v.alone:
		return "lost"
	case v.Seq == 1:
		return "first"
	}
	return "known"
}

func floored(v *float64) (*float64, *string) {
	if v == nil {
		return nil, nil
	}
	f := audit.Floor(*v)
	g := audit.Grade(f)
	return &f, &g
}

func (v *View) score() report.Score {
	s := report.Score{Delta: v.Info.Delta, DeltaLikeForLike: v.Info.DeltaSame}
	if s.Delta != nil || s.DeltaLikeForLike != nil {
		s.ComparedTo = v.before
	}
	s.Value, s.Grade = floored(v.Score.Value)
	s.WithoutWaivers = s.Value
	if all := audit.Unwaived(v.findings); all != nil {
		s.WithoutWaivers, _ = floored(audit.Evaluate(v.Snapshot.Items, all, v.weighting()).Value)
	}
	known, judged := 0, 0
	for _, it := range v.Snapshot.Items {
		known++
		if v.level(it) != audit.LevelUnknown {
			judged++
		}
	}
	if s.Coverage = 1; known > 0 {
		s.Coverage = round(float64(judged)/float64(known), 1000)
	}
	s.History = append([]report.ScorePoint{}, v.history...)
	for i := range s.History {
		s.History[i].At = sec(s.History[i].At)
	}
	s.History = append(s.History, report.ScorePoint{Seq: v.Seq, At: sec(v.Info.Started), Value: s.Value, Run: v.Info.ID})
	return s
}

func (v *View) systems() []report.System {
	out := []report.System{}
	for _, st := range v.Info.Systems {
		s := report.System{System: string(st.System), Status: string(st.Status), Reason: st.Reason, DurationMS: ms(st.Took)}
		if id, ok := v.compared[st.System]; ok {
			s.ComparedTo = &id
		}
		s.Items = len(v.Snapshot.Of(st.System))
		if sc := v.Score.Systems[st.System]; sc != nil && st.Status != snapshot.StatusSkipped {
			s.Score.Value, s.Score.Grade = floored(&sc.Value)
		}
		for _, t := range v.findings {
			if t.Counts() && t.System == st.System {
				count(&s.Counts, t.Severity)
			}
		}
		out = append(out, s)
	}
	return out
}

func count(c *report.Counts, s audit.Severity) {
	switch s {
	case audit.Critical:
		c.Critical++
	case audit.High:
		c.High++
	case audit.Medium:
		c.Medium++
	case audit.Low:
		c.Low++
	case audit.Info:
		c.Info++
	}
}

func (v *View) items() []report.Item {
	change := v.since().Teller(v.Changes)
	out := make([]report.Item, 0, len(v.Snapshot.Items))
	for _, it := range v.Snapshot.Items {
		r := report.Item{Key: string(it.Key), System: string(it.System()), Name: it.Name, Path: it.Path, State: it.State,
			Level: string(v.level(it)), Change: change(it), Unknown: it.Unknown}
		if r.Level != string(audit.LevelUnknown) && !v.scoreless {
			s, ok := v.Score.Items[it.Key]
			if !ok {
				s = 100
			}
			s = audit.Floor(s)
			r.Score = &s
		}
		if percent, ok := v.Info.Flapping[it.Key]; ok {
			r.Flapping = &percent
		}
		if it.Carried {
			r.Unknown = v.whyCarried(it)
		}
		out = append(out, r)
	}
	return out
}

// whyCarried says why an item was not looked at in this run.
func (v *View) whyCarried(it *snapshot.Item) string {
	st := v.Snapshot.System(it.System())
	if !st.Status.Listed() {
		return cmp.Or(st.Reason, "its system was not read")
	}
	for _, src := range st.Sources {
		if src.Name == it.Source && !src.OK {
			return cmp.Or(src.Message, "its source could not be read")
		}
	}
	if why, ok := v.Snapshot.Tree.Hidden(it.Path); ok {
		return why
	}
	return "what may start it was not read"
}

// links returns the symbolic links that stand in the way to items, sorted.
func (v *View) links() (out []string) {
	for _, key := range v.Info.Kept {
		if link, ok := v.Snapshot.Tree.Behind(v.Snapshot.Item(key).Path); ok {
			out = append(out, link)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func detail(r *report.Item, it *snapshot.Item) {
	r.Facts, r.Metrics = make(map[string]any, it.Facts.Len()), make(map[string]float64, len(it.Metrics))
	r.Files = make([]report.File, 0, len(it.Files))
	for f := range it.Facts.Each() {
		r.Facts[f.Name] = f.Value.Any()
	}
	for _, m := range it.Metrics {
		r.Metrics[m.Name] = m.Value
	}
	for _, f := range it.Files {
		role := f.Role
		if role == "" {
			role = snapshot.Own
		}
		r.Files = append(r.Files, report.File{Path: f.Path, Mode: fmt.Sprintf("%04o", f.Mode.Perm()), Size: f.Size, SHA256: f.SHA256, Role: string(role)})
	}
}

func keys(list []snapshot.Key) []string {
	out := make([]string, len(list))
	for i, k := range list {
		out[i] = string(k)
	}
	return out
}

func (v *View) changes() []report.Change {
	return Committed(DocumentChanges(v.Changes), v.Info.Removed)
}

// DocumentChanges makes changes what documents and diffs show.
func DocumentChanges(list []snapshot.Change) []report.Change {
	out := make([]report.Change, 0, len(list))
	for _, c := range list {
		r := report.Change{Item: string(c.Item), System: string(c.Item.System()), From: string(c.From), Op: string(c.Op),
			Facts: make([]report.FactChange, 0, len(c.Facts)), Files: append([]string{}, c.Files...)}
		for _, f := range c.Facts {
			r.Facts = append(r.Facts, report.FactChange{Name: f.Name, Old: plain(f.Old), New: plain(f.New), Risk: string(f.Risk)})
		}
		out = append(out, r)
	}
	return out
}

func plain(v *snapshot.Value) any {
	if v == nil {
		return nil
	}
	return v.Any()
}

func (v *View) regressions() []report.Regression {
	out := make([]report.Regression, 0, len(v.Regressions))
	for _, r := range v.Regressions {
		out = append(out, report.Regression{Item: string(r.Item), Code: r.Code, Was: r.Was, Now: r.Now, Reference: mark(r.Reference), Since: mark(r.Since),
			FailsGate: slices.Contains(v.Info.FailOn, "regression") && v.asked(r.Item.System())})
	}
	return out
}

func (v *View) errors() []report.Error {
	out := append([]report.Error{}, v.lost...)
	if v.Info.GitReason != "" {
		out = append(out, report.Error{System: string(snapshot.Auditor), Source: "git", Message: v.Info.GitReason, Hint: "run git status in the root as the user that runs audit"})
	}
	for _, dir := range v.Snapshot.Tree.Unread() {
		out = append(out, report.Error{System: string(snapshot.Auditor), Source: dir, Message: "this folder may not be read: what is in it is not known", Hint: "let the user who runs audit read it"})
	}
	for _, link := range v.links() {
		out = append(out, report.Error{System: string(snapshot.Auditor), Source: link, Message: link + " is a symbolic link, which is not followed: what was behind it is not known", Hint: "make it a folder of the project again; or, for each item of it that is gone for good: audit accept ITEM --removed"})
	}
	for _, c := range v.Info.Crashed {
		out = append(out, report.Error{System: string(snapshot.Auditor), Source: c.Check, Message: "a bug of audit: the check stopped" + onItem(c) + ": " + c.What, Hint: "please report it; its earlier findings are carried"})
	}
	for _, st := range v.Info.Systems {
		if st.Status == snapshot.StatusError && len(st.Failed()) == 0 {
			out = append(out, report.Error{System: string(st.System), Message: st.Reason, Hint: st.Hint})
		}
		for _, s := range st.Sources {
			if !s.OK {
				out = append(out, report.Error{System: string(st.System), Source: s.Name, Message: s.Message, Hint: s.Hint})
			}
		}
	}
	return out
}

func onItem(c audit.Crash) string {
	if c.Item == "" {
		return ""
	}
	return " at " + string(c.Item)
}
