package action

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
)

// A proc is what actions need of one process that PM2 lists.
type proc struct {
	ID              int
	Outgoing        bool // the old worker of a reload that is under way
	PID             int  // 0: none
	Name, Namespace string
	Status          string
	Unique          string // unique_id: identity of the entry over restarts
	Instance        string // NODE_APP_INSTANCE
	Module          bool
	Cluster         bool
	NoStart, Once   bool // autostart: false, autorestart: false
	Restarts        int
	MinUptime       time.Duration
	Exec, Cwd       string
	Out, Err, All   string       // paths of its logs; All is both in one (log_file), empty: none
	env             gjson.Result // pm2_env: it holds secrets, and never leaves this package but into PM2's own dump
}

// decode reads one entry of getMonitorData.
func decode(v gjson.Result) (p proc, ok bool) {
	e := v.Get("pm2_env")
	if !e.IsObject() || v.Get("name").Str == "" {
		return p, false
	}
	p = proc{PID: int(v.Get("pid").Int()), Name: shown(v.Get("name").Str, e), Namespace: e.Get("namespace").String(), Status: e.Get("status").Str,
		Unique: e.Get("unique_id").String(), Instance: e.Get("NODE_APP_INSTANCE").String(), Module: truth(e.Get("pmx_module")),
		Cluster: e.Get("exec_mode").Str == "cluster_mode", NoStart: e.Get("autostart").String() == "false", Once: e.Get("autorestart").String() == "false",
		Restarts: int(e.Get("restart_time").Int()), MinUptime: time.Duration(e.Get("min_uptime").Int()) * time.Millisecond,
		Exec: e.Get("pm_exec_path").Str, Cwd: e.Get("pm_cwd").Str, Out: e.Get("pm_out_log_path").Str, Err: e.Get("pm_err_log_path").Str, All: e.Get("pm_log_path").Str, env: e}
	if p.Namespace == "" {
		p.Namespace = "default"
	}
	id := v.Get("pm_id").String()
	p.Outgoing = strings.HasPrefix(id, "_old_")
	n, err := strconv.Atoi(strings.TrimPrefix(id, "_old_"))
	p.ID = n
	return p, err == nil && n >= 0
}

func truth(v gjson.Result) bool { return v.String() == "true" }

// shown is the name of an app as its item has it.
func shown(name string, env gjson.Result) string {
	line := ""
	if a := env.Get("args").Array(); len(a) == 2 && a[0].Str == "-c" {
		line = a[1].Str
	}
	return ecosystem.ShownName(name, line)
}

// An app is one app of one home, as a deed names it.
type app struct{ home, namespace, name string }

// appOf returns the app that an item is.
func appOf(it *snapshot.Item) (app, error) {
	_, home, _ := strings.Cut(it.Source, ":")
	switch {
	case it.Kind != "app":
		return app{}, &rules.Refusal{Why: "it is no app of PM2"}
	case it.Unknown != "" || home == "":
		return app{}, &rules.Refusal{Why: "nobody knows how it is"}
	}
	a := app{home: home, namespace: "default", name: it.Name}
	if ns, ok := it.Fact("namespace"); ok {
		a.namespace = ns.Str()
		a.name = strings.TrimPrefix(it.Name, a.namespace+":")
	}
	return a, nil
}

func (a app) args() map[string]string {
	return map[string]string{"home": a.home, "namespace": a.namespace, "name": a.name}
}

// target is the resource that a deed on the app changes.
func (a app) target() string { return "pm2 " + a.home + " " + a.namespace + ":" + a.name }

// named is the app of a deed.
func named(d rules.Deed) app {
	return app{home: d.Args["home"], namespace: d.Args["namespace"], name: d.Args["name"]}
}

// of returns the processes of an app, by number.
func (a app) of(all []proc) (out []proc) {
	for _, p := range all {
		if p.Name == a.name && p.Namespace == a.namespace && !p.Module {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(p, q proc) int { return p.ID - q.ID })
	return out
}

// unready says why nothing is done about an app at the moment, "" when it may
// be: what PM2 or a person is at is not interfered with.
func unready(procs []proc) *rules.Refusal {
	if len(procs) == 0 {
		return &rules.Refusal{Why: "PM2 does not list it", Hint: "pm2.start brings an app back from the dump"}
	}
	for _, p := range procs {
		switch {
		case p.Outgoing:
			return &rules.Refusal{Why: "a reload of it is under way"}
		case p.Status == "launching" || p.Status == "stopping":
			return &rules.Refusal{Why: "PM2 is " + p.Status + " it just now"}
		case p.Status == "stopped" && p.PID != 0:
			return &rules.Refusal{Why: "PM2 was told to end and starts nothing any more", Hint: "see pm2-restarts-disabled"}
		}
	}
	return nil
}

// helpless says why starting an app again cannot help, from what its item tells:
// without its script or folder, PM2 turns a live app into one without a process.
func helpless(it *snapshot.Item) *rules.Refusal {
	if v, ok := it.Fact("gone"); ok && len(v.Strings()) > 0 {
		return &rules.Refusal{Why: "its " + strings.Join(v.Strings(), " and its ") + " is gone: started again it would have no process at all", Hint: "bring back what is missing first"}
	}
	if v, ok := it.Fact("port.taken"); ok {
		n, _ := v.Num()
		return &rules.Refusal{Why: fmt.Sprintf("its port %.0f is taken by another program: started again it would crash again", n), Hint: "see pm2-port-clash"}
	}
	return nil
}

// pairs writes processes as number and pid: 3/4711 5/0.
func pairs(procs []proc) string {
	var out []string
	for _, p := range procs {
		out = append(out, fmt.Sprintf("%d/%d", p.ID, p.PID))
	}
	return strings.Join(out, " ")
}

// numbers writes processes by number: 3 5.
func numbers(procs []proc) string {
	var out []string
	for _, p := range procs {
		out = append(out, strconv.Itoa(p.ID))
	}
	return strings.Join(out, " ")
}

// A pair is a process as it was when a deed was planned.
type pair struct{ id, pid int }

// paired reads what pairs wrote.
func paired(s string) (out []pair, err error) {
	for _, f := range strings.Fields(s) {
		var p pair
		if _, err := fmt.Sscanf(f, "%d/%d", &p.id, &p.pid); err != nil {
			return nil, fmt.Errorf("%q names no process", f)
		}
		out = append(out, p)
	}
	return out, nil
}

// was is how processes were before a deed, for the journal.
func was(procs []proc) map[string]string {
	m := map[string]string{}
	for _, p := range procs {
		m[strconv.Itoa(p.ID)] = fmt.Sprintf("%s, pid %d, %d restarts", p.Status, p.PID, p.Restarts)
	}
	return m
}

// number returns the process of an app with that number.
func number(procs []proc, id int) (proc, bool) {
	i := slices.IndexFunc(procs, func(p proc) bool { return p.ID == id && !p.Outgoing })
	if i < 0 {
		return proc{}, false
	}
	return procs[i], true
}
