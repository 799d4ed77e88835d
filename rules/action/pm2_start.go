package action

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// PM2Start starts one app that PM2 lost, from the list it saved.
var PM2Start = &rules.Action{
	ID:      "pm2.start",
	Title:   "start an app that PM2 does not list, from its saved list",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.Idempotent,
	Doc: "What dump.pm2 holds of this one app is given to the daemon, without the time of its creation: pm2 resurrect gives that too, and PM2's guard against crash loops is off for such an app. " +
		"All its processes must come up and stay so, else those that were started are deleted again. It is refused when PM2 lists the app, when the saved list is absent, torn or does not hold it, " +
		"when it was saved as stopped, when its script or folder is gone, and where the daemon cannot be asked. Undone: what was started is deleted, by the identity that PM2 gave it: what somebody started meanwhile stays.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		a, err := appOf(p.Item)
		if err != nil {
			return rules.Effect{}, err
		}
		all, err := ask(p, a.home)
		if err != nil {
			return rules.Effect{}, err
		}
		if n := len(a.of(all)); n > 0 {
			return rules.Effect{}, &rules.Refusal{Why: "PM2 lists it", Hint: "pm2.restart is for what is down, pm2.scale for what is missing of it"}
		}
		entries, err := startable(p.Sources.Host(), a)
		if err != nil {
			return rules.Effect{}, err
		}
		args := a.args()
		args["entries"] = strconv.Itoa(len(entries))
		what := fmt.Sprintf("start %s from PM2's saved list", snapshot.ShellWord(a.name))
		if len(entries) > 1 {
			what = fmt.Sprintf("start the %d processes of %s from PM2's saved list", len(entries), snapshot.ShellWord(a.name))
		}
		return rules.Effect{Target: a.target(), What: what, Deed: &rules.Deed{Of: "start", Args: args, Was: map[string]string{"listed": "0"}}}, nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		a := named(d)
		entries, err := startable(h.Host, a)
		if err != nil {
			return d, err
		}
		if strconv.Itoa(len(entries)) != d.Args["entries"] {
			return d, errors.New("PM2's saved list is another one by now")
		}
		return launch(ctx, h, d, entries)
	},
	Ask: answers,
	Settled: func(ctx context.Context, h *rules.Hand, d rules.Deed) error {
		return stays(ctx, h, d.Args["home"], func(all []proc) ([]proc, error) {
			procs := named(d).of(all)
			if n := strconv.Itoa(len(procs)); n != d.Args["entries"] {
				return nil, fmt.Errorf("PM2 lists %s of its %s processes", n, d.Args["entries"])
			}
			return procs, nil
		})
	},
	Undo: unstart,
}

// startable returns the entries of an app in the dump, ready for the daemon; a
// *rules.Refusal says why it must not be started.
func startable(h host.Host, a app) (out []dumped, err error) {
	all, err := readDump(h, a.home)
	if err != nil {
		return nil, &rules.Refusal{Why: err.Error(), Hint: "start it from its file: pm2 start FILE --only " + snapshot.ShellWord(a.name)}
	}
	for _, e := range all {
		if !e.of(a) {
			continue
		}
		e, err := e.stripped()
		if err != nil {
			return nil, &rules.Refusal{Why: "its entry in PM2's saved list cannot be read"}
		}
		switch why := e.fault(); {
		case why != "":
			return nil, &rules.Refusal{Why: "its entry in PM2's saved list is not whole: " + why}
		case e.get("status").Str == "stopped" || e.get("autostart").String() == "false":
			return nil, &rules.Refusal{Why: "it was saved as stopped: it is not to run"}
		}
		for what, p := range map[string]string{"script": e.get("pm_exec_path").Str, "folder": e.get("pm_cwd").Str} {
			if !stands(h, p) {
				return nil, &rules.Refusal{Why: "its " + what + " is gone: it would have no process at all", Hint: "bring back what is missing first"}
			}
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, &rules.Refusal{Why: "PM2's saved list does not hold it", Hint: "start it from its file: pm2 start FILE --only " + snapshot.ShellWord(a.name)}
	}
	return out, nil
}

// stands reports whether something is at an absolute path, links followed.
func stands(h host.Host, p string) bool {
	if !filepath.IsAbs(p) {
		return false
	}
	dir, err := h.Outside(p) // a folder, or behind a link to one
	if err == nil {
		dir.Close()
		return true
	}
	dir, err = h.Outside(filepath.Dir(p))
	if err != nil {
		return false
	}
	defer dir.Close()
	_, err = dir.Stat(filepath.Base(p))
	return err == nil
}

// launch gives the daemon what it does not list of an app, one entry after the
// other; instances of a cluster are told apart by their number. It notes each that
// it started: only those are deleted when it is taken back.
func launch(ctx context.Context, h *rules.Hand, d rules.Deed, entries []dumped) (rules.Deed, error) {
	a := named(d)
	for i, e := range entries {
		all, err := listed(ctx, h.Host, a.home)
		if err != nil {
			return d, err
		}
		procs := a.of(all)
		d = interrupted(d, procs)
		n := e.get("NODE_APP_INSTANCE").String()
		there := slices.ContainsFunc(procs, func(p proc) bool { return p.Instance == n })
		if there && (n != "" || len(procs) > i) {
			continue
		}
		if d, err = newcomer(ctx, h, d, procs, prepare(e), "0.pm2_env"); err != nil {
			return d, err
		}
	}
	return d, nil
}

// unstart deletes the processes that a deed started, and no other.
func unstart(ctx context.Context, h *rules.Hand, d rules.Deed) error {
	all, err := listed(ctx, h.Host, d.Args["home"])
	if err != nil {
		return err
	}
	procs := named(d).of(all)
	if d = interrupted(d, procs); len(d.Made) == 0 { // what there is, is somebody's
		return rules.ErrNothing
	}
	return errors.Join(unmake(ctx, h, d), inDoubt(d, procs))
}
