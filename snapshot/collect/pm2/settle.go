package pm2

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// settling is how long a daemon is left alone between the two looks of one run.
// An app that dies at its start lives for 50 to 200 ms (measured with 7.0.4).
const settling = 1500 * time.Millisecond

// fleeting reports whether a process is seen at a moment that says nothing: just
// started (it may crash at once), just exited and not started again yet, or on
// its way from stopping to stopped, where PM2 calls it "waiting restart".
func (d *daemon) fleeting(p *process) bool {
	switch p.Status {
	case "online":
		return p.UptimeSince > 0 && sinceMillis(d.now, p.UptimeSince) < settled
	case "waiting restart":
		return p.PID == 0
	case "stopped":
		return p.PID != 0
	}
	return false
}

// A glimpse is what the next run has to know of a process that was still at such
// a moment when this one looked for the last time.
type glimpse struct {
	Status   string  `json:"s"`
	PID      int     `json:"p,omitempty"`
	Restarts float64 `json:"r,omitempty"`
	Created  float64 `json:"c,omitempty"`
	At       int64   `json:"a"` // milliseconds since 1970
}

// life tells one life of a process in PM2's list from another.
func (d *daemon) life(p *process) string {
	return p.UniqueID + "@" + d.born + "/" + strconv.Itoa(p.PMID)
}

// glimpses returns what is to be kept, by life.
func (d *daemon) glimpses() map[string]glimpse {
	out := map[string]glimpse{}
	for i := range d.list {
		if p := &d.list[i]; d.fleeting(p) && len(out) < maxGlimpses {
			out[d.life(p)] = glimpse{p.Status, p.PID, p.Restarts, p.Created, d.now.UnixMilli()}
		}
	}
	return out
}

// maxGlimpses bounds what is kept of one home.
const maxGlimpses = 500

// looping is how many crashes since the last run prove a loop without another look.
const looping = 3

// known reports whether a process at such a moment is as the last run left it: it
// waits for what does not come, or it crashed on and on. Another look would show
// the same. Of a loop it says how many crashes fit between two looks.
func (d *daemon) known(p *process, before map[string]glimpse) (burst float64, ok bool) {
	was, ok := before[d.life(p)]
	if !ok || was.Status != p.Status || was.Created != p.Created {
		return 0, false
	}
	if p.Status != "online" {
		return 0, was.PID == p.PID && was.Restarts == p.Restarts
	}
	n, took := p.Restarts-was.Restarts, d.now.Sub(time.UnixMilli(was.At))
	if n < looping || took <= 0 {
		return 0, false
	}
	return math.Floor(n * min(settling.Seconds()/took.Seconds(), 1)), true
}

// unsettled reports whether another look at the list would tell more.
func (d *daemon) unsettled(before map[string]glimpse) bool {
	for i := range d.list {
		p := &d.list[i]
		if !d.fleeting(p) {
			continue
		}
		burst, known := d.known(p, before)
		if !known {
			return true
		}
		p.Burst = burst
	}
	return false
}

// momentsCursor keeps the glimpses of every home.
const momentsCursor = "moments"

func moments(s *collect.Session) map[string]map[string]glimpse {
	var m map[string]map[string]glimpse
	if s.Cursors != nil {
		_ = json.Unmarshal(s.Cursors(snapshot.PM2, momentsCursor), &m) // none, or of another version
	}
	return m
}

// keepMoments keeps the glimpses; those of a home that cannot be asked today stay
// as they are.
func (b *builder) keepMoments(r *collect.Result) {
	before, now := moments(b.s), map[string]map[string]glimpse{}
	for i := range b.homes {
		h := &b.homes[i]
		list := before[h.path]
		if h.daemon.state == alive {
			list = h.daemon.glimpses()
		}
		if len(list) > 0 {
			now[h.path] = list
		}
	}
	if len(now)+len(before) == 0 {
		return
	}
	if text, err := json.Marshal(now); err == nil {
		r.Cursors[momentsCursor] = text
	}
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

// between is how long a daemon is left alone that was met between the end of a
// process and its next start: PM2 starts it from a timer of 0 ms, so one answer
// later it has begun.
const between = 100 * time.Millisecond

// maxLooks bounds how often a list is read in one run after the first time.
const maxLooks = 5

// settle looks again after a while, and once more where that look met a process
// at its exit: the same as one that is left down for good, but for how long it
// lasts.
func (d *daemon) settle(ctx context.Context, h host.Host, hash func(string) string) (err error) {
	first, before, wait := d.list, d.list, settling
	for looks := 0; looks < maxLooks && pause(ctx, wait); looks++ {
		if err = d.look(ctx, h, hash); err != nil || !d.exiting(before) {
			break
		}
		before, wait = d.list, between
	}
	d.bursts(first)
	return err
}

// exiting reports whether a process has just exited: it is down now, and was not
// so in the list before.
func (d *daemon) exiting(before []process) bool {
	return slices.ContainsFunc(d.list, func(p process) bool {
		return p.Status == "stopped" && p.PID != 0 && !slices.ContainsFunc(before, func(was process) bool {
			return was.Status == p.Status && was.PID == p.PID && was.PMID == p.PMID && was.Restarts == p.Restarts
		})
	})
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
