package pm2_test

import (
	"slices"
	"strings"
	"testing"

	"healthaudit/audit"
	checks "healthaudit/audit/check/pm2"
	"healthaudit/snapshot"
)

func fact(name string, v any) snapshot.Fact {
	switch v := v.(type) {
	case bool:
		return snapshot.Fact{Name: name, Value: snapshot.Bool(v)}
	case int:
		return snapshot.Fact{Name: name, Value: snapshot.Number(v)}
	case []string:
		return snapshot.Fact{Name: name, Value: snapshot.SetOf(v...)}
	}
	return snapshot.Fact{Name: name, Value: snapshot.Text(v.(string))}
}

func item(key, kind, state string, facts ...snapshot.Fact) *snapshot.Item {
	it := &snapshot.Item{Key: snapshot.Key(key), Name: snapshot.Key(key).Name(), Kind: kind, State: state, Facts: snapshot.PartsOf(facts...)}
	it.Sort()
	return it
}

func judge(c *audit.Check, items ...*snapshot.Item) audit.Judgement {
	return audit.Judge([]*audit.Check{c}, &audit.World{Now: &snapshot.Snapshot{Tree: &snapshot.Tree{}, Items: items}, Before: snapshot.Nothing})
}

// Nobody is told to save a list from which something is missing: that would make
// the loss permanent.
func TestDumpStale_neverSavesALoss(t *testing.T) {
	d := item("pm2/daemon", "daemon", "alive", fact("dump", "ok"))
	fresh := item("pm2/new", "app", "online", fact("in-dump", false))
	for _, c := range []struct {
		other *snapshot.Item
		save  bool
	}{
		{item("pm2/api", "app", "online", fact("in-dump", true)), true},
		{item("pm2/api", "app", "stopped", fact("in-dump", true)), true},
		{item("pm2/api", "app", "not-running", fact("in-dump", true)), false},
		{item("pm2/api", "app", "errored", fact("in-dump", true)), false},
		{item("pm2/api", "app", "ghost", fact("in-dump", true)), false},
		{item("pm2/api", "app", "waiting restart", fact("in-dump", true)), false},
	} {
		found := judge(checks.DumpStale, d, fresh, c.other).Findings
		if len(found) != 1 || strings.Contains(found[0].Hint, "Run `pm2 save`") != c.save || strings.Contains(found[0].Hint, "not run `pm2 save`") == c.save {
			t.Errorf("%s: %+v", c.other.State, found)
		}
	}
}

// What cannot be seen today is not mended: findings on it stay open.
func TestSurroundings_doubt(t *testing.T) {
	app := item("pm2/api", "app", "not-running")
	for _, c := range []struct {
		title         string
		check         *audit.Check
		daemon        *snapshot.Item
		discriminator string
		on            snapshot.Key
		want          bool
	}{
		{"dead daemon", checks.DumpStale, item("pm2/daemon", "daemon", "crashed", fact("dump", "ok")), "", "pm2/daemon", true},
		{"dump that cannot be read", checks.DumpStale, item("pm2/daemon", "daemon", "alive"), "", "pm2/daemon", true},
		{"no systemd", checks.NoBoot, item("pm2/daemon", "daemon", "alive"), "", "pm2/daemon", true},
		{"dead daemon", checks.Killed, item("pm2/daemon", "daemon", "crashed"), "", "pm2/api", true},
		{"log that cannot be read", checks.Killed, item("pm2/daemon", "daemon", "alive", fact("log", "unread")), "", "pm2/api", true},
		{"log elsewhere", checks.Killed, item("pm2/daemon", "daemon", "alive", fact("log", "absent")), "", "pm2/api", true},
		{"log that was read", checks.Killed, item("pm2/daemon", "daemon", "alive"), "", "pm2/api", false},
		{"log that cannot be read", checks.MemoryRestarts, item("pm2/daemon", "daemon", "alive", fact("log", "unread")), "", "pm2/api", true},
		{"log that cannot be read", checks.DaemonCrashed, item("pm2/daemon", "daemon", "alive", fact("log", "unread")), "death", "pm2/daemon", true},
		{"no version on disk", checks.DaemonStale, item("pm2/daemon", "daemon", "alive", fact("version", "7.0.4")), "pm2", "pm2/daemon", true},
		{"memory not to be seen", checks.DaemonMemory, item("pm2/daemon", "daemon", "alive"), "", "pm2/daemon", true},
		{"hung daemon", checks.RestartsDisabled, item("pm2/daemon", "daemon", "hung"), "", "pm2/daemon", true},
		{"dead daemon", checks.RestartsDisabled, item("pm2/daemon", "daemon", "crashed"), "", "pm2/daemon", false},
		{"dead daemon", checks.LogsGrow, item("pm2/daemon", "daemon", "crashed"), "", "pm2/daemon", true},
	} {
		j := judge(c.check, c.daemon, app)
		if len(j.Findings) > 0 || j.Doubts[audit.FindingID(snapshot.PM2, c.on, c.check.ID, c.discriminator)] != c.want {
			t.Errorf("%s, %s: %+v, doubts %v", c.check.ID, c.title, j.Findings, j.Doubts)
		}
	}
}

