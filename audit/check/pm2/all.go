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
var All = []*audit.Check{
	DaemonDown,
	Errored,
	CrashLoop,
	NotRunning,
	ScriptMissing,
	ConfigInvalid,
}

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

// instances returns the processes of an app: its instance items, or itself.
func instances(p *audit.Pass, app *snapshot.Item) []*snapshot.Item {
	var out []*snapshot.Item
	for _, it := range p.Items() {
		if it.Kind == "instance" && strings.HasPrefix(string(it.Key), string(app.Key)+"#") {
			out = append(out, it)
		}
	}
	if out == nil {
		return []*snapshot.Item{app}
	}
	return out
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
