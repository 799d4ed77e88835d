package report

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
)

// verdict writes the first lines: how it is, and which run says so.
func (r *reading) verdict() {
	c, _ := r.state()
	r.line(0, c, r.headline())
	r.line(0, inkDim, r.runLine())
	r.line(0, inkYellow, r.judgedAnew())
	r.line(0, inkNone, strings.TrimSpace(strings.Join(append(r.scoreNotes(), r.lately()), " ")))
}

// headline says in a sentence how it is.
func (r *reading) headline() string {
	_, state := r.state()
	parts := []string{r.subject() + " " + state}
	if len(r.opts.Only) > 0 {
		if len(r.Systems) == 1 && r.Systems[0].Score.Value != nil {
			parts[0] += ": score " + scored(r.Systems[0].Score.Value, nil)
		}
	} else if s := r.Score; s.Value != nil {
		grade := ""
		if s.Grade != nil {
			grade = " (" + *s.Grade + ")"
		}
		parts[0] += ": score " + points(*s.Value) + grade + ", " + r.trend()
	}
	if n := r.regressed(); n > 0 {
		parts = append(parts, plural(n, "regression"))
	}
	if failed := r.failed(); len(failed) > 0 {
		parts = append(parts, strings.Join(failed, " and ")+" could not be read")
	}
	if r.Gate.Exit == ExitDamaged {
		parts = append(parts, "the store is damaged")
	}
	return strings.Join(parts, "; ") + "."
}

// judgedAnew says that the verdict is not the run's own; "" when it is.
func (r *reading) judgedAnew() string {
	x := r.Rechecked
	if x == nil {
		return ""
	}
	gate := "its gate failed"
	if x.Passed {
		gate = "its gate passed"
	}
	return fmt.Sprintf("Judged anew by the checks and the configuration of today, %s UTC; the run itself said %s, and %s.", stamp(x.At), scored(x.Value, x.Grade), gate)
}

// subject names what is judged.
func (r *reading) subject() string {
	if len(r.opts.Only) > 0 {
		return strings.Join(r.opts.Only, " and ") + " of " + r.project()
	}
	return r.project()
}

func (r *reading) project() string {
	if b := path.Base(r.Run.Root); b != "." && b != "/" {
		return b
	}
	if r.Run.Host != "" {
		return r.Run.Host
	}
	return "this project"
}

// state says in a word how the project is, as the level of an item would.
func (r *reading) state() (ink, string) {
	judged := false
	for _, s := range r.Systems {
		judged = judged || s.Status == "ok" || s.Status == "partial"
	}
	worst := inkGreen
	for _, f := range r.open() {
		switch f.Severity {
		case "critical", "high":
			return inkAlarm, "is failing"
		case "medium":
			worst = inkYellow
		}
	}
	switch {
	case worst == inkYellow:
		return worst, "is degraded"
	case !judged && len(r.failed()) == 0:
		return inkNone, "has nothing to judge: " + r.nothing()
	case !judged:
		return inkAlarm, "could not be judged"
	case r.Score.Value == nil:
		return inkNone, "has no score"
	}
	return inkGreen, "is healthy"
}

func (r *reading) nothing() string {
	for _, s := range r.Systems {
		if s.Status == "skipped" || len(r.opts.Only) > 0 {
			return "no automation found in what was asked for"
		}
	}
	return "no PM2 apps, workflows, functions or scripts found"
}

func (r *reading) failed() []string {
	var out []string
	for _, s := range r.Systems {
		if s.Status == "error" {
			out = append(out, s.System)
		}
	}
	return out
}

// trend compares with the last run that had a score.
func (r *reading) trend() string {
	if r.Score.Delta == nil {
		if r.Run.Past == "lost" {
			return "the run before is not known"
		}
		for _, s := range r.Systems {
			if s.ComparedTo != nil {
				return "not comparable with the run before"
			}
		}
		return "first run, nothing to compare with"
	}
	than := "in the run before, of which nothing is known any more"
	if b := r.Score.ComparedTo; b != nil {
		than = fmt.Sprintf("in run #%d, %s ago", b.Seq, span(r.Run.Started.Sub(b.At)))
	}
	if compared := compare(*r.Score.Delta); compared != "" {
		return compared + " than " + than
	}
	return "as " + than
}

func compare(delta float64) string {
	switch d := math.Round(delta*10) / 10; {
	case d > 0:
		return points(d) + " higher"
	case d < 0:
		return points(-d) + " lower"
	}
	return ""
}

func (r *reading) runLine() string {
	run := "Run not kept"
	if r.Run.Seq > 0 {
		run = fmt.Sprintf("Run #%d", r.Run.Seq)
	}
	s := fmt.Sprintf("%s, %s UTC, %s", run, stamp(r.Run.Started), took(r.Run.DurationMS))
	if r.Run.Host != "" {
		s += ", on " + r.Run.Host
	}
	s += ", in " + r.Run.Root
	if g := r.Run.Git; g != nil && g.Commit != "" {
		s += ", commit " + prefix(g.Commit, 10)
		if g.Branch != "" {
			s += " of " + g.Branch
		}
		if g.Dirty {
			s += " with uncommitted changes"
		}
	}
	return s
}

// scoreNotes says what the bare score hides.
func (r *reading) scoreNotes() []string {
	var out []string
	s := r.Score
	if len(r.opts.Only) > 0 {
		if s.Value != nil {
			out = append(out, "The score of the whole project is "+points(*s.Value)+".")
		}
		return out
	}
	if s.Delta != nil && s.DeltaLikeForLike != nil && compare(*s.Delta) != compare(*s.DeltaLikeForLike) {
		c := compare(*s.DeltaLikeForLike)
		if c == "" {
			c = "unchanged"
		}
		out = append(out, "On the items that both runs have, the score is "+c+".")
	}
	if s.Value != nil && s.WithoutWaivers != nil && *s.WithoutWaivers != *s.Value {
		out = append(out, "Without waivers the score is "+points(*s.WithoutWaivers)+".")
	}
	if s.Value != nil && s.Coverage < 1 {
		out = append(out, fmt.Sprintf("The score covers %.0f %% of the items: the others could not be judged.", math.Floor(s.Coverage*100)))
	}
	return out
}

// lately lists the last scores, where they differ and are those of what is shown.
func (r *reading) lately() string {
	if h := lastScores(r.Score.History, 10); len(r.opts.Only) == 0 && len(h) > 2 && len(slices.Compact(slices.Clone(h))) > 1 {
		return fmt.Sprintf("The last %d scores: %s.", len(h), strings.Join(h, ", "))
	}
	return ""
}

func lastScores(history []ScorePoint, n int) []string {
	var out []string
	for _, h := range history[max(0, len(history)-n):] {
		if h.Value == nil {
			out = append(out, "n/a")
			continue
		}
		out = append(out, points(*h.Value))
	}
	return out
}
