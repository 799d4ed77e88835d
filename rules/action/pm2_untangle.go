package action

import (
	"context"
	"errors"

	"healthaudit/rules"
	"healthaudit/snapshot"
)

// PM2Untangle frees an app that waits for a restart that never comes.
var PM2Untangle = &rules.Action{
	ID:      "pm2.untangle",
	Title:   "free an app that waits for ever to be restarted",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Idempotent,
	Doc: "PM2 writes \"waiting restart\" over \"errored\" where restart_delay or exp_backoff_restart_delay is set, and no timer runs. Such a process is stopped, which only corrects its state " +
		"(it has no pid, so no signal is sent to anyone), and then restarted. One that truly waits, with a pid, is left to PM2. Verified and refused as pm2.restart; there is no way back.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		a, procs, err := again(p)
		if err != nil {
			return rules.Effect{}, err
		}
		var stuck []proc
		for _, q := range procs {
			switch {
			case q.Status == "waiting restart" && q.PID != 0:
				return rules.Effect{}, &rules.Refusal{Why: "PM2 itself waits to restart it"}
			case q.Status == "waiting restart" && (q.NoStart || q.Once):
				return rules.Effect{}, &rules.Refusal{Why: "it is not to run all the time (autostart or autorestart: false)", Hint: "pm2 restart " + snapshot.ShellWord(a.name) + " runs it once"}
			case q.Status == "waiting restart":
				stuck = append(stuck, q)
			}
		}
		if len(stuck) == 0 {
			return rules.Effect{}, &rules.Refusal{Why: "nothing of it waits for a restart", Hint: "pm2.restart is for what is errored or stopped"}
		}
		e := do(a, "untangle", stuck)
		e.What = "pm2 stop " + snapshot.ShellWord(a.name) + ", then pm2 restart " + snapshot.ShellWord(a.name)
		return e, nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		return d, each(ctx, h, d, func(p proc) error {
			switch {
			case p.PID != 0:
				return errors.New("PM2 is about to restart it by itself")
			case p.Status == "waiting restart":
				// It answers success with an error in it: that there was no pid to kill.
				if _, err := send(ctx, h.Host, d.Args["home"], stop(p.ID), patience); err != nil {
					return err
				}
			}
			_, err := send(ctx, h.Host, d.Args["home"], restart(p.ID), patience)
			return err
		})
	},
	Ask:     answers,
	Settled: renewed,
}
