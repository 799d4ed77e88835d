package cross

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/trait"
)

// SameLog reports log files that several jobs write.
var SameLog = &audit.Check{
	ID:       "cross-same-log",
	Needs:    []snapshot.System{snapshot.PM2, snapshot.Scripts},
	Title:    "one log, several writers",
	Severity: audit.Low,
	Doc: "Two jobs write their output into the same file: apps of PM2, crontab entries, services of systemd. Their lines are mixed, nobody can tell whose error it was, and what rotates " +
		"the file for one of them cuts it off for the other. It is medium where one of them empties the file whenever it starts (`>` in a crontab, `truncate:` in a unit): what the other said is gone. " +
		"Crontab entries that all append to one file, and the output and the errors of the same job, are left alone; so are apps whose files PM2 tells apart by their number.",
	Hint:          "Give each its own file, named after the job; in a crontab write `>>` instead of `>`.",
	Discriminator: "the path of the log",
	Source:        "https://pm2.keymetrics.io/docs/usage/log-management/; PM2 7.0.4 lib/God.js: without merge_logs the number of the process is put into names that end in .log",
	Still:         true,
	Judge:         judgeSameLog,
}

// A writer is one item that writes a log.
type writer struct {
	item *snapshot.Item
	at   audit.Location
	log  trait.Output
}

func judgeSameLog(p *audit.Pass) {
	by := map[string][]writer{}
	for _, it := range p.Items() {
		for _, w := range writes(p, it) {
			by[w.log.Path] = append(by[w.log.Path], w)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(by)) {
		if r, ok := sameLog(file, by[file]); ok {
			p.Report(r)
		}
	}
}

var isLog = lazyregexp.New(`(?i)log|\.(out|err)$`)

// writes returns the logs that an item writes.
func writes(p *audit.Pass, it *snapshot.Item) (out []writer) {
	switch {
	case it.Kind == "app" && it.System() == snapshot.PM2:
		return appLogs(it)
	case it.Kind == "service", it.Kind == "cron":
		for _, l := range linesOf(p, it) {
			if it.Kind == "cron" && !slices.ContainsFunc(it.Schedules, func(s snapshot.Schedule) bool { return s.Line == l.Line && s.Effective }) {
				continue
			}
			for _, o := range l.Logs {
				if !isLog().MatchString(o.Path) {
					continue // a dump, a stamp: what is in it is meant to be replaced
				}
				out = append(out, writer{it, audit.Location{Path: it.Path, Line: o.Line, Column: o.Column}, o})
			}
		}
	}
	return out
}

// appLogs returns the files that are declared for an app and that PM2 does not
// tell apart by the number of the process.
func appLogs(it *snapshot.Item) (out []writer) {
	merged := declared(it, "merge_logs").IsTrue()
	if _, told := it.Fact("declared.merge_logs"); !told {
		n := declared(it, "instances")
		count, _ := n.Num()
		merged = count == 0 && n.Str() == "" && !strings.HasPrefix(declared(it, "exec_mode").Str(), "cluster")
	}
	dir := declared(it, "cwd").Str()
	if dir == "" && it.Path != "" {
		dir = path.Dir(it.Path)
	}
	for _, name := range []string{"out_file", "error_file", "log_file"} {
		file := declared(it, name).Str()
		if file == "" || strings.HasPrefix(file, "~") || strings.HasPrefix(file, "/dev/") || !merged && strings.HasSuffix(file, ".log") {
			continue
		}
		if !path.IsAbs(file) {
			file = path.Join(dir, file)
		}
		out = append(out, writer{it, audit.Location{Path: it.Path, Line: it.Line}, trait.Output{Path: path.Clean(file)}})
	}
	return out
}

func declared(it *snapshot.Item, name string) snapshot.Value {
	v, _ := it.Fact("declared." + name)
	return v
}

// sameLog makes a finding of those who write one file; ok is false where that is
// as it should be.
func sameLog(file string, list []writer) (r audit.Report, ok bool) {
	slices.SortStableFunc(list, func(a, b writer) int {
		return cmp.Or(cmp.Compare(a.item.Key, b.item.Key), a.at.Line-b.at.Line)
	})
	var names, keys []string
	empties, apart := -1, false
	for i, w := range list {
		if !slices.Contains(keys, string(w.item.Key)) {
			keys = append(keys, string(w.item.Key))
			names = append(names, what(w.item))
		}
		if w.log.Empties && empties < 0 {
			empties = i
		}
		apart = apart || w.item.Kind != "cron"
	}
	if len(keys) < 2 || !apart && empties < 0 {
		return r, false
	}
	first := list[max(empties, 0)]
	r = audit.Report{Item: first.item.Key, Discriminator: file, At: first.at, Wide: true,
		Message:  fmt.Sprintf("%s is the log of %d jobs: %s", file, len(keys), strings.Join(names[:min(len(names), 5)], ", ")),
		Evidence: []audit.Evidence{{Name: "items", Value: few(keys)}}}
	if empties >= 0 {
		r.Severity = audit.Medium
		r.Message += fmt.Sprintf("; %s empties it whenever it starts", what(first.item))
	}
	return r, true
}
