package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"healthaudit/report/reporttest"
)

// TestMain makes this test binary the commands that scripts run: audit itself,
// and programs that misbehave in one way each.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"audit": func() { os.Exit(mainForTest()) },
		"damage": func() { // damage FILE TEXT: one bit of every place where that text stands
			b, err := os.ReadFile(os.Args[1])
			n := 0
			for at := 0; err == nil; n++ {
				i := bytes.Index(b[at:], []byte(os.Args[2]))
				if i < 0 {
					break
				}
				at += i + 1
				b[at] ^= 1
			}
			if err == nil && n == 0 {
				err = errors.New("the text stands nowhere")
			}
			if err == nil {
				err = os.WriteFile(os.Args[1], b, 0o600)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
		"killed":    killedStandIn,
		"damagerow": damageRowStandIn,
		"crontab":   crontabStandIn,
		"systemctl": systemctlStandIn,
		"validate": func() { // validate FILE: the file is a document of the schema
			for _, f := range os.Args[1:] {
				b, err := os.ReadFile(f)
				if err == nil {
					err = reporttest.Validate(b)
				}
				if err != nil {
					fmt.Fprintf(os.Stderr, "%s: %v\n", f, err)
					os.Exit(1)
				}
			}
		},
	})
}

// mainForTest is main with a clock that a script sets: NOW is the time of the
// first reading, each further one is a millisecond later.
func mainForTest() int {
	ctx, stop := interruptible()
	defer stop()
	now := time.Now
	if s := os.Getenv("NOW"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		var reads atomic.Int64 // collectors and checks read it side by side
		now = func() time.Time { return t.Add(time.Duration(reads.Add(1)) * time.Millisecond) }
	}
	if seen := deadly; seen != nil {
		ask := now
		now = func() time.Time { seen(); return ask() }
	}
	p := &Process{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Getenv, Now: now}
	p.Terminal, p.Width = terminal(os.Stdout)
	p.ErrTerminal, p.ErrWidth = terminal(os.Stderr)
	asks, _ := terminal(os.Stdin)
	p.Asks = asks && p.ErrTerminal
	return Main(ctx, p)
}

// deadly is called before the clock is read; nil is not at all.
var deadly func()

// killedStandIn is the command killed FILE audit ARG…: audit is killed when it next
// reads the clock after that file has other bytes.
func killedStandIn() {
	file := os.Args[1]
	was, _ := os.ReadFile(file)
	deadly = func() {
		if is, _ := os.ReadFile(file); !bytes.Equal(is, was) {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			fmt.Fprintln(os.Stderr, "killed:", err)
			select {} // the signal is on its way
		}
	}
	os.Args = os.Args[2:]
	os.Exit(mainForTest())
}

// inShort are the scripts that -short leaves, for the race detector: starting the
// program with it takes a second each time. Between them they run what audit does
// side by side.
var inShort = []string{"functions", "recover_files", "run"}

func TestScripts(t *testing.T) {
	dir, files := filepath.Join("..", "..", "testdata", "script"), []string(nil)
	if testing.Short() {
		for _, name := range inShort {
			files = append(files, filepath.Join(dir, name+".txtar"))
		}
		dir = ""
		t.Logf("-short: only the scripts %s", strings.Join(inShort, ", "))
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, Files: files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			e.Setenv("GIT_AUTHOR_NAME", "Ada")
			e.Setenv("GIT_AUTHOR_EMAIL", "ada@example.org")
			e.Setenv("GIT_COMMITTER_NAME", "Ada")
			e.Setenv("GIT_COMMITTER_EMAIL", "ada@example.org")
			e.Setenv("NOW", "2026-11-23T12:00:00Z")
			e.Setenv("TERM", "dumb")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"later": later,
		},
	})
}

// exits CODE COMMAND…: the command ends with exactly that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG…]")
	}
	code, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exits: %v", err)
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		got = -1
		if s, ok := strings.CutPrefix(err.Error(), "exit status "); ok {
			got, _ = strconv.Atoi(s)
		}
	}
	if got != code {
		ts.Fatalf("%s exits %d (%v), want %d", strings.Join(args[1:], " "), got, err, code)
	}
}

// later DURATION: moves the script's clock.
func later(ts *testscript.TestScript, neg bool, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	t, err := time.Parse(time.RFC3339, ts.Getenv("NOW"))
	ts.Check(err)
	ts.Setenv("NOW", t.Add(d).Format(time.RFC3339))
}

// crontabStandIn is crontab with its file in the home folder: scripts must not
// touch the one of who runs them. TestRealCrontab does the same by a real one.
// Files beside it: .forgets, it keeps another text; .meanwhile and .after, the text
// that somebody puts there after a reading or a writing; .breaks, it writes once.
func crontabStandIn() {
	path := filepath.Join(os.Getenv("HOME"), "crontab")
	var err error
	switch strings.Join(os.Args[1:], " ") {
	case "-l":
		var b []byte
		if b, err = os.ReadFile(path); err == nil {
			os.Stdout.Write(b)
			_ = os.Rename(path+".meanwhile", path)
		} else {
			err = errors.New("no crontab for ada")
		}
	case "-r":
		err = os.Remove(path)
	case "-":
		var b []byte
		if b, err = io.ReadAll(os.Stdin); err == nil && len(b) > 0 && b[len(b)-1] != '\n' {
			err = errors.New("new crontab file is missing newline before EOF, can't install.")
		}
		if _, missing := os.Stat(path + ".forgets"); err == nil && missing == nil {
			b = bytes.ReplaceAll(b, []byte("--quiet"), nil)
		}
		if _, missing := os.Stat(path + ".broken"); err == nil && missing == nil {
			err = errors.New("No space left on device")
		}
		if err == nil {
			err = os.WriteFile(path, b, 0o600)
			_ = os.Rename(path+".after", path)
			_ = os.Rename(path+".breaks", path+".broken")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// systemctlStandIn notes what it is asked for; with a file systemctl.fails in the
// home folder it does nothing, as where no systemd runs, and with systemctl.blocks
// nobody can write or remove a service any more.
func systemctlStandIn() {
	home := os.Getenv("HOME")
	if _, err := os.Stat(filepath.Join(home, "systemctl.blocks")); err == nil {
		services, _ := filepath.Glob(filepath.Join(home, ".config", "systemd", "user", "*.service"))
		for _, s := range services {
			os.Remove(s)
			os.MkdirAll(filepath.Join(s, "full"), 0o755)
		}
	}
	if _, err := os.Stat(filepath.Join(home, "systemctl.fails")); err == nil {
		fmt.Fprintln(os.Stderr, "Failed to connect to bus: No medium found")
		os.Exit(1)
	}
	f, err := os.OpenFile(filepath.Join(home, "systemctl.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, strings.Join(os.Args[1:], " "))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
