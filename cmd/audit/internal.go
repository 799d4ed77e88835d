package main

import "healthaudit/snapshot/analyze/ecosystem"

// evaluateCmd is the child that evaluates one PM2 configuration written in
// JavaScript: it gets bytes on standard input, has no files, no network and no
// environment, and is killed by its parent when it takes too long.
type evaluateCmd struct{}

func (evaluateCmd) Run(a *App) error {
	if code := ecosystem.Child(a.Stdin, a.Stdout); code != 0 {
		return exitCode(code)
	}
	return nil
}
