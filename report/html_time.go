package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A trendChart is the score over the last runs, as an inline SVG of 100 by 100
// units that is stretched; what is written stands around it.
type trendChart struct {
	Line     string // path of the line
	Area     string // path of what is below it
	Dots     []trendDot
	Last     trendDot
	Top      string // score at its upper edge
	Bottom   string
	From, To time.Time
	Runs     int
	Says     string // the same in words
}

type trendDot struct {
	X, Y  string
	Title string
}

func newTrend(history []ScorePoint) *trendChart {
	lo, known := 100.0, 0
	for _, h := range history {
		if h.Value != nil {
			lo, known = min(lo, *h.Value), known+1
		}
	}
	if known < 2 {
		return nil
	}
	lo = max(math.Floor(min(lo, 90)/10)*10-10, 0)
	c := &trendChart{Top: "100", Bottom: fmt.Sprintf("%.0f", lo), From: history[0].At, To: history[len(history)-1].At, Runs: len(history)}
	var line, area strings.Builder
	var begun, x string
	drawn := false
	for i, h := range history {
		if h.Value == nil {
			if drawn {
				area.WriteString("V100H" + begun + "Z")
			}
			drawn = false
			continue
		}
		y := unit(100 - (*h.Value-lo)/(100-lo)*100)
		x = unit(float64(i) / float64(len(history)-1) * 100)
		if !drawn {
			begun = x
			fmt.Fprintf(&line, "M%s %s", x, y)
			fmt.Fprintf(&area, "M%s 100V%s", x, y)
		} else {
			fmt.Fprintf(&line, "L%s %s", x, y)
			fmt.Fprintf(&area, "L%s %s", x, y)
		}
		drawn = true
		c.Last = trendDot{x, y, fmt.Sprintf("run #%d, %s UTC: %s", h.Seq, stamp(h.At), points(*h.Value))}
		c.Dots = append(c.Dots, c.Last)
	}
	if drawn {
		area.WriteString("V100H" + begun + "Z")
	}
	c.Line, c.Area = line.String(), area.String()
	c.Says = fmt.Sprintf("The score of the last %d runs, from %s UTC to %s UTC: %s.", len(history), stamp(c.From), stamp(c.To), strings.Join(lastScores(history, len(history)), ", "))
	return c
}

// unit writes a coordinate: two decimals at most.
func unit(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
}

// A timeline is how an item was over the last runs: a bar for each, the higher
// the worse. What is drawn is when its findings last opened and ended.
type timeline struct {
	Item  string
	Now   string // how it is, in words
	Bars  []timelineBar
	Runs  int
	Says  string // what the bars show, in words
	open  int
	ended int
	worst int // index of levels, now
	ever  int // and at any time
}

// A timelineBar is a row of runs in which an item was alike.
type timelineBar struct {
	X, Width int
	Level    string
}

// Draw is the path of the bar: its height tells the level as its colour does.
func (b timelineBar) Draw() string {
	top := map[string]string{"failing": "0", "degraded": "3.5", "low": "6.5"}[b.Level]
	if top == "" {
		top = "8.5"
	}
	var d strings.Builder
	for x := range b.Width {
		fmt.Fprintf(&d, "M%s 10V%sh.7V10z", unit(float64(b.X+x)+.15), top)
	}
	return d.String()
}

// A spell is a time during which a finding was open; without an end it still is.
type spell struct {
	from, to Mark
	open     bool
	severity string
}

// timelines draws the items that have, or of late had, a finding: the worst first.
func (r *reading) timelines(all []Item) []timeline {
	if len(r.Score.History) < 2 {
		return nil
	}
	spells, order := r.spells()
	items := map[string]Item{}
	for _, it := range all {
		if key := Clean(it.Key); spells[key] != nil {
			items[key] = it
		}
	}
	out := make([]timeline, 0, len(order))
	for _, key := range order {
		t := timeline{Item: strings.TrimSuffix(key, "/(system)"), Runs: len(r.Score.History)}
		if t.draw(r.Score.History, spells[key]); t.ever > levelOf("medium") {
			continue
		}
		t.Now = t.now(items[key].Level, r.Run.Started, earliest(spells[key]))
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b timeline) int {
		return cmp.Or(cmp.Compare(a.worst, b.worst), cmp.Compare(a.Item, b.Item))
	})
	return out
}

