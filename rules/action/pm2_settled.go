package action

import (
	"context"
	"errors"
	"fmt"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/host"
)

// An app counts as up when it was seen online three times, alive, as one and the
// same process, over its min_uptime and two seconds at least: PM2 calls online
// what crashed 50 ms ago as well.
const (
	samples   = 3
	leastUp   = 2 * time.Second
	mostUp    = 20 * time.Second
	untilUp   = 40 * time.Second // how long it may take to come up and stay so
	heartbeat = 500 * time.Millisecond
)

// stays waits until the processes that pick chooses of all that a home's daemon
// lists are up and stay so. Pick says with an error what can never come right.
func stays(ctx context.Context, h *rules.Hand, home string, pick func([]proc) ([]proc, error)) error {
	var last string
	var seen, idle int
	var span time.Duration
	why := errors.New("it did not come up")
	for waited := time.Duration(0); waited < untilUp; {
		all, err := listed(ctx, h.Host, home)
		if err != nil {
			return err
		}
		procs, err := pick(all)
		if err != nil {
			return err
		}
		if len(procs) == 0 {
			return nil // none of it is to be up
		}
		need := leastUp
		now := ""
		if why = down(h.Host, procs); why == nil {
			for _, p := range procs {
				need = max(need, min(p.MinUptime, mostUp))
				now += fmt.Sprintf("%d/%d/%d ", p.ID, p.PID, p.Restarts)
			}
		}
		switch {
		case now == "":
			seen, span = 0, 0
		case now != last:
			seen, span = 1, 0
		default:
			seen++
		}
		if last = now; seen >= samples && span >= need {
			return nil
		}
		stopped, given := gaveUp(procs)
		if idle++; !stopped {
			idle = 0
		}
		if given != nil && (!stopped || idle > 1) { // between crash and restart PM2 says stopped for a moment
			return given
		}
		beat := max(heartbeat, need/samples)
		h.Pause(ctx, beat)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		waited += beat
		span += beat
	}
	if why == nil {
		why = errors.New("it does not stay up: PM2 keeps starting it again")
	}
	return why
}

// down says why processes do not count as up at this moment.
func down(h host.Host, procs []proc) error {
	alive := map[int]bool{}
	table, err := h.Processes(nil)
	for _, p := range table {
		alive[p.PID] = true
	}
	for _, p := range procs {
		switch {
		case p.Status != "online":
			return fmt.Errorf("process %d is %s", p.ID, p.Status)
		case p.PID == 0 || err == nil && !alive[p.PID]:
			return fmt.Errorf("process %d is online by name only", p.ID)
		}
	}
	return nil
}

// gaveUp returns an error when waiting for one of them does not help: PM2 gave it
// up, or it is stopped, and PM2 starts nothing by itself.
func gaveUp(procs []proc) (stopped bool, err error) {
	for _, p := range procs {
		switch {
		case p.Status == "errored" || p.Status == "waiting restart" && p.PID == 0:
			return false, fmt.Errorf("PM2 gave process %d up again", p.ID)
		case p.Status == "stopped" && p.PID == 0:
			stopped, err = true, fmt.Errorf("process %d is stopped", p.ID)
		}
	}
	return stopped, err
}

// renewed waits until every process of a deed is another one than it was, and up.
func renewed(ctx context.Context, h *rules.Hand, d rules.Deed) error {
	want, err := paired(d.Args["processes"])
	if err != nil {
		return err
	}
	a := named(d)
	return stays(ctx, h, a.home, func(all []proc) (out []proc, err error) {
		procs := a.of(all)
		for _, w := range want {
			p, ok := number(procs, w.id)
			switch {
			case !ok:
				return nil, fmt.Errorf("PM2 does not list process %d any more", w.id)
			case w.pid != 0 && p.PID == w.pid && p.Status == "online":
				return nil, fmt.Errorf("process %d is still the one it was", w.id)
			}
			out = append(out, p)
		}
		return out, nil
	})
}

// each does something to every process of a deed that is still the one it was
// planned for; a process that is another one by now, and up, has had it done.
func each(ctx context.Context, h *rules.Hand, d rules.Deed, do func(proc) error) error {
	want, err := paired(d.Args["processes"])
	if err != nil {
		return err
	}
	a := named(d)
	for _, w := range want {
		all, err := listed(ctx, h.Host, a.home)
		if err != nil {
			return err
		}
		p, ok := number(a.of(all), w.id)
		switch {
		case !ok:
			return fmt.Errorf("process %d is not one of %s any more: nothing was done to it", w.id, a.name)
		case p.PID != w.pid && (p.Status == "online" || p.Status == "launching"):
			continue
		}
		if err := do(p); err != nil {
			return err
		}
	}
	return nil
}
