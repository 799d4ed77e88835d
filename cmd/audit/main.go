// Command audit audits a project's automation: PM2 processes, GitHub Actions
// workflows, Netlify Functions and scripts.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // time zones of workflows, also on machines that have none

	"golang.org/x/term"
)

// version is set by the linker; "dev" is a build without it.
var version = "dev"

// build tells this program from others, of its version too: developers make many.
// It is empty where nobody can tell.
func build() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	fi, err := os.Stat(path)
	if err != nil {
		return ""
	}
	revision := ""
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return fmt.Sprintf("%s %d %d", revision, fi.Size(), fi.ModTime().UnixNano())
}

func main() {
	limitHeap()
	ctx, stop := interruptible()
	defer stop()
	p := &Process{
		Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, Stdin: os.Stdin,
		Env: os.Getenv, Now: time.Now,
	}
	p.Terminal, p.Width = terminal(os.Stdout)
	p.ErrTerminal, p.ErrWidth = terminal(os.Stderr)
	asks, _ := terminal(os.Stdin)
	p.Asks = asks && p.ErrTerminal
	code := Main(ctx, p)
	stop()
	os.Exit(code)
}

// terminal reports whether a file is a terminal, and of how many columns; 0 where
// it does not say.
func terminal(f *os.File) (bool, int) {
	fd := int(f.Fd())
	if !term.IsTerminal(fd) {
		return false, 0
	}
	width, _, _ := term.GetSize(fd)
	return true, width
}

// grace is how long a command may take to end after a signal. What then still
// runs waits for a reader, or is a parser that cannot be asked to stop: ending it
// loses no more than the run in progress.
const grace = 3 * time.Second

// interruptible returns a context that ends with the cause of the first signal.
// A second one, or the end of the grace, ends the program.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-ch
		cancel(&signalError{s})
		select {
		case <-ch:
		case <-time.After(grace):
		}
		code, _ := codeOf(&signalError{s})
		os.Exit(code)
	}()
	return ctx, func() { signal.Stop(ch); cancel(nil) }
}

// A signalError is the cause of a context that a signal ended.
type signalError struct{ os.Signal }

func (e *signalError) Error() string { return "interrupted by " + e.Signal.String() }
