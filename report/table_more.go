package report

import (
	"fmt"
	"slices"
	"strings"
)

// regressed says in words what a code measures; R5, a trend, and R6, a missing
// item, need none.
var regressed = map[string]string{
	"R1": "level", "R2": "score", "R3": "score against the baseline", "R4": "score against its usual",
}

// regressions writes what got worse, from what to what, and since when.
func (r *reading) regressions() {
	if len(r.Regressions) == 0 {
		return
	}
	r.title(inkAlarm, "REGRESSIONS: "+group(r.regressed()))
	shown := r.Regressions[:min(len(r.Regressions), 2*maxLines)]
	for _, f := range r.falls(shown) {
		r.hang(2, 4, inkNone, fmt.Sprintf("%s: %s %s (compared with %s)", f.Item, f.What, f.Since, f.Reference))
		if f.Cause != "" {
			r.hang(4, 6, inkNone, f.Cause)
		}
	}
	r.more(2, len(r.Regressions)-len(shown))
}

// A falling is what got worse about an item at one time.
type falling struct{ Item, What, Since, Reference, Cause string }

// falls joins the regressions of an item that began together; the last of an
// item says what changed.
func (r *reading) falls(list []Regression) (out []falling) {
	for i := 0; i < len(list); {
		first := list[i]
		var what []string
		for ; i < len(list) && list[i].Item == first.Item && list[i].Since == first.Since && list[i].Reference == first.Reference; i++ {
			what = append(what, fall(list[i]))
		}
		f := falling{Item: first.Item, What: strings.Join(what, ", "), Since: r.since(first.Since), Reference: r.mark(first.Reference)}
		if i == len(list) || list[i].Item != first.Item {
			f.Cause = r.cause(first.Item)
		}
		out = append(out, f)
	}
	return out
}

// regressed counts the items that regressed, by however many measures.
func (r *reading) regressed() int {
	items := map[string]bool{}
	for _, x := range r.Regressions {
		items[x.Item] = true
	}
	return len(items)
}

// fall says from what to what it went down.
func fall(x Regression) string {
	switch x.Code {
	case "R5":
		return x.Now
	case "R6":
		return x.Was + " → gone"
	}
	return regressed[x.Code] + " " + x.Was + " → " + x.Now
}

// cause names the facts of an item that changed in this run, the dangerous ones
// first: they are where to look.
func (r *reading) cause(item string) string {
	const most = 3
	for _, c := range r.Changes {
		if c.Item != item || len(c.Facts) == 0 {
			continue
		}
		var names []string
		for _, risk := range []string{"up", "neutral", "down"} {
			for _, f := range c.Facts {
				if f.Risk == risk {
					names = append(names, f.Name)
				}
			}
		}
		s := "changed: " + strings.Join(names[:min(len(names), most)], ", ")
		if n := len(names) - most; n > 0 {
			s += fmt.Sprintf(" and %d more", n)
		}
		return s
	}
	return ""
}

// flapping lists what goes to and fro: one look at it tells nothing.
func (r *reading) flapping() { r.short(inkYellow, "FLAPPING", r.flaps()) }

func (r *reading) flaps() (lines []string) {
	for _, it := range r.Items {
		if it.Flapping != nil {
			lines = append(lines, fmt.Sprintf("%s: its level keeps changing (%.0f %% of the most that 21 runs allow; it is over at 20 %%), now %s", it.Key, *it.Flapping, it.Level))
		}
	}
	return lines
}

// since says from when on something is so.
func (r *reading) since(m Mark) string {
	if m.Run == r.Run.ID {
		return "in this run"
	}
	return "since " + r.mark(m)
}

// mark names an earlier run by its number, where the history tells it, and its age.
func (r *reading) mark(m Mark) string {
	age := span(r.Run.Started.Sub(m.At)) + " ago"
	for _, h := range r.Score.History {
		if h.Seq > 0 && h.Run != "" && h.Run == m.Run {
			return fmt.Sprintf("run #%d, %s", h.Seq, age)
		}
	}
	return age
}

// resolved lists what is no longer wrong, and apart from it what only left with
// its item: nobody repaired that.
func (r *reading) resolved() {
	if repaired, left := r.ended(); !r.opts.New {
		r.short(inkGreen, "RESOLVED", repaired)
		r.short(inkNone, "NO LONGER JUDGED, because nothing starts it or it is gone", left)
	}
}

func (r *reading) ended() (repaired, left []string) {
	removed := map[string]bool{}
	for _, c := range r.Changes {
		removed[c.Item] = c.Op == "removed"
		removed[c.From] = true // its findings went with it to its new name
	}
	for _, f := range r.Findings {
		if f.Status != "resolved" {
			continue
		}
		line := f.Item + ": " + long(f.Message)
		if removed[f.Item] {
			left = append(left, line)
		} else {
			repaired = append(repaired, line)
		}
	}
	return repaired, left
}

