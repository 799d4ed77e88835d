package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"healthaudit/rules"
	"healthaudit/snapshot"
)

// maxInstances is how many processes an app may be scaled to.
const maxInstances = 64

// PM2Scale brings the number of an app's processes to what it should be.
var PM2Scale = &rules.Action{
	ID:      "pm2.scale",
	Title:   "start what is missing of an app's processes",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Idempotent,
	Doc: "Up to the number that its file declares (or that of its start), or to the number given: a process of it is duplicated, as pm2 scale does, until there are as many. All must come up and stay so, " +
		"else those that were added are deleted again. Down only with down: yes, the newest first (pm2 scale takes the oldest), never below one. It is refused for an app with one process in fork mode " +
		"unless its file declares more, while PM2 or somebody is at the app, when its script, folder or interpreter is gone or its port taken, and where the daemon cannot be asked. " +
		"Undone: what was added is deleted, what was deleted is duplicated anew.",
	Params: []rules.Param{
		{Name: "to", Doc: "how many processes; 0 is as many as are declared", Max: maxInstances, Default: "0"},
		{Name: "down", Doc: "whether processes may be deleted", Values: []string{"no", "yes"}, Default: "no"},
	},
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		a, procs, err := again(p)
		if err != nil {
			return rules.Effect{}, err
		}
		to, declared := wanted(p)
		switch {
		case to == 0:
			return rules.Effect{}, &rules.Refusal{Why: "nobody says how many processes it should have", Hint: "give the number: action: {type: pm2.scale, to: 4}"}
		case len(procs) == to:
			return rules.Effect{}, &rules.Refusal{Why: fmt.Sprintf("it has its %d processes", to), Hint: "pm2.restart is for those that are down"}
		case len(procs) > to && p.Params["down"] != "yes":
			return rules.Effect{}, &rules.Refusal{Why: fmt.Sprintf("it has %d processes and should have %d: none is taken away unless the rule says down: yes", len(procs), to)}
		case len(procs) == 1 && !procs[0].Cluster && declared < 2:
			return rules.Effect{}, &rules.Refusal{Why: "it runs in fork mode, and a second process of it might take the place of the first"}
		case procs[0].NoStart:
			return rules.Effect{}, &rules.Refusal{Why: "it is not to run all the time (autostart: false)"}
		}
		for _, q := range procs {
			if q.Status != "online" || q.PID == 0 {
				return rules.Effect{}, &rules.Refusal{Why: "not all of it is online", Hint: "pm2.restart is for what is down"}
			}
		}
		args := a.args()
		args["from"], args["to"], args["processes"] = strconv.Itoa(len(procs)), strconv.Itoa(to), pairs(procs)
		return rules.Effect{Target: a.target(), What: fmt.Sprintf("pm2 scale %s %d (it has %d)", snapshot.ShellWord(a.name), to, len(procs)), Deed: &rules.Deed{Of: "scale", Args: args, Was: was(procs)}}, nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		to, _ := strconv.Atoi(d.Args["to"])
		return resize(ctx, h, d, to)
	},
	Ask: answers,
	Settled: func(ctx context.Context, h *rules.Hand, d rules.Deed) error {
		return stays(ctx, h, d.Args["home"], func(all []proc) ([]proc, error) {
			procs := named(d).of(all)
			if strconv.Itoa(len(procs)) != d.Args["to"] {
				return nil, fmt.Errorf("it has %d processes, not %s", len(procs), d.Args["to"])
			}
			return procs, nil
		})
	},
	Undo: unscale,
}

// wanted returns how many processes an app should have by its rule or else by
// its file, and how many the file declares; 0 is not known.
func wanted(p *rules.Preparation) (to, declared int) {
	v, ok := p.Item.Fact("declared.instances")
	if n, isNum := v.Num(); ok && isNum && n > 0 {
		declared = int(min(n, maxInstances))
	} else if n, err := strconv.Atoi(v.Str()); ok && err == nil && n > 0 {
		declared = min(n, maxInstances)
	}
	if to, _ = strconv.Atoi(p.Params["to"]); to > 0 {
		return to, declared
	}
	if declared > 0 {
		return declared, declared
	}
	if v, ok := p.Item.Fact("instances"); ok {
		if n, isNum := v.Num(); isNum && n > 0 {
			return int(min(n, maxInstances)), 0
		}
	}
	return 0, 0
}

// resize duplicates or deletes processes of an app, one at a time, until it has
// as many. It looks before each, so that an interrupted one is carried on, and
// notes each that it made: only those are deleted when it is taken back.
func resize(ctx context.Context, h *rules.Hand, d rules.Deed, to int) (rules.Deed, error) {
	a := named(d)
	for range 2 * maxInstances {
		all, err := listed(ctx, h.Host, a.home)
		if err != nil {
			return d, err
		}
		procs := a.of(all)
		d = interrupted(d, procs)
		switch {
		case to < 1 || len(procs) == 0:
			return d, errors.New("PM2 does not list it")
		case len(procs) == to:
			return d, nil
		case len(procs) < to:
			d, err = newcomer(ctx, h, d, procs, duplicate(procs[0].ID), "pm2_env")
		default:
			err = lessen(ctx, h, d, procs)
		}
		if err != nil {
			return d, err
		}
	}
	return d, errors.New("the number of its processes does not come to rest")
}

// lessen deletes the newest of the processes that the deed was planned for.
func lessen(ctx context.Context, h *rules.Hand, d rules.Deed, procs []proc) error {
	planned, err := paired(d.Args["processes"])
	if err != nil {
		return err
	}
	for _, p := range procs {
		if !slices.ContainsFunc(planned, func(q pair) bool { return q.id == p.ID }) {
			return fmt.Errorf("somebody else is at it: process %d was not there when it was planned", p.ID)
		}
	}
	_, err = send(ctx, h.Host, d.Args["home"], remove(procs[len(procs)-1].ID), patience)
	return err
}

// unscale deletes the processes that a deed made, and no other, or duplicates
// one for each that it deleted.
func unscale(ctx context.Context, h *rules.Hand, d rules.Deed) error {
	from, _ := strconv.Atoi(d.Args["from"])
	to, _ := strconv.Atoi(d.Args["to"])
	all, err := listed(ctx, h.Host, d.Args["home"])
	if err != nil {
		return err
	}
	procs := named(d).of(all)
	switch d = interrupted(d, procs); {
	case to < from && len(procs) >= from, to > from && len(d.Made) == 0: // what else there is, is somebody's
		return rules.ErrNothing
	case to > from:
		err = unmake(ctx, h, d)
	default:
		_, err = resize(ctx, h, d, from)
	}
	return errors.Join(err, inDoubt(d, procs))
}
