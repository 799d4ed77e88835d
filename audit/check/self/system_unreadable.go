package self

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// SystemUnreadable reports systems, and sources of systems, that could not be read.
var SystemUnreadable = &audit.Check{
	ID:       "audit-system-unreadable",
	Title:    "could not be read",
	Severity: audit.High,
	Doc: "A whole kind of automation could not be listed, or one of the places it is listed from: a PM2 home, a crontab, a package.json. What is there is unknown, " +
		"not healthy: its items keep their last known state, and nothing of them counts as repaired or removed. A source that is a broken file " +
		"is told by the finding on that file instead. A system that could not be listed in three runs in a row is critical: nobody watches it.",
	Hint:          "Make it readable for the user that runs audit, or leave the system out in audit.yaml if it is not meant to be seen.",
	Discriminator: "the source's name; empty for the whole system",
	Source:        "what is not known is not healthy, and what was not seen is not gone",
	Judge:         judgeSystems,
}

// blindRuns is after how many runs in a row without a listing it is critical.
const blindRuns = 3

func judgeSystems(p *audit.Pass) {
	for _, st := range p.Now.Systems {
		if st.System == snapshot.Auditor {
			continue
		}
		key := snapshot.Pseudo(st.System)
		if st.Status == snapshot.StatusError {
			r := audit.Report{Item: key, Hint: st.Hint, Message: fmt.Sprintf("No %s could be listed: %s.", st.System, sentence(st.Reason))}
			if n := p.Failing[st.System]; n >= blindRuns {
				r.Severity = audit.Critical
			}
			p.Report(r)
			continue
		}
		told := map[string]bool{}
		for _, src := range st.Sources {
			_, place, _ := strings.Cut(src.Name, ":")
			if src.OK || told[place+"\x00"+src.Message] || strings.HasPrefix(src.Name, snapshot.PluginSource) || toldByFile(p.Now, st.System, src) { // PluginFailed tells of plugins
				continue
			}
			told[place+"\x00"+src.Message] = place != "" // one place may be several sources: a PM2 home is three
			p.Report(audit.Report{Item: key, Discriminator: src.Name, Severity: audit.Medium, Hint: src.Hint,
				Message: fmt.Sprintf("The source %s of %s could not be read: %s.", src.Name, st.System, sentence(src.Message))})
		}
	}
}

// toldByFile reports whether the source is a file that was read and has a
// verdict of its own: "npm:web/package.json" beside the item "file:web/package.json".
func toldByFile(now *snapshot.Snapshot, sys snapshot.System, src snapshot.Source) bool {
	_, file, ok := strings.Cut(src.Name, ":")
	if !ok {
		return false
	}
	it := now.Item(snapshot.NewKey(sys, "file:"+snapshot.Escape(file)))
	return it != nil && !it.Carried && it.Unknown == ""
}

func sentence(reason string) string {
	reason = strings.TrimRight(strings.TrimSpace(reason), ".")
	if reason == "" {
		return "no reason is known"
	}
	return reason
}
