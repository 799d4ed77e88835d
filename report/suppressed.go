package report

import (
	"fmt"
	"strings"
	"time"
)

// Suppressed counts what is not shown, or shown and not counted.
type Suppressed struct {
	Findings    int `json:"findings"` // open and waived
	Waivers     int `json:"waivers"`  // that accept some
	Changes     int `json:"changes"`  // of facts, ignored
	IgnoreRules int `json:"ignore_rules"`
}

// Rechecked says that an old snapshot is judged by today's checks.
type Rechecked struct {
	At      time.Time `json:"at"`
	Value   *float64  `json:"value"` // the score of the run itself
	Grade   *string   `json:"grade"`
	Passed  bool      `json:"passed"` // its gate
	Version string    `json:"version"`
}

// deleted lists what left with a commit: a change, and nothing that is missed.
func (r *reading) deleted() {
	if !r.opts.New {
		r.short(inkNone, "DELETED", r.departed())
	}
}

func (r *reading) departed() (lines []string) {
	for _, c := range r.Changes {
		if c.Commit != "" {
			lines = append(lines, c.Item+", in commit "+prefix(c.Commit, 10))
		}
	}
	return lines
}

// waived lists what is accepted for a while.
func (r *reading) waived() {
	if !r.opts.New {
		r.short(inkNone, "WAIVED", r.accepted())
	}
}

func (r *reading) accepted() (lines []string) {
	for _, f := range r.Findings {
		if f.Waiver != nil && f.Status != "resolved" {
			lines = append(lines, fmt.Sprintf("%s: %s, until %s: %s (%s) %s", f.Item, f.Title, f.Waiver.Until, f.Waiver.Reason, f.Waiver.By, short(f.ID)))
		}
	}
	return lines
}

// uncounted counts what is accepted or ignored; "" when nothing is.
func (r *reading) uncounted() string {
	s := r.Suppressed
	var parts []string
	if s.Findings > 0 {
		parts = append(parts, plural(s.Findings, "finding")+" accepted by "+plural(s.Waivers, "waiver"))
	}
	if s.Changes > 0 {
		parts = append(parts, plural(s.Changes, "change")+" ignored by "+plural(s.IgnoreRules, "rule"))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Not counted: " + strings.Join(parts, ", ") + "."
}
