package cross

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/cron"
)

// Overlap reports schedules that start a job again while it may still run.
var Overlap = &audit.Check{
	ID:         "cross-overlap",
	Needs:      []snapshot.System{snapshot.Workflows, snapshot.Functions, snapshot.Scripts},
	Title:      "starts again while it runs",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Version:    2,
	Doc: "cron, GitHub and Netlify start a job when its time has come, whether or not the last run has ended. Told is what is bound to meet itself: a crontab entry that starts a script which never ends " +
		"(each start adds a process until the machine has no more: high), one that commits and pushes every few minutes without a lock, a workflow that does so without `concurrency`, and a background function, " +
		"which may run for 15 minutes, that is started more often than that. A word about a lock, a pid file or a timeout, in the entry or in the script, is enough to be left alone. " +
		"Timers of systemd and apps of PM2 never run beside themselves, and a scheduled function ends after 30 seconds.",
	Hint:          "In a crontab put `flock -n /tmp/NAME.lock` in front of the command; in a workflow write `concurrency: {group: ${{ github.workflow }}}`; what never ends belongs to PM2 or systemd, not to cron.",
	Discriminator: "none: one finding for each item",
	Source:        "cron(8); https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency; docs.netlify.com/build/functions/configuration (limits)",
	Limits:        []audit.Limit{{Name: "minutes", Default: 15, Unit: "minutes", Doc: "what pushes and starts more rarely than that is not told"}},
	Still:         true,
	Judge:         judgeOverlap,
}

func judgeOverlap(p *audit.Pass) {
	known := gaps{}
	for _, it := range p.Items() {
		if len(it.Schedules) == 0 {
			continue
		}
		push, pushes := workflow.Message{}, false
		if it.System() == snapshot.Workflows {
			push, pushes = freePush(p, it)
		}
		background, _ := it.Fact("background")
		if it.Kind != "cron" && !pushes && !background.IsTrue() { // gaps take longer to find than this
			continue
		}
		gap, s := known.shortest(it)
		if gap == 0 {
			continue
		}
		often := gap <= time.Duration(p.Limit("minutes"))*time.Minute
		r := audit.Report{Item: it.Key, At: audit.Location{Path: cmp.Or(s.Path, it.Path), Line: s.Line, Column: s.Column}, Evidence: []audit.Evidence{{Name: "starts every", Value: spoken(gap)}}}
		switch {
		case it.Kind == "cron":
			judgeEntry(p, it, r, often)
		case pushes && often:
			r.Message = fmt.Sprintf("%s starts every %s and pushes (%s), and nothing keeps two of its runs apart", what(it), spoken(gap), push.Where)
			r.Hint = "Write `concurrency: ${{ github.workflow }}` at the top of the workflow: a run then waits for the one before it."
			p.Report(r)
		case it.System() == snapshot.Functions && gap < 15*time.Minute:
			r.Message = fmt.Sprintf("%s starts every %s, and a background function may run for 15 minutes", what(it), spoken(gap))
			r.Hint = "Start it more rarely, or let it look in its store whether another one is at work."
			p.Report(r)
		}
	}
}

// shortest returns the smallest gap between two starts of an item by one of its
// schedules that are in effect, and that schedule; 0 when nothing repeats it.
func (known gaps) shortest(it *snapshot.Item) (gap time.Duration, at snapshot.Schedule) {
	for _, s := range it.Schedules {
		if !s.Effective {
			continue
		}
		if g := known.of(s); g > 0 && (gap == 0 || g < gap) {
			gap, at = g, s
		}
	}
	return gap, at
}

// gaps are the smallest gaps of expressions, by dialect and text: many items
// have the same.
type gaps map[[2]string]time.Duration

// of returns 0 for an expression that is none, or starts nothing twice.
func (known gaps) of(s snapshot.Schedule) time.Duration {
	id := [2]string{s.Dialect, s.Expression}
	gap, seen := known[id]
	if !seen {
		if c, err := cron.Parse(cron.Dialect(s.Dialect), s.Expression); err == nil {
			gap = c.SmallestGap()
		}
		known[id] = gap
	}
	return gap
}

