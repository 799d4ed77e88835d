package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"healthaudit/report"
	"healthaudit/rules"
)

type initCmd struct {
	Yes    bool   `short:"y" help:"Also add .audit/ to .gitignore, without asking."`
	NPM    bool   `name:"npm" help:"Add scripts to package.json: audit, audit:report, audit:status and others; nothing else in it is touched."`
	GitHub string `name:"github" help:"Write .github/workflows/audit.yml, with the action of that repository: OWNER/REPOSITORY@COMMIT, or ./FOLDER in this one." placeholder:"ACTION"`
	Cron   bool   `help:"Install a line in your crontab, as audit cron install does."`
	DryRun bool   `help:"Write nothing, and say what would be written."`
}

// Help is shown below the usage.
func (initCmd) Help() string {
	return `Written at once: audit.yaml, with what was found and every key explained and switched off, and audit.rules.yaml, with every rule switched off. What belongs to others is asked for at a terminal: the line .audit/ in .gitignore, and scripts in package.json. Without a terminal it is left out, unless --yes or --npm says so.

Nothing that is there is ever written over, and a second run does only what is still missing. Each change is announced in the journal before it is made, and noted there after: audit journal. Where there is no store yet, it is made for that.`
}

// An initStep is one thing that init may do. Without do there is nothing to do.
type initStep struct {
	path, what string
	there      string // why there is nothing to do
	ask        string // what a person is asked first; "" where that is not needed
	agreed     bool   // a flag has answered that
	flag       string // which one does
	do         func() error
}

// Run looks at the project and writes what is not there yet. New files of audit's
// own are always written; what belongs to others is changed where a flag says so,
// or who sits at the terminal.
func (c *initCmd) Run(a *App) error {
	if a.Config != "" {
		return &usageError{"init writes audit.yaml into the root, and a configuration is named already", "leave --config and AUDIT_CONFIG out"}
	}
	s, err := a.settings()
	if err != nil {
		return err
	}
	v := report.InitView{Root: s.root, DryRun: c.DryRun}
	root, err := os.OpenRoot(s.root)
	if err != nil {
		return &usageError{err.Error(), ""}
	}
	defer root.Close()
	steps, err := c.steps(a, s, root, &v)
	if err != nil {
		return err
	}
	if !c.DryRun {
		c.question(a, steps, &v)
	}
	if c.DryRun || !slices.ContainsFunc(steps, (*initStep).due) {
		for _, st := range steps {
			v.Steps = append(v.Steps, st.row("would write"))
		}
		if c.DryRun && c.Cron {
			if err := c.planned(a, &v); err != nil {
				return err
			}
		}
		if err := c.tell(a, v); err != nil || !c.Cron || c.DryRun {
			return err
		}
		return c.schedule(a)
	}
	err = a.settingUp("init", func(ch *change) error { return c.carryOut(a, ch, steps, &v) })
	if err != nil && len(v.Steps) == 0 {
		return err
	}
	v.Failed = err != nil
	if err := errors.Join(err, c.tell(a, v)); err != nil || !c.Cron {
		return err
	}
	return c.schedule(a)
}

// everyQuarter is audit cron install with all its defaults.
var everyQuarter = cronFlags{Every: 15 * time.Minute}

func (c *initCmd) schedule(a *App) error { return (&cronInstallCmd{everyQuarter}).Run(a) }

// planned says what of the crontab schedule would write.
func (c *initCmd) planned(a *App, v *report.InitView) error {
	flags := everyQuarter
	s, j, err := flags.prepare(a)
	if err != nil {
		return err
	}
	h, was, err := j.open(a, s)
	if err != nil {
		return err
	}
	defer h.Close()
	block, err := j.block()
	if err != nil {
		return err
	}
	row := report.InitStep{State: "would write", Path: "crontab", What: strings.Split(block, "\n")[1]}
	if was.own == block {
		row.State, row.What = "there", "has this line already"
	}
	v.Steps = append(v.Steps, row)
	return nil
}

// due reports whether there is something to do that nobody has to be asked about.
func (st *initStep) due() bool { return st.do != nil && (st.ask == "" || st.agreed) }

// row says what becomes of the step; done is the word for one that is due.
func (st *initStep) row(done string) report.InitStep {
	switch {
	case st.do == nil:
		return report.InitStep{State: "there", Path: st.path, What: st.there}
	case !st.due():
		return report.InitStep{State: "left out", Path: st.path, What: st.what + " (" + st.flag + " does it)"}
	}
	return report.InitStep{State: done, Path: st.path, What: st.what}
}

