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
		return rules.Effect{Target: a.target(), What: fmt.Sprintf("pm2 scale %s %d (it has %d)", quoted(a.name), to, len(procs)), Deed: &rules.Deed{Of: "scale", Args: args, Was: was(procs)}}, nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		to, _ := strconv.Atoi(d.Args["to"])
		err := scale(ctx, h, named(d), to)
		all, lerr := listed(ctx, h.Host, d.Args["home"])
		d.Made = added(named(d).of(all), d)
		return d, errors.Join(err, lerr)
	},
	Settled: func(ctx context.Context, h *rules.Hand, d rules.Deed) error {
		return stays(ctx, h, d.Args["home"], func(all []proc) ([]proc, error) {
			procs := named(d).of(all)
			if strconv.Itoa(len(procs)) != d.Args["to"] {
				return nil, fmt.Errorf("it has %d processes, not %s", len(procs), d.Args["to"])
			}
			return procs, nil
		})
	},
	Undo: func(ctx context.Context, h *rules.Hand, d rules.Deed) error {
		if err := unmake(ctx, h, d); err != nil {
			return err
		}
		from, _ := strconv.Atoi(d.Args["from"])
		all, err := listed(ctx, h.Host, d.Args["home"])
		if err != nil || len(named(d).of(all)) >= from { // somebody else's are not taken away
			return err
		}
		return scale(ctx, h, named(d), from)
	},
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

// scale duplicates or deletes processes of an app, one at a time, until it has
// as many. It looks before each, so that an interrupted one is carried on.
func scale(ctx context.Context, h *rules.Hand, a app, to int) error {
	for range 2 * maxInstances {
		all, err := listed(ctx, h.Host, a.home)
		if err != nil {
			return err
		}
		procs := a.of(all)
		switch {
		case to < 1 || len(procs) == 0:
			return errors.New("PM2 does not list it")
		case len(procs) == to:
			return nil
		case len(procs) < to:
			_, err = send(ctx, h.Host, a.home, duplicate(procs[0].ID), patience)
		default:
			_, err = send(ctx, h.Host, a.home, remove(procs[len(procs)-1].ID), patience)
		}
		if err != nil {
			return err
		}
	}
	return errors.New("the number of its processes does not come to rest")
}

// added names the processes that were not there when a deed was planned.
func added(procs []proc, d rules.Deed) map[string]string {
	before, _ := paired(d.Args["processes"])
	return made(slices.DeleteFunc(procs, func(p proc) bool {
		return slices.ContainsFunc(before, func(b pair) bool { return b.id == p.ID })
	}))
}
