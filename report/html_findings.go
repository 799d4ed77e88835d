package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Bounds of the findings of the page: how many there are on it, and how many
// of the urgent ones, or of one check, are unfolded.
const (
	htmlFindings = 5000
	htmlUnfolded = 12
)

// An htmlGroup is the findings of one severity.
type htmlGroup struct {
	Severity string
	Count    int
	Loss     string
	Blocks   []htmlBlock
}

// An htmlBlock is one finding, or many of one check.
type htmlBlock struct {
	Finding
	Loss     string
	Item, At string
	Marks    string
	Fresh    bool
	Unfolded bool
	Message  string // that all share
	Todo     []string
	Members  []htmlMember // of many
	Since    string
}

// An htmlMember is one of many findings of a check.
type htmlMember struct {
	Item, At, Marks, Message, ID, System string
	Todo                                 []string
	Fresh                                bool
}

// groups fills in the findings, worst first.
func (p *htmlPage) groups() {
	list, reduced := p.shown()
	p.Reduced, p.Open = reduced, len(list)
	unfolded, room := htmlUnfolded, htmlFindings
	for _, sev := range severities {
		of := slices.DeleteFunc(slices.Clone(list), func(f Finding) bool { return f.Severity != sev.name })
		if len(of) == 0 {
			continue
		}
		g := htmlGroup{Severity: sev.name, Count: len(of)}
		loss := 0.0
		for _, f := range of {
			loss += f.Loss
		}
		g.Loss = lost(loss)
		if len(of) > room {
			p.MoreOpen += len(of) - room
			of = of[:room]
		}
		room -= len(of)
		for _, b := range blocksOf(of) {
			h := p.htmlBlock(b)
			h.Unfolded = unfolded > 0 && (sev.name == "critical" || sev.name == "high") && len(h.Members) <= htmlUnfolded
			if h.Unfolded {
				unfolded--
			}
			g.Blocks = append(g.Blocks, h)
		}
		p.Groups = append(p.Groups, g)
	}
}

func (r *reading) htmlBlock(b block) htmlBlock {
	f := b.findings[0]
	h := htmlBlock{Finding: f, Loss: lost(b.loss), Marks: unparenthesised(r.marks(b.findings)), Fresh: fresh(f), Message: long(f.Message), Todo: todo(f.Hint)}
	h.Item, h.At = placed(f)
	if !f.FirstSeen.At.IsZero() {
		h.Since = r.since(f.FirstSeen)
	}
	if len(b.findings) == 1 {
		return h
	}
	fs := slices.Clone(b.findings)
	slices.SortStableFunc(fs, func(x, y Finding) int { return cmp.Compare(rank(x), rank(y)) })
	message, hint := same(fs, func(f Finding) string { return f.Message }), same(fs, func(f Finding) string { return f.Hint })
	h.Message, h.Todo = long(message), todo(hint)
	for _, f := range fs {
		m := htmlMember{Marks: unparenthesised(r.marks([]Finding{f})), ID: short(f.ID), System: f.System, Fresh: fresh(f)}
		m.Item, m.At = placed(f)
		if message == "" {
			m.Message = clip(f.Message, 400)
		}
		if hint == "" {
			m.Todo = todo(clip(f.Hint, 400))
		}
		h.Members = append(h.Members, m)
	}
	return h
}

// placed is parted where there is more room for places than in a table: they
// stand in full, and tell the item wherever they can.
func placed(f Finding) (item, at string) {
	if item, at = parted(f); at != "" && tells(f.Item, f.Location.Path) {
		return "", at
	}
	return strings.TrimSuffix(item, "/(system)"), at
}

// todo parts a hint into its first line, which is words, and what stands below,
// which is to be written somewhere.
func todo(hint string) []string {
	if hint == "" {
		return nil
	}
	words, below, more := strings.Cut(long(hint), "\n")
	if !more {
		return []string{words}
	}
	return []string{words, below}
}

func unparenthesised(s string) string { return strings.Trim(s, " ()") }

// An htmlSystem is a row of the systems.
type htmlSystem struct {
	System
	Shown   string // instead of a score
	Bar     float64
	Changes string
}

func (r *reading) htmlSystems() (out []htmlSystem) {
	for _, s := range r.Systems {
		h := htmlSystem{System: s, Shown: scored(s.Score.Value, s.Score.Grade), Changes: r.changesOf(s)}
		switch s.Status {
		case "error":
			h.Shown = "failed"
		case "absent", "skipped":
			h.Shown = s.Status
		}
		if h.Changes == "none" {
			h.Changes = "no change"
		}
		if s.Score.Value != nil {
			h.Bar = min(max(*s.Score.Value, 0), 100)
		}
		out = append(out, h)
	}
	return out
}

// An htmlChange is what became of an item since the run it is compared with.
type htmlChange struct {
	Item, Op string
	Facts    []htmlFact
	More     int
	Files    string
}

type htmlFact struct{ Name, Old, New, Risk string }

func (r *reading) htmlChanges() (out []htmlChange) {
	const most = 12
	for _, c := range r.Document.Changes {
		h := htmlChange{Item: c.Item, Op: c.Op, More: max(len(c.Facts)-most, 0)}
		if c.From != "" {
			h.Op = "renamed from " + c.From
		}
		if c.Commit != "" {
			h.Op += " in commit " + prefix(c.Commit, 10)
		}
		for _, f := range c.Facts[:min(len(c.Facts), most)] {
			h.Facts = append(h.Facts, htmlFact{f.Name, factText(f.Old), factText(f.New), f.Risk})
		}
		if len(c.Facts) == 0 {
			h.Files = strings.Join(c.Files[:min(len(c.Files), most)], ", ")
		}
		out = append(out, h)
	}
	return out
}

// factText writes the value of a fact on a line.
func factText(v any) string {
	switch x := v.(type) {
	case nil:
		return "nothing"
	case []string:
		return clip(strings.Join(x, ", "), 200)
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = fmt.Sprint(e)
		}
		return clip(strings.Join(parts, ", "), 200)
	}
	return clip(fmt.Sprint(v), 200)
}
