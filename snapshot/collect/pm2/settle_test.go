//go:build unix

package pm2

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// What the last run saw at such a moment, and is still so, needs no second look:
// it would cost every run a second and a half.
func TestInspect_remembersTheSecondLook(t *testing.T) {
	const later = 15 * time.Minute
	process := func(at time.Time, status string, pid, restarts int) string {
		return fmt.Sprintf(`{"name":"api","pm_id":0,"pid":%d,"pm2_env":{"status":%q,"autorestart":true,"unique_id":"u","created_at":7,"restart_time":%d,"pm_uptime":%d,"env":{}}}`,
			pid, status, restarts, at.UnixMilli()-100)
	}
	then, now := collecttest.Now, collecttest.Now.Add(later)
	for _, c := range []struct {
		title, first, second string
		waits                bool
		burst                float64
	}{
		{"a loop that goes on", process(then, "online", 8, 40), process(now, "online", 9, 4540), false, 7},
		{"a slow loop", process(then, "online", 8, 40), process(now, "online", 9, 43), false, 0},
		{"a loop that may have ended", process(then, "online", 8, 40), process(now, "online", 9, 42), true, 0},
		{"restarted by hand", process(then, "online", 8, 40), strings.Replace(process(now, "online", 9, 4540), `"created_at":7`, `"created_at":8`, 1), true, 0},
		{"another app of that name", process(then, "online", 8, 40), strings.Replace(process(now, "online", 9, 4540), `"u"`, `"v"`, 1), true, 0},
		{"given up for ever", process(then, "waiting restart", 0, 15), process(now, "waiting restart", 0, 15), false, 0},
		{"given up once more", process(then, "waiting restart", 0, 15), process(now, "waiting restart", 0, 30), true, 0},
		{"left down", process(then, "stopped", 8, 3), process(now, "stopped", 8, 3), false, 0},
		{"another one left down", process(then, "stopped", 8, 3), process(now, "stopped", 9, 3), true, 0},
		{"given up, then left down", process(then, "waiting restart", 0, 3), process(now, "stopped", 0, 3), false, 0},
	} {
		t.Run(c.title, func(t *testing.T) {
			t.Parallel()
			s, _ := lists(t, c.first)
			var kept map[string]map[string]glimpse
			if text := collected(t, s).Cursors[momentsCursor]; json.Unmarshal(text, &kept) != nil || len(kept) != 1 {
				t.Fatalf("kept %s", text)
			}
			again, _ := lists(t, c.second)
			text, _ := json.Marshal(map[string]any{again.Config.PM2Homes[0]: kept[s.Config.PM2Homes[0]]})
			again.Cursors = func(_ snapshot.System, name string) json.RawMessage {
				if name == momentsCursor {
					return text
				}
				return nil
			}
			again.Host = laterHost{again.Host, later}
			began := time.Now()
			it := itemOf(collected(t, again), "pm2/api")
			if took := time.Since(began); (took >= settling) != c.waits {
				t.Errorf("it took %s", took)
			}
			if m, _ := it.Metric("burst"); m.Value != c.burst {
				t.Errorf("burst %v, want %v", m.Value, c.burst)
			}
		})
	}
}

// A process that is met at its exit is not left down: PM2 starts it in a moment.
func TestInspect_looksPastAnExit(t *testing.T) {
	process := func(status string, pid, restarts int) string {
		return fmt.Sprintf(`{"name":"api","pm_id":0,"pid":%d,"pm2_env":{"status":%q,"autorestart":true,"unique_id":"u","created_at":7,"restart_time":%d,"pm_uptime":%d,"env":{}}}`,
			pid, status, restarts, collecttest.Now.UnixMilli()-100)
	}
	for _, c := range []struct {
		title string
		lists []string
		state string
		asked int32
	}{
		{"exits, and begins again", []string{process("online", 8, 3), process("stopped", 8, 3), process("online", 9, 4)}, "online", 3},
		{"exits twice where we look", []string{process("stopped", 8, 3), process("stopped", 9, 4), process("stopped", 10, 5), process("online", 11, 6)}, "online", 4},
		{"left down before the first look", []string{process("stopped", 8, 3), process("stopped", 8, 3)}, "stopped", 2},
		{"left down after it", []string{process("online", 8, 3), process("stopped", 8, 3), process("stopped", 8, 3)}, "stopped", 3},
	} {
		t.Run(c.title, func(t *testing.T) {
			t.Parallel()
			s, asked := lists(t, c.lists...)
			if it := itemOf(collected(t, s), "pm2/api"); it.State != c.state || asked.Load() != c.asked {
				t.Errorf("%s after %d looks, want %s after %d", it.State, asked.Load(), c.state, c.asked)
			}
		})
	}
}

// laterHost is a host some time later.
type laterHost struct {
	host.Host
	by time.Duration
}

func (h laterHost) Now() time.Time { return h.Host.Now().Add(h.by) }
