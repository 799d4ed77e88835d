package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/store"
)

// A Process is everything the program gets from outside, so that tests are one.
type Process struct {
	Args     []string
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Env      func(string) string
	Now      func() time.Time
	Terminal bool // standard output is a terminal
	Width    int  // of the terminal in columns; 0 unknown
	Asks     bool // somebody can be asked: standard input and error are a terminal

	ErrTerminal bool // standard error is a terminal
	ErrWidth    int  // of that terminal in columns; 0 unknown
}

// CLI is the command line.
type CLI struct {
	Root    string `help:"Folder to audit (default: root of the configuration, else the nearest folder above with audit.yaml or .git, else this one)." placeholder:"DIR"`
	Config  string `help:"Configuration (default: ROOT/audit.yaml, if it is there)." placeholder:"FILE"`
	Store   string `help:"Store (default: ROOT/.audit/audit.db)." placeholder:"FILE"`
	Trust   bool   `name:"trust-config" help:"Let a configuration inside the project have programs run (plugins, hooks, systems.pm2.node, command actions of recovery). Not where others may change the project: a pull request could run code."`
	Color   string `help:"When to use colour: auto, always or never (NO_COLOR is obeyed)." placeholder:"WHEN"`
	Quiet   bool   `short:"q" help:"Print nothing at all when the exit code is 0."`
	Verbose bool   `short:"v" help:"Say more on standard error; a trace when audit itself breaks."`

	Init      initCmd      `cmd:"" help:"Set audit up in this project: a configuration, rules, what git ignores."`
	Run       runCmd       `cmd:"" default:"withargs" help:"Audit: look, compare, judge, remember, tell (the default)."`
	Report    reportCmd    `cmd:"" help:"Show a saved run again, in any format."`
	List      listCmd      `cmd:"" help:"List the saved runs."`
	Diff      diffCmd      `cmd:"" help:"Show what changed between two snapshots."`
	History   historyCmd   `cmd:"" help:"Show one item over time."`
	Bisect    bisectCmd    `cmd:"" help:"Find between which snapshots, and commits, a finding began."`
	Schedules schedulesCmd `cmd:"" help:"Show every schedule: what is declared, what is in effect, what starts when, and what collides."`
	Restore   restoreCmd   `cmd:"" help:"Bring files of a snapshot back to disk."`
	Archive   struct {
		Create archiveCreateCmd `cmd:"" help:"Make an archive of a snapshot, or of the whole store."`
		List   archiveListCmd   `cmd:"" help:"List the archives."`
		Verify archiveVerifyCmd `cmd:"" help:"Read archives to their ends and check every byte."`
		Import archiveImportCmd `cmd:"" help:"Make a store of archives, when the store is lost or damaged."`
		Drill  archiveDrillCmd  `cmd:"" help:"Bring the newest archive back into a temporary folder and compare, to prove that it can be done."`
	} `cmd:"" help:"Backup files."`
	Accept   acceptCmd `cmd:"" help:"Accept a finding for a while, or that an item was removed for good."`
	Baseline struct {
		Set   baselineSetCmd   `cmd:"" help:"Pin a snapshot: what is open in it is no news."`
		Show  baselineShowCmd  `cmd:"" default:"withargs" help:"Show what is pinned, and what came since (the default)."`
		Clear baselineClearCmd `cmd:"" help:"Forget the baseline."`
	} `cmd:"" help:"The snapshot that later ones are held against."`
	Status     statusCmd     `cmd:"" help:"Say in one line how things are, also for a monitor."`
	Doctor     doctorCmd     `cmd:"" help:"Look at everything that audit depends on, and say what to do about it."`
	Logs       logsCmd       `cmd:"" help:"Show what runs wrote of themselves: stages, durations, what failed."`
	CheckAlive checkAliveCmd `cmd:"" help:"Exit 0 when the last run is young enough: for another machine's cron."`
	Cron       struct {
		Print   cronPrintCmd   `cmd:"" help:"Print the line or the units that install would install."`
		Install cronInstallCmd `cmd:"" help:"Have audit started by the clock: a line in your crontab, or a systemd timer."`
		Remove  cronRemoveCmd  `cmd:"" help:"Take out what install wrote; every other line stays as it is."`
		Status  cronStatusCmd  `cmd:"" help:"Show what starts audit here, and when the next run is."`
	} `cmd:"" help:"Have audit run by the clock."`
	Check struct {
		List    checkListCmd    `cmd:"" help:"List every check."`
		Explain checkExplainCmd `cmd:"" help:"Explain one check: why it matters, an example, what to do."`
	} `cmd:"" help:"The catalogue of checks."`
	Recover struct {
		Plan   recoverPlanCmd   `cmd:"" default:"withargs" help:"Show what the rules would do on the latest snapshot (the default)."`
		Apply  recoverApplyCmd  `cmd:"" help:"Do what the rules ask for on the latest snapshot: verified, journaled, and undone where it does not help."`
		Undo   recoverUndoCmd   `cmd:"" help:"Bring back what an action overwrote."`
		Pause  recoverPauseCmd  `cmd:"" help:"Do nothing for a while."`
		Resume recoverResumeCmd `cmd:"" help:"End a pause, and let actions be tried again after failures."`
		Reset  recoverResetCmd  `cmd:"" help:"Forget the attempts of a rule on an item."`
	} `cmd:"" help:"Recovery by the rules of audit.rules.yaml."`
	Rule struct {
		List    ruleListCmd    `cmd:"" help:"List the rules of recovery, and those that audit brings along."`
		Explain ruleExplainCmd `cmd:"" help:"Explain one rule, and print it for copying."`
		Test    ruleTestCmd    `cmd:"" help:"Go over the stored history and tell when each rule would have acted."`
	} `cmd:"" help:"The rules of recovery."`
	Journal struct {
		Show   journalShowCmd   `cmd:"" default:"withargs" help:"List what audit did (the default)."`
		Verify journalVerifyCmd `cmd:"" help:"Prove that no entry was changed or cut off."`
	} `cmd:"" help:"What audit did, by whom, with which result."`
	StoreCmd struct {
		Verify  storeVerifyCmd  `cmd:"" help:"Check every byte of the store."`
		Stats   storeStatsCmd   `cmd:"" help:"Show what the store holds and how large it is."`
		Prune   storePruneCmd   `cmd:"" help:"Forget old snapshots by the retention of audit.yaml, and what only they needed."`
		Compact storeCompactCmd `cmd:"" help:"Write the store anew, without the room that pruning has left in the file."`
	} `cmd:"" name:"store" help:"The store itself."`
	Help       helpCmd       `cmd:"" help:"Explain a topic: snapshots, exit-codes, formats, configuration, environment; or a command."`
	Completion completionCmd `cmd:"" help:"Print a script that completes the command line in your shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Internal   struct {
		EvaluateEcosystem evaluateCmd `cmd:""`
		Complete          completeCmd `cmd:""`
	} `cmd:"" hidden:""`
}

// A command is one command of the command line.
type command interface {
	Run(*App) error
}

// An App is one invocation.
type App struct {
	*Process
	*CLI
	ctx  context.Context
	line string // the command as the journal and the lock name it

	model *kong.Application // of the command line
}

// A usageError is exit code 64: nothing was done.
type usageError struct{ what, hint string }

func (e *usageError) Error() string { return e.what }
func (e *usageError) Hint() string  { return e.hint }

// A failure is an error with an exit code, and a hint of what to do next.
type failure struct {
	code int
	err  error
	hint string
}

func (e *failure) Error() string { return e.err.Error() }
func (e *failure) Unwrap() error { return e.err }
func (e *failure) Hint() string  { return e.hint }

// A quiet exit code: everything was said.
type exitCode int

func (e exitCode) Error() string { return "exit " + strconv.Itoa(int(e)) }

// Main runs the program and returns its exit code.
func Main(ctx context.Context, p *Process) (code int) {
	var cli CLI
	defer func() {
		if r := recover(); r != nil {
			if done, ok := r.(helpShown); ok {
				code = int(done)
				return
			}
			fmt.Fprintf(p.Stderr, "audit: a bug of audit: %v\n", r)
			if cli.Verbose {
				p.Stderr.Write(debug.Stack())
			} else {
				fmt.Fprintln(p.Stderr, "  Run it again with -v for the trace, and report it with the output of audit version.")
			}
			code = exitBug
		}
	}()
	k, kctx, err := parse(&cli, p)
	if err != nil {
		return fail(p, &usageError{err.Error(), "audit --help lists the commands and flags"})
	}
	app := &App{Process: p, CLI: &cli, ctx: ctx, line: strings.Join(append([]string{"audit"}, strings.Fields(kctx.Command())...), " "), model: k.Model}
	if err := app.resolve(); err != nil {
		return fail(p, err)
	}
	err = kctx.Selected().Target.Addr().Interface().(command).Run(app)
	if bad := (*store.CorruptError)(nil); errors.As(err, &bad) {
		bad.What = pipeline.InWords(bad)
		if there := app.anyArchive(); there != "" {
			bad.Hint = strings.TrimSpace(bad.Hint + "\n" + there)
		}
	}
	return fail(p, err)
}

// helpShown carries an exit that kong asked for through its callers.
type helpShown int

// fail says what went wrong and returns the exit code of an error.
func fail(p *Process, err error) int {
	if err == nil {
		return exitOK
	}
	var quiet exitCode
	if errors.As(err, &quiet) {
		return int(quiet)
	}
	code, hint := codeOf(err)
	fmt.Fprintf(p.Stderr, "audit: %s\n", report.Clean(err.Error()))
	for line := range strings.Lines(hint) {
		fmt.Fprintf(p.Stderr, "  %s\n", report.Clean(strings.TrimRight(line, "\n")))
	}
	return code
}

// width is the number of columns to write for.
func (a *App) width() int {
	if n, err := strconv.Atoi(a.Env("COLUMNS")); err == nil && n >= 40 && n <= 500 {
		return n
	}
	return a.Width
}

// options are what a renderer needs to know of the reader.
func (a *App) options() report.Options {
	color := a.Terminal && a.Env("NO_COLOR") == "" && a.Env("TERM") != "dumb"
	links := color && a.Color != "never" && linking(a.Env("TERM"))
	switch a.Color {
	case "always":
		color = true
	case "never":
		color = false
	}
	return report.Options{Width: a.width(), Color: color, Links: links}
}

// linking reports whether a terminal of that name follows OSC 8 hyperlinks or
// passes them over; the older ones could write them out.
func linking(term string) bool {
	for _, old := range []string{"linux", "vt", "ansi", "cons", "screen", "sun", "xterm-mono"} {
		if strings.HasPrefix(term, old) {
			return false
		}
	}
	return term != ""
}