// spoken writes a gap for a person.
func spoken(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch n := int(d / u.of); {
		case d%u.of != 0:
		case n == 1:
			return u.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return d.String()
}

func judgeEntry(p *audit.Pass, it *snapshot.Item, r audit.Report, often bool) {
	index := marksOf(p)
	runs := append([]*snapshot.Item{it}, started(p, it)...)
	marked := func(s *snapshot.Item) bool {
		_, forever := index.First(s, trait.Forever)
		_, push := index.First(s, trait.Push)
		return forever || push && often
	}
	if !slices.ContainsFunc(runs, marked) || slices.ContainsFunc(linesOf(p, it), func(l line) bool { return l.Line == r.At.Line && l.Alone }) ||
		slices.ContainsFunc(runs, func(s *snapshot.Item) bool { return mannerOf(p, s).Alone }) {
		return
	}
	for _, s := range runs {
		if m, ok := index.First(s, trait.Forever); ok && endless(p, s) {
			r.Severity = audit.High
			r.Hint = "Give what never ends to PM2 or systemd, which keep one of it alive; or take the loop out and let the crontab repeat it."
			r.Message = what(it) + " starts what never ends, each time anew: the old ones stay"
			if s != it {
				r.Message = fmt.Sprintf("%s starts %s, which never ends, each time anew: the old ones stay", what(it), s.Path)
				r.Evidence = append(r.Evidence, audit.Evidence{Name: "loop", Value: fmt.Sprintf("%s:%d", s.Path, m.Line)})
			}
			p.Report(r)
			return
		}
	}
	for _, s := range runs {
		if m, ok := index.First(s, trait.Push); ok && often {
			r.Hint = "Put `flock -n /tmp/NAME.lock` in front of the command: the next start then ends at once while one is at work."
			r.Message = fmt.Sprintf("%s starts every %s and pushes, and nothing keeps two of its runs apart", what(it), r.Evidence[0].Value)
			r.Evidence = append(r.Evidence, audit.Evidence{Name: "push", Value: fmt.Sprintf("%s:%d", s.Path, m.Line)})
			p.Report(r)
			return
		}
	}
}

// started returns the scripts that an entry starts and waits for: without
// arguments, which may make them do something else, not through PM2, and not from
// code, which may do so on a condition and wait for nothing.
func started(p *audit.Pass, it *snapshot.Item) (out []*snapshot.Item) {
	table := refs.NewTable(p.Now, p.Derived)
	seen := map[snapshot.Key]bool{it.Key: true}
	for todo, depth := []*snapshot.Item{it}, 0; len(todo) > 0 && depth < maxChain; depth++ {
		var next []*snapshot.Item
		for _, from := range todo {
			for _, r := range from.Refs.All() {
				to := p.Now.Item(table.Resolve(r).Item)
				if r.Args || r.Loads() || r.Where == snapshot.Child || to == nil || seen[to.Key] || to.System() != snapshot.Scripts {
					continue
				}
				seen[to.Key] = true
				next = append(next, to)
			}
		}
		out = append(out, next...)
		todo = next
	}
	return out
}

// manner is what the text of a script says of how often it runs.
type manner struct {
	Alone bool `json:"a,omitempty"`
	Ends  bool `json:"e,omitempty"` // it calls process.exit somewhere
}

func mannerOf(p *audit.Pass, it *snapshot.Item) manner {
	f, ok := it.OwnFile()
	if !ok || f.SHA256 == "" || it.Kind != "script" {
		return manner{}
	}
	return snapshot.Derive(p.Derived, "cross.manner", 1, []string{f.SHA256}, func() manner {
		src := p.Bytes(f)
		return manner{Alone: trait.Alone(src), Ends: strings.Contains(string(src), "process.exit")}
	})
}

// endless reports whether what has a mark of a loop without end is what never
// ends: of JavaScript, whose timers keep it alive, only where nothing ends it.
func endless(p *audit.Pass, it *snapshot.Item) bool {
	language, _ := it.Fact("language")
	return it.Kind == "cron" || language.Str() == "shell" || !mannerOf(p, it).Ends
}

// freePush returns a step of a workflow that pushes, and that no concurrency
// group keeps from running twice.
func freePush(p *audit.Pass, it *snapshot.Item) (workflow.Message, bool) {
	if v, _ := it.Fact("concurrency"); v.Str() != "" {
		return workflow.Message{}, false
	}
	for _, n := range verdictOf(p, it).Notes {
		job, _, _ := strings.Cut(n.Where, "/")
		if v, _ := it.Fact("jobs." + job + ".concurrency"); n.Family == workflow.NotePushes && n.Subject == "" && v.Str() == "" {
			return n, true
		}
	}
	return workflow.Message{}, false
}
