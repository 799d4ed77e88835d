package pm2

import (
	"fmt"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// daemons returns the judgeable daemons.
func daemons(p *audit.Pass) []*snapshot.Item {
	var out []*snapshot.Item
	for _, it := range p.Items() {
		if it.Kind == "daemon" && it.Unknown == "" {
			out = append(out, it)
		}
	}
	return out
}

// unseen returns the apps of process files of which this time nobody could say
// whether they run. What was found on their file for their sake stays.
func unseen(p *audit.Pass) []*snapshot.Item {
	return pick(p.Now.Of(snapshot.PM2), func(it *snapshot.Item) bool {
		return it.Carried && it.Kind == "app" && text(it, "declared.file") != ""
	})
}

// byDaemon returns the apps and modules of every daemon.
func byDaemon(p *audit.Pass) map[snapshot.Key][]*snapshot.Item {
	out := map[snapshot.Key][]*snapshot.Item{}
	for _, app := range apps(p) {
		if d := daemon(p, app); d != nil {
			out[d.Key] = append(out[d.Key], app)
		}
	}
	return out
}

// listedApps returns the apps of a daemon that it lists.
func listedApps(apps []*snapshot.Item) (names []string) {
	for _, app := range apps {
		if app.Kind == "app" && app.State != notRunning {
			names = append(names, app.Name)
		}
	}
	return names
}

// logged reports whether the silence of PM2's log on an app proves anything.
func logged(p *audit.Pass, app *snapshot.Item) bool {
	d := daemon(p, app)
	return d != nil && d.State == alive && text(d, "log") == ""
}

// known returns a fact as a number, and whether it is one.
func known(it *snapshot.Item, fact string) (float64, bool) {
	v, _ := it.Fact(fact)
	return v.Num()
}

// when writes seconds since 1970 for a person.
func when(seconds float64) string {
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04 UTC")
}

// room writes bytes on a disk for a person.
func room(bytes float64) string {
	for _, u := range []struct {
		of   float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}} {
		if bytes >= u.of {
			return fmt.Sprintf("%.1f %s", bytes/u.of, u.name)
		}
	}
	return fmt.Sprintf("%.0f kB", bytes/1e3)
}

// times writes a count of events for a person.
func times(n float64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%.0f times", n)
}