// now says how an item is, and for how long.
func (t *timeline) now(level string, now, began time.Time) string {
	var parts []string
	if level != "" {
		parts = append(parts, Clean(level))
	}
	switch {
	case t.open == 0:
		parts = append(parts, plural(t.ended, "finding")+" ended")
	case now.Sub(began) < time.Minute:
		parts = append(parts, group(t.open)+" open, since this run")
	default:
		parts = append(parts, group(t.open)+" open, the oldest for "+span(now.Sub(began)))
	}
	return strings.Join(parts, " · ")
}

// spells collects when the findings of each item were open.
func (r *reading) spells() (of map[string][]spell, order []string) {
	of = map[string][]spell{}
	add := func(item string, s spell) {
		if of[item] == nil {
			order = append(order, item)
		}
		of[item] = append(of[item], s)
	}
	for _, f := range r.Findings {
		if f.Waiver != nil || f.Severity == "info" || f.Opened.At.IsZero() {
			continue
		}
		add(f.Item, spell{from: f.Opened, to: Mark{r.Run.ID, r.Run.Started}, open: f.Status != "resolved", severity: f.Severity})
	}
	for _, m := range r.Mended {
		if m.Severity != "info" {
			add(m.Item, spell{from: m.Opened, to: m.Resolved, severity: m.Severity})
		}
	}
	return of, order
}

func earliest(list []spell) (at time.Time) {
	for _, s := range list {
		if s.open && (at.IsZero() || s.from.At.Before(at)) {
			at = s.from.At
		}
	}
	return at
}

// levels are what a run may have found on an item, the worst first.
var levels = []string{"failing", "degraded", "low", "ok"}

func levelOf(severity string) int {
	switch severity {
	case "critical", "high":
		return 0
	case "medium":
		return 1
	}
	return 2
}

// runOf returns the index of a run in the history; of one that was forgotten,
// that of the first since.
func runOf(history []ScorePoint, m Mark) int {
	if i := slices.IndexFunc(history, func(h ScorePoint) bool { return h.Run == m.Run && m.Run != "" }); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(history, func(h ScorePoint) bool { return !h.At.Before(m.At) }); i >= 0 {
		return i
	}
	return len(history)
}

func (t *timeline) draw(history []ScorePoint, list []spell) {
	t.worst, t.ever = len(levels)-1, len(levels)-1
	counts, from, to := make([]int, len(levels)), make([]int, len(list)), make([]int, len(list))
	for k, s := range list {
		from[k], to[k] = runOf(history, s.from), len(history)
		if !s.open {
			to[k] = runOf(history, s.to)
		}
	}
	for i := range history {
		at := len(levels) - 1
		for k, s := range list {
			if from[k] <= i && i < to[k] {
				at = min(at, levelOf(s.severity))
			}
		}
		counts[at]++
		t.ever = min(t.ever, at)
		if n := len(t.Bars); n > 0 && t.Bars[n-1].Level == levels[at] {
			t.Bars[n-1].Width++
			continue
		}
		t.Bars = append(t.Bars, timelineBar{i, 1, levels[at]})
	}
	for _, s := range list {
		if s.open {
			t.open++
			t.worst = min(t.worst, levelOf(s.severity))
		} else {
			t.ended++
		}
	}
	var parts []string
	for i, words := range []string{"failing", "degraded", "with a low finding", "without an open finding"} {
		if counts[i] > 0 {
			parts = append(parts, fmt.Sprintf("%s in %d", words, counts[i]))
		}
	}
	t.Says = fmt.Sprintf("Of the last %d runs: %s.", len(history), strings.Join(parts, ", "))
}
