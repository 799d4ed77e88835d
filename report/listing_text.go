package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Diff writes what changed between two snapshots, by system. The lines of
// patches are cleaned but neither wrapped nor cut.
func Diff(w io.Writer, v DiffView, o Options) error {
	patches := v.Patches
	v.Patches = nil
	v = cleaned(v)
	p := newPage(o)
	p.line(0, inkBold, fmt.Sprintf("From snapshot %s to %s: %s.", v.Old, v.New, cmp.Or(counts(v.Changes), "nothing changed")))
	system := ""
	for _, c := range v.Changes {
		if c.System != system {
			system = c.System
			p.title(inkBold, strings.ToUpper(system))
		}
		p.change(c)
	}
	if len(v.NotCompared) > 0 {
		p.title(inkYellow, "NOT COMPARED")
		for _, n := range v.NotCompared {
			p.hang(2, 4, inkNone, n.System+": "+n.Reason)
		}
	}
	if v.Ignored > 0 {
		p.title(inkNone, fmt.Sprintf("%s ignored by %s: audit diff --all shows them.", plural(v.Ignored, "change"), plural(v.IgnoreRules, "rule")))
	}
	p.legend()
	for _, x := range patches {
		p.patch(x)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// counts says how many changes there are of each kind, "" without any.
func counts(changes []Change) string {
	n := map[string]int{}
	for _, c := range changes {
		n[c.Op]++
	}
	var parts []string
	for _, op := range []string{"added", "removed", "changed", "rebased"} {
		if n[op] > 0 {
			parts = append(parts, group(n[op])+" "+op)
		}
	}
	return strings.Join(parts, ", ")
}

var ops = map[string]struct {
	sign string
	ink  ink
}{"added": {"+ ", inkGreen}, "removed": {"- ", inkRed}, "changed": {"~ ", inkYellow}, "rebased": {"= ", inkDim}}

func (p *page) change(c Change) {
	op := ops[c.Op]
	renamed := ""
	if c.From != "" {
		renamed = " (renamed from " + c.From + ")"
	}
	if c.Commit != "" {
		renamed = " (deleted in commit " + prefix(c.Commit, 10) + ")"
	}
	p.hang(2, 4, op.ink, op.sign+c.Item+renamed+rebasedNote(c.Op))
	p.facts(4, c.Facts, c.Files)
	for _, f := range c.Files {
		if !tells(c.Item, f) {
			p.hang(4, 6, inkDim, "file "+f)
		}
	}
}

func rebasedNote(op string) string {
	if op == "rebased" {
		return ": read in another way since an upgrade, not comparable"
	}
	return ""
}

var arrows = map[string]struct {
	text string
	ink  ink
}{"up": {"↑ ", inkRed}, "down": {"↓ ", inkGreen}}

// legend explains the arrows, if there are any.
func (p *page) legend() {
	if strings.Contains(p.String(), "↑ ") || strings.Contains(p.String(), "↓ ") {
		p.title(inkDim, "↑ riskier than before, ↓ safer")
	}
}

func (p *page) patch(x Patch) {
	p.title(inkBold, Clean(x.Path))
	for l := range strings.Lines(x.Text) {
		c := inkNone
		switch l[0] {
		case '+':
			c = inkGreen
		case '-':
			c = inkRed
		case '@':
			c = inkCyan
		}
		p.verbatim("", c, l)
	}
}

// verbatim writes one line of foreign text, cleaned, as wide as it is.
func (p *page) verbatim(indent string, c ink, l string) {
	l = strings.TrimRight(Clean(strings.ReplaceAll(strings.TrimRight(l, "\r\n"), "\t", "    ")), " ")
	if l != "" {
		l = indent + p.paint(c, l)
	}
	p.WriteString(l + "\n")
}

// History writes one item over time, in the order given.
func History(w io.Writer, v HistoryView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	head := v.Item
	if v.Path != "" && !tells(v.Item, v.Path) {
		head += " in " + v.Path
	}
	p.line(0, inkBold, head+": "+plural(len(v.Entries), "snapshot")+" in which something changed.")
	p.neighbours(v.Now)
	p.curves(v)
	inks := map[string]ink{"failing": inkRed, "degraded": inkYellow, "unknown": inkDim, "ok": inkGreen}
	for _, e := range v.Entries {
		line := fmt.Sprintf("#%d  %s", e.Seq, stamp(e.At))
		if e.Commit != "" {
			line += "  " + prefix(e.Commit, 10)
		}
		if e.Op != "removed" {
			line += "  " + e.Level
			if e.Score != nil {
				line += " " + points(*e.Score)
			}
		}
		if e.State != "" {
			line += ", " + e.State
		}
		switch {
		case e.Op != "":
			line += ", " + e.Op + rebasedNote(e.Op)
		case len(e.Files) > 0:
			line += ", written anew without a change of meaning"
		}
		p.title(inks[e.Level], line)
		p.facts(4, e.Facts, e.Files)
		p.shorts("opened", e.Opened)
		p.shorts("closed", e.Closed)
		p.shorts("accepted", e.Waived)
		p.shorts("counts again:", e.Counts)
	}
	p.legend()
	_, err := w.Write(p.Bytes())
	return err
}

// neighbours writes who starts the item and what it starts, a line for each that
// has something to say.
func (p *page) neighbours(n *Neighbours) {
	if n == nil {
		return
	}
	beyond := slices.DeleteFunc(slices.Clone(n.SetGoingBy), func(k string) bool { return slices.Contains(n.StartedBy, k) })
	for _, l := range []struct {
		what string
		c    ink
		keys []string
	}{{"started by", inkNone, n.StartedBy}, {"set going by", inkNone, beyond}, {"starts", inkNone, n.Starts}, {"starts what is not there:", inkRed, n.Missing}} {
		if len(l.keys) > 0 {
			p.hang(2, 4, l.c, l.what+" "+several(l.keys))
		}
	}
}

// several joins keys for a line of a person's listing: of many the first.
func several(keys []string) string {
	const most = 12
	if n := len(keys) - most; n > 0 {
		return strings.Join(keys[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(keys, ", ")
}

// curves draws score and metrics, one line each, newest on the right. What never
// moved is not worth one.
func (p *page) curves(v HistoryView) {
	if len(v.Scores) < 2 {
		return
	}
	room := p.width / 2
	g := &grid{indent: 2, cols: []column{{max: 24}, {max: room}, {}}}
	g.add(plain("score"), plain(spark(newest(v.Scores, room), 0, 100)), plain(extent(newest(v.Scores, room), points)))
	for _, m := range v.Metrics {
		if shown := newest(m.Points, room); moves(shown) {
			vs := known(shown)
			g.add(plain(m.Name), plain(spark(shown, slices.Min(vs), slices.Max(vs))), plain(extent(shown, number)))
		}
	}
	p.WriteByte('\n')
	p.grid(g)
}

// number writes a metric: no more digits than a person reads.
func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return group(int64(v))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

func (p *page) shorts(verb string, fs []FindingShort) {
	for _, f := range fs {
		line := fmt.Sprintf("%s %s %s", verb, f.Severity, f.Check)
		if f.Message != "" {
			line += ": " + long(f.Message)
		}
		p.hang(4, 6, inkNone, line)
	}
}

// CheckExplain writes everything a check says of itself. Its examples keep
// their lines and indents.
func CheckExplain(w io.Writer, d CheckDoc, o Options) error {
	bad, good, doc := d.Bad, d.Good, d.Doc
	d = cleaned(d)
	p := newPage(o)
	p.line(0, inkBold, d.ID+": "+d.Title)
	about := "Severity " + d.Severity
	if d.Confidence != "" {
		about += ", confidence " + d.Confidence
	}
	if d.System != "" {
		about += ", judges " + d.System
	}
	p.line(0, inkDim, about+".")
	p.WriteByte('\n')
	p.prose(0, doc)
	if d.Hint != "" {
		p.title(inkBold, "What to do")
		p.line(2, inkNone, d.Hint)
	}
	if len(d.Limits) > 0 {
		p.title(inkBold, "Limits")
		for _, l := range d.Limits {
			p.hang(2, 4, inkNone, fmt.Sprintf("%s = %s %s: %s", l.Name, value(l.Default), l.Unit, l.Doc))
		}
	}
	p.example("It finds this", bad)
	p.example("And not this", good)
	if d.Discriminator != "" {
		p.title(inkBold, "Two findings of one item differ by")
		p.line(2, inkNone, d.Discriminator)
	}
	if d.Source != "" {
		p.title(inkBold, "Source")
		p.line(2, inkNone, d.Source)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// prose writes paragraphs that an empty line separates.
func (p *page) prose(indent int, text string) {
	for i, para := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.WriteByte('\n')
		}
		p.line(indent, inkNone, Clean(strings.Join(strings.Fields(para), " ")))
	}
}

func (p *page) example(title, text string) {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return
	}
	p.title(inkBold, title)
	about, files, _ := strings.Cut(cleanLines(text), "\n\n") // what it shows, then the files it is made of
	p.line(2, inkNone, strings.Join(strings.Fields(about), " "))
	if files != "" {
		p.WriteByte('\n')
	}
	for l := range strings.Lines(files) {
		l = strings.TrimRight(l, "\n")
		own := min(len(l)-len(strings.TrimLeft(l, " ")), p.width/2)
		if 2+width(l) <= p.width {
			p.verbatim("  ", inkNone, l)
			continue
		}
		p.hang(2+own, 4+own, inkNone, l)
	}
}
