package action

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// PM2Save writes the list of apps that PM2 brings back after a reboot.
var PM2Save = &rules.Action{
	ID:      "pm2.save",
	Title:   "save PM2's list of apps, never after a loss",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Idempotent,
	Doc: "The rule is about pm2/daemon. dump.pm2 is written as pm2 save does, but beside the old one and then renamed (PM2 writes in place), readable by its owner only; the old one becomes dump.pm2.bak. " +
		"Saving after a loss would make the loss last. So it is refused when an app of the saved list is not listed by PM2, or has fewer processes than were saved, when anything that should run " +
		"by a file or by the last run is missing, when any app is not online (one that was saved as stopped may be stopped), when nothing is listed but modules, and where the daemon cannot be asked. " +
		"Undone: the old list comes back from dump.pm2.bak, if nobody saved since.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		home, err := homeOf(p.Item)
		if err != nil {
			return rules.Effect{}, err
		}
		all, err := ask(p, home)
		if err != nil {
			return rules.Effect{}, err
		}
		if r := missed(p, home); r != nil {
			return rules.Effect{}, r
		}
		apps, err := savable(p.Sources.Host(), home, all)
		if err != nil {
			return rules.Effect{}, err
		}
		return rules.Effect{Target: "pm2 " + home + " dump", What: fmt.Sprintf("pm2 save (%d processes)", len(apps)),
			Deed: &rules.Deed{Of: "save", Args: map[string]string{"home": home, "list": tally(apps)}, Was: map[string]string{"list": held(p.Sources.Host(), home)}}}, nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		home := d.Args["home"]
		all, err := listed(ctx, h.Host, home)
		if err != nil {
			return d, err
		}
		apps, err := savable(h.Host, home, all)
		if err != nil {
			return d, err
		}
		if tally(apps) != d.Args["list"] {
			return d, errors.New("PM2's list changed since it was planned: nothing was saved")
		}
		list, err := saved(apps)
		if err != nil {
			return d, err
		}
		return swap(h, d, list)
	},
	Ask: answers,
	Settled: func(_ context.Context, h *rules.Hand, d rules.Deed) error {
		entries, err := readDump(h.Host, d.Args["home"])
		if err != nil {
			return err
		}
		if dumpTally(entries) != d.Args["list"] {
			return errors.New("PM2's saved list is not what was to be saved")
		}
		return nil
	},
	Undo: unsave,
}

// homeOf returns the home whose daemon an item is.
func homeOf(it *snapshot.Item) (string, error) {
	home, ok := strings.CutPrefix(it.Source, "daemon:")
	if it.Kind != "daemon" || !ok {
		return "", &rules.Refusal{Why: "it is not the daemon of PM2", Hint: `a rule with this action matches {items: ["pm2/daemon"]}`}
	}
	return home, nil
}

// missed says which app of a home should run and does not, by what audit knows.
func missed(p *rules.Preparation, home string) *rules.Refusal {
	for _, it := range p.Snapshot.Of(snapshot.PM2) {
		_, of, _ := strings.Cut(it.Source, ":")
		if of != home || it.Kind != "app" || it.State == "online" || it.State == "stopped" {
			continue
		}
		return &rules.Refusal{Why: "after a loss nothing is saved: " + it.Name + " is " + it.State, Hint: "bring it back, or take it out of its file and of PM2, and save by hand"}
	}
	return nil
}

// savable returns what would be saved of a list; a *rules.Refusal is that it
// must not be.
func savable(h host.Host, home string, all []proc) ([]proc, error) {
	apps := slices.DeleteFunc(slices.Clone(all), func(p proc) bool { return p.Module })
	if len(apps) == 0 {
		return nil, &rules.Refusal{Why: "PM2 lists no app: an empty list is never saved"}
	}
	old, err := readDump(h, home)
	if err != nil && !errors.Is(err, errNoDump) {
		return nil, &rules.Refusal{Why: err.Error() + ": what it held is not known, so nothing takes its place", Hint: "copy dump.pm2 and dump.pm2.bak, then pm2 save by hand"}
	}
	now, before, stopped := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, e := range old {
		before[e.key()]++
		stopped[e.key()] = stopped[e.key()] || e.get("status").Str == "stopped"
	}
	for _, p := range apps {
		k := p.Namespace + ":" + p.Name
		now[k]++
		switch {
		case p.Outgoing:
			return nil, &rules.Refusal{Why: "a reload of " + p.Name + " is under way"}
		case p.Status == "stopped" && (stopped[k] || p.Once || p.NoStart):
		case p.Status != "online" || p.PID == 0:
			return nil, &rules.Refusal{Why: fmt.Sprintf("%s is %s: the list is saved only when all is well", p.Name, p.Status)}
		}
	}
	for k, n := range before {
		if now[k] < n {
			return nil, &rules.Refusal{Why: fmt.Sprintf("after a loss nothing is saved: of %s the saved list has %d, and PM2 lists %d", strings.TrimPrefix(k, "default:"), n, now[k]),
				Hint: "pm2.start brings it back; if it was removed on purpose, pm2 save by hand"}
		}
	}
	return apps, nil
}

// key names the app of an entry as key names that of a process.
func (d dumped) key() string {
	ns := d.get("namespace").String()
	if ns == "" {
		ns = "default"
	}
	e := d.get("@this")
	return ns + ":" + shown(d.get("name").Str, e)
}

// tally writes which apps a list has, and how many processes of each.
func tally(apps []proc) string {
	var keys []string
	for _, p := range apps {
		keys = append(keys, p.Namespace+":"+p.Name)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

func dumpTally(entries []dumped) string {
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.key())
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// held is which apps the saved list has, for the journal.
func held(h host.Host, home string) string {
	entries, err := readDump(h, home)
	if err != nil {
		return err.Error()
	}
	return dumpTally(entries)
}

// saved makes the bytes of dump.pm2, as lib/API/Startup.js dump does.
func saved(apps []proc) ([]byte, error) {
	var list []map[string]json.RawMessage
	for _, p := range apps {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(p.env.Raw), &m); err != nil {
			return nil, err
		}
		for _, k := range []string{"instances", "pm_id", "prev_restart_delay"} {
			delete(m, k)
		}
		list = append(list, m)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(list)
	return b.Bytes(), err
}
