package audit

import (
	"cmp"
	"strings"

	"healthaudit/snapshot"
)

// A Pass is what one check sees, and where it reports.
type Pass struct {
	*World
	check  *Check
	out    []Finding
	made   pile                    // by the checks before, for one that runs Later or Last
	hidden func(snapshot.Key) bool // items that Items leaves out; nil: none
	doubt  []string                // IDs of findings whose absence proves nothing
	blind  []snapshot.Key          // items of which no absence proves anything
}

// Items returns the judgeable items of the check's system (or of all systems,
// for a check without one): those not carried from an earlier snapshot.
func (p *Pass) Items() []*snapshot.Item {
	all := p.Now.Items
	if p.check.System != "" {
		all = p.Now.Of(p.check.System)
	}
	out := make([]*snapshot.Item, 0, len(all))
	for _, it := range all {
		if !it.Carried && (p.hidden == nil || !p.hidden(it.Key)) {
			out = append(out, it)
		}
	}
	return out
}

// Bytes returns the captured bytes of a file, or nil when they were not kept.
func (p *Pass) Bytes(f snapshot.File) []byte {
	if f.SHA256 == "" || p.Now.Content == nil {
		return nil
	}
	b, err := p.Now.Content.Bytes(f.SHA256)
	if err != nil {
		return nil
	}
	return b
}

// Limit returns the value of one of the check's limits.
func (p *Pass) Limit(name string) float64 { return p.LimitOf(p.check, name) }

// LimitOf returns the value of a limit of another check, whose verdict decides
// which of the two tells something.
func (p *Pass) LimitOf(c *Check, name string) float64 {
	if v, ok := p.Limits[c.ID+"."+name]; ok {
		return v
	}
	for _, l := range c.Limits {
		if l.Name == name {
			return l.Default
		}
	}
	panic("check " + c.ID + " has no limit " + name)
}

// Doubt notes that the check could not look for one finding, because something
// it needs could not be read this time: if it was open, it stays.
func (p *Pass) Doubt(item snapshot.Key, discriminator string) {
	p.doubt = append(p.doubt, FindingID(item.System(), item, p.check.ID, discriminator))
}

// DoubtAll notes that the check could not look at an item at all: what was open
// of it stays.
func (p *Pass) DoubtAll(item snapshot.Key) { p.blind = append(p.blind, item) }

// maxMessage bounds a message in bytes: names in it may be as long as their file.
const maxMessage = 2000

// sentence ends a message with a full stop, unless it ends with a mark of its own.
func sentence(s string) string {
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}

// Report records a finding.
func (p *Pass) Report(r Report) {
	f := Finding{
		Check: p.check.ID, System: r.Item.System(), Item: r.Item, Discriminator: r.Discriminator,
		Severity: r.Severity, Confidence: r.Confidence, Title: cmp.Or(r.Title, p.check.Title), Message: sentence(r.Message), Hint: r.Hint,
		At: r.At, Wide: r.Wide, CheckVersion: max(p.check.Version, 1),
	}
	if f.Severity == 0 {
		f.Severity = p.check.Severity
	}
	if f.Confidence == "" {
		f.Confidence = p.check.Confidence
	}
	if f.Confidence == "" {
		f.Confidence = Certain
	}
	f.Hint = hintFor(cmp.Or(f.Hint, p.check.Hint), r.Item)
	for _, e := range r.Evidence {
		if len(e.Value) > maxMessage {
			e.Value = strings.ToValidUTF8(e.Value[:maxMessage], "") + "…"
		}
		f.Evidence = append(f.Evidence, e)
	}
	if f.At.Path != "" {
		f.At.Line, f.At.Column = max(f.At.Line, 1), max(f.At.Column, 1)
	}
	if p.check.Address != nil {
		p.check.Address(p, &f)
	}
	f.ID = FindingID(f.System, f.Item, f.Check, f.Discriminator)
	p.out = append(p.out, f)
}
