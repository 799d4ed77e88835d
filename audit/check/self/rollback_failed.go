package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// RollbackFailed reports actions that did not help and could not be taken back.
var RollbackFailed = &audit.Check{
	ID:       "audit-rollback-failed",
	Title:    "recovery could not undo what it did",
	Severity: audit.Critical,
	Needs:    []snapshot.System{snapshot.Auditor},
	Doc: "An action of recovery did not help, and what stood there before could not be put back: the disk is full or read-only, or somebody wrote there meanwhile. " +
		"The bytes are kept in the store. Or an action was interrupted, by a crash or a loss of power, and the next run came too late to carry it on, or did so in vain: it may be half done. Critical: what stands there now was made by audit and meant by nobody. No rule acts there until a person undid it or reset the rule.",
	Hint:          "`audit recover undo ID` tries again.",
	Discriminator: "the rule and the item",
	Source:        "audit: every change is undone when it did not help, or somebody must know",
	Judge: func(p *audit.Pass) {
		item := snapshot.Pseudo(snapshot.Auditor)
		if p.Recovery == nil {
			p.DoubtAll(item)
			return
		}
		for _, s := range p.Recovery.Stuck {
			if s.Cut {
				p.Report(audit.Report{Item: item, Discriminator: s.Rule + " " + s.Item, At: ruleAt(p.Recovery, s.Line),
					Message: fmt.Sprintf("An action of the rule %s on %s was not brought to its end: %s.", s.Rule, s.Item, sentence(s.Why)),
					Hint: fmt.Sprintf("Look whether %s is as it should be, and put it right by hand; then `audit recover reset %s %s`. `audit journal` says what was begun; where that has a way back, `audit recover undo %s` takes it.",
						s.Item, s.Rule, s.Item, s.Step)})
				continue
			}
			p.Report(audit.Report{Item: item, Discriminator: s.Rule + " " + s.Item, At: ruleAt(p.Recovery, s.Line),
				Message: fmt.Sprintf("An action of the rule %s on %s did not help, and it could not be undone: %s.", s.Rule, s.Item, sentence(s.Why)),
				Hint: fmt.Sprintf("`audit recover undo %s` tries again; what stood there is kept in the store. When you have put it right by hand: `audit recover reset %s %s`.",
					s.Step, s.Rule, s.Item)})
		}
	},
}
