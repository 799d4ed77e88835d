package action

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/axon"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// PM2Resurrect starts a daemon where it died, with the apps of the saved list.
var PM2Resurrect = &rules.Action{
	ID:      "pm2.resurrect",
	Title:   "start PM2's daemon again, with the apps of its saved list",
	Systems: []snapshot.System{snapshot.PM2},
	Class:   rules.AtMostOnce,
	Doc: "The rule is about pm2/daemon, and must say start_daemon: yes. dump.pm2 is copied first, to dump.pm2.audit-kept (PM2 deletes one that it cannot read). Then the pm2 command starts the daemon " +
		"(the only time that audit runs it), and each entry of the saved list is given to it, without the time of its creation: pm2 resurrect gives that too, and PM2's guard against crash loops is off then. " +
		"What was saved as stopped stays so. An entry that cannot be started does not keep the others down. It counts as done when the list is that of the dump and every app that is to run stays up. It is refused unless the daemon is known to be dead (crashed, stale-socket, " +
		"not-running), without a sound dump, where the rules lie in the project and --trust-config is not given, when a process that PM2 started still runs without it (it would run twice; pid files are read where the saved list has them), when the home belongs to another user, and when pm2 is not on PATH or lies in the audited project. " +
		"There is no way back.",
	Params: []rules.Param{{Name: "start_daemon", Doc: "whether a daemon may be started", Values: []string{"no", "yes"}, Default: "no"}},
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		home, err := homeOf(p.Item)
		if err != nil {
			return rules.Effect{}, err
		}
		h := p.Sources.Host()
		switch {
		case p.Item.Unknown != "" || !slices.Contains([]string{"crashed", "stale-socket", "not-running"}, p.Item.State):
			return rules.Effect{}, &rules.Refusal{Why: "the daemon is " + p.Item.State + ", and one is started only where it is known to be dead", Hint: "see what audit finds about " + string(p.Item.Key)}
		case p.Params["start_daemon"] != "yes":
			return rules.Effect{}, &rules.Refusal{Why: "a daemon is never started uninvited", Hint: "action: {type: pm2.resurrect, start_daemon: yes} invites it"}
		case !p.Trusted:
			return rules.Effect{}, &rules.Refusal{Why: "the rules lie in the project, and a daemon runs what its saved list says: who may change the project could run code here",
				Hint: "put the rules into a file outside of the project (recovery.rules of a configuration outside of it names it), or give --trust-config"}
		}
		program, err := pm2Program(h)
		if err != nil {
			return rules.Effect{}, err
		}
		entries, err := resurrectable(h, home)
		if err != nil {
			return rules.Effect{}, err
		}
		if err := orphans(h, home, entries); err != nil {
			return rules.Effect{}, err
		}
		return rules.Effect{Target: "pm2 " + home, What: fmt.Sprintf("start PM2's daemon and the %d processes of its saved list", len(entries)),
			Deed: &rules.Deed{Of: "resurrect", Args: map[string]string{"home": home, "program": program, "list": dumpTally(entries)}, Was: map[string]string{"daemon": p.Item.State}}}, nil
	},
	Do: func(ctx context.Context, h *rules.Hand, d rules.Deed) (rules.Deed, error) {
		home := d.Args["home"]
		entries, err := resurrectable(h.Host, home)
		if err != nil {
			return d, err
		}
		if err := errors.Join(orphans(h.Host, home, entries), deserted(ctx, h.Host, home)); err != nil {
			return d, err
		}
		if dumpTally(entries) != d.Args["list"] {
			return d, errors.New("PM2's saved list is another one by now")
		}
		if err := keepDump(h, home); err != nil {
			return d, err
		}
		if err := startDaemon(ctx, h, home, d.Args["program"]); err != nil {
			return d, err
		}
		return d, revive(ctx, h.Host, home, entries)
	},
	Settled: func(ctx context.Context, h *rules.Hand, d rules.Deed) error {
		return stays(ctx, h, d.Args["home"], func(all []proc) (up []proc, err error) {
			apps := slices.DeleteFunc(slices.Clone(all), func(p proc) bool { return p.Module })
			if tally(apps) != d.Args["list"] {
				return nil, errors.New("PM2 does not list what was saved")
			}
			for _, p := range apps {
				if p.Status != "stopped" || p.PID != 0 {
					up = append(up, p)
				}
			}
			return up, nil
		})
	},
}

