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
		"one more than 180 days away, or stands at the first of several files that one finding is about. Nobody can tell later why such a finding was accepted, and until when.",
	Hint:          "Write it as `audit: ignore[CHECK] reason=WHY until=2027-01-31`, with an end in at most 180 days; `audit check list` has the names.",
	Discriminator: "the file, the checks it names, and its number among those alike",
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
			if what != "" {
				p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: name, At: w.At,
					Message: fmt.Sprintf("The waiver in %s is not honoured: %s.", w.At.Path, what)})
			}
		}
	},
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
			name := w.At.Path + " " + strings.Join(w.Checks, ",")
			if alike[name]++; alike[name] > 1 {
				name += fmt.Sprintf(" ~%d", alike[name])
			}
			if !yield(name, w) {
				return
			}
		}
	}
}