// The commands in hints are those that a person can type, and none of them is
// run by accident: `pm2 update` and `pm2 kill` say what they do.
func TestSurroundings_hints(t *testing.T) {
	for _, c := range []*audit.Check{checks.DumpStale, checks.NoBoot, checks.Killed, checks.MemoryRestarts, checks.DaemonCrashed, checks.PortClash, checks.LogsGrow, checks.DaemonStale, checks.DaemonMemory, checks.SecretsReadable} {
		if !slices.Contains(checks.All, c) {
			t.Errorf("%s is not in all.go", c.ID)
		}
		if strings.Contains(c.Hint, "pm2 kill") || strings.Contains(c.Hint, "pm2 update") && !strings.Contains(c.Hint, "restarts every app") {
			t.Errorf("%s: %s", c.ID, c.Hint)
		}
	}
}

// What was found on a process file for the sake of its apps stays while their
// daemon hangs: it would come back as a regression when the daemon answers.
func TestHidden_findingsOnTheFileStay(t *testing.T) {
	app := item("pm2/api", "app", "not-running", fact("declared.file", "ecosystem.config.js"), fact("declared.script", "gone.js"), fact("declared.max_memory_restart", 500))
	app.Carried = true
	file := item("pm2/file:ecosystem.config.js", "file", "ok")
	for _, c := range []struct {
		check         *audit.Check
		discriminator string
	}{{checks.ScriptMissing, "api"}, {checks.NotRunning, ""}, {checks.MemoryLimitTiny, "api"}} {
		j := judge(c.check, item("pm2/daemon", "daemon", "hung"), app, file)
		if !j.Doubts[audit.FindingID(snapshot.PM2, file.Key, c.check.ID, c.discriminator)] {
			t.Errorf("%s: %+v, doubts %v", c.check.ID, j.Findings, j.Doubts)
		}
	}
}

// Who is told to bring back a daemon is told first what outlived it.
func TestDaemonDown_survivors(t *testing.T) {
	for state, want := range map[string]string{"crashed": "else it runs twice. See the end of pm2.log, then run `pm2 resurrect`", "not-running": "else it runs twice. Run `pm2 resurrect`"} {
		found := judge(checks.DaemonDown, item("pm2/daemon", "daemon", state, fact("apps", 2), fact("survivors", []string{"py (process 7)", "sh (process 8)"}))).Findings
		if len(found) != 1 || !strings.Contains(found[0].Message, "2 apps should run; py (process 7) and sh (process 8) still run without it.") || !strings.Contains(found[0].Hint, want) {
			t.Errorf("%s: %+v", state, found)
		}
	}
}

