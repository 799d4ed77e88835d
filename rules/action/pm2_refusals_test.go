//go:build unix

package action

import (
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
)

// What must not be touched is refused, before anything is sent, with a reason.
func TestPM2_refuses(t *testing.T) {
	cluster := map[string]any{"exec_mode": "cluster_mode"}
	with := func(k string, v any) map[string]any { return map[string]any{k: v} }
	for name, c := range map[string]struct {
		action *rules.Action
		params map[string]string
		bed    func(*bed) *snapshot.Item
		want   string
	}{
		"restart/a_file": {PM2Restart, nil, func(b *bed) *snapshot.Item {
			return b.see(&snapshot.Item{Key: "pm2/file:x", Kind: "file", Name: "x", Source: "declared"})
		}, "no app of PM2"},
		"restart/a_module": {PM2Restart, nil, func(b *bed) *snapshot.Item {
			it := b.app("mod", "online")
			it.Kind = "module"
			return it
		}, "no app of PM2"},
		"restart/unknown": {PM2Restart, nil, func(b *bed) *snapshot.Item {
			it := b.app("api", "")
			it.Unknown = "the daemon hangs"
			return it
		}, "nobody knows"},
		"restart/not_listed": {PM2Restart, nil, func(b *bed) *snapshot.Item { return b.app("api", "not-running") }, "does not list it"},
		"restart/two_daemons": {PM2Restart, nil, func(b *bed) *snapshot.Item {
			b.Add("api", "errored", nil)
			b.see(&snapshot.Item{Key: "pm2/daemon", Kind: "daemon", Source: "daemon:" + b.Home, State: "two-daemons"})
			return b.app("api", "errored")
		}, "does not answer as it should"},
		"restart/no_daemon_item": {PM2Restart, nil, func(b *bed) *snapshot.Item {
			b.snap.Items = nil
			return b.app("api", "errored")
		}, "does not answer as it should"},
		"restart/waits_for_ever": {PM2Restart, nil, one("waiting restart", nil), "never comes"},
		"restart/pm2_waits":      {PM2Restart, nil, truly, "PM2 itself waits"},
		"untangle/pm2_waits":     {PM2Untangle, nil, truly, "PM2 itself waits"},
		"restart/pm2_is_ending": {PM2Restart, nil, func(b *bed) *snapshot.Item {
			b.Add("api", "stopped", nil).PID = 7
			return b.app("api", "stopped")
		}, "starts nothing any more"},
		"restart/launching":         {PM2Restart, nil, one("launching", nil), "launching it just now"},
		"restart/stopping":          {PM2Restart, nil, one("stopping", nil), "stopping it just now"},
		"restart/autostart_false":   {PM2Restart, nil, one("stopped", with("autostart", false)), "not to run all the time"},
		"restart/autorestart_false": {PM2Restart, nil, one("stopped", with("autorestart", "false")), "not to run all the time"},
		"restart/reload_under_way":  {PM2Restart, nil, one("online", with("_old", "_old_0")), "reload of it is under way"},
		"restart/script_gone":       {PM2Restart, nil, facts("errored", "gone", "script"), "its script is gone"},
		"restart/port_taken": {PM2Restart, nil, func(b *bed) *snapshot.Item {
			it := one("errored", nil)(b)
			it.Add(snapshot.Volatile, "port.taken", snapshot.Number(3000))
			return it
		}, "port 3000 is taken"},
		"untangle/errored":       {PM2Untangle, nil, one("errored", nil), "nothing of it waits"},
		"untangle/finished_once": {PM2Untangle, nil, one("waiting restart", with("autorestart", false)), "not to run all the time"},
		"untangle/script_gone":   {PM2Untangle, nil, facts("waiting restart", "gone", "cwd"), "its cwd is gone"},
		"reload/errored":         {PM2Reload, nil, one("errored", nil), "not all of it is online"},
		"reload/fork":            {PM2Reload, map[string]string{"fork": "refuse"}, one("online", nil), "fork mode"},
		"reload/lock": {PM2Reload, nil, func(b *bed) *snapshot.Item {
			b.file("reload.lock", strconv.FormatInt(time.Now().UnixMilli(), 10))
			return one("online", cluster)(b)
		}, "reload.lock"},
		"start/listed":         {PM2Start, nil, one("stopped", nil), "PM2 lists it"},
		"start/no_dump":        {PM2Start, nil, missing(func(b *bed) {}), "no saved list"},
		"start/torn_dump":      {PM2Start, nil, missing(func(b *bed) { b.file("dump.pm2", `[{"name":`) }), "torn"},
		"start/not_in_dump":    {PM2Start, nil, missing(func(b *bed) { b.Dump(b.Entry("other")) }), "does not hold it"},
		"start/other_space":    {PM2Start, nil, missing(func(b *bed) { b.Dump(b.changed("api", "namespace", "night")) }), "does not hold it"},
		"start/saved_stopped":  {PM2Start, nil, missing(func(b *bed) { b.Dump(b.changed("api", "status", "stopped")) }), "saved as stopped"},
		"start/no_autostart":   {PM2Start, nil, missing(func(b *bed) { b.Dump(b.changed("api", "autostart", false)) }), "not to run"},
		"start/script_gone":    {PM2Start, nil, missing(func(b *bed) { b.Dump(b.changed("api", "pm_exec_path", "/no/such")) }), "script is gone"},
		"start/folder_gone":    {PM2Start, nil, missing(func(b *bed) { b.Dump(b.changed("api", "pm_cwd", "/no/such")) }), "folder is gone"},
		"start/half_an_entry":  {PM2Start, nil, missing(func(b *bed) { b.Dump(b.changed("api", "env", nil)) }), "no environment"},
		"scale/number_unknown": {PM2Scale, nil, one("online", cluster), "nobody says"},
		"scale/right":          {PM2Scale, map[string]string{"to": "1"}, one("online", cluster), "has its 1 processes"},
		"scale/down_unasked": {PM2Scale, map[string]string{"to": "1"}, func(b *bed) *snapshot.Item {
			b.Add("api", "online", cluster)
			return one("online", cluster)(b)
		}, "unless the rule says down"},
		"scale/fork":           {PM2Scale, map[string]string{"to": "2"}, one("online", nil), "fork mode"},
		"scale/not_all_up":     {PM2Scale, map[string]string{"to": "2"}, one("errored", cluster), "not all of it is online"},
		"rotate/nothing_large": {PM2RotateLogs, nil, logs("small"), "no log of an app has 100 MB"},
		"rotate/by_logrotate":  {PM2RotateLogs, map[string]string{"min_mb": "0"}, func(b *bed) *snapshot.Item { logs("x")(b); return daemonOnly(b) }, "logrotate rotates them"},
		"rotate/tracked": {PM2RotateLogs, map[string]string{"min_mb": "0"}, func(b *bed) *snapshot.Item {
			it, file := logs("x")(b), "x.log"
			if err := os.WriteFile(filepath.Join(b.host.Root(), file), []byte("x"), 0o600); err != nil {
				b.t.Fatal(err)
			}
			b.Clear()
			b.Add("api", "online", with("pm_out_log_path", filepath.Join(b.host.Root(), file)))
			b.snap.Tree = snapshot.NewTree(true, []snapshot.TreePath{{Path: file, State: snapshot.Tracked}})
			return it
		}, "git tracks x.log"},
		"rotate/by_module": {PM2RotateLogs, map[string]string{"min_mb": "0"}, func(b *bed) *snapshot.Item {
			b.Add("pm2-logrotate", "online", with("pmx_module", true))
			return logs("x")(b)
		}, "pm2-logrotate rotates them"},
		"save/nothing_listed": {PM2Save, nil, func(b *bed) *snapshot.Item { return b.snap.Item("pm2/daemon") }, "lists no app"},
		"save/only_modules": {PM2Save, nil, func(b *bed) *snapshot.Item {
			b.Add("mod", "online", with("pmx_module", true))
			return b.snap.Item("pm2/daemon")
		}, "lists no app"},
		"save/one_lost": {PM2Save, nil, func(b *bed) *snapshot.Item {
			b.Add("api", "online", nil)
			b.Dump(b.Entry("api"), b.Entry("lost"))
			return b.snap.Item("pm2/daemon")
		}, "of lost the saved list has 1, and PM2 lists 0"},
		"save/fewer_processes": {PM2Save, nil, func(b *bed) *snapshot.Item {
			b.Add("api", "online", nil)
			b.Dump(b.Entry("api"), b.Entry("api"))
			return b.snap.Item("pm2/daemon")
		}, "of api the saved list has 2, and PM2 lists 1"},
		"save/declared_missing": {PM2Save, nil, func(b *bed) *snapshot.Item {
			b.Add("api", "online", nil)
			b.app("declared", "not-running")
			return b.snap.Item("pm2/daemon")
		}, "declared is not-running"},
		"save/one_errored": {PM2Save, nil, func(b *bed) *snapshot.Item {
			b.Add("api", "errored", nil)
			return b.snap.Item("pm2/daemon")
		}, "api is errored"},
		"save/torn": {PM2Save, nil, func(b *bed) *snapshot.Item {
			b.Add("api", "online", nil)
			b.file("dump.pm2", "[{")
			return b.snap.Item("pm2/daemon")
		}, "torn"},
		"save/an_app":         {PM2Save, nil, one("online", nil), "not the daemon"},
		"resurrect/alive":     {PM2Resurrect, map[string]string{"start_daemon": "yes"}, func(b *bed) *snapshot.Item { return b.snap.Item("pm2/daemon") }, "the daemon is alive"},
		"resurrect/hung":      {PM2Resurrect, map[string]string{"start_daemon": "yes"}, daemonIs("hung"), "the daemon is hung"},
		"resurrect/orphaned":  {PM2Resurrect, map[string]string{"start_daemon": "yes"}, daemonIs("orphaned"), "the daemon is orphaned"},
		"resurrect/two":       {PM2Resurrect, map[string]string{"start_daemon": "yes"}, daemonIs("two-daemons"), "the daemon is two-daemons"},
		"resurrect/forbidden": {PM2Resurrect, map[string]string{"start_daemon": "yes"}, daemonIs("forbidden"), "the daemon is forbidden"},
		"resurrect/uninvited": {PM2Resurrect, nil, daemonIs("crashed"), "never started uninvited"},
		"resurrect/untrusted": {PM2Resurrect, map[string]string{"start_daemon": "yes"}, func(b *bed) *snapshot.Item { b.untrusted = true; return daemonIs("crashed")(b) }, "who may change the project could run code"},
		"resurrect/no_pm2":    {PM2Resurrect, map[string]string{"start_daemon": "yes"}, daemonIs("crashed"), "not on PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			it := c.bed(b)
			if _, err := b.prepare(c.action, it.Key, c.params); !strings.Contains(refusal(t, err), c.want) || c.want == "" {
				t.Errorf("%v, want %s", err, c.want)
			}
			if len(b.Calls()) != 0 || b.Died() != "" {
				t.Errorf("the daemon was disturbed: %v %s", b.Calls(), b.Died())
			}
		})
	}
}

