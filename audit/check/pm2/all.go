// Package pm2 judges PM2's apps, its daemon, and the process files that
// declare them.
//
// It is pure: what it knows stands in the snapshot. What could not be seen (no
// PM2 home, a daemon of another user) is never called down.
package pm2

import (
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// All lists the checks of this package.
var All = addressed(
	DaemonDown,
	Errored,
	CrashLoop,
	NotRunning,
	ScriptMissing,
	MemoryLimitTiny,
	ConfigInvalid,
	WaitingForever,
	BackoffLoop,
	Ghost,
	RestartsDisabled,
	Stuck,
	InstancesShort,
	MemoryOverLimit,
	CronMissed,
	EventLoopSlow,
	DumpStale,
	NoBoot,
	Killed,
	MemoryRestarts,
	MemoryGrowing,
	RestartRate,
	DaemonCrashed,
	PortClash,
	LogsGrow,
	ErrorsGrow,
	DaemonStale,
	DaemonMemory,
	SecretsReadable,
	ConfigDrift,
	Undeclared,
)

// States of the daemon and of apps, as the collector writes them.
const (
	alive      = "alive"
	notRunning = "not-running"
)

// at returns where an item is declared.
func at(it *snapshot.Item) audit.Location { return audit.Location{Path: it.Path, Line: it.Line} }

// text returns a fact as text, "" when it is absent.
func text(it *snapshot.Item, fact string) string {
	v, _ := it.Fact(fact)
	return v.Str()
}

// A crowd is every process of every app, by app.
type crowd map[snapshot.Key][]*snapshot.Item

// instances finds the processes of all apps, once per pass.
func instances(p *audit.Pass) crowd {
	c := crowd{}
	for _, it := range p.Items() {
		if app, _, ok := strings.Cut(string(it.Key), "#"); ok && it.Kind == "instance" {
			c[snapshot.Key(app)] = append(c[snapshot.Key(app)], it)
		}
	}
	return c
}

// of returns the processes of an app: its instance items, or itself.
func (c crowd) of(app *snapshot.Item) []*snapshot.Item {
	if all := c[app.Key]; all != nil {
		return all
	}
	return []*snapshot.Item{app}
}

// in returns those of an app's processes that are in a state, and how many
// there are of all.
func (c crowd) in(app *snapshot.Item, state string) (some []*snapshot.Item, all int) {
	for _, it := range c.of(app) {
		if it.State == state {
			some = append(some, it)
		}
	}
	return some, len(c.of(app))
}

// apps returns the judgeable items that are apps or modules of PM2.
func apps(p *audit.Pass) []*snapshot.Item {
	var out []*snapshot.Item
	for _, it := range p.Items() {
		if it.Unknown == "" && (it.Kind == "app" || it.Kind == "module") {
			out = append(out, it)
		}
	}
	return out
}

// daemon returns the daemon that runs an app: that of its home.
func daemon(p *audit.Pass, app *snapshot.Item) *snapshot.Item {
	home, _, several := strings.Cut(app.Key.Name(), "/")
	if several && strings.HasPrefix(home, "home=") {
		return p.Now.Item(snapshot.NewKey(snapshot.PM2, home+"/daemon"))
	}
	return p.Now.Item(snapshot.NewKey(snapshot.PM2, "daemon"))
}
