package action

import (
	"context"
	"errors"
	"strconv"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// PM2Reload replaces the processes of an app one after the other.
var PM2Reload = &rules.Action{
	ID:      "pm2.reload",
	Title:   "reload an app without a gap (one in fork mode is restarted)",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Idempotent,
	Doc: "One process after the other; in cluster mode the new one is up before the old one goes. The environment stays as it is. It counts as done when every process is another one, " +
		"online and alive over its min_uptime, and no old one is left. It is refused unless all processes are online, while a reload is under way (PM2's reload.lock too), " +
		"and in the cases of pm2.restart. With fork: refuse it leaves apps in fork mode alone, which have a gap. There is no way back from a reload.",
	Params: []rules.Param{{Name: "fork", Doc: "what becomes of an app in fork mode", Values: []string{"restart", "refuse"}, Default: "restart"}},
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		a, procs, err := again(p)
		if err != nil {
			return rules.Effect{}, err
		}
		for _, q := range procs {
			switch {
			case q.Status != "online" || q.PID == 0:
				return rules.Effect{}, &rules.Refusal{Why: "not all of it is online", Hint: "pm2.restart is for what is down"}
			case !q.Cluster && p.Params["fork"] == "refuse":
				return rules.Effect{}, &rules.Refusal{Why: "it runs in fork mode, where a reload is a restart with a gap"}
			}
		}
		if reloading(p.Sources.Host(), a.home) {
			return rules.Effect{}, &rules.Refusal{Why: "somebody reloads apps just now (reload.lock)"}
		}
		return do(a, "reload", procs), nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		return d, each(ctx, h, d, func(p proc) error {
			if reloading(h.Host, d.Args["home"]) {
				return errors.New("somebody reloads apps just now (reload.lock)")
			}
			_, err := send(ctx, h.Host, d.Args["home"], reload(p.ID), patience)
			return err
		})
	},
	Ask: answers,
	Settled: func(ctx context.Context, h *rules.Hand, d rules.Deed) error {
		if err := renewed(ctx, h, d); err != nil {
			return err
		}
		all, err := listed(ctx, h.Host, d.Args["home"])
		if err != nil {
			return err
		}
		for _, p := range named(d).of(all) {
			if p.Outgoing {
				return errors.New("an old process of it is left")
			}
		}
		return nil
	},
}

// lockTime is how long PM2's reload.lock counts (constants.js
// RELOAD_LOCK_TIMEOUT): milliseconds since 1970 stand in it, or nothing.
const lockTime = 30 * time.Second

// reloading reports whether the pm2 command reloads something in a home.
func reloading(h host.Host, home string) bool {
	dir, err := h.Outside(home)
	if err != nil {
		return false
	}
	defer dir.Close()
	b, err := dir.Read("reload.lock", 64)
	if err != nil {
		return false
	}
	ms, err := strconv.ParseInt(string(b), 10, 64)
	return err == nil && h.Now().Sub(time.UnixMilli(ms)) < lockTime
}
