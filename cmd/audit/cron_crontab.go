package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/crontab"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/host"
)

// maxCronCommand is the longest command that cron takes, in bytes (MAX_COMMAND of
// Debian's cron 3.0pl1, cron.h, and of cronie).
const maxCronCommand = 998

// block is what stands in the crontab. It sets no variable there: that would
// hold for every line below.
func (j *cronJob) block() (string, error) {
	words := []string{"env"}
	for _, e := range j.env {
		words = append(words, e[0]+"="+snapshot.ShellWord(e[1]))
	}
	for _, arg := range j.argv {
		words = append(words, snapshot.ShellWord(arg))
	}
	command := strings.ReplaceAll(strings.Join(words, " "), "%", `\%`)
	if len(command) > maxCronCommand {
		return "", &usageError{fmt.Sprintf("the command has %d characters, cron takes %d", len(command), maxCronCommand), "shorten PATH or the paths, or use --systemd"}
	}
	own := j.marks()[0]
	text := own.begin + byInstall + "\n" + j.schedule + "  " + command + "\n" + own.end + "\n"
	if f := crontab.Parse("crontab", []byte(text)); len(f.Entries) != 1 || f.Entries[0].Bad || f.Entries[0].Input {
		return "", &usageError{"the line would be none that cron reads: " + j.schedule, "use --systemd"}
	}
	return text, nil
}

// stands reports whether this is the crontab now.
func (c *crontabText) stands(a *App, h *host.OS) (bool, error) {
	is, none, err := crontabOf(a, h)
	return is == c.text() && none == c.none, err
}

// open opens the host, which the caller closes, and reads the crontab.
func (j *cronJob) open(a *App, s *settings) (*host.OS, *crontabText, error) {
	h, err := a.open(s)
	if err != nil {
		return nil, nil, err
	}
	was, err := j.readCrontab(a, h)
	if err != nil {
		h.Close()
		return nil, nil, err
	}
	return h, was, nil
}

// readCrontab reads the crontab of who runs audit.
func (j *cronJob) readCrontab(a *App, h *host.OS) (*crontabText, error) {
	text, none, err := crontabOf(a, h)
	if err != nil {
		return nil, err
	}
	c, err := j.cut(text)
	if err == nil {
		c.none = none
	}
	return c, err
}

// crontabOf asks crontab for the text. None says that there is no crontab.
func crontabOf(a *App, h *host.OS) (text string, none bool, err error) {
	r, err := tool(a, h, "crontab", nil, "-l")
	switch said := strings.TrimSpace(string(r.Err)); {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, &failure{exitAction, errors.New("there is no crontab command on PATH"), "install cron, or use --systemd"}
	case err != nil:
		return "", false, &failure{exitAction, fmt.Errorf("crontab -l: %w", err), ""}
	case r.Code == 1 && len(r.Out) == 0 && (strings.Contains(said, "no crontab") || strings.Contains(said, "No such file")):
		return "", true, nil
	case r.Code != 0:
		return "", false, &failure{exitAction, fmt.Errorf("crontab -l exits with %d: %s", r.Code, said), "may this user have a crontab? see cron.allow and cron.deny"}
	}
	return string(r.Out), false, nil
}

// putCrontab has crontab take a text, or take the crontab away.
func putCrontab(a *App, h *host.OS, text string, none bool) error {
	args := []string{"-"}
	if text == "" && none {
		args = []string{"-r"}
	}
	r, err := tool(a, h, "crontab", []byte(text), args...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("crontab exits with %d: %s", r.Code, strings.TrimSpace(string(r.Err)))
	}
	return err
}

// writeCrontab has crontab take the text, unless somebody changed what was read,
// and reads it again. Where it is not what was given, the old one comes back.
func (j *cronJob) writeCrontab(a *App, h *host.OS, was *crontabText, now string) error {
	same, err := was.stands(a, h)
	if err != nil {
		return err
	}
	if !same {
		return &failure{exitAction, errors.New("your crontab was changed while audit was at it"), "nothing was written: do it again"}
	}
	if err = putCrontab(a, h, now, true); err == nil {
		var is string
		if is, _, err = crontabOf(a, h); err == nil && is == now {
			return nil
		}
		if err == nil {
			err = errors.New("crontab kept another text than the one it was given")
		}
	}
	hint := "your crontab is as it was; audit cron print prints the line for adding it by hand"
	if back := j.bringBack(a, h, was, now); back != nil {
		err = errors.Join(err, back)
		hint = "your crontab may be another than it was, crontab -l shows it; there was none before"
		if !was.none {
			hint = "your crontab may be another than it was, crontab -l shows it; " + a.keepOld("crontab", was.text())
		}
	}
	return &failure{exitAction, err, hint}
}

