//go:build unix

package pm2

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

// versions are the daemons that make pm2 installs, by their folder.
var versions = map[string]string{"pm2": "7.0.4", "pm2-6": "6.0.14", "pm2-5": "5.4.3"}

// Daemons of three major versions answer the same, and two hundred audits in a
// row leave each as it was.
func TestRealPM2_versions(t *testing.T) {
	audits := map[string]int{"pm2": 200, "pm2-6": 20, "pm2-5": 20}
	seen := map[string]string{}
	for _, folder := range []string{"pm2", "pm2-6", "pm2-5"} {
		t.Run(versions[folder], func(t *testing.T) {
			r := newReal(t)
			r.Bin = filepath.Join(filepath.Dir(r.Bin), "..", "..", folder, "bin", "pm2")
			if _, err := os.Stat(r.Bin); err != nil {
				t.Skipf("no PM2 %s to test with: make pm2 could not install it", versions[folder])
			}
			collecttest.Write(t, r.tree, `
-- ecosystem.config.js --
module.exports = { apps: [
  { name: 'api', script: 'idle.js', args: '--port 3000', max_memory_restart: '200M', env: { KEY: '1' } },
  { name: 'pool', script: 'idle.js', instances: 2, exec_mode: 'cluster' },
  { name: 'resting', script: 'idle.js', autostart: false, cron_restart: '0 3 * * *' },
] }
-- idle.js --
setInterval(() => {}, 1000)
`)
			r.pm2("start", "ecosystem.config.js")
			res := r.until("all are online", func(res collect.Result) bool {
				return state(res, "pm2/api") == "online" && state(res, "pm2/pool#0") == "online" && state(res, "pm2/pool#1") == "online" && state(res, "pm2/resting") == "stopped"
			})
			if v, _ := itemOf(res, "pm2/daemon").Fact("version"); v.Str() != versions[folder] {
				t.Errorf("the daemon says it is %s", v.Str())
			}
			seen[folder] = inventory(res)
			before := r.Census()
			for range audits[folder] {
				if res := r.audit(); state(res, "pm2/daemon") != alive {
					t.Fatalf("the daemon is %s", state(res, "pm2/daemon"))
				}
			}
			if after := r.Census(); before != after {
				t.Errorf("before\n%safter %d audits\n%s", before, audits[folder], after)
			}
		})
	}
	for folder, s := range seen {
		if s != seen["pm2"] && seen["pm2"] != "" {
			t.Errorf("%s is seen as\n%s\n%s as\n%s", versions[folder], s, versions["pm2"], seen["pm2"])
		}
	}
}

// inventory writes what is compared of a result, without what may differ between
// versions: their own number and defaults that later ones added.
func inventory(res collect.Result) string {
	var out []string
	for _, it := range res.Items {
		s := fmt.Sprintf("%s %s %s", it.Key, it.Kind, it.State)
		for _, f := range it.Facts.All() {
			if f.Class == snapshot.Volatile || f.Class == snapshot.Secret || f.Name == "version" || f.Name == "kill_retry_time" {
				continue
			}
			s += fmt.Sprintf(" %s=%s", f.Name, f.Value.Str())
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}