func (c *initCmd) tell(a *App, v report.InitView) error {
	v.NotInPath = a.unreachable()
	return a.write("", exitOK, func(w io.Writer, o report.Options) error { return report.Init(w, v, o) })
}

// steps finds out what there is, and what to do about it.
func (c *initCmd) steps(a *App, s *settings, root *os.Root, v *report.InitView) (steps []*initStep, err error) {
	h, err := a.open(s)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	doc, err := a.glance(s, h)
	if err != nil {
		return nil, err
	}
	for _, sys := range doc.Systems {
		v.Found = append(v.Found, report.InitFound{System: sys.System, Status: sys.Status, Items: sys.Items, Reason: sys.Reason})
	}
	for _, f := range []struct{ path, what, text string }{
		{"audit.yaml", "what audit looks at, and when it complains", configText(doc)},
		{defaultRules, "rules of recovery, every one switched off", rulesText()},
	} {
		st := &initStep{path: f.path, what: f.what, there: "is there, and stays as it is"}
		if _, err := root.Lstat(f.path); errors.Is(err, fs.ErrNotExist) {
			st.do = func() error { return create(root, f.path, f.text) }
		} else if err != nil {
			return nil, err
		}
		steps = append(steps, st)
	}
	for _, more := range []func(*App, *os.Root, *report.Document) (*initStep, error){c.gitignore, c.npm, c.workflow} {
		st, err := more(a, root, doc)
		if err != nil {
			return nil, err
		}
		if st != nil {
			steps = append(steps, st)
		}
	}
	return steps, nil
}

// create writes a file that is not there. It never follows a link.
func create(root *os.Root, path, text string) error {
	if dir := filepath.Dir(path); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		err = errors.Join(err, root.Remove(path))
	}
	return err
}

// replace writes a file anew that is there: whole, or not at all.
func replace(root *os.Root, path string, was, now []byte) error {
	st, err := root.Lstat(path)
	if err != nil {
		return err
	}
	if is, err := root.ReadFile(path); err != nil || string(is) != string(was) {
		return errors.Join(fmt.Errorf("%s changed in between; nothing was written", path), err)
	}
	temp := path + ".audit-new"
	if err := create(root, temp, string(now)); err != nil {
		return err
	}
	if err = root.Chmod(temp, st.Mode().Perm()); err == nil {
		err = root.Rename(temp, path)
	}
	if err != nil {
		err = errors.Join(err, root.Remove(temp))
	}
	return err
}

// readOwn reads a file of the project that init may change: a regular one of at
// most 4 MiB. Fs.ErrNotExist where there is none.
func readOwn(root *os.Root, path string) ([]byte, error) {
	st, err := root.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > 4<<20 {
		return nil, &usageError{path + " is a link, or no regular file of at most 4 MiB: it is not changed", "change it by hand"}
	}
	return root.ReadFile(path)
}

// question asks who sits at the terminal about everything that no flag answers.
func (c *initCmd) question(a *App, steps []*initStep, v *report.InitView) {
	if !a.Asks || a.Quiet {
		return
	}
	in := bufio.NewScanner(io.LimitReader(a.Stdin, 4<<10))
	for _, st := range steps {
		if st.do == nil || st.ask == "" || st.agreed {
			continue
		}
		if !v.Told {
			v.Told = true
			fmt.Fprintln(a.Stderr, v.Heading())
		}
		fmt.Fprintf(a.Stderr, "%s [y/N] ", st.ask)
		if !in.Scan() {
			fmt.Fprintln(a.Stderr)
			return
		}
		answer := strings.ToLower(strings.TrimSpace(in.Text()))
		st.agreed = answer == "y" || answer == "yes"
	}
}

func (c *initCmd) carryOut(a *App, ch *change, steps []*initStep, v *report.InitView) error {
	for i, st := range steps {
		if st.due() {
			if err := ch.announced(a, rules.Entry{Command: "init", Item: st.path, What: st.what}, st.do); err != nil {
				for _, rest := range steps[i:] {
					v.Steps = append(v.Steps, rest.row("failed"))
				}
				return &failure{exitAction, fmt.Errorf("write %s: %w", st.path, err), "what is named as written stays; audit init does the rest once that is mended"}
			}
		}
		v.Steps = append(v.Steps, st.row("written"))
	}
	return nil
}
