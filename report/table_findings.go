package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	maxBlocks  = 30 // findings or groups of them that are listed
	groupAbove = 2  // more findings of one check than this are one group
	maxShown   = 5  // of a group
	maxLines   = 10 // of the short lists: resolved, waived, regressed
	maxText    = 1200
)

// see says where more stands: a run that was not kept can only be made again.
func (r *reading) see(option string) string {
	if r.Run.Seq == 0 {
		return option
	}
	return "audit report " + option
}

// more ends a list that was capped.
func (r *reading) more(indent, n int) {
	if n > 0 {
		r.line(indent, inkNone, fmt.Sprintf("… and %s more: %s", group(n), r.see("--format json")))
	}
}

var severities = []struct {
	name string
	ink  ink
}{{"critical", inkAlarm}, {"high", inkRed}, {"medium", inkYellow}, {"low", inkCyan}, {"info", inkDim}}

// A block is one finding, or many of one check.
type block struct {
	findings []Finding
	loss     float64
}

// of returns the blocks of one severity, what costs most first.
func of(fs []Finding, severity string) []block {
	return blocksOf(slices.DeleteFunc(slices.Clone(fs), func(f Finding) bool { return f.Severity != severity }))
}

// findings writes the open findings, worst severity first, then what costs most.
func (r *reading) findings() {
	shown, reduced := r.shown()
	if reduced != "" {
		r.title(inkNone, reduced)
	}
	room, hidden := maxBlocks, map[string]int{}
	for _, sev := range severities {
		of := slices.DeleteFunc(slices.Clone(shown), func(f Finding) bool { return f.Severity != sev.name })
		if len(of) == 0 {
			continue
		}
		if sev.name == "info" && !r.opts.Items {
			r.title(inkNone, plural(len(of), "finding")+" for information: "+r.see("--items"))
			continue
		}
		blocks := blocksOf(of)
		if room == 0 {
			hidden[sev.name] += len(of)
			continue
		}
		loss := 0.0
		for _, f := range of {
			loss += f.Loss
		}
		r.title(sev.ink, strings.ToUpper(sev.name)+": "+plural(len(of), "finding")+costs(loss))
		for i, b := range blocks {
			if room == 0 {
				for _, rest := range blocks[i:] {
					hidden[sev.name] += len(rest.findings)
				}
				break
			}
			room--
			r.WriteByte('\n')
			r.block(b, sev.ink)
		}
	}
	var rest []string
	for _, sev := range severities {
		if n := hidden[sev.name]; n > 0 {
			rest = append(rest, group(n)+" "+sev.name)
		}
	}
	if len(rest) > 0 {
		r.title(inkNone, "… and more: "+strings.Join(rest, ", ")+": "+r.see("--format json"))
	}
}

// shown returns the open findings, or those of them that were asked for, and
// then what was.
func (r *reading) shown() (list []Finding, reduced string) {
	list = r.open()
	if !r.opts.New {
		return list, ""
	}
	all := len(list)
	list = slices.DeleteFunc(list, func(f Finding) bool { return !r.isNew(f) })
	what := "Only what is new, reopened or regressed"
	if r.Baseline != nil {
		what = fmt.Sprintf("Only what is not in the baseline #%d, or regressed", r.Baseline.Seq)
	}
	return list, fmt.Sprintf("%s: %d of %s.", what, len(list), plural(all, "open finding"))
}

func fresh(f Finding) bool { return f.Status == "new" || f.Status == "reopened" || f.Regression }

// blocksOf joins the findings of a check of which there are many. The order
// of the document decides between equal losses.
func blocksOf(fs []Finding) []block {
	type kind struct{ check, title string } // one check may have several things to say
	count := map[kind]int{}
	for _, f := range fs {
		count[kind{f.Check, f.Title}]++
	}
	at := map[kind]int{}
	var out []block
	for _, f := range fs {
		k := kind{f.Check, f.Title}
		i, ok := at[k]
		if !ok || count[k] <= groupAbove {
			i = len(out)
			at[k] = i
			out = append(out, block{})
		}
		out[i].findings = append(out[i].findings, f)
		out[i].loss += f.Loss
	}
	slices.SortStableFunc(out, func(a, b block) int { return cmp.Compare(b.loss, a.loss) })
	return out
}

func costs(loss float64) string {
	if l := lost(loss); l != "" {
		return ", " + l + " points"
	}
	return ""
}

// lost writes a loss: one decimal, two where one would be zero.
func lost(loss float64) string {
	switch loss = min(loss, 100); {
	case loss < 0.005:
		return ""
	case loss < 0.095:
		return fmt.Sprintf("-%.2f", loss)
	}
	return "-" + points(loss)
}

