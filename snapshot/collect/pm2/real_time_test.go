//go:build unix

package pm2

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

const slowly = `
-- ecosystem.config.js --
module.exports = { apps: [
  { name: 'short', script: 'healthy.js', instances: 3, exec_mode: 'cluster' },
  { name: 'whole', script: 'healthy.js', instances: 2, exec_mode: 'cluster' },
  { name: 'busy', script: 'busy.js' },
] }
-- stuck.config.js --
module.exports = { apps: [{ name: 'stuck', script: 'healthy.js', wait_ready: true, listen_timeout: 600000 }] }
-- healthy.js --
setInterval(() => {}, 1000)
-- busy.js --
setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1700), 10)
`

// States that only time tells from those of a moment: the clock of audit is moved.
func TestRealPM2_overTime(t *testing.T) {
	s := &series{real: newReal(t)}
	collecttest.Write(t, s.tree, slowly)
	s.pm2("start", "ecosystem.config.js")
	s.begin("stuck.config.js")
	s.pm2("scale", "short", "2")
	first := s.untilNext("every app is in its state", func(res collect.Result) bool {
		m, _ := itemOrNone(itemOf(res, "pm2/busy")).Metric("event-loop")
		return state(res, "pm2/stuck") == "launching" && state(res, "pm2/short") == "online" && m.Value >= 500
	})
	find := func(before, now collect.Result) []string {
		lines, list := s.found(before, now)
		for _, f := range list {
			t.Logf("%s: %s %s", f.Check, f.Message, f.Hint)
		}
		return lines
	}
	if got := find(first, s.next()); len(got) > 0 {
		t.Errorf("at once: %q", got)
	}
	s.later = 15 * time.Minute
	want := []string{"pm2-event-loop-slow pm2/busy", "pm2-instances-short pm2/short", "pm2-stuck pm2/stuck"}
	s.untilNext("all three are told, and no more", func(res collect.Result) bool { // on a busy machine more apps are late for a moment, and PM2 measures seldom
		return slices.Equal(find(first, res), want)
	})
}

// begin runs pm2 start and does not wait: it would, for an app that never says
// that it is ready.
func (s *series) begin(file string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", s.Bin, "-s", "start", file)
	cmd.Dir = s.tree
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "PM2_HOME=" + s.home, "PM2_NO_INTERACTION=true", "PM2_DISABLE_VERSION_CHECK=1"}
	if err := cmd.Start(); err != nil {
		cancel()
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	s.untilNext("it is begun", func(res collect.Result) bool {
		return itemOf(res, snapshot.Key("pm2/"+filepath.Base(file[:len(file)-len(".config.js")]))) != nil
	})
}
