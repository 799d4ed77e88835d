package pm2

import (
	"context"
	"slices"
	"time"

	"healthaudit/snapshot/host"
)

// settling is how long a daemon is left alone between the two looks of one run.
// An app that dies at its start lives for 50 to 200 ms (measured with 7.0.4).
const settling = 1500 * time.Millisecond

// unsettled reports whether an app is seen at a moment that says nothing: just
// started (it may crash at once), just exited and not started again yet, or on
// its way from stopping to stopped, where PM2 calls it "waiting restart".
func (d *daemon) unsettled() bool {
	return slices.ContainsFunc(d.list, func(p process) bool {
		switch p.Status {
		case "online":
			return p.UptimeSince > 0 && sinceMillis(d.now, p.UptimeSince) < settled
		case "waiting restart":
			return p.PID == 0
		case "stopped":
			return p.PID != 0
		}
		return false
	})
}

// pause waits; it returns false when the context ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// bursts counts the restarts between a first look and this one that nobody
// asked for: PM2 sets created_at anew for the others.
func (d *daemon) bursts(first []process) {
	for i := range d.list {
		p := &d.list[i]
		for _, was := range first {
			if was.PMID == p.PMID && was.UniqueID == p.UniqueID && was.Created > 0 && was.Created == p.Created {
				p.Burst = max(p.Restarts-was.Restarts, 0)
			}
		}
	}
}

// strange is by how much a process must be younger than the app whose pid it
// has to be another one: PM2 takes the time, opens the logs, and then starts it.
const strange = 10 * time.Second

// stranger reports whether a process cannot be the app that PM2 calls it: it
// began later, and PM2 did not start it. Either alone proves nothing: a clock
// that was set moves all times of /proc against those of PM2.
func (d *daemon) stranger(p *process, proc host.Process) bool {
	if p.UptimeSince <= 0 || proc.StartTime.IsZero() || slices.Contains(d.pids, proc.PPID) {
		return false
	}
	return proc.StartTime.Sub(time.UnixMilli(int64(p.UptimeSince))) > strange
}
