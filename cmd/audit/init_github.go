package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"healthaudit/report"
	"healthaudit/snapshot"
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
func (c *initCmd) workflow(_ *App, root *os.Root, _ *report.Document) (*initStep, error) {
	if c.GitHub == "" {
		return nil, nil
	}
	if !actionName().MatchString(c.GitHub) {
		return nil, &usageError{fmt.Sprintf("--github %q names no action", c.GitHub), "OWNER/REPOSITORY@COMMIT where action.yml of audit lies, or ./FOLDER in this repository"}
	}
	st := &initStep{path: workflowPath, what: "audit on GitHub: on pushes, pull requests, and every morning", there: "is there, and stays as it is"}
	if top := topAbove(root); top != "" {
		return nil, &usageError{fmt.Sprintf("--github: %s is not the top of the repository, which is %s; GitHub reads only the workflows there", root.Name(), top), "audit --root " + snapshot.ShellWord(top) + " init --github, or write a workflow there by hand, with root: of this folder"}
	}
	if _, err := root.Lstat(workflowPath); errors.Is(err, fs.ErrNotExist) {
		st.do = func() error { return create(root, workflowPath, workflowText(c.GitHub, defaultBranch(root))) }
	} else if err != nil {
		return nil, err
	}
	return st, nil
}

// topAbove is the top of the repository where that lies above the root; "" where the
// root is the top, or in no repository.
func topAbove(root *os.Root) string {
	if _, err := root.Lstat(".git"); err == nil {
		return ""
	}
	dir, err := filepath.EvalSymlinks(root.Name())
	for up := filepath.Dir(dir); err == nil && up != dir; dir, up = up, filepath.Dir(up) {
		if st, err := os.Stat(filepath.Join(up, ".git")); err == nil && (st.Mode().IsRegular() || isFile(filepath.Join(up, ".git", "HEAD"))) {
			return up
		}
	}
	return ""
}

// defaultBranch is the branch that origin calls its own; "" where no clone has said.
func defaultBranch(root *os.Root) string {
	b, err := readOwn(root, ".git/refs/remotes/origin/HEAD")
	branch, ok := strings.CutPrefix(strings.TrimSpace(string(b)), "ref: refs/remotes/origin/")
	if err != nil || !ok {
		return ""
	}
	return branch
}

// workflowText is the workflow, on pushes to that branch or to any. Its minute is off the full hour, when GitHub
// delays schedules most.
func workflowText(action, branch string) string {
	branches := ""
	if branch != "" {
		branches = fmt.Sprintf("\n    branches: [%q]", branch)
	}
	return strings.NewReplacer("CHECKOUT", checkoutAction, "ACTION", action, "BRANCHES", branches).Replace(`name: audit

on:
  push:BRANCHES
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
