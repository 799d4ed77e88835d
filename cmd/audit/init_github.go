package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"healthaudit/report"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// actionName is what uses: may name: OWNER/REPOSITORY, a folder of it if need be,
// and a commit, tag or branch; or a folder of this repository.
var actionName = lazyregexp.New(`^(?:[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._/-]+)?@[A-Za-z0-9._/-]+|\./[A-Za-z0-9._/-]*)$`)

// The actions that the workflow uses, by commit: a tag can be moved.
const (
	checkoutAction = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
	workflowPath   = ".github/workflows/audit.yml"
)

// workflow writes one that runs audit on GitHub.
func (c *initCmd) workflow(_ *App, root *os.Root, doc *report.Document) (*initStep, error) {
	if c.GitHub == "" {
		return nil, nil
	}
	if !actionName().MatchString(c.GitHub) {
		return nil, &usageError{fmt.Sprintf("--github %q names no action", c.GitHub), "OWNER/REPOSITORY@COMMIT where action.yml of audit lies, or ./FOLDER in this repository"}
	}
	st := &initStep{path: workflowPath, what: "audit on GitHub: on pushes, pull requests, and every morning", there: "is there, and stays as it is"}
	branch := "main"
	if doc.Run.Git != nil {
		branch = cmp.Or(doc.Run.Git.Branch, branch)
	}
	if _, err := root.Lstat(workflowPath); errors.Is(err, fs.ErrNotExist) {
		st.do = func() error { return create(root, workflowPath, workflowText(c.GitHub, branch)) }
	} else if err != nil {
		return nil, err
	}
	return st, nil
}

// workflowText is the workflow. Its minute is off the full hour, when GitHub
// delays schedules most.
func workflowText(action, branch string) string {
	return strings.NewReplacer("CHECKOUT", checkoutAction, "ACTION", action, "BRANCH", fmt.Sprintf("%q", branch)).Replace(`name: audit

on:
  push:
    branches: [BRANCH]
  pull_request:
  schedule:
    - cron: "23 5 * * *"

permissions:
  contents: read

concurrency:
  group: audit-${{ github.ref }}
  cancel-in-progress: false

jobs:
  audit:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    permissions:
      contents: read
      security-events: write # for the list of code scanning
    steps:
      - uses: CHECKOUT
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: ACTION
`)
}
