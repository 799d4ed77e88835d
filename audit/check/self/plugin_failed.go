package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// PluginFailed reports plugins that did not answer.
var PluginFailed = &audit.Check{
	ID:       "audit-plugin-failed",
	Title:    "a plugin did not answer",
	Severity: audit.Medium,
	Needs:    []snapshot.System{snapshot.Auditor},
	Doc: "A plugin of the configuration did not give an answer that can be used: it is missing, hung, broke off, printed what is no answer. What it watches is unknown, " +
		"not healthy: the items of a collector keep their last known state, and what a check found before stays open. The rest of the run is not touched by it.",
	Hint:          "Run the plugin by hand, with what docs/plugins.md says on its standard input.",
	Discriminator: "whether it collects or checks, and its name",
	Source:        "what is not known is not healthy",
	Judge:         func(p *audit.Pass) { judgeForeign(p, "The plugin", "collector", "check") },
}

// HookFailed reports hooks that did not work.
var HookFailed = &audit.Check{
	ID:       "audit-hook-failed",
	Title:    "a hook failed",
	Severity: audit.Low,
	Needs:    []snapshot.System{snapshot.Auditor},
	Doc: "A hook of the configuration ended with an error, or an address to ping did not answer: whoever waits for word from audit hears nothing. " +
		"What runs after a run is over is told by the next one. The run itself is not touched by it.",
	Hint:          "Run the hook by hand, with what docs/plugins.md says on its standard input.",
	Discriminator: "the program and the event",
	Source:        "a message that is not delivered is noticed by nobody",
	Judge:         func(p *audit.Pass) { judgeForeign(p, "The hook", "hook") },
}

// judgeForeign tells which programs of some kinds failed.
func judgeForeign(p *audit.Pass, what string, kinds ...string) {
	item := snapshot.Pseudo(snapshot.Auditor)
	if p.Foreign == nil {
		p.DoubtAll(item)
		return
	}
	for _, d := range p.Foreign.Unasked {
		p.Doubt(item, d)
	}
	for _, f := range p.Foreign.Failed {
		for _, kind := range kinds {
			if f.Kind == kind {
				p.Report(audit.Report{Item: item, Discriminator: kind + " " + f.Name, At: f.At, Hint: f.Hint, Message: fmt.Sprintf("%s %s %s", what, f.Name, f.What)})
			}
		}
	}
}
