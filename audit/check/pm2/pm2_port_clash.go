package pm2

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// PortClash finds apps that want the port of another one.
var PortClash = &audit.Check{
	ID: "pm2-port-clash", System: "pm2", Title: "port is taken", Severity: audit.High, Version: 2,
	Doc: "Only one program can listen on a port; the second one ends with EADDRINUSE, and PM2 starts it again until it gives up. The workers of one app in cluster mode share theirs and are no clash. " +
		"Two apps that are both declared with one PORT are a clash that waits for its moment, unless only one of them listens. " +
		"Who has the port is told where audit may see it: not of another user's process.",
	Hint:          "See who has it: `ss -ltnp 'sport = :PORT'`. Give one of the two another PORT in its ecosystem file, or end what is left over from an earlier start.",
	Discriminator: "none for an app whose log says so; \"PORT N\" for two apps that are given the same one",
	Source:        "https://nodejs.org/api/errors.html (EADDRINUSE); https://github.com/Unitech/pm2 lib/Common.js: instances share a port in cluster mode only",
	Judge: func(p *audit.Pass) {
		said, processes := map[snapshot.Key]bool{}, instances(p)
		for _, app := range apps(p) {
			n, ok := known(app, "port.taken")
			if !ok {
				if slices.ContainsFunc(processes.of(app), func(it *snapshot.Item) bool { return !settled(p, it) }) {
					p.Doubt(app.Key, "") // it may be between two attempts
				}
				continue
			}
			said[app.Key] = true
			p.Report(audit.Report{
				Item: app.Key, At: at(app), Message: fmt.Sprintf("%s does not come up: its error log says that port %.0f is taken%s", app.Name, n, owner(p, app, n)),
				Hint: fmt.Sprintf("See who has it: `ss -ltnp 'sport = :%.0f'`. Give one of the two another port, or end what is left over from an earlier start, then %s.", n, command("restart", app)),
			})
		}
		clashes(p, said)
	},
}

// owner names who has the port, else the app that is given it.
func owner(p *audit.Pass, loser *snapshot.Item, port float64) string {
	if name := text(loser, "port.app"); name != "" {
		return ", and " + name + " has it"
	}
	if program := text(loser, "port.program"); program != "" {
		return fmt.Sprintf(", and %s has it (process %.0f)%s", program, number(loser, "port.pid"), unlisted(p, loser))
	}
	var names []string
	for _, app := range apps(p) {
		if n, ok := known(app, "PORT"); ok && n == port && app.Key != loser.Key && app.State == "online" {
			names = append(names, app.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; " + list(names) + " is given the same one"
}

// unlisted says of a program that has the port of an app, and is none of PM2's
// apps, what it may be.
func unlisted(p *audit.Pass, loser *snapshot.Item) string {
	if d := daemon(p, loser); d != nil && number(d, "pid") == number(loser, "port.pid") {
		return ", the PM2 daemon itself, for an app in cluster mode"
	}
	return ", which PM2 does not list"
}

// clashes reports ports that several running apps are declared with. A PORT
// that is not declared is that of the shell which started them, and proves nothing.
func clashes(p *audit.Pass, said map[snapshot.Key]bool) {
	want := map[float64][]*snapshot.Item{}
	for _, app := range apps(p) {
		n, ok := known(app, "PORT")
		if ok && app.State == "online" && (text(app, "declared.env.PORT") != "" || text(app, "declared.port") != "") {
			want[n] = append(want[n], app)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(want)) {
		all := want[n]
		if len(all) < 2 || slices.ContainsFunc(all, func(it *snapshot.Item) bool { return said[it.Key] }) {
			continue
		}
		slices.SortFunc(all, func(a, b *snapshot.Item) int { return strings.Compare(string(a.Key), string(b.Key)) })
		var names []string
		for _, it := range all {
			names = append(names, it.Name)
		}
		p.Report(audit.Report{
			Item: all[0].Key, Discriminator: fmt.Sprintf("PORT %.0f", n), At: at(all[0]), Severity: audit.Medium, Confidence: audit.Guess,
			Message: fmt.Sprintf("%s are declared with the same PORT, %.0f: if more than one of them listens, only the first to start comes up", list(names), n),
			Hint:    fmt.Sprintf("See who has it: `ss -ltnp 'sport = :%.0f'`. Give each of them a PORT of its own where it is declared.", n),
		})
	}
}
