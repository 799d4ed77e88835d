package action

import (
	"strings"

	"healthaudit/rules"
	"healthaudit/snapshot"
)

// PM2Restart proposes to restart an app.
var PM2Restart = &rules.Action{
	ID:      "pm2.restart",
	Title:   "restart an app (a person does it)",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Proposal,
	Doc: "This version of audit changes nothing in PM2: the plan names the command for a person, and when the rule asked for it. " +
		"An app that waits to be restarted by PM2 itself is left alone.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		if p.Item.State == "waiting restart" {
			return rules.Effect{}, &rules.Refusal{Why: "PM2 itself waits to restart it"}
		}
		return propose(p.Item, "restart")
	},
}

// propose names the command of PM2 for an app.
func propose(it *snapshot.Item, verb string) (rules.Effect, error) {
	if it.Kind != "app" {
		return rules.Effect{}, &rules.Refusal{Why: "it is no app of PM2"}
	}
	return rules.Effect{Target: string(it.Key), What: "pm2 " + verb + " " + quoted(it.Name)}, nil
}

// quoted is a word for a shell.
func quoted(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("@%+=:,./-_", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0 && s[0] != '-' {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
