package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/host"
)

// unitMark begins every unit that audit wrote; what does not begin so is never
// overwritten or removed.
const unitMark = "# Written by audit cron install; audit cron remove --systemd takes it out again.\n"

var unitWord = lazyregexp.New(`[^A-Za-z0-9_-]+`)

// units are a service and its timer.
type units struct {
	dir, name      string
	system         bool
	service, timer string
}

// newUnits writes the units of a job. Their options: systemd.service(5),
// systemd.timer(5); Persistent catches up after the machine was off.
func newUnits(a *App, j *cronJob, system bool) *units {
	sum := sha256.Sum256([]byte(j.root))
	u := &units{system: system, name: "audit-" + strings.Trim(unitWord().ReplaceAllString(filepath.Base(j.root), "-"), "-") + "-" + hex.EncodeToString(sum[:3])}
	u.dir = "/etc/systemd/system"
	if !system {
		config := a.Env("XDG_CONFIG_HOME")
		if !filepath.IsAbs(config) {
			config = filepath.Join(homeOf(a), ".config")
		}
		u.dir = filepath.Join(config, "systemd", "user")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n[Unit]\nDescription=audit of %s\n\n[Service]\nType=oneshot\n", unitMark, strings.ReplaceAll(j.root, "%", "%%"))
	if system {
		fmt.Fprintf(&b, "User=%s\n", runner(a))
	}
	for _, e := range j.env {
		fmt.Fprintf(&b, "Environment=%s\n", unitQuoted(e[0]+"="+e[1]))
	}
	b.WriteString("ExecStart=")
	for i, arg := range j.argv {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.ReplaceAll(unitQuoted(arg), "$", "$$"))
	}
	b.WriteString("\nSuccessExitStatus=75\nTimeoutStartSec=15min\nNice=10\n")
	u.service = b.String()
	u.timer = fmt.Sprintf("%s\n[Unit]\nDescription=audit of %s, by the clock\n\n[Timer]\nOnCalendar=%s\nPersistent=true\nRandomizedDelaySec=30\nFixedRandomDelay=true\n\n[Install]\nWantedBy=timers.target\n",
		unitMark, strings.ReplaceAll(j.root, "%", "%%"), j.schedule)
	return u
}

// homeOf is the home folder of who runs audit, also where the environment does not
// say.
func homeOf(a *App) string {
	if home := a.Env("HOME"); filepath.IsAbs(home) {
		return home
	}
	if u, err := user.Current(); err == nil && filepath.IsAbs(u.HomeDir) {
		return u.HomeDir
	}
	return "/nonexistent"
}

