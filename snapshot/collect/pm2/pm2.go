// Package pm2 collects what PM2 runs, what the project declares, and what PM2
// would start again after a reboot.
//
// Invariants: no daemon is ever started or disturbed, the pm2 command is never
// run, and over the socket go only the read-only calls of an allow-list. No
// value of an environment variable, no argument and no content of the dump
// leaves this package in clear. Nothing here judges.
package pm2

import (
	"context"
	"encoding/json"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// Collector lists PM2's apps.
var Collector = &collect.Collector{
	System: snapshot.PM2,
	Title:  "PM2 processes",
	Doc: "Asks the PM2 daemon over its own socket what it runs (two read-only calls; never the pm2 command, which would start a daemon where none runs), " +
		"reads which apps the project's ecosystem files declare (JavaScript in a child process without files, network or processes) and what stands in the dump that PM2 resurrects; " +
		"then what starts PM2 at boot, what PM2's own log tells of the last day (counts only), how large the logs are, and who can read the home's secrets.",
	Epoch:     4,
	Early:     func(ctx context.Context, s *collect.Session) any { return readHomes(ctx, s) },
	Collect:   collectAll,
	Recollect: recollect,
	Beside:    beside,
	Metrics: []string{"age", "burst", "children", "cpu", "cpus", "created", "disk.free", "event-loop", "log.all", "log.err", "log.out", "log.own", "logs.growth", "memory",
		"memory.main", "online", "prev_restart_delay", "restarts", "resurrected", "started", "unmeasured", "unstable_restarts", "uptime"},
	Risk: risk,
}

// noHome is why apps cannot be judged on a machine without PM2.
const noHome = "no PM2 home on this machine"

func collectAll(ctx context.Context, s *collect.Session) (collect.Result, error) {
	decls := declarations(ctx, s)
	homes, early := s.Early.([]home)
	if !early {
		homes = readHomes(ctx, s)
	}
	b := newBuilder(s, decls, homes)
	defer b.close()
	if len(decls) == 0 && !slices.ContainsFunc(homes, b.used) {
		return collect.Result{Absent: true}, nil
	}
	var r collect.Result
	if len(decls) > 0 {
		r.Sources = append(r.Sources, snapshot.Source{Name: "declared", OK: true})
	}
	if len(homes) == 0 {
		r.Reason = noHome + ": process files are judged as files, whether their apps run is unknown"
	}
	b.surround()
	r.Items = append(b.fileItems(), b.appItems()...)
	for i := range homes {
		r.Sources = append(r.Sources, homes[i].sources()...)
		if homes[i].unseen == "" {
			r.Items = append(r.Items, b.daemonItem(&homes[i]))
		}
	}
	r.Items = b.remember(r.Items)
	r.Cursors = map[string]json.RawMessage{}
	if cursor, err := json.Marshal(b.declaredNow()); err == nil {
		r.Cursors[cursorName] = cursor
	}
	b.keepLogs(&r)
	b.keepMoments(&r)
	for _, it := range r.Items {
		it.Sort()
	}
	return r, nil
}

func recollect(ctx context.Context, s *collect.Session, key snapshot.Key) (*snapshot.Item, error) {
	r, err := beside(ctx, s, key)
	if err != nil {
		return nil, err
	}
	return itemAt(r, key), nil
}

// beside collects everything anew: the instances of an app and its daemon say as
// much of it as its own item.
func beside(ctx context.Context, s *collect.Session, key snapshot.Key) (collect.Result, error) {
	fresh := *s
	fresh.Derived, fresh.Early = nil, nil
	r, err := collectAll(ctx, &fresh)
	if err != nil {
		return r, err
	}
	last := itemAt(r, key)
	if last == nil {
		last = s.Previous.Item(key)
	}
	for _, src := range r.Sources {
		if last != nil && src.Name == last.Source && !src.OK {
			return r, &collect.SourceError{Source: src.Name, Message: src.Message, Hint: src.Hint}
		}
	}
	return r, nil
}

func itemAt(r collect.Result, key snapshot.Key) *snapshot.Item {
	if i := slices.IndexFunc(r.Items, func(it *snapshot.Item) bool { return it.Key == key }); i >= 0 {
		return r.Items[i]
	}
	return nil
}