// revive gives a daemon all entries of its saved list, one after the other. One
// that cannot be started is no reason to leave those after it down; a daemon that
// is gone is.
func revive(ctx context.Context, h host.Host, home string, entries []dumped) error {
	var failed []string
	for i, e := range entries {
		_, err := send(ctx, h, home, prepare(e), patience)
		if err == nil {
			continue
		}
		failed = append(failed, fmt.Sprintf("%s did not start: %v", shown(e.get("name").Str, e.get("@this")), err))
		if _, err := listed(ctx, h, home); err != nil {
			failed = append(failed, fmt.Sprintf("after %d of %d processes the daemon does not answer any more: %v", i+1, len(entries), err))
			break
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return errors.New(strings.Join(failed, "; "))
}

// pm2Program finds the pm2 command; one in the audited project is passed over.
func pm2Program(h host.Host) (string, error) {
	p, err := h.Look("pm2")
	if err != nil {
		return "", &rules.Refusal{Why: "the pm2 command is not on PATH, where folders of the project do not count", Hint: "give audit the PATH of the user who owns the apps (crontab: PATH=…)"}
	}
	return p, nil
}

// resurrectable returns the entries of the dump, ready for a daemon.
func resurrectable(h host.Host, home string) (out []dumped, err error) {
	dir, err := h.Outside(home)
	if err != nil {
		return nil, err
	}
	st, err := dir.Stat(dumpName)
	dir.Close()
	if err == nil && !ours(st) {
		return nil, &rules.Refusal{Why: "the saved list belongs to another user than the one that runs audit: a daemon would run as the wrong user", Hint: "run audit as that user"}
	}
	all, err := readDump(h, home)
	if err != nil {
		return nil, &rules.Refusal{Why: err.Error(), Hint: "start the apps from their file: pm2 start FILE; dump.pm2.bak may hold the list before"}
	}
	for _, e := range all {
		e, err := e.stripped()
		if err != nil {
			return nil, err
		}
		name := e.get("name").Str
		if why := e.fault(); why != "" {
			return nil, &rules.Refusal{Why: "an entry of the saved list is not whole: " + why}
		}
		if !stands(h, e.get("pm_exec_path").Str) || !stands(h, e.get("pm_cwd").Str) {
			return nil, &rules.Refusal{Why: "script or folder of " + shown(name, e.get("@this")) + " is gone: it would have no process at all, and PM2 would measure none of the others", Hint: "bring back what is missing first"}
		}
		out = append(out, e)
	}
	return out, nil
}

// deserted makes sure that no daemon runs for a home: a second one would hide
// the apps of the first.
func deserted(ctx context.Context, h host.Host, home string) error {
	if _, err := listed(ctx, h, home); err == nil {
		return errors.New("a daemon answers by now")
	}
	table, err := h.Processes(host.Titled)
	if err != nil {
		return err
	}
	for _, p := range table {
		if axon.IsDaemon(p.Title, home, resolved) {
			return fmt.Errorf("a daemon runs by now (process %d)", p.PID)
		}
	}
	return nil
}

// resolved is a path without symbolic links; one that is not there stays as it is.
func resolved(p string) string {
	if real, err := filepath.EvalSymlinks(p); err == nil {
		return real
	}
	return filepath.Clean(p)
}

// keptDump is the copy of the dump from before a resurrection, one generation.
const keptDump = "dump.pm2.audit-kept"

func keepDump(h *rules.Hand, home string) error {
	dir, err := h.Folder(home)
	if err != nil {
		return err
	}
	defer dir.Close()
	b, err := contents(dir, dumpName)
	if err != nil {
		return err
	}
	return replace(dir, b, dumpNew, keptDump)
}

// startTime bounds how long the daemon may take to come up: 360 to 650 ms.
const startTime = 30 * time.Second

// startDaemon runs the pm2 command, whose every use starts a daemon where none
// runs. It asks no network, and gets no more of the environment than it needs.
func startDaemon(ctx context.Context, h *rules.Hand, home, program string) error {
	env := []string{"PM2_HOME=" + home, "PM2_NO_INTERACTION=true", "PM2_DISABLE_VERSION_CHECK=1"}
	env = append(env, "PATH="+collect.SafePath(h.Host)) // node is looked for there
	for _, k := range []string{"HOME", "USER", "LOGNAME", "LANG", "TZ"} {
		if v := h.Host.Env(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	res, err := h.Host.Run(ctx, host.Command{Program: program, Args: []string{"-s", "ping"}, Dir: home, Env: env, Timeout: startTime, MaxOut: 1 << 20})
	if err == nil && res.Code != 0 {
		err = fmt.Errorf("pm2 ping ends with code %d", res.Code)
	}
	if err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	for waited := time.Duration(0); waited < startTime; waited += heartbeat {
		if _, err = listed(ctx, h.Host, home); err == nil {
			return nil
		}
		h.Pause(ctx, heartbeat)
	}
	return fmt.Errorf("the daemon does not answer: %w", err)
}
