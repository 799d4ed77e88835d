package pm2

import (
	"cmp"
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// waiting is PM2's word for an app between a crash and its next start. It keeps
// the pid of the process that died; without one nothing starts it any more.
const waiting = "waiting restart"

// ghost is the state of an app that PM2 calls online and that has no process.
const ghost = "ghost"

// metric returns a number of an item, 0 when it has none.
func metric(it *snapshot.Item, name string) float64 {
	m, _ := it.Metric(name)
	return m.Value
}

// number returns a fact as a number, 0 when it is none.
func number(it *snapshot.Item, fact string) float64 {
	n, _ := known(it, fact)
	return n
}

// hasPID reports whether PM2 knows a pid of a process, dead or alive.
func hasPID(it *snapshot.Item) bool { return number(it, "pid") > 0 }

// pick returns those of some processes of which something is true.
func pick(processes []*snapshot.Item, is func(*snapshot.Item) bool) (some []*snapshot.Item) {
	for _, it := range processes {
		if is(it) {
			some = append(some, it)
		}
	}
	return some
}

// subject names an app, or how many of its instances are meant.
func subject(app *snapshot.Item, some, all int) string {
	if all < 2 {
		return app.Name
	}
	return fmt.Sprintf("%d of %d instances of %s", some, all, app.Name)
}

// plural chooses the verb that follows subject.
func plural(some, all int, one, many string) string {
	if all > 1 && some > 1 {
		return many
	}
	return one
}

// command writes a pm2 command for an app, with what follows the name; a name
// that a shell would take apart is quoted.
func command(verb string, app *snapshot.Item, rest ...string) string {
	return "`pm2 " + strings.Join(append([]string{verb, called(app)}, rest...), " ") + "`"
}

// only writes a pm2 command for an app of a process file.
func only(verb, file string, app *snapshot.Item) string {
	return fmt.Sprintf("`pm2 %s %s --only %s`", verb, file, called(app))
}

// bare returns the name by which PM2 knows an app, without its namespace.
func bare(app *snapshot.Item) string {
	ns := cmp.Or(text(app, "namespace"), text(app, "declared.namespace"))
	if ns == "" {
		return app.Name
	}
	return strings.TrimPrefix(app.Name, ns+":")
}

// called is bare, for a shell.
func called(app *snapshot.Item) string { return snapshot.ShellWord(bare(app)) }

// watched reports whether the daemon of an app watches over it.
func watched(p *audit.Pass, app *snapshot.Item) bool {
	d := daemon(p, app)
	return d != nil && d.State == alive
}

// sameLife reports whether a metric of two looks is of the same life of an app
// or process.
func sameLife(old, now *snapshot.Item, name string) bool {
	if old == nil {
		return false
	}
	was, ok1 := old.Metric(name)
	is, ok2 := now.Metric(name)
	return ok1 && ok2 && was.Incarnation == is.Incarnation
}

// size writes bytes as PM2 does: its K, M and G are powers of 1024.
func size(bytes float64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%.0f GB", bytes/(1<<30))
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GB", bytes/(1<<30))
	case bytes >= 10<<20:
		return fmt.Sprintf("%.0f MB", bytes/(1<<20))
	}
	return fmt.Sprintf("%.1f MB", bytes/(1<<20))
}
