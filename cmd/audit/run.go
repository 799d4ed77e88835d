package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/host"
)

type runCmd struct {
	Only      []string      `help:"Collect only these systems: pm2, workflows, functions, scripts." placeholder:"SYSTEM"`
	Skip      []string      `help:"Collect all but these systems." placeholder:"SYSTEM"`
	Recover   string        `help:"What to do with recovery rules: off, plan or apply (default: recovery.mode of the configuration, else plan)." placeholder:"MODE"`
	Archive   string        `help:"Make an archive of this run: auto (when something changed since the last one), always or never (default: archive.when of the configuration, else auto)." placeholder:"WHEN"`
	Format    string        `help:"Format of the report: ${formats}." default:"table" placeholder:"NAME"`
	Output    string        `help:"Write the report to this file instead of standard output." placeholder:"FILE"`
	FailOn    []string      `help:"Exit 1 on these: critical, high, medium, low, info (that or worse), regression, new (with a baseline: not in it), never (default critical,regression)." placeholder:"LIST"`
	FailUnder string        `help:"Exit 1 when the score is below this number." placeholder:"N"`
	Wait      time.Duration `help:"Wait this long for another run to end (default: not at all)." placeholder:"DURATION"`
	PM2Home   []string      `name:"pm2-home" help:"Look at this PM2 home and no others but further --pm2-home (default: systems.pm2.homes of the configuration, else PM2_HOME, else ~/.pm2)." placeholder:"DIR" sep:"none"`
	Ephemeral bool          `help:"Keep nothing: compare and tell only."`
	New       bool          `help:"Report only what is new, reopened or regressed; with a baseline, only what is not in it."`
	NewStore  bool          `help:"If the store is damaged, set it aside and begin a new one."`
}

func (c *runCmd) Run(a *App) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if !slices.Equal(c.Only, []string{string(snapshot.PM2)}) { // which needs little of it
		if _, err := os.Stat(a.Store); err == nil {
			knowingHeap()
		} else {
			hugePages(138 << 20)
		}
	}
	renderer, err := findRenderer(c.Format)
	if err != nil {
		return err
	}
	if err := c.apply(a, &s.pipeline); err != nil {
		return err
	}
	if err := s.trusted(a); err != nil {
		return err
	}
	set, err := s.rules(a)
	if err != nil {
		return err
	}
	if c.Recover = cmp.Or(c.Recover, s.file.Recovery.Mode, "plan"); c.Recover == "off" {
		set = nil
	}
	if !c.Ephemeral {
		if err := s.local(a); err != nil {
			return err
		}
	}
	if err := a.writable(c.Output); err != nil {
		return err
	}
	h, err := host.New(s.root, a.Env, a.Now)
	if err != nil {
		return &usageError{fmt.Sprintf("open the root: %v", err), ""}
	}
	defer h.Close()
	r := &pipeline.Runner{Host: h, Config: &s.pipeline, Collectors: all.Collectors, Checks: s.checks(), Store: a.Store, Version: version, Build: build(),
		Actor: a.actor(h), Recovery: c.Recover, Rules: set, Ephemeral: c.Ephemeral, Summary: renderer.Summary, Wait: c.Wait, NewStore: c.NewStore, Command: a.line}
	doc, err := c.logged(a, s, r)
	if doc == nil {
		return err
	}
	unkept := err
	if !a.Quiet || doc.Gate.Exit != exitOK || c.Output != "" {
		err := a.write(c.Output, doc.Gate.Exit, func(w io.Writer, o report.Options) error {
			o.New = c.New
			return renderer.Render(w, doc, o)
		})
		if err == nil {
			err = a.stepSummary(renderer, doc, report.Options{New: c.New})
		}
		if err != nil {
			if f := (*failure)(nil); errors.As(err, &f) && !c.Ephemeral && unkept == nil {
				f.hint = "the run itself was kept: audit report writes it again"
			}
			return err
		}
	}
	if unkept == nil && doc.Gate.Exit != exitOK {
		return exitCode(doc.Gate.Exit)
	}
	return unkept
}

func findRenderer(name string) (*report.Renderer, error) {
	r, err := report.Find(name)
	if err != nil {
		return nil, &usageError{err.Error(), ""}
	}
	return r, nil
}

