//go:build unix

package pm2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

func TestMain(m *testing.M) { collecttest.Main(m) }

func session(t *testing.T, files string) *collect.Session {
	t.Helper()
	dir := t.TempDir()
	collecttest.Write(t, dir, files)
	return collecttest.Session(t, dir)
}

func collected(t *testing.T, s *collect.Session) collect.Result {
	t.Helper()
	res, err := Collector.Collect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

const twoApps = `
-- ecosystem.config.js --
module.exports = { apps: [{ name: 'api', script: 'api.js', instances: 2 }, { name: 'a:b', script: 'api.js' }, { name: 'daemon', script: 'api.js' }] }
-- api.js --
`

func keys(res collect.Result) string {
	var out []string
	for _, it := range res.Items {
		s := string(it.Key) + "=" + it.State
		if it.Unknown != "" {
			s += "?"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestCollect_withoutPM2(t *testing.T) {
	t.Run("nothing of PM2 is absent", func(t *testing.T) {
		if res := collected(t, session(t, "-- package.json --\n{\"name\":\"x\"}\n")); !res.Absent || len(res.Items) > 0 {
			t.Errorf("%+v", res)
		}
	})
	t.Run("an empty home is absent", func(t *testing.T) {
		if res := collected(t, session(t, "-- .no-home/.pm2/logs/x --\n")); !res.Absent {
			t.Errorf("%s", keys(res))
		}
	})
	t.Run("an ecosystem file is judged as a file", func(t *testing.T) {
		res := collected(t, session(t, twoApps))
		if got, want := keys(res), "pm2/api=? pm2/default:a:b=? pm2/default:daemon=? pm2/file:ecosystem.config.js=ok"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if res.Reason == "" || len(res.Sources) != 1 || !res.Sources[0].OK {
			t.Errorf("reason %q, sources %+v", res.Reason, res.Sources)
		}
	})
	t.Run("a configured home that is not there is a failed source", func(t *testing.T) {
		s := session(t, twoApps)
		s.Config.PM2Homes = []string{filepath.Join(t.TempDir(), "none")}
		if res := collected(t, s); !slices.ContainsFunc(res.Sources, func(s snapshot.Source) bool { return !s.OK }) {
			t.Errorf("sources %+v", res.Sources)
		}
	})
	t.Run("a home that is no folder is a failed source, whoever names it", func(t *testing.T) {
		s := session(t, twoApps)
		collecttest.WriteFile(t, s.Config.HomeFolder, ".pm2", nil)
		res := collected(t, s)
		for _, src := range res.Sources {
			if src.Name != "declared" && (src.OK || src.Message != "it is not a folder" || !strings.Contains(src.Hint, "PM2_HOME")) {
				t.Errorf("%+v", src)
			}
		}
		if len(res.Sources) != 4 || itemOf(res, "pm2/api").Unknown == "" {
			t.Errorf("sources %+v, app %+v", res.Sources, itemOf(res, "pm2/api"))
		}
	})
}

func TestCollect_twoHomes(t *testing.T) {
	s := session(t, twoApps)
	a, b := t.TempDir(), t.TempDir()
	for _, h := range []string{a, b} {
		collecttest.Write(t, h, "-- dump.pm2 --\n[{\"name\":\"api\"},{\"name\":\"w\",\"namespace\":\"n\"}]\n")
	}
	s.Config.PM2Homes = []string{b, a}
	p := "pm2/home=" + snapshot.EscapePart(min(a, b)) + "/"
	q := "pm2/home=" + snapshot.EscapePart(max(a, b)) + "/"
	want := []string{p + "api", p + "daemon", p + "default:a:b", p + "default:daemon", p + "n:w", q + "api", q + "daemon", q + "n:w", "pm2/file:ecosystem.config.js"}
	var got []string
	for _, it := range collected(t, s).Items {
		got = append(got, string(it.Key))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestCollect_daemonWithoutSocket(t *testing.T) {
	dead := func() ([]host.Process, error) { return nil, nil }
	for _, c := range []struct {
		title, files string
		dial         error
		procs        func() ([]host.Process, error)
		want         string
	}{
		{"another user's", "", syscall.EACCES, dead, forbidden},
		{"nothing listens", "", syscall.ECONNREFUSED, dead, staleSocket},
		{"nothing listens, pid file", "-- .no-home/.pm2/pm2.pid --\n12345\n", syscall.ECONNREFUSED, dead, crashed},
		{"pid of someone else", "-- .no-home/.pm2/pm2.pid --\n1\n", syscall.ECONNREFUSED, func() ([]host.Process, error) { return []host.Process{{PID: 1, Title: "init"}}, nil }, crashed},
		{"no socket", "", syscall.ENOENT, dead, notRunning},
		{"no socket, but it runs", "", syscall.ENOENT, func() ([]host.Process, error) {
			return []host.Process{{PID: 7, Title: "PM2 v7.0.4: God Daemon (HOME)"}}, nil
		}, orphaned},
		{"no process table", "", syscall.ENOENT, func() ([]host.Process, error) { return nil, host.ErrUnsupported }, unknown},
		{"path too long for a socket", "", syscall.EINVAL, dead, unknown},
	} {
		t.Run(c.title, func(t *testing.T) {
			s := session(t, twoApps+c.files+"-- .no-home/.pm2/touch --\n")
			home := filepath.Join(s.Config.HomeFolder, ".pm2")
			s.Host = world{Host: s.Host, dial: c.dial, procs: func() ([]host.Process, error) {
				list, err := c.procs()
				for i := range list {
					list[i].Title = strings.Replace(list[i].Title, "HOME", home, 1)
				}
				return list, err
			}}
			res := collected(t, s)
			if got := state(res, "pm2/daemon"); got != c.want {
				t.Errorf("state %s, want %s", got, c.want)
			}
			blind := c.want == forbidden || c.want == unknown || c.want == orphaned
			if api := itemOf(res, "pm2/api"); (api.Unknown != "") != blind {
				t.Errorf("the app: %q, %q", api.State, api.Unknown)
			}
		})
	}
}

// A file that cannot be read today has not stopped declaring its apps.
func TestCollect_brokenFileForgetsNothing(t *testing.T) {
	s := session(t, twoApps)
	first := collected(t, s)
	prev := &snapshot.Snapshot{Items: first.Items}
	collecttest.Write(t, s.Host.Root(), "-- ecosystem.config.js --\nmodule.exports = {{\n")
	again := collecttest.Session(t, s.Host.Root())
	again.Previous = prev
	again.Cursors = func(_ snapshot.System, name string) json.RawMessage { return first.Cursors[name] }
	res := collected(t, again)
	if got, want := keys(res), "pm2/api=? pm2/default:a:b=? pm2/default:daemon=? pm2/file:ecosystem.config.js=invalid"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.EqualFunc(itemOf(res, "pm2/api").Facts.All(), itemOf(first, "pm2/api").Facts.All(), func(a, b snapshot.Fact) bool { return a.Name == b.Name && a.Value.Equal(b.Value) }) {
		t.Error("the declared facts changed")
	}
	if !bytes.Equal(res.Cursors[cursorName], first.Cursors[cursorName]) {
		t.Errorf("cursor %s, was %s", res.Cursors[cursorName], first.Cursors[cursorName])
	}
}

// A file behind a folder that became a link has not stopped declaring its apps.
func TestCollect_fileBehindALinkForgetsNothing(t *testing.T) {
	s, _ := lists(t, fourProcesses)
	collecttest.Write(t, s.Host.Root(), "-- conf/ecosystem.config.js --\nmodule.exports = {apps: [{name: 'api', script: 'api.js'}]}\n")
	read := func() *collect.Session {
		again := collecttest.Session(t, s.Host.Root())
		again.Config.PM2Homes = s.Config.PM2Homes
		return again
	}
	first := collected(t, read())
	conf := filepath.Join(s.Host.Root(), "conf")
	if err := errors.Join(os.Rename(conf, filepath.Join(t.TempDir(), "conf")), os.Symlink("/nowhere", conf)); err != nil {
		t.Fatal(err)
	}
	again := read()
	again.Previous = &snapshot.Snapshot{Items: first.Items}
	again.Cursors = func(_ snapshot.System, name string) json.RawMessage { return first.Cursors[name] }
	res := collected(t, again)
	if got := changed(itemOf(first, "pm2/api"), itemOf(res, "pm2/api")); len(got) > 0 {
		t.Errorf("changed: %q", got)
	}
	if !bytes.Equal(res.Cursors[cursorName], first.Cursors[cursorName]) {
		t.Errorf("cursor %s, was %s", res.Cursors[cursorName], first.Cursors[cursorName])
	}
}

func TestCollect_requiredFiles(t *testing.T) {
	s := session(t, `
-- deploy/ecosystem.config.js --
module.exports = { apps: ['api', 'web'].map((n) => require('./' + n)) }
-- deploy/api.js --
module.exports = { name: 'api', script: 'server.js', env: { KEY: 's3cret' } }
-- deploy/web.js --
module.exports = { name: 'web', script: 'server.js' }
-- pm2.config.js --
module.exports = { apps: [{ script: 'server.js', env: require('./.env.js') }] }
-- .env.js --
module.exports = { KEY: 's3cret' }
-- server.js --
`)
	res := collected(t, s)
	if f := itemOf(res, "pm2/file:pm2.config.js"); f.State != "needs-node" || f.Unknown != "requires .env.js, which cannot be read: it may hold secrets" {
		t.Errorf("%s %q", f.State, f.Unknown)
	}
	file := itemOf(res, "pm2/file:deploy/ecosystem.config.js")
	if file.State != "ok" || len(file.Files) != 3 {
		t.Errorf("%s %s, files %+v", file.State, file.Unknown, file.Files)
	}
	if b, _ := json.Marshal(res); bytes.Contains(b, []byte("s3cret")) {
		t.Errorf("a secret in %s", b)
	}
	memo := memo{}
	warm := collecttest.Session(t, s.Host.Root())
	warm.Derived = &snapshot.Derived{Memo: memo}
	collected(t, warm)
	for k, v := range memo {
		if bytes.Contains(v, []byte("s3cret")) {
			t.Errorf("a secret in the cache: %s %s", k, v)
		}
	}
	// Nothing is evaluated twice: without a child the cache must do.
	cold := collecttest.Session(t, s.Host.Root())
	cold.Derived = &snapshot.Derived{Memo: memo}
	cold.Host = childless{cold.Host}
	if a, b := keys(collected(t, cold)), keys(res); a != b {
		t.Errorf("from the cache %s, before %s", a, b)
	}
}

type memo map[string][]byte

func (m memo) Get(k string) []byte    { return m[k] }
func (m memo) Put(k string, v []byte) { m[k] = v }

// childless is a host that can start no program.
type childless struct{ host.Host }

func (childless) Run(context.Context, host.Command) (host.Result, error) {
	return host.Result{Code: -1}, errors.New("no more processes")
}

func TestCollect_hostileFiles(t *testing.T) {
	s := session(t, `
-- ecosystem.config.js --
const fs = require('fs'); fs.writeFileSync('canary', 'x'); require('child_process').execSync('touch canary')
-- pm2.json --
({apps: [process.mainModule.require('child_process').execSync('touch canary')]})
-- ecosystem.prod.config.js --
globalThis.constructor.constructor('return process')().binding('fs')
-- ok/ecosystem.json --
{"apps": [{"name": "fine", "script": "x.js"}]}
`)
	root := s.Host.Root()
	if err := errors.Join(os.Symlink("/etc/hostname", filepath.Join(root, "ecosystem.config.cjs")), os.Symlink("process.yml", filepath.Join(root, "process.yml")), syscall.Mkfifo(filepath.Join(root, "pm2.yml"), 0o644)); err != nil {
		t.Fatal(err)
	}
	s = collecttest.Session(t, root)
	res := collected(t, s)
	for key, want := range map[snapshot.Key]string{
		"pm2/file:ecosystem.config.js": "needs-node", "pm2/file:ecosystem.prod.config.js": "needs-node", "pm2/file:pm2.json": "invalid",
		"pm2/file:ecosystem.config.cjs": "unreadable", "pm2/file:process.yml": "unreadable", "pm2/file:pm2.yml": "unreadable", "pm2/file:ok/ecosystem.json": "ok", "pm2/fine": "",
	} {
		if got := state(res, key); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(root, "canary")); err == nil {
		t.Error("the audited code was executed")
	}
}

func TestRisk(t *testing.T) {
	v := func(x any) *snapshot.Value {
		switch x := x.(type) {
		case bool:
			v := snapshot.Bool(x)
			return &v
		case int:
			v := snapshot.Number(x)
			return &v
		case string:
			v := snapshot.Text(x)
			return &v
		}
		return nil
	}
	for _, c := range []struct {
		fact     string
		old, new any
		want     snapshot.Risk
	}{
		{"autorestart", true, false, snapshot.RiskUp},
		{"declared.autorestart", nil, false, snapshot.RiskUp},
		{"declared.autorestart", false, nil, snapshot.RiskDown},
		{"declared.autorestart", nil, true, snapshot.RiskNeutral},
		{"cron_restart", "0 3 * * *", nil, snapshot.RiskUp},
		{"cron_restart", "0 3 * * *", "0 4 * * *", snapshot.RiskNeutral},
		{"declared.instances", "max", 2, snapshot.RiskUp},
		{"processes", 2, 4, snapshot.RiskDown},
		{"in-dump", true, false, snapshot.RiskUp},
		{"state", "online", "errored", snapshot.RiskUp},
		{"state", "not-running", "alive", snapshot.RiskDown},
		{"state", "errored", "not-running", snapshot.RiskNeutral},
		{"state", "waiting restart", "not-running", snapshot.RiskNeutral},
		{"state", "stale-socket", "not-running", snapshot.RiskNeutral},
		{"state", "online", "not-running", snapshot.RiskUp},
		{"state", "errored", "online", snapshot.RiskDown},
		{"state", "alive", "two-daemons", snapshot.RiskUp},
		{"script", "a.js", "b.js", snapshot.RiskNeutral},
	} {
		if got := risk(c.fact, v(c.old), v(c.new)); got != c.want {
			t.Errorf("%s %v → %v: %s, want %s", c.fact, c.old, c.new, got, c.want)
		}
	}
}