// bringBack has the crontab be what it was. Errors: it is not, because crontab
// would not, or because it holds what audit did not write and may be somebody's.
func (j *cronJob) bringBack(a *App, h *host.OS, was *crontabText, now string) error {
	a = a.toTheEnd()
	is, none, err := crontabOf(a, h)
	switch {
	case err != nil:
		return err
	case is == was.text() && none == was.none:
		return nil
	case !j.sameAround(is, now):
		return errors.New("it holds what audit did not write, so it was left alone")
	}
	err = putCrontab(a, h, was.text(), was.none)
	same, unread := was.stands(a, h)
	if same && unread == nil {
		return nil
	}
	return errors.Join(errors.New("the old text did not come back"), err, unread)
}

// sameAround reports whether two crontabs differ in audit's own lines at most.
func (j *cronJob) sameAround(one, other string) bool {
	x, err1 := j.cut(one)
	y, err2 := j.cut(other)
	return err1 == nil && err2 == nil && x.before+x.after == y.before+y.after
}

// keepOld saves a text beside the store, where nobody else may read it, and says
// where.
func (a *App) keepOld(name, text string) string {
	f, err := os.CreateTemp(filepath.Dir(a.Store), name+"-before-*") // 0600
	if err != nil {
		return "what was there before could not be saved: " + err.Error()
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "what was there before could not be saved: " + err.Error()
	}
	return "what was there before is in " + f.Name()
}

var callsAudit = lazyregexp.New(`(?:^|[\s/'"])audit(?:\s|$)`)

// others are the lines of a crontab that start audit as well, by number.
func (c *crontabText) others() (lines []int) {
	text := c.before + strings.Repeat("#\n", strings.Count(c.own, "\n")) + c.after
	for _, e := range crontab.Parse("crontab", []byte(text)).Entries {
		if callsAudit().MatchString(e.Command) && !strings.Contains(e.Command, " --root ") {
			lines = append(lines, e.Line)
		}
	}
	return lines
}

type cronInstallCmd struct{ cronFlags }

// Help is shown below the usage.
func (cronInstallCmd) Help() string {
	return `The line stands between two marks in your crontab and is written anew by a second install; every other line stays as it is. It names the PATH and the PM2_HOME of now, because cron gives a program neither. What crontab kept is read again, and the old text brought back where it is another, unless somebody else changed it meanwhile. Both are in the journal.

audit doctor --cron looks at what such a run would find.`
}

// Run installs the schedule, or says that it is there.
func (c *cronInstallCmd) Run(a *App) error {
	s, j, err := c.prepare(a)
	if err != nil {
		return err
	}
	if c.Systemd {
		return c.installUnits(a, s, j)
	}
	block, err := j.block()
	if err != nil {
		return err
	}
	h, was, err := j.open(a, s)
	if err != nil {
		return err
	}
	defer h.Close()
	for _, n := range was.others() {
		fmt.Fprintf(a.Stderr, "audit: line %d of your crontab starts audit as well\n", n)
	}
	view := report.CronChange{State: "there", Place: "your crontab", Schedule: j.schedule}
	if was.own == block {
		return c.told(a, s, view)
	}
	if view.State = "changed"; was.own == "" {
		view.State = "installed"
	}
	err = a.settingUp("cron install", func(ch *change) error {
		return ch.announced(a, rules.Entry{Command: "cron install", Item: "crontab", What: "a line that runs audit: " + j.schedule},
			func() error { return j.writeCrontab(a, h, was, was.with(block)) })
	})
	if err != nil {
		return err
	}
	return c.told(a, s, view)
}

type cronRemoveCmd struct {
	Systemd bool `help:"The systemd timer instead of the line in your crontab."`
	User    bool `help:"With --systemd: the timer of yours (the default)." xor:"whose"`
	System  bool `help:"With --systemd: the timer of the machine." xor:"whose"`
}

// Run takes out what install wrote, and nothing else.
func (c *cronRemoveCmd) Run(a *App) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	f := &cronFlags{User: c.User, System: c.System, Systemd: c.Systemd}
	if err := f.whose(); err != nil {
		return err
	}
	j := &cronJob{root: s.root}
	if c.Systemd {
		return f.removeUnits(a, s, j)
	}
	h, was, err := j.open(a, s)
	if err != nil {
		return err
	}
	defer h.Close()
	if was.own == "" {
		return f.told(a, s, report.CronChange{State: "absent", Place: "your crontab"})
	}
	err = a.settingUp("cron remove", func(ch *change) error {
		return ch.announced(a, rules.Entry{Command: "cron remove", Item: "crontab", What: "the line that runs audit goes"},
			func() error { return j.writeCrontab(a, h, was, was.with("")) })
	})
	if err != nil {
		return err
	}
	return f.told(a, s, report.CronChange{State: "removed", Place: "your crontab"})
}