const lossWidth = 8 // "-100.0" and a gap

// block writes one finding, or one group of them.
func (r *reading) block(b block, c ink) {
	f := b.findings[0]
	head := strings.TrimSuffix(f.Item, "/(system)") + ": " + f.Title
	if n := len(b.findings); n > 1 {
		head = f.Title + ": " + plural(n, "finding")
	}
	loss := lost(b.loss)
	r.WriteString(r.paint(c, fmt.Sprintf("%*s  ", lossWidth-2, loss)))
	first := true
	for _, l := range wrap(head+r.marks(b.findings), r.width-lossWidth) {
		if !first {
			r.WriteString(strings.Repeat(" ", lossWidth))
		}
		first = false
		r.WriteString(r.paint(inkBold, l) + "\n")
	}
	if len(b.findings) > 1 {
		r.members(b)
		return
	}
	r.linked(lossWidth, lossWidth, inkDim, place(f)+"["+f.Check+"] "+short(f.ID), r.anchor(f))
	r.line(lossWidth, inkNone, long(f.Message))
	r.hint(f.Hint)
}

// members writes the first few findings of a group.
func (r *reading) members(b block) {
	r.line(lossWidth, inkDim, "["+b.findings[0].Check+"]")
	fs := slices.Clone(b.findings)
	slices.SortStableFunc(fs, func(x, y Finding) int { return cmp.Compare(rank(x), rank(y)) })
	message, hint := same(fs, func(f Finding) string { return f.Message }), same(fs, func(f Finding) string { return f.Hint })
	if message != "" {
		r.line(lossWidth, inkNone, long(message))
	}
	for _, f := range fs[:min(len(fs), maxShown)] {
		r.linked(lossWidth, lossWidth+2, inkNone, "- "+where(f)+r.marks([]Finding{f})+" "+short(f.ID), r.anchor(f))
		if message == "" {
			r.line(lossWidth+2, inkNone, long(f.Message))
		}
		if hint == "" {
			r.hint(f.Hint)
		}
	}
	r.more(lossWidth, len(fs)-maxShown)
	r.hint(hint)
}

// short is how a report names a finding, and what audit accept takes.
func short(id string) string { return prefix(id, 8) }

// rank puts what just happened before what is known.
func rank(f Finding) int {
	if fresh(f) {
		return 0
	}
	return 1
}

// same returns what all findings share, or "".
func same(fs []Finding, get func(Finding) string) string {
	first := get(fs[0])
	for _, f := range fs {
		if get(f) != first {
			return ""
		}
	}
	return first
}

// hint writes what to do. Lines after the first keep their indent.
func (r *reading) hint(s string) {
	const label = "To do: "
	first, rest, _ := strings.Cut(long(s), "\n")
	if s == "" {
		return
	}
	r.hang(lossWidth, lossWidth+len(label), inkNone, label+first)
	for l := range strings.Lines(rest) {
		l = strings.TrimRight(l, "\n")
		own := min(len(l)-len(strings.TrimLeft(l, " ")), 16)
		r.line(lossWidth+len(label)+own, inkNone, l)
	}
}

// marks says what is special about a finding, or about how many of a group.
func (r *reading) marks(fs []Finding) string {
	n := map[string]int{}
	for _, f := range fs {
		if f.Status == "new" || f.Status == "reopened" {
			n[f.Status]++
		}
		if f.Regression {
			n["regressed"]++
		}
		if f.Carried {
			n["not looked at this time"]++
		}
		switch f.Confidence {
		case "medium":
			n["probable"]++
		case "low":
			n["possible"]++
		}
	}
	var parts []string
	for _, m := range []string{"new", "reopened", "regressed", "probable", "possible", "not looked at this time"} {
		switch {
		case n[m] == 0:
		case n[m] == len(fs):
			parts = append(parts, m)
		default:
			parts = append(parts, group(n[m])+" "+m)
		}
	}
	if age := r.Run.Started.Sub(fs[0].FirstSeen.At); len(fs) == 1 && fs[0].Status == "persisting" && age >= time.Minute && !fs[0].FirstSeen.At.IsZero() {
		parts = append([]string{"for " + span(age)}, parts...)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// long bounds a message that is a whole file.
func long(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := 0
	for i := range s {
		if i > maxText {
			n = i
			break
		}
	}
	if n == 0 {
		return s
	}
	return fmt.Sprintf("%s… (%s more in the JSON report)", s[:n], plural(len(s)-n, "byte"))
}
