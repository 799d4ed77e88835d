package cross

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// FakeSuccess reports automation that succeeds whatever happens.
var FakeSuccess = &audit.Check{
	ID:         "cross-fake-success",
	Needs:      []snapshot.System{snapshot.Scripts},
	Title:      "succeeds whatever happens",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "A schedule, a workflow, a crontab or PM2 starts a script that cannot fail: it only says something, a stub that somebody meant to fill; or every command in it that works hides " +
		"its failure (`|| true`, `|| echo`); or it ends with `status || 0`, where status is null when the child was killed. Whoever looks sees success, and believes that the work is done. " +
		"Only what something starts is reported. An npm script that only says something is low, and none where its name is that of a build or an installation, which may well have " +
		"nothing to do; so is a script that hides its failures.",
	Hint:          "Let the script do what its name says, or remove it together with the call. Where it may fail for good reasons, let it say so and end with another code than 0.",
	Discriminator: "what makes it succeed: idle, masks or killed; of five files or more one for all",
	Source:        "measured: two of 226 generated scripts of one repository are stubs that report success; `status || 0` in each generated function of it. https://nodejs.org/api/child_process.html: status is null where a signal ended the child",
	Still:         true,
	Judge:         judgeFakeSuccess,
}

func judgeFakeSuccess(p *audit.Pass) {
	index := marksOf(p)
	var all []audit.Damage
	for _, it := range index.Items {
		for _, kind := range []trait.Kind{trait.Idle, trait.Masks, trait.Killed} {
			m, ok := index.First(it, kind)
			if !ok || it.System() != snapshot.Scripts || kind == trait.Idle && mayBeEmpty(it) {
				continue
			}
			if by := startedBy(p)[it.Key].By(); by != "" {
				all = append(all, fake(p, it, m, by))
			}
		}
	}
	p.ReportAll(all)
}

// mayBeEmpty reports whether an npm script is one that has to be there, and may
// have nothing to do.
func mayBeEmpty(it *snapshot.Item) bool {
	_, name, ok := strings.Cut(it.Key.Name(), "npm:")
	if !ok || it.Kind != "npm" {
		return false
	}
	name, _, _ = strings.Cut(name, ":")
	for _, hook := range []string{"pre", "post"} {
		name = strings.TrimPrefix(name, hook)
	}
	return name == "build" || name == "pare" || name == "install" || name == "publish" || name == "start" || name == "compile"
}

func fake(p *audit.Pass, it *snapshot.Item, m trait.Mark, by snapshot.Key) audit.Damage {
	r := audit.Report{Item: it.Key, Discriminator: string(m.Kind), At: at(it, m), Severity: audit.Medium}
	together := ""
	switch m.Kind {
	case trait.Idle:
		r.Message, together = "only says something, and succeeds whatever the project is like", "only say something"
		if it.Kind == "npm" {
			r.Severity = audit.Low
		} else {
			r.Confidence = audit.Certain
		}
	case trait.Masks:
		r.Message, together = "cannot fail: everything in it that works hides its failure", "hide every failure"
		r.Severity = audit.Low
	case trait.Killed:
		r.Message = fmt.Sprintf("takes a child that was killed for a success: its %s is null then, and null becomes 0", m.Name)
		r.Hint = fmt.Sprintf("Write `%s ?? 1`, and look at the signal where that shall be told apart.", m.Name)
		together = "take a child that was killed for a success"
	}
	r.Message = what(it) + " " + r.Message
	if by != it.Key {
		r.Message += "; it is started by " + starter(p, by)
	}
	return audit.Damage{Cause: string(m.Kind), What: together + ", and something starts each of them", Report: r}
}
