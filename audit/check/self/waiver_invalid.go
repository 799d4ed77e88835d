package self

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// WaiverInvalid reports waivers that are not honoured because something is
// missing or wrong in them.
var WaiverInvalid = &audit.Check{
	ID:       "audit-waiver-invalid",
	Title:    "waiver not honoured",
	Severity: audit.Low,
	Doc: "A comment in a file asks audit to ignore a finding there, and is not obeyed: it names a check that does not exist, gives no reason, has no end, " +
		"one more than 180 days away, or stands at the first of several files that one finding is about; or a glob in audit.yaml meets what is critical. Nobody can tell later why such a finding was accepted, and until when.",
	Hint:          "Write it as `audit: ignore[CHECK] reason=WHY until=2027-01-31`, with an end in at most 180 days; `audit check list` has the names.",
	Discriminator: "the file, the checks and the item it names, and its number among those alike",
	Source:        "audit: a waiver has a reason and an end",
	Last:          true,
	Judge: func(p *audit.Pass) {
		for name, w := range waivers(p) {
			what := w.Problem(p.Now.At)
			if unknown := slices.DeleteFunc(slices.Clone(w.Checks), func(id string) bool { return known(p, id) }); len(unknown) > 0 {
				what = "there is no check " + strings.Join(unknown, ", ")
			}
			if what == "" && !w.Over(p.Now.At) && p.Narrow(w) {
				what = "what it stands at is one finding about several files, which one of them cannot accept for all"
			}
			hint := ""
			if n := p.Spared(w); what == "" && n > 0 && !w.Over(p.Now.At) {
				what = fmt.Sprintf("%s is about more than one item, and what is critical is accepted one by one (%d here)", w.Item, n)
				hint = "Write an entry with the whole key of each item that is critical, or accept each finding: `audit accept ID --reason WHY --until DATE`."
			}
			if what != "" {
				p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: name, At: w.At, Hint: hint,
					Message: fmt.Sprintf("The %s is not honoured: %s.", named(w), what)})
			}
		}
	},
}

// named names a waiver; one in a file by its place alone, as its checks may be wrong.
func named(w *audit.Waiver) string {
	if w.Item == "" {
		return "waiver in " + w.At.Path
	}
	return w.String()
}

func known(p *audit.Pass, id string) bool {
	return slices.ContainsFunc(p.All, func(c *audit.Check) bool { return c.ID == id })
}

// waivers yields the waivers of the snapshot with their discriminators.
func waivers(p *audit.Pass) func(yield func(string, *audit.Waiver) bool) {
	return func(yield func(string, *audit.Waiver) bool) {
		alike := map[string]int{}
		for i := range p.Waivers {
			w := &p.Waivers[i]
			name := strings.TrimSpace(w.At.Path + " " + strings.Join(w.Checks, ",") + " " + w.Item)
			if w.Finding != "" {
				name = "accepted " + w.Finding
			}
			if alike[name]++; alike[name] > 1 {
				name += fmt.Sprintf(" ~%d", alike[name])
			}
			if !yield(name, w) {
				return
			}
		}
	}
}

// ignores returns the rules that hide changes.
func ignores(p *audit.Pass) []*audit.Ignore {
	out := make([]*audit.Ignore, len(p.Ignores))
	for i := range p.Ignores {
		out[i] = &p.Ignores[i]
	}
	return out
}
