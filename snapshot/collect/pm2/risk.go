package pm2

import (
	"strings"

	"healthaudit/snapshot"
)

// risk tells in which direction a changed fact moves the danger. A fact that
// was declared and is gone counts as its default.
func risk(fact string, old, new *snapshot.Value) snapshot.Risk {
	switch name := strings.TrimPrefix(fact, "declared."); name {
	case "state":
		if r := byRank(old, new, stateRank, 1); r != snapshot.RiskDown || new.Str() != notRunning {
			return r
		}
		return snapshot.RiskNeutral // what no longer runs is no longer broken, and no safer for that
	case "autorestart", "autostart", "in-dump":
		return byRank(old, new, truth(name != "in-dump"), -1)
	case "instances", "processes":
		return byRank(old, new, count, -1)
	case "cron_restart", "max_memory_restart":
		return byRank(old, new, func(v snapshot.Value) float64 {
			if s := v.Str(); s != "" && s != "0" {
				return 1
			}
			return 0
		}, -1)
	}
	return snapshot.RiskNeutral
}

func stateRank(v snapshot.Value) float64 {
	if n, ok := badness[v.Str()]; ok {
		return float64(n)
	}
	return float64(daemonBadness[v.Str()])
}

// daemonBadness orders the states that are not an app's.
var daemonBadness = map[string]int{
	alive: 1, "ok": 1, notRunning: 5, string("needs-node"): 5, staleSocket: 6, hung: 6, crashed: 7, orphaned: 7, twoDaemons: 7, "invalid": 7, "unreadable": 7,
}

// byRank compares two values by a rank of which more is more dangerous (sign 1)
// or less (sign −1).
func byRank(old, new *snapshot.Value, rank func(snapshot.Value) float64, sign float64) snapshot.Risk {
	var a, b snapshot.Value
	if old != nil {
		a = *old
	}
	if new != nil {
		b = *new
	}
	switch d := (rank(b) - rank(a)) * sign; {
	case d > 0:
		return snapshot.RiskUp
	case d < 0:
		return snapshot.RiskDown
	}
	return snapshot.RiskNeutral
}

// truth ranks truth values; what is absent or of another kind has the default.
func truth(byDefault bool) func(snapshot.Value) float64 {
	return func(v snapshot.Value) float64 {
		b, ok := v.Any().(bool)
		if !ok {
			b = byDefault
		}
		if b {
			return 1
		}
		return 0
	}
}

// count ranks numbers of processes: PM2 takes "max" and 0 for as many as there
// are processors.
func count(v snapshot.Value) float64 {
	n, ok := v.Num()
	switch {
	case ok && n > 0:
		return n
	case ok || v.Str() != "":
		return 1000
	}
	return 1
}
