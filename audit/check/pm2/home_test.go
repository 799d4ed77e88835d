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
