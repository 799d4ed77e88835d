package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

var mdMarks = map[ink]string{inkAlarm: "❌", inkYellow: "⚠️", inkGreen: "✅"}

// mdHead says how it is, whether the gate passed, and which run says so.
func (m *mdPage) mdHead() string {
	c, _ := m.state()
	if m.Gate.Exit != 0 {
		c = inkAlarm
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", strings.TrimSpace(mdMarks[c]+" "+prose(clip(m.headline(), 300))))
	fmt.Fprintf(&b, "**%s**\n\n", prose(clip(m.gate(), 600)))
	notes := []string{m.runLine(), m.judgedAnew()}
	_, reduced := m.shown()
	for _, n := range append(append(notes, m.scoreNotes()...), m.lately(), reduced, m.uncounted()) {
		if n != "" {
			b.WriteString(prose(clip(n, 600)) + "\n\n")
		}
	}
	return b.String()
}

func (m *mdPage) mdSystems() mdSection {
	s := mdSection{what: "systems", heads: []string{"System", ">Items", ">Score", ">Critical", ">High", ">Medium", ">Low", "Changes"}}
	for _, y := range m.Systems {
		score := scored(y.Score.Value, y.Score.Grade)
		switch y.Status {
		case "error":
			score = "**failed**"
		case "absent", "skipped":
			score = y.Status
		}
		s.rows = append(s.rows, []string{prose(clip(y.System, 40)), dash(y.Items), score, dash(y.Counts.Critical), dash(y.Counts.High),
			dash(y.Counts.Medium), dash(y.Counts.Low), prose(m.changesOf(y))})
	}
	return s
}

func (m *mdPage) mdRegressions() mdSection {
	s := mdSection{title: fmt.Sprintf("Regressions: %s", group(m.regressed())), what: "regressions", heads: []string{"Item", "What got worse", "Since", "Compared with"}}
	for _, f := range m.falls(m.Regressions) {
		what := prose(clip(f.What, 300))
		if f.Cause != "" {
			what += "\n" + prose(clip(f.Cause, 300))
		}
		s.rows = append(s.rows, []string{code(clip(f.Item, 200)), what, prose(f.Since), prose(f.Reference)})
	}
	return s
}

// mdFindings are the open findings, one table for each severity; what is not
// urgent is folded.
func (m *mdPage) mdFindings() (out []mdSection) {
	shown, _ := m.shown()
	for _, sev := range severities {
		of := slices.DeleteFunc(slices.Clone(shown), func(f Finding) bool { return f.Severity != sev.name })
		if len(of) == 0 || sev.name == "info" && !m.opts.Items {
			continue
		}
		loss := 0.0
		for _, f := range of {
			loss += f.Loss
		}
		s := mdSection{title: fmt.Sprintf("%s%s: %s%s", strings.ToUpper(sev.name[:1]), sev.name[1:], plural(len(of), "finding"), costs(loss)),
			fold: sev.name != "critical" && sev.name != "high", what: "entries", heads: []string{">Points", "Finding", "What to do"}}
		for _, b := range blocksOf(of) {
			s.rows = append(s.rows, m.mdBlock(b))
		}
		out = append(out, s)
	}
	return out
}

// mdBlock is the row of one finding, or of one group of them.
func (m *mdPage) mdBlock(b block) []string {
	f := b.findings[0]
	lines := []string{"**" + prose(clip(f.Title, 200)) + "**" + m.marks(b.findings)}
	if n := len(b.findings); n > 1 {
		lines[0] = "**" + prose(clip(f.Title, 200)) + ": " + plural(n, "finding") + "**" + m.marks(b.findings)
	}
	message := same(b.findings, func(f Finding) string { return f.Message })
	for _, f := range b.findings[:min(len(b.findings), maxShown)] {
		at := mdPlace(f)
		if message == "" {
			at += ": " + prose(clip(f.Message, 300))
		}
		lines = append(lines, at)
	}
	if more := len(b.findings) - maxShown; more > 0 {
		lines = append(lines, "… and "+group(more)+" more")
	}
	if message != "" {
		lines = append(lines, prose(clip(message, 500)))
	}
	about := code(f.Check)
	if len(b.findings) == 1 {
		about += " " + code(short(f.ID))
	}
	return []string{cmp.Or(lost(b.loss), "0"), strings.Join(append(lines, about), "\n"), mdHint(same(b.findings, func(f Finding) string { return f.Hint }))}
}

func (m *mdPage) mdRecovery() mdSection {
	s := mdSection{title: "Recovery (" + mdEntities.Replace(m.Recovery.Mode) + "): " + m.Recovery.totals(), fold: true, what: "steps", heads: []string{"Status", "Item", "Action", "Why"}}
	for _, x := range m.Recovery.Steps {
		s.rows = append(s.rows, []string{prose(strings.ReplaceAll(x.Status, "_", " ")), code(clip(x.Item, 200)), code(clip(x.Action, 60)), prose(clip(cmp.Or(x.Reason, x.What), 300))})
	}
	return s
}

func (m *mdPage) mdItems() mdSection {
	s := mdSection{title: "Items: " + group(len(m.Items)), fold: true, what: "items", heads: []string{"Item", "Level", ">Score", "State", "Change"}}
	for _, it := range m.Items {
		s.rows = append(s.rows, []string{code(clip(it.Key, 200)), prose(it.Level), scored(it.Score, nil), prose(clip(it.State, 60)), prose(it.Change)})
	}
	return s
}

// mdFoot says how to go on.
func (m *mdPage) mdFoot() string {
	s := "audit " + prose(clip(m.Tool.Version, 60)) + "."
	if a := m.Archive; a != nil {
		s += " Archive: " + code(clip(a.Path, 200)) + ", " + size(a.Bytes) + "."
	}
	if slices.ContainsFunc(m.open(), func(f Finding) bool { return f.Severity != "info" }) {
		s += " What a finding means: " + code("audit check explain") + " with the name below it."
		if m.Run.Seq > 0 {
			s += " To accept one for a while: " + code("audit accept") + " with the letters behind that."
		}
	}
	return "<sub>" + s + "</sub>\n"
}
