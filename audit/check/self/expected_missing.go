package self

import (
	"fmt"

	"healthaudit/audit"
)

// ExpectedMissing reports items that the configuration expects and that are not there.
var ExpectedMissing = &audit.Check{
	ID:       "audit-expected-missing",
	Title:    "expected and not there",
	Severity: audit.Critical,
	Doc: "`expect:` in audit.yaml lists what must be there: an app, a workflow, a job of the crontab. Unlike what merely vanished, it is missed from the first day on, " +
		"when audit never saw it, and also when a commit took it away. What could not be read is not called missing.",
	Hint:          "Start it or bring its file back (`audit restore` has earlier versions). If it is no longer needed, or is spelt otherwise (`audit report --items` lists the keys), change `expect:`.",
	Discriminator: "none: one finding per item",
	Source:        "the key expect of audit.yaml",
	Judge: func(p *audit.Pass) {
		for _, e := range p.Expect {
			st := p.Now.System(e.Item.System())
			switch {
			case p.Now.Item(e.Item) != nil || !st.Status.Listed():
			case len(st.Failed()) > 0: // it may be where nobody could look
				p.Doubt(e.Item, "")
			default:
				p.Report(audit.Report{Item: e.Item, At: e.At, Message: fmt.Sprintf("%s is expected, and there is none", e.Item)})
			}
		}
	},
}
