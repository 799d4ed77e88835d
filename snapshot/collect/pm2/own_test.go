//go:build unix

package pm2

import (
	"runtime"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

// What the daemon and the dump say is megabytes, with every variable in clear. No
// text of an item keeps it from being freed.
func TestCollect_keepsNoAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector an answer of 32 MB may take longer than a daemon has")
	}
	const huge = 32 << 20
	base := heap()
	res := func() collect.Result {
		s := serve(t, answer(func(method, id string) []byte {
			if method == "getVersion" {
				return reply(id, `{"args":["7.0.4"]}`)
			}
			return reply(id, strings.Replace(everyField, "BIG", strings.Repeat("s3cret", huge/6), 1))
		}))
		home := s.Config.PM2Homes[0]
		collecttest.WriteFile(t, home, "dump.pm2", []byte(`[{"name":"kept","namespace":"day","status":"online","pm_exec_path":"/srv/k.js","pm_cwd":"/srv","args":["a"],"PAD":"`+strings.Repeat("x", maxDump/2)+`"}]`))
		s.Previous = &snapshot.Snapshot{Items: []*snapshot.Item{{Key: "pm2/night:api", Facts: snapshot.PartsOf(snapshot.Fact{Name: "env.FLAT", Class: snapshot.Secret})}}}
		return collected(t, s)
	}()
	if got := state(res, "pm2/daemon"); got == hung {
		t.Skip("the machine is too busy: 32 MB did not come over the socket within 2 seconds")
	}
	if got := heap() - base; got > maxDump/4 {
		t.Errorf("%d MiB are kept", got>>20)
	}
	if got, want := keys(res), "pm2/daemon=alive pm2/day:kept=not-running pm2/night:api=odd pm2/pool#0=waiting pm2/pool=waiting"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// everyField is an answer with a text in all that is read of a process.
const everyField = `{"args":[[{"name":"api","pm_id":0,"pid":0,"pm2_env":{"status":"odd","namespace":"night","unique_id":"u","exit_code":"SIGKILL","version":"1.2.3",
	"node_version":"20.1.0","pm_exec_path":"/srv/shop/api.js","pm_cwd":"/srv/shop","args":["serve","--port","3000"],"node_args":"--inspect","exec_mode":"fork_mode",
	"cron_restart":"0 3 * * *","ignore_watch":["logs","tmp"],"watch":["src"],"log_date_format":"YYYY","instance_var":"INSTANCE","username":"www","pm_out_log_path":"/var/log/out",
	"prev_restart_delay":"100","created_at":1,"pm_uptime":1,"FLAT":"x","env":{"A":"b","PORT":"3000","SECRET":"BIG"}}},
	{"name":"pool","pm_id":1,"pm2_env":{"status":"waiting","exec_mode":"cluster_mode","NODE_APP_INSTANCE":"0","exit_code":"1","version":"2","env":{}}}]]}`

// heap returns the bytes of what is in use.
func heap() int64 {
	for range 2 { // what a finaliser held is freed the second time
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