// Who is told to bring back a daemon looks first where nobody could see what outlived it.
func TestDaemonDown_survivorsUnread(t *testing.T) {
	unread := fact("survivors.unread", true)
	for want, facts := range map[string][]snapshot.Fact{
		"Look first what still runs (`ps -ef`), for not all pid files can be read: else it runs twice. See the end of pm2.log, then run `pm2 resurrect`": {unread},
		"and look with `ps -ef` for more, for not all pid files can be read: else it runs twice. See the end of pm2.log, then run `pm2 resurrect`":       {unread, fact("survivors", []string{"py (process 7)"})},
		"Look first what still runs (`ps -ef`), for not all pid files can be read: else it runs twice. See the end of pm2.log. Nobody ever ran":          {unread, fact("dump", "absent")},
	} {
		found := judge(checks.DaemonDown, item("pm2/daemon", "daemon", "crashed", append(facts, fact("apps", 2))...)).Findings
		if len(found) != 1 || !strings.Contains(found[0].Hint, want) {
			t.Errorf("%s: %+v", want, found)
		}
	}
}

// Where there are several homes a command names the one that is meant.
func TestHints_nameTheHome(t *testing.T) {
	daemon := item("pm2/home=%2Fsrv%2Fa b/daemon", "daemon", "crashed", fact("apps", 1))
	daemon.Source = "daemon:/srv/a b"
	found := judge(checks.DaemonDown, daemon).Findings
	if len(found) != 1 || !strings.Contains(found[0].Hint, "run `PM2_HOME='/srv/a b' pm2 resurrect` as") || strings.Contains(found[0].Hint, "`pm2 ") {
		t.Errorf("%+v", found)
	}
	daemon.State, daemon.Key = "alive", "pm2/home=x/daemon"
	app := item("pm2/home=x/api", "app", "stopped", fact("namespace", "shop"))
	app.Name = "shop:api"
	if found := judge(checks.NotRunning, daemon, app).Findings; len(found) != 1 || !strings.Contains(found[0].Hint, ": `PM2_HOME='/srv/a b' pm2 restart api`.") {
		t.Errorf("%+v", found)
	}
}

// What PM2 restarts for its memory again and again is told once; a limit that does
// not work is told all the same.
func TestMemory_oneFinding(t *testing.T) {
	daemon := item("pm2/daemon", "daemon", "alive")
	app := item("pm2/leak", "app", "online", fact("max_memory_restart", 100), fact("memory-restarts", 3))
	app.Metrics = []snapshot.Metric{{Name: "memory", Value: 500}, {Name: "uptime", Value: 100}}
	old := item("pm2/leak", "app", "online")
	old.Metrics = []snapshot.Metric{{Name: "memory", Value: 500}, {Name: "uptime", Value: 10}}
	found := func(off []string, before ...*snapshot.Item) (ids []string) {
		on := slices.DeleteFunc([]*audit.Check{checks.MemoryOverLimit, checks.MemoryRestarts}, func(c *audit.Check) bool { return slices.Contains(off, c.ID) })
		for _, f := range audit.Judge(on, &audit.World{Now: &snapshot.Snapshot{Tree: &snapshot.Tree{}, Items: []*snapshot.Item{daemon, app}}, Before: &snapshot.Snapshot{Items: before}, Off: off}).Findings {
			ids = append(ids, f.Check)
		}
		slices.Sort(ids)
		return ids
	}
	if got := found(nil); !slices.Equal(got, []string{"pm2-memory-restarts"}) {
		t.Errorf("one look: %q", got)
	}
	if got := found([]string{"pm2-memory-restarts"}); !slices.Equal(got, []string{"pm2-memory-over-limit"}) {
		t.Errorf("with the check off: %q", got)
	}
	if got := found(nil, old); !slices.Equal(got, []string{"pm2-memory-over-limit", "pm2-memory-restarts"}) {
		t.Errorf("for ninety seconds: %q", got)
	}
}

