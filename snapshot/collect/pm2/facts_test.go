//go:build unix

package pm2

import (
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
)

// A variable that only stands beside the settings, and that the last run and the
// app's file both know, is one fact.
func TestVariables_once(t *testing.T) {
	s, _ := lists(t, `{"name":"api","pm_id":0,"pm2_env":{"status":"stopped","autorestart":false,"BESIDE":"x","env":{"A":"b"}}}`)
	collecttest.Write(t, s.Host.Root(), "-- ecosystem.config.js --\nmodule.exports = {apps: [{name: 'api', script: 'a.js', env: {BESIDE: 'x', A: 'b'}}]}\n")
	again := collecttest.Session(t, s.Host.Root())
	again.Config.PM2Homes = s.Config.PM2Homes
	again.Previous = &snapshot.Snapshot{Items: []*snapshot.Item{{Key: "pm2/api", Facts: snapshot.PartsOf([]snapshot.Fact{{Name: "env.A"}, {Name: "env.BESIDE"}, {Name: "env.GONE"}}...)}}}
	n := map[string]int{}
	for _, f := range itemOf(collected(t, again), "pm2/api").Facts.All() {
		n[f.Name]++
	}
	if n["declared.env.BESIDE"] != 1 || n["env.BESIDE"] != 1 || n["env.A"] != 1 || n["env.GONE"] != 0 {
		t.Errorf("facts by name: %v", n)
	}
}
