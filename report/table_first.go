package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	maxFirst     = 3
	maxFirstText = 150 // runes
)

// unseen is 1 of what nobody could look at this time, and may be over, else 0.
func (b block) unseen() int {
	if b.findings[0].Carried {
		return 1
	}
	return 0
}

// first writes what to begin with, where there is so much to do that it does
// not stand on the first screen: the place of each is found below. Of equal
// severity, what was seen comes before what nobody could look at: that one's cause
// is often among the former.
func (r *reading) first() {
	shown, _ := r.shown()
	var blocks []block
	for _, sev := range severities {
		if sev.name != "info" {
			all := of(shown, sev.name)
			slices.SortStableFunc(all, func(a, b block) int { return cmp.Compare(a.unseen(), b.unseen()) })
			blocks = append(blocks, all...)
		}
	}
	if len(blocks) <= maxFirst {
		return
	}
	r.title(inkBold, "TO DO FIRST")
	for i, b := range blocks[:maxFirst] {
		f := b.findings[0]
		what := strings.TrimSuffix(f.Item, "/(system)") + ", " + f.Title
		if n := len(b.findings); n > 1 {
			what = f.Title + " (" + plural(n, "finding") + ", the first at " + where(f) + ")"
		}
		line, rest, _ := strings.Cut(f.Hint, "\n")
		if line = strings.TrimSuffix(what+": "+line, ": "); rest != "" {
			line += " …"
		}
		if part := prefix(line, maxFirstText); part != line {
			if i := strings.LastIndexByte(part, ' '); i > maxFirstText/2 {
				part = part[:i]
			}
			line = part + " …"
		}
		r.hang(2, 5, inkNone, fmt.Sprintf("%d. %s", i+1, line))
	}
}
