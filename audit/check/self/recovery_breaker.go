package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// RecoveryBreaker reports that recovery holds back because too much is wrong.
var RecoveryBreaker = &audit.Check{
	ID:       "audit-recovery-breaker",
	Title:    "recovery holds back",
	Severity: audit.High,
	Needs:    []snapshot.System{snapshot.Auditor},
	Doc: "Rules ask for actions, and a bound on all of them together forbids it: so much of a system is unwell that it has one cause (max_unhealthy_pct), actions failed in this or an earlier run " +
		"(stop_after_failures), or as many were done in 24 hours as may be (max_actions_per_day, medium). Nothing is done until that ends. " +
		"What only bounds one run (max_actions, max_per_system) is in the plan and no finding: the next run goes on.",
	Hint:          "Look for the one cause of it: recovery would only add to it.",
	Discriminator: "the breaker, and the system where it is about one",
	Source:        "Cluster API's maxUnhealthy: above it nothing is mended, https://cluster-api.sigs.k8s.io/tasks/automated-machine-management/healthchecking",
	Judge: func(p *audit.Pass) {
		item := snapshot.Pseudo(snapshot.Auditor)
		if p.Recovery == nil {
			p.DoubtAll(item)
			return
		}
		for _, b := range p.Recovery.Breakers {
			r := audit.Report{Item: item, Discriminator: b.Name, At: ruleAt(p.Recovery, 1), Message: fmt.Sprintf("Recovery holds %s back: %s.", actions(b.Held), b.Why)}
			switch b.Name {
			case "unhealthy":
				r.Discriminator += " " + b.System
				r.Hint = fmt.Sprintf("Find what the items of %s that fail have in common: `audit report --only %s`. With less of it unwell, recovery goes on by itself.", b.System, b.System)
			case "failures":
				r.Hint = "`audit journal` says what failed. Recovery tries one action after an hour; `audit recover resume` lets it go on now."
			default:
				r.Severity, r.Hint = audit.Medium, "`audit journal` says what was done; what needs that many actions a day wants another cure."
			}
			p.Report(r)
		}
	},
}

func actions(n int) string {
	if n == 1 {
		return "1 action"
	}
	return fmt.Sprintf("%d actions", n)
}