// one is an app of one process.
func one(status string, more map[string]any) func(*bed) *snapshot.Item {
	return func(b *bed) *snapshot.Item {
		b.Add("api", status, maps.Clone(more))
		return b.app("api", status)
	}
}

// truly is an app that waits for PM2, which has the pid of what died.
func truly(b *bed) *snapshot.Item {
	b.Add("api", "waiting restart", nil).PID = 7
	return b.app("api", "waiting restart")
}

func facts(status string, list ...string) func(*bed) *snapshot.Item {
	return func(b *bed) *snapshot.Item {
		b.Add("api", status, nil)
		return b.app("api", status, list...)
	}
}

// missing is an app that PM2 does not list.
func missing(more func(*bed)) func(*bed) *snapshot.Item {
	return func(b *bed) *snapshot.Item {
		more(b)
		return b.app("api", "not-running")
	}
}

// logs is a daemon whose app has a log with this text.
func logs(text string) func(*bed) *snapshot.Item {
	return func(b *bed) *snapshot.Item {
		b.Add("api", "online", nil)
		b.app("api", "online").Add(snapshot.Volatile, "log.unrotated", snapshot.Bool(true))
		b.file("logs/api-out.log", text)
		return b.snap.Item("pm2/daemon")
	}
}

func daemonOnly(b *bed) *snapshot.Item {
	b.app("api", "online")
	return b.snap.Item("pm2/daemon")
}

func daemonIs(state string) func(*bed) *snapshot.Item {
	return func(b *bed) *snapshot.Item {
		b.Dump(b.Entry("api"))
		return b.see(&snapshot.Item{Key: "pm2/daemon", Kind: "daemon", Source: "daemon:" + b.Home, State: state})
	}
}

func (b *bed) changed(name, key string, v any) map[string]any {
	e := b.Entry(name)
	e[key] = v
	return e
}

// file writes a file of the home.
func (b *bed) file(name, text string) {
	b.t.Helper()
	p := filepath.Join(b.Home, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}
