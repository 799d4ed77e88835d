package self

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// RecoveryExhausted reports items on which a rule of recovery has no attempt left.
var RecoveryExhausted = &audit.Check{
	ID:       "audit-recovery-exhausted",
	Title:    "recovery gave an item up",
	Severity: audit.High,
	Needs:    []snapshot.System{snapshot.Auditor},
	Doc: "A rule made all the attempts that its max_attempts allows, and its condition still holds: what is wrong is nothing that the rule mends. It is told once in the journal, " +
		"and stands here until the item is well for long enough (reset_after), or a person resets it. With on_exhausted.disable_for one more attempt is made after that time, and so on.",
	Hint:          "Look at the item yourself; `audit recover reset RULE ITEM` lets the rule begin anew.",
	Discriminator: "the rule and the item",
	Source:        "Monit and Kubernetes stop after so many restarts; who stops must say so",
	Judge: func(p *audit.Pass) {
		item := snapshot.Pseudo(snapshot.Auditor)
		if p.Recovery == nil {
			p.DoubtAll(item)
			return
		}
		for _, g := range p.Recovery.GivenUp {
			r := audit.Report{Item: item, Discriminator: g.Rule + " " + g.Item, At: ruleAt(p.Recovery, g.Line),
				Message: fmt.Sprintf("The rule %s made %s on %s, and none helped.", g.Rule, attempts(g.Attempts), g.Item),
				Hint: fmt.Sprintf("Look at %s yourself (`audit history %s`). Once it is well for %s the attempts are forgotten; `audit recover reset %s %s` forgets them now.",
					g.Item, g.Item, hours(g.Reset), g.Rule, g.Item)}
			if !g.Again.IsZero() {
				r.Evidence = append(r.Evidence, audit.Evidence{Name: "one more after", Value: g.Again.UTC().Format("2006-01-02 15:04 UTC")})
			}
			p.Report(r)
		}
	},
}

// ruleAt is the place of a rule; none when it stands in no file any more, or in
// one outside of the project.
func ruleAt(r *audit.Recovery, line int) audit.Location {
	if line == 0 || path.IsAbs(r.Path) || filepath.IsAbs(r.Path) {
		return audit.Location{}
	}
	return audit.Location{Path: r.Path, Line: line}
}

// hours writes a span as a file of rules has it: 1h30m.
func hours(d time.Duration) string {
	s := strings.TrimSuffix(d.Round(time.Second).String(), "0s")
	if t := strings.TrimSuffix(s, "0m"); strings.HasSuffix(t, "h") {
		s = t
	}
	return cmp.Or(s, "three runs")
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}
