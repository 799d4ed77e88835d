package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"healthaudit/report"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/cron"
	"healthaudit/snapshot/host"
)

// cronFlags say when a run is due, and who starts it.
type cronFlags struct {
	Every    time.Duration `help:"How often: 15m, 1h, 24h; what divides an hour or a day." default:"15m" placeholder:"DURATION"`
	Schedule string        `help:"When, instead: five fields of a crontab; with --systemd an OnCalendar= expression." placeholder:"EXPRESSION"`
	Systemd  bool          `help:"A systemd timer instead of a line in your crontab."`
	User     bool          `help:"With --systemd: a timer of yours, in ~/.config/systemd/user (the default)." xor:"whose"`
	System   bool          `help:"With --systemd: a timer of the machine, in /etc/systemd/system." xor:"whose"`
}

// AfterApply refuses two words about when a run is due: one would be ignored.
func (f *cronFlags) AfterApply(ctx *kong.Context) error {
	every := slices.ContainsFunc(ctx.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == "every" })
	if every && f.Schedule != "" {
		return &usageError{"--every and --schedule can't be used together", "each says when a run is due"}
	}
	return nil
}

// A cronJob is what will be started, and when.
type cronJob struct {
	root     string
	schedule string      // as its place writes it
	env      [][2]string // sorted
	argv     []string
}

// whose refuses an owner of a timer where none is asked for.
func (f *cronFlags) whose() error {
	if (f.User || f.System) && !f.Systemd {
		return &usageError{"--user and --system say whose systemd timer it is", "add --systemd"}
	}
	return nil
}

// job makes the command that runs audit on this project: without a shell's help,
// since a crontab may name any.
func (f *cronFlags) job(a *App, s *settings, h *host.OS) (*cronJob, error) {
	if err := f.whose(); err != nil {
		return nil, err
	}
	exe, err := program(h)
	if err != nil {
		return nil, err
	}
	j := &cronJob{root: s.root, argv: []string{exe, "--root", s.root}}
	if a.Config != "" {
		abs, err := filepath.Abs(a.Config)
		if err != nil {
			return nil, err
		}
		j.argv = append(j.argv, "--config", abs)
	}
	if abs, err := filepath.Abs(a.Store); err == nil && abs != filepath.Join(s.root, ".audit", "audit.db") {
		j.argv = append(j.argv, "--store", abs)
	}
	if a.Trust {
		j.argv = append(j.argv, "--trust-config")
	}
	j.argv = append(j.argv, "--quiet", "run", "--wait", "5m")
	j.env = [][2]string{{"PATH", cronPath(h)}}
	if home := a.Env("PM2_HOME"); home != "" {
		j.env = append(j.env, [2]string{"PM2_HOME", home})
	}
	for _, e := range append(slices.Clone(j.env), [2]string{"", strings.Join(j.argv, " ")}) {
		if strings.ContainsFunc(e[1], func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, &usageError{"a path with a control character cannot stand in a crontab or a unit", "move the project, or start audit by a script of your own"}
		}
	}
	j.schedule, err = f.when(s.root)
	return j, err
}

// program is this program as a schedule should name it: by the folder of the PATH
// where it lies, when that is the same file, so that an upgrade stays in effect.
func program(h *host.OS) (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	if named, err := h.Look("audit"); err == nil {
		a, err1 := os.Stat(named)
		b, err2 := os.Stat(exe)
		if err1 == nil && err2 == nil && os.SameFile(a, b) {
			return named, nil
		}
	}
	return exe, nil
}

// cronPath is the PATH for a run that no shell starts: the folders of what audit
// asks or may ask, then those of every system. Cron's own is /usr/bin:/bin.
func cronPath(h *host.OS) string {
	dirs := []string{"/usr/local/bin", "/usr/bin", "/bin"}
	var more []string
	for _, name := range []string{"git", "node", "bash", "python3", "shellcheck"} {
		if p, err := h.Look(name); err == nil && !slices.Contains(dirs, filepath.Dir(p)) && !slices.Contains(more, filepath.Dir(p)) && !strings.Contains(p, ":") {
			more = append(more, filepath.Dir(p))
		}
	}
	return strings.Join(append(more, dirs...), ":")
}