// runner is whose name a timer of the machine runs under: never root's because of
// sudo.
func runner(a *App) string {
	if name := a.Env("SUDO_USER"); name != "" && !strings.ContainsAny(name, " \n%") {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "root"
}

// unitBare is a word that systemd takes as it stands.
var unitBare = lazyregexp.New(`^[A-Za-z0-9_/.:=+,@-]+$`)

// unitQuoted writes a word as systemd.syntax(7) reads it.
func unitQuoted(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if unitBare().MatchString(strings.ReplaceAll(s, "%%", "")) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func (u *units) text() string {
	return "# " + filepath.Join(u.dir, u.name+".service") + "\n" + u.service + "\n# " + filepath.Join(u.dir, u.name+".timer") + "\n" + u.timer
}

func (u *units) files() [][2]string {
	return [][2]string{{filepath.Join(u.dir, u.name+".service"), u.service}, {filepath.Join(u.dir, u.name+".timer"), u.timer}}
}

// held reads what stands where the units go: nil where nothing does. Errors: a
// file of somebody else.
func (u *units) held() (was map[string][]byte, err error) {
	was = map[string][]byte{}
	for _, f := range u.files() {
		b, err := os.ReadFile(f[0])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case !strings.HasPrefix(string(b), unitMark):
			return nil, &usageError{f[0] + " was not written by audit", "move it away"}
		}
		was[f[0]] = b
	}
	return was, nil
}

func (u *units) ctl(a *App, h *host.OS, args ...string) error {
	if !u.system {
		args = append([]string{"--user"}, args...)
	}
	r, err := tool(a, h, "systemctl", nil, args...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("it exits with %d: %s", r.Code, strings.TrimSpace(string(r.Err)))
	}
	if err != nil {
		return fmt.Errorf("systemctl %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// put writes the files, or brings back what was there: each, also where another
// cannot be written.
func (u *units) put(files map[string][]byte) error {
	if err := os.MkdirAll(u.dir, 0o755); err != nil {
		return err
	}
	var errs []error
	for _, f := range u.files() {
		var err error
		if b, ok := files[f[0]]; ok {
			err = os.WriteFile(f[0], b, 0o644)
		} else if err = os.Remove(f[0]); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// leftBy says what a failed install left, by what stands there now, and saves what
// was there before where that is lost.
func (u *units) leftBy(a *App, was map[string][]byte) string {
	is, err := u.held()
	back := err == nil && maps.EqualFunc(is, was, bytes.Equal)
	switch {
	case back && len(was) == 0:
		return "no unit was left behind; audit cron print --systemd prints the units for a machine where systemd runs"
	case back:
		return "the units are as they were; audit cron print --systemd prints the new ones"
	}
	hint := "the units " + u.name + " in " + u.dir + " may not be as they were"
	if len(was) == 0 {
		return hint + "; there were none before"
	}
	var old strings.Builder
	for _, f := range u.files() {
		if b, ok := was[f[0]]; ok {
			fmt.Fprintf(&old, "# %s\n%s\n", f[0], b)
		}
	}
	return hint + "; " + a.keepOld("units", old.String())
}

func (c *cronFlags) installUnits(a *App, s *settings, j *cronJob) error {
	u := newUnits(a, j, c.System)
	view := report.CronChange{State: "there", Place: "systemd, " + u.name + ".timer", Schedule: j.schedule}
	was, err := u.held()
	if err != nil {
		return err
	}
	want := map[string][]byte{}
	same := true
	for _, f := range u.files() {
		want[f[0]] = []byte(f[1])
		same = same && string(was[f[0]]) == f[1]
	}
	if same {
		return c.told(a, s, view)
	}
	if view.State = "changed"; len(was) == 0 {
		view.State = "installed"
	}
	err = a.settingUp("cron install", func(ch *change) error {
		return ch.announced(a, rules.Entry{Command: "cron install", Item: u.name + ".timer", What: "a systemd timer that runs audit: " + j.schedule}, func() error {
			h := ch.host.(*host.OS)
			err := u.put(want)
			for _, args := range [][]string{{"daemon-reload"}, {"enable", "--now", u.name + ".timer"}, {"restart", u.name + ".timer"}} {
				if err == nil {
					err = u.ctl(a, h, args...)
				}
			}
			if err == nil {
				return nil
			}
			end := a.toTheEnd()
			if len(was) == 0 {
				_ = u.ctl(end, h, "disable", "--now", u.name+".timer") // it may never have been enabled
			}
			err = errors.Join(err, u.put(was))
			_ = u.ctl(end, h, "daemon-reload")
			return &failure{exitAction, err, u.leftBy(a, was)}
		})
	})
	if err != nil {
		return err
	}
	if err := c.told(a, s, view); err != nil || c.System || a.Quiet {
		return err
	}
	_, err = fmt.Fprintln(a.Stdout, "It runs while you are logged in; for always: loginctl enable-linger")
	return err
}

func (c *cronFlags) removeUnits(a *App, s *settings, j *cronJob) error {
	u := newUnits(a, j, c.System)
	was, err := u.held()
	if err != nil {
		return err
	}
	view := report.CronChange{State: "absent", Place: "systemd, " + u.name + ".timer"}
	if len(was) == 0 {
		return c.told(a, s, view)
	}
	err = a.settingUp("cron remove", func(ch *change) error {
		return ch.announced(a, rules.Entry{Command: "cron remove", Item: u.name + ".timer", What: "the systemd timer that runs audit goes"}, func() error {
			h := ch.host.(*host.OS)
			err := u.ctl(a, h, "disable", "--now", u.name+".timer")
			if err == nil {
				err = u.put(nil)
			}
			if err != nil {
				return &failure{exitAction, err, "what systemctl could not stop stays where it is"}
			}
			return u.ctl(a, h, "daemon-reload")
		})
	})
	if err != nil {
		return err
	}
	view.State = "removed"
	return c.told(a, s, view)
}
