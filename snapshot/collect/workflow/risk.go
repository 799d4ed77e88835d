package workflow

import (
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	model "healthaudit/snapshot/analyze/workflow"
)

// Risk says in which direction a changed fact of a workflow moves the danger:
// that somebody else can do more, or that a failure or a missing run is
// noticed less.
func Risk(fact string, old, new *snapshot.Value) snapshot.Risk {
	name := fact
	if i := strings.LastIndex(fact, "]"); i >= 0 {
		name = "step" + fact[i+1:]
	} else if id, what, ok := jobFact(fact); ok && id != "" {
		name = "job" + what
	}
	switch name {
	case "permissions", "job.permissions":
		return compare(permissionRank(old), permissionRank(new))
	case "on":
		return more(old, new, dangerous)
	case "secrets", "owners", "job.secrets":
		return more(old, new, func(string) bool { return true })
	case "schedule.cron", "jobs":
		return fewer(old, new)
	case "step.uses", "job.uses":
		return uses(old, new)
	case "step.continue-on-error", "job.continue-on-error", "step.masked", "job.hollow", "job.gutted-from":
		return compare(number(old), number(new))
	case "job.timeout", "step.timeout", "job.environment": // with an environment go its approvals
		return presence(new, old)
	case "job.runs-on":
		return more(old, new, func(l string) bool { return l == "self-hosted" })
	case "state":
		return compare(boolean(old != nil && old.Str() != "active"), boolean(new != nil && new.Str() != "active"))
	case "job.if", "step.if":
		return compare(boolean(isFalse(old)), boolean(isFalse(new)))
	case "job.runs":
		return lostWork(old, new)
	}
	return snapshot.RiskNeutral
}

func compare(a, b int) snapshot.Risk {
	switch {
	case b > a:
		return snapshot.RiskUp
	case b < a:
		return snapshot.RiskDown
	}
	return snapshot.RiskNeutral
}

// presence is up when a appears and b does not, down the other way round.
func presence(a, b *snapshot.Value) snapshot.Risk {
	return compare(boolean(a != nil), boolean(b != nil))
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// number ranks a value: absent is 0, a number itself, anything else 1.
func number(v *snapshot.Value) int {
	if v == nil {
		return 0
	}
	if n, ok := v.Num(); ok {
		return int(n)
	}
	return 1
}

func isFalse(v *snapshot.Value) bool { return v != nil && v.Str() == "false" }

// dangerous are the events by which strangers' input meets the repository's secrets.
func dangerous(event string) bool {
	return event == "pull_request_target" || event == "workflow_run" || event == "issue_comment"
}

// more is up when a set gained an element that counts, down when it only lost some.
func more(old, new *snapshot.Value, counts func(string) bool) snapshot.Risk {
	gained := slices.ContainsFunc(without(new, old), counts)
	lost := slices.ContainsFunc(without(old, new), counts)
	switch {
	case gained:
		return snapshot.RiskUp
	case lost:
		return snapshot.RiskDown
	}
	return snapshot.RiskNeutral
}

// fewer is up when a set lost an element that nothing replaced.
func fewer(old, new *snapshot.Value) snapshot.Risk {
	if len(without(old, new)) > len(without(new, old)) {
		return snapshot.RiskUp
	}
	return snapshot.RiskNeutral
}

func without(a, b *snapshot.Value) []string {
	if a == nil {
		return nil
	}
	var have []string
	if b != nil {
		have = b.Strings()
	}
	return slices.DeleteFunc(slices.Clone(a.Strings()), func(s string) bool { return slices.Contains(have, s) })
}

// lostWork is up when a job that goes on no longer does any work.
func lostWork(old, new *snapshot.Value) snapshot.Risk {
	if old == nil || new == nil {
		return snapshot.RiskNeutral
	}
	did, does := len(real(old.Strings())) > 0, len(real(new.Strings())) > 0
	return compare(boolean(does), boolean(did))
}

// permissionRank orders permission sets: what can be written counts most, then
// what can be read. The repository's default lies between reading and writing
// everything, since only its settings know.
func permissionRank(v *snapshot.Value) int {
	if v == nil {
		return 10_000
	}
	rank := 0
	for _, p := range v.Strings() {
		switch {
		case p == permDefault:
			rank += 10_000
		case p == "write-all":
			rank += 1_000_000
		case p == "read-all":
			rank += 90
		case strings.HasSuffix(p, ": write"):
			rank += 20_000
		case strings.HasSuffix(p, ": read"):
			rank++
		}
	}
	return rank
}

var fullSHA = lazyregexp.New(`^[0-9a-f]{40}$|^sha256:[0-9a-f]{64}$`)

// uses is up when a pinned action becomes a tag or a branch, or another
// action, and down the other way round.
func uses(old, new *snapshot.Value) snapshot.Risk {
	if old == nil || new == nil {
		return snapshot.RiskNeutral
	}
	pinned := func(v *snapshot.Value) int {
		if _, local := model.Local(v.Str()); local {
			return 1
		}
		_, ref := model.ActionOf(v.Str())
		return boolean(fullSHA().MatchString(ref))
	}
	return compare(pinned(new), pinned(old))
}