// apply puts the command's flags, and the environment behind them, over the configuration.
func (c *runCmd) apply(a *App, cfg *pipeline.Config) (err error) {
	if cfg.Only, err = systems(c.Only); err != nil {
		return err
	}
	if cfg.Skip, err = systems(c.Skip); err != nil {
		return err
	}
	for _, sys := range cfg.Only {
		if slices.Contains(cfg.Off, sys) {
			return &usageError{fmt.Sprintf("--only %s: that system is switched off in audit.yaml", sys), ""}
		}
	}
	if len(cfg.Skip) > 0 && cfg.Nothing() {
		return &usageError{"--skip leaves no system to look at", "a run that looks at nothing passes every gate"}
	}
	if len(c.PM2Home) > 0 {
		cfg.Collect.PM2Homes, cfg.Collect.PM2HomesNow = nil, true
	}
	for _, home := range c.PM2Home {
		if home == "" {
			return &usageError{"--pm2-home: no folder", "name one, or leave the flag out"}
		}
		abs, err := filepath.Abs(home)
		if err != nil {
			return err
		}
		cfg.Collect.PM2Homes = append(cfg.Collect.PM2Homes, abs)
	}
	switch c.Recover {
	case "", "off", "plan":
	case "apply":
		if c.Ephemeral {
			return &usageError{"--recover apply with --ephemeral: what is done must be kept", "leave one of them out"}
		}
	default:
		return &usageError{fmt.Sprintf("--recover %q is none of off, plan, apply", c.Recover), ""}
	}
	if c.Archive != "" {
		if err := validWhen(c.Archive); err != nil {
			return &usageError{"--archive: " + err.Error(), ""}
		}
		if c.Ephemeral && c.Archive == pipeline.WhenAlways {
			return &usageError{"--archive always: --ephemeral keeps nothing", "leave one of the two out"}
		}
		cfg.Backups.When = c.Archive
	}
	failOn, under := c.FailOn, c.FailUnder
	onName, underName := "--fail-on", "--fail-under"
	if len(failOn) == 0 && a.Env("AUDIT_FAIL_ON") != "" {
		failOn, onName = strings.Split(a.Env("AUDIT_FAIL_ON"), ","), "AUDIT_FAIL_ON"
	}
	if under == "" {
		under, underName = a.Env("AUDIT_FAIL_UNDER"), "AUDIT_FAIL_UNDER"
	}
	if len(failOn) > 0 {
		for i := range failOn {
			failOn[i] = strings.TrimSpace(failOn[i])
		}
		if err := validGate(failOn); err != nil {
			return &usageError{onName + ": " + err.Error(), ""}
		}
		cfg.FailOn = failOn
	}
	if under != "" {
		n, err := strconv.ParseFloat(under, 64)
		if err != nil || !isScore(n) {
			return &usageError{fmt.Sprintf("%s: %q is no number from 0 to 100", underName, under), ""}
		}
		cfg.FailUnder = &n
	}
	return nil
}

func systems(names []string) (out []snapshot.System, err error) {
	for _, n := range names {
		sys, err := snapshot.ParseSystem(strings.TrimSpace(n))
		if err != nil {
			return nil, &usageError{err.Error(), ""}
		}
		out = append(out, sys)
	}
	return out, nil
}

// actor says who runs this, for the journal.
func (a *App) actor(h host.Host) rules.Actor {
	via := "other"
	switch {
	case a.Env("GITHUB_ACTIONS") == "true":
		via = "github-actions"
	case a.Terminal:
		via = "terminal"
	case a.Env("TERM") == "" && a.Env("SHELL") != "" && a.Env("PWD") == a.Env("HOME"):
		via = "cron"
	}
	user := a.Env("USER")
	if user == "" {
		user = a.Env("LOGNAME")
	}
	return rules.Actor{UID: os.Getuid(), User: user, Host: h.Name(), Via: via}
}

// formats names every format of a report, for the help.
func formats() string {
	names := make([]string, len(report.All))
	for i, r := range report.All {
		names[i] = r.Name
	}
	return strings.Join(names, ", ")
}
