package action

import (
	"healthaudit/rules"
	"healthaudit/snapshot"
)

// PM2Reload proposes to reload an app without a gap.
var PM2Reload = &rules.Action{
	ID:      "pm2.reload",
	Title:   "reload an app without a gap (a person does it)",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Proposal,
	Doc: "This version of audit changes nothing in PM2: the plan names the command for a person, and when the rule asked for it. An app in fork mode is " +
		"restarted by it.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) { return propose(p.Item, "reload") },
}