func (r *reading) short(c ink, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	r.title(c, title+": "+group(len(lines)))
	for _, l := range lines[:min(len(lines), maxLines)] {
		r.hang(2, 4, inkNone, l)
	}
	r.more(2, len(lines)-maxLines)
}

// inventory lists every item.
func (r *reading) inventory() {
	if len(r.Items) == 0 {
		return
	}
	r.title(inkNone, "ITEMS: "+group(len(r.Items)))
	r.WriteByte('\n')
	g := &grid{indent: 2, cols: []column{{head: "ITEM"}, {head: "LEVEL", max: 8}, {head: "SCORE", max: 6, right: true}, {head: "STATE", max: 12}, {head: "CHANGE", max: 9}}}
	inks := map[string]ink{"failing": inkRed, "degraded": inkYellow, "unknown": inkDim}
	for _, it := range r.Items {
		name := it.Key
		if it.Path != "" && !tells(it.Key, it.Path) {
			name += "\n  " + it.Path
		}
		g.add(plain(name), cell{it.Level, inks[it.Level]}, plain(scored(it.Score, nil)), plain(it.State), plain(it.Change))
	}
	r.grid(g)
}

// ending writes what was or would be done, and how the run ends.
func (r *reading) ending() {
	r.WriteByte('\n')
	r.recovery()
	if a := r.Archive; a != nil {
		r.line(0, inkNone, fmt.Sprintf("Archive: %s, %s", a.Path, size(a.Bytes)))
	}
	r.line(0, inkNone, r.uncounted())
	r.line(0, map[bool]ink{true: inkGreen, false: inkAlarm}[r.Gate.Passed], r.gate())
	if h := r.JournalHead; h != nil {
		r.line(0, inkDim, fmt.Sprintf("Journal head: #%d %s", h.Seq, prefix(h.Hash, 16)))
	}
	if slices.ContainsFunc(r.open(), func(f Finding) bool { return f.Severity != "info" }) {
		r.line(0, inkDim, "What a finding means: audit check explain ID, with the word in brackets.")
		if r.Run.Seq > 0 {
			r.line(0, inkDim, "To accept one for a while: audit accept ID, with the letters behind the brackets.")
		}
	}
}

func (r *reading) recovery() {
	switch {
	case r.Recovery.Mode == "off":
		r.line(0, inkNone, "Recovery: off.")
		return
	case len(r.Recovery.Steps) == 0 && r.Recovery.Rules == 0:
		r.line(0, inkNone, "Recovery: no rules, nothing planned.")
		return
	}
	r.line(0, inkNone, "Recovery ("+r.Recovery.Mode+"): "+r.Recovery.totals()+".")
	for _, s := range r.Recovery.Steps[:min(len(r.Recovery.Steps), maxLines)] {
		line := fmt.Sprintf("%s %s: %s", s.Action, s.Item, strings.ReplaceAll(s.Status, "_", " "))
		if s.Reason != "" {
			line += ", " + s.Reason
		}
		r.hang(2, 4, inkNone, line)
	}
	r.more(2, len(r.Recovery.Steps)-maxLines)
	if r.Recovery.Totals["planned"] > 0 {
		what := "What it would do: audit recover. "
		if slices.ContainsFunc(r.Recovery.Steps, func(s Step) bool { return s.Status == "planned" && len(s.Files) > 0 }) {
			what = "What it would write: audit recover plan --patch. "
		}
		r.line(2, inkDim, what+"To do it: audit recover apply.")
	}
}

// exits explains the exit codes that the gate alone does not.
var exits = map[int]string{3: " (incomplete: not everything could be read)", 4: " (the store is damaged)", 5: " (something we did failed)"}

// gate says whether it passed, why, and the exit code.
func (r *reading) gate() string {
	g := r.Gate
	fails := "fails on " + strings.Join(g.FailOn, ", ")
	if len(g.FailOn) == 0 || slices.Equal(g.FailOn, []string{"never"}) {
		fails = "fails on nothing"
	}
	if g.FailUnder != nil && *g.FailUnder > 0 {
		fails += " or under " + points(*g.FailUnder)
	}
	s := "Gate passed (" + fails + ")"
	if !g.Passed {
		s = "Gate failed"
	}
	if len(g.Why) > 0 {
		s += ": " + strings.Join(g.Why, "; ")
	}
	return fmt.Sprintf("%s; exit %d%s.", strings.TrimRight(s, "."), g.Exit, exits[g.Exit])
}