// when is the schedule in the words of its place.
func (f *cronFlags) when(root string) (string, error) {
	if f.Schedule != "" {
		d, hint := cron.Crontab, "five fields, such as '7,37 * * * *'; see crontab(5)"
		if f.Systemd {
			d, hint = cron.Systemd, "an OnCalendar= expression, such as '*:07/30'; see systemd.time(7)"
		}
		sched, err := cron.Parse(d, f.Schedule)
		if err == nil && sched.Reboot() {
			err = fmt.Errorf("once after a reboot is too seldom")
		}
		if err != nil {
			return "", &usageError{fmt.Sprintf("--schedule: %v", err), hint}
		}
		return strings.Join(strings.Fields(f.Schedule), " "), nil
	}
	const day = 24 * time.Hour
	step := int(f.Every / time.Minute)
	if f.Every < time.Minute || f.Every%time.Minute != 0 || time.Hour%f.Every != 0 && (f.Every%time.Hour != 0 || day%f.Every != 0) {
		return "", &usageError{fmt.Sprintf("--every %s does not divide an hour or a day", f.Every), "take 5m, 10m, 15m, 30m, 1h, 6h, 24h, or say it by --schedule"}
	}
	at := offset(root, min(step, 60))
	hours := step / 60
	if f.Systemd {
		switch {
		case step == 1:
			return "*:*", nil
		case step < 60:
			return fmt.Sprintf("*:%02d/%d", at, step), nil
		case hours == 24:
			return fmt.Sprintf("05:%02d", at), nil
		}
		return fmt.Sprintf("00/%d:%02d", hours, at), nil
	}
	minutes := strconv.Itoa(at)
	for m := at + step; m < 60; m += step {
		minutes += "," + strconv.Itoa(m)
	}
	hour := "*"
	switch {
	case step == 1:
		minutes = "*"
	case hours == 24:
		hour = "5"
	case hours > 1:
		hour = "*/" + strconv.Itoa(hours)
	}
	return minutes + " " + hour + " * * *", nil
}

// offset is the minute of the first run: the same for a project always, another
// one for another, and never the full or half hour, when everybody starts
// something.
func offset(root string, step int) int {
	var free []int
	for m := range step {
		if clash := slices.ContainsFunc([]int{0, 30}, func(full int) bool { return (full-m)%step == 0 }); !clash {
			free = append(free, m)
		}
	}
	if len(free) == 0 {
		return 0
	}
	return free[int(sha256.Sum256([]byte(root))[0])%len(free)]
}

type cronPrintCmd struct{ cronFlags }

// Run prints what install would install.
func (c *cronPrintCmd) Run(a *App) error {
	s, j, err := c.prepare(a)
	if err != nil {
		return err
	}
	text, err := j.block()
	if c.Systemd {
		text, err = newUnits(a, j, c.System).text(), nil
	}
	if err != nil || a.Quiet {
		return err
	}
	if _, err = fmt.Fprint(a.Stdout, text); err == nil && s.pipeline.Every == 0 && c.Schedule == "" {
		fmt.Fprintln(a.Stderr, "audit: audit cron install installs it; with cadence: {every: "+lasting(c.Every)+"} in audit.yaml a missing run is a finding")
	}
	return err
}

func (f *cronFlags) prepare(a *App) (*settings, *cronJob, error) {
	s, err := a.settings()
	if err != nil {
		return nil, nil, err
	}
	h, err := a.open(s)
	if err != nil {
		return nil, nil, err
	}
	defer h.Close()
	j, err := f.job(a, s, h)
	return s, j, err
}

// told says what became of a change, in one line.
func (c *cronFlags) told(a *App, s *settings, view report.CronChange) error {
	if a.Quiet {
		return nil
	}
	_, err := fmt.Fprintln(a.Stdout, view.Line())
	if err == nil && s.pipeline.Every == 0 && view.State != "removed" && view.State != "absent" && c.Schedule == "" {
		_, err = fmt.Fprintf(a.Stdout, "Let audit notice runs that are missing: cadence: {every: %s, grace: 10m} in audit.yaml\n", lasting(cmp.Or(c.Every, 15*time.Minute)))
	}
	return err
}

// toTheEnd is audit for what must be brought to its end although it was told to
// stop: each tool that is run has its own time.
func (a *App) toTheEnd() *App {
	b := *a
	b.ctx = context.WithoutCancel(a.ctx)
	return &b
}

// tool runs crontab or systemctl, of which both read and change what is not the
// project's.
func tool(a *App, h *host.OS, name string, in []byte, args ...string) (host.Result, error) {
	p, err := h.Look(name)
	if err != nil {
		return host.Result{}, err
	}
	env := []string{"LC_ALL=C", "PATH=" + collect.SafePath(h)}
	for _, keep := range []string{"HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS"} {
		if v := a.Env(keep); v != "" {
			env = append(env, keep+"="+v)
		}
	}
	return h.Run(a.ctx, host.Command{Program: p, Args: args, Dir: "/", Env: env, In: in, Timeout: 30 * time.Second, MaxOut: 1 << 20})
}