// A limit that no process can keep is told once, where it is declared; one of the app's
// own, and restarts where that check is off, are told all the same.
func TestMemory_tinyLimit(t *testing.T) {
	for _, c := range []struct {
		title, off string
		runs       int // max_memory_restart of what runs
		want       []string
	}{
		{"as declared", "", 500, []string{"pm2-memory-limit-tiny"}},
		{"the check is off", "pm2-memory-limit-tiny", 500, []string{"pm2-memory-over-limit", "pm2-memory-restarts"}},
		{"it runs with another one", "", 100 << 20, []string{"pm2-memory-limit-tiny", "pm2-memory-over-limit", "pm2-memory-restarts"}},
	} {
		t.Run(c.title, func(t *testing.T) {
			app := item("pm2/leak", "app", "online", fact("declared.file", "e.json"), fact("declared.max_memory_restart", "500"), fact("max_memory_restart", c.runs), fact("memory-restarts", 3))
			app.Metrics = []snapshot.Metric{{Name: "memory", Value: 500 << 20}, {Name: "uptime", Value: 100}}
			old := item("pm2/leak", "app", "online")
			old.Metrics = []snapshot.Metric{{Name: "memory", Value: 500 << 20}, {Name: "uptime", Value: 10}}
			now := &snapshot.Snapshot{Tree: &snapshot.Tree{}, Items: []*snapshot.Item{item("pm2/daemon", "daemon", "alive"), app}}
			on := slices.DeleteFunc([]*audit.Check{checks.MemoryLimitTiny, checks.MemoryOverLimit, checks.MemoryRestarts}, func(k *audit.Check) bool { return k.ID == c.off })
			var got []string
			for _, f := range audit.Judge(on, &audit.World{Now: now, Before: &snapshot.Snapshot{Items: []*snapshot.Item{old}}, Off: []string{c.off}}).Findings {
				got = append(got, f.Check)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

// A torn dump is one finding, and not one more for each app that no file declares.
func TestUndeclared_torn(t *testing.T) {
	file := item("pm2/file:e.json", "file", "ok", fact("apps", []string{"web"}))
	file.Path = "e.json"
	app := item("pm2/api", "app", "online", fact("script", "/p/api.js"), fact("in-dump", false))
	app.Refs = snapshot.PartsOf(snapshot.Ref{Kind: snapshot.RefFile, Path: "api.js"})
	tree := snapshot.NewTree(true, []snapshot.TreePath{{Path: "api.js", Kind: snapshot.PathFile, State: snapshot.Tracked}})
	for dump, want := range map[string]int{"ok": 1, "torn": 0} {
		d := item("pm2/daemon", "daemon", "alive", fact("dump", dump))
		j := audit.Judge([]*audit.Check{checks.Undeclared}, &audit.World{Now: &snapshot.Snapshot{Tree: tree, Items: []*snapshot.Item{d, file, app}}, Before: snapshot.Nothing})
		if len(j.Findings) != want || j.Doubts[audit.FindingID(snapshot.PM2, app.Key, checks.Undeclared.ID, "")] == (want == 1) {
			t.Errorf("%s: %+v, doubts %v", dump, j.Findings, j.Doubts)
		}
	}
}

// What cannot be loaded is tried by a command that can be typed as it stands, and only
// a program is tried by node.
func TestConfigInvalid_namesTheFile(t *testing.T) {
	for file, want := range map[string]string{
		"ops/eco system.config.js": "`node --check 'ops/eco system.config.js'` and `pm2 start 'ops/eco system.config.js'`",
		"ops/apps.json":            "Run `pm2 start ops/apps.json`",
		"ops/apps.yml":             "Run `pm2 start ops/apps.yml`",
	} {
		it := item("pm2/file:x", "file", "invalid", fact("reason", "torn"))
		it.Path = file
		found := judge(checks.ConfigInvalid, it).Findings
		if len(found) != 1 || !strings.Contains(found[0].Hint, want) {
			t.Errorf("%s: %+v", file, found)
		}
	}
}
