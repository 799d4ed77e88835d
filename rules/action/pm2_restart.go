package action

import (
	"context"
	"fmt"
	"slices"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// PM2Restart starts again what of an app is not up, or all of it when all is.
var PM2Restart = &rules.Action{
	ID:      "pm2.restart",
	Title:   "restart an app",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Idempotent,
	Doc: "Over the daemon's own socket; the environment of the app stays as it is. Of several processes those that are not online are started again, and all, one after the other, " +
		"when all are online. It counts as done when every one is another process, online and alive over its min_uptime (two seconds at least) without a further restart. " +
		"It is refused while PM2 itself is at it (launching, stopping, waiting to restart, reloading), when its script, folder or interpreter is gone or its port is taken, " +
		"for apps that are not to run all the time (autorestart or autostart: false), and where the daemon cannot be asked. There is no way back from a restart.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		a, procs, err := again(p)
		if err != nil {
			return rules.Effect{}, err
		}
		for _, q := range procs {
			switch {
			case q.Status == "waiting restart" && q.PID != 0:
				return rules.Effect{}, &rules.Refusal{Why: "PM2 itself waits to restart it"}
			case q.Status == "waiting restart":
				return rules.Effect{}, &rules.Refusal{Why: "it waits for a restart that never comes, and PM2 refuses to restart it", Hint: "pm2.untangle is for that"}
			case q.NoStart || q.Once && q.Status != "online":
				return rules.Effect{}, &rules.Refusal{Why: "it is not to run all the time (autostart or autorestart: false)", Hint: "pm2 restart " + snapshot.ShellWord(a.name) + " runs it once"}
			}
		}
		if bad := slices.DeleteFunc(slices.Clone(procs), func(q proc) bool { return q.Status == "online" && q.PID != 0 && !gone(p, q) }); len(bad) > 0 {
			procs = bad
		}
		return do(a, "restart", procs), nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		return d, each(ctx, h, d, func(p proc) error {
			_, err := send(ctx, h.Host, d.Args["home"], restart(p.ID), patience)
			return err
		})
	},
	Ask:     answers,
	Settled: renewed,
}

// again is what comes before every action that starts an app again.
func again(p *rules.Preparation) (app, []proc, error) {
	a, err := appOf(p.Item)
	if err != nil {
		return a, nil, err
	}
	all, err := ask(p, a.home)
	if err != nil {
		return a, nil, err
	}
	procs := a.of(all)
	if r := unready(procs); r != nil {
		return a, nil, r
	}
	if r := helpless(p.Item); r != nil {
		return a, nil, r
	}
	return a, procs, nil
}

// gone reports whether a process that PM2 calls online is none.
func gone(p *rules.Preparation, q proc) bool {
	table, err := p.Sources.Host().Processes(nil)
	return err == nil && !slices.ContainsFunc(table, func(o host.Process) bool { return o.PID == q.PID })
}

// do is the effect of doing something to processes of an app.
func do(a app, verb string, procs []proc) rules.Effect {
	args := a.args()
	args["processes"] = pairs(procs)
	what := "pm2 " + verb + " " + snapshot.ShellWord(a.name)
	if len(procs) > 1 {
		what += fmt.Sprintf(" (%d processes of it)", len(procs))
	}
	return rules.Effect{Target: a.target(), What: what, Deed: &rules.Deed{Of: verb, Args: args, Was: was(procs)}}
}
