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
	"healthaudit/snapshot/analyze/refs"
)

// SameJob reports one job that two schedulers start, each on its own.
var SameJob = &audit.Check{
	ID:         "cross-same-job",
	Needs:      []snapshot.System{snapshot.PM2, snapshot.Workflows, snapshot.Functions, snapshot.Scripts},
	Title:      "one job, several schedulers",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "The same script is started by more than one scheduler: a crontab and a workflow, a PM2 app and a Netlify Function. As a rule one replaced the other and " +
		"nobody switched the old one off. The work is done twice, at times that nobody chose together, and the two get in each other's way: double mails, " +
		"pushes that conflict, counters that jump. Names of npm scripts are followed to the file; starts with arguments may do different things and are left out, " +
		"and so are scripts that are only one step of several. Where only the names agree (`ai-changelog` as a workflow and as a function) it is low, and a guess.",
	Hint:          "Keep the schedule you want and remove the others; `audit schedules` shows when each of them runs.",
	Discriminator: "the file that is started; \"name \" and the name where only that agrees",
	Source:        "measured: in one public project the same reports run under PM2, GitHub Actions and Netlify, each at other times",
	Still:         true,
	Judge:         judgeSameJob,
}

// A start is one item that starts a job by a schedule that is in effect.
type start struct {
	item     *snapshot.Item
	schedule snapshot.Schedule
	args     bool
	sole     bool // the job is all that the item starts
}

func judgeSameJob(p *audit.Pass) {
	table := refs.NewTable(p.Now, p.Derived)
	byFile, byName := map[string][]start{}, map[string][]start{}
	var functions []start
	for _, it := range p.Items() {
		i := slices.IndexFunc(it.Schedules, func(s snapshot.Schedule) bool { return s.Effective })
		if i < 0 || it.Unknown != "" {
			continue
		}
		s := start{item: it, schedule: it.Schedules[i], sole: true}
		if name := nameOf(it); name != "" {
			byName[name] = append(byName[name], s)
		}
		if it.System() == snapshot.Functions {
			functions = append(functions, s)
			continue
		}
		leaves := jobs(p.Now, table, it)
		for _, file := range slices.Sorted(maps.Keys(leaves)) {
			s.args = leaves[file]
			s.sole = len(leaves) == 1 || stem(file) == nameOf(it)
			byFile[file] = append(byFile[file], s)
		}
	}
	for _, s := range functions { // a function does the work of what it imports
		for _, r := range s.item.Refs.All() {
			if r.Kind == snapshot.RefFile && len(byFile[r.Path]) > 0 {
				byFile[r.Path] = append(byFile[r.Path], s)
			}
		}
	}
	told := map[*snapshot.Item]bool{}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		list := slices.DeleteFunc(byFile[file], func(s start) bool { return s.args || !s.sole })
		if schedulers(list) > 1 {
			p.Report(sameJob(file, list))
			for _, s := range list {
				told[s.item] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list := byName[name]
		if schedulers(list) > 1 && !slices.ContainsFunc(list, func(s start) bool { return told[s.item] }) {
			r := sameJob("name "+name, list)
			r.Severity, r.Confidence = audit.Low, audit.Guess
			r.Message = fmt.Sprintf("%s is scheduled in %d places, and they may be the same job: %s", name, len(list), spell(list))
			p.Report(r)
		}
	}
}

// maxChain bounds how many npm scripts are followed from one to the next.
const maxChain = 8

// jobs returns the files of the project that an item starts, through npm scripts
// where there are any, and whether with arguments.
func jobs(now *snapshot.Snapshot, table *refs.Table, it *snapshot.Item) map[string]bool {
	out := map[string]bool{}
	seen := map[snapshot.Key]bool{}
	var follow func(it *snapshot.Item, args bool, depth int)
	follow = func(it *snapshot.Item, args bool, depth int) {
		if seen[it.Key] || depth > maxChain {
			return
		}
		seen[it.Key] = true
		for _, r := range it.Refs.All() {
			switch {
			case r.Loads():
			case r.Kind == snapshot.RefFile:
				out[r.Path] = out[r.Path] || args || r.Args
			case r.Kind == snapshot.RefNPM:
				if next := now.Item(table.Resolve(r).Item); next != nil {
					follow(next, args || r.Args, depth+1)
				}
			}
		}
	}
	follow(it, false, 0)
	return out
}

// common are names that say when or that something is done, and not what.
var common = map[string]bool{"health-check": true, "daily-report": true, "daily-build": true, "nightly-build": true, "cron-job": true, "run-all": true, "clean-up": true,
	"keep-alive": true, "update-deps": true, "code-quality": true, "dependency-update": true}

// nameOf returns the name of an item as far as it tells what is done: two words
// or more.
func nameOf(it *snapshot.Item) string {
	name := it.Name
	switch {
	case it.Kind == "cron" || it.Kind == "npm":
		return ""
	case it.Path != "" && it.System() == snapshot.Workflows:
		name = stem(it.Path)
	}
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if !strings.Contains(name, "-") || common[name] {
		return ""
	}
	return name
}

func stem(p string) string {
	base := path.Base(p)
	return strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(base, path.Ext(base)), "_", "-"))
}

func schedulers(list []start) int {
	seen := map[string]bool{}
	for _, s := range list {
		seen[s.schedule.Dialect] = true
	}
	return len(seen)
}

func sameJob(id string, list []start) audit.Report {
	slices.SortFunc(list, func(a, b start) int { return cmp.Compare(a.item.Key, b.item.Key) })
	first := list[0]
	at := audit.Location{Path: cmp.Or(first.schedule.Path, first.item.Path), Line: first.schedule.Line, Column: first.schedule.Column}
	r := audit.Report{Item: first.item.Key, Discriminator: id, At: at, Wide: true,
		Message: fmt.Sprintf("%s is started by %d schedules: %s", id, len(list), spell(list))}
	for _, s := range list {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: string(s.item.Key), Value: s.schedule.Expression})
	}
	return r
}

// name names the item for a person.
func (s start) name() string {
	if s.item.Kind == "cron" {
		return fmt.Sprintf("line %d of %s", s.item.Line, s.item.Path)
	}
	return string(s.item.Key)
}

var platform = map[string]string{"crontab": "cron", "github": "GitHub Actions", "netlify": "Netlify", "pm2": "PM2", "systemd": "systemd"}

// spell names the first schedules of a list.
func spell(list []start) string {
	var out []string
	for _, s := range list[:min(len(list), 4)] {
		out = append(out, fmt.Sprintf("%s (%s, %s)", s.name(), platform[s.schedule.Dialect], s.schedule.Expression))
	}
	if n := len(list) - len(out); n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, ", ")
}
