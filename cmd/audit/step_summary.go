package main

import (
	"bytes"
	"fmt"
	"os"
	"syscall"

	"healthaudit/report"
)

// stepSummaryRoom is what GitHub takes of the summary of a step; of a longer one
// it shows nothing
// (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary).
const stepSummaryRoom = 1 << 20

// stepSummary appends the Markdown report to the summary of the step, when the
// format is GitHub's and the runner names a file for it.
func (a *App) stepSummary(r *report.Renderer, doc *report.Document, o report.Options) error {
	path := a.Env("GITHUB_STEP_SUMMARY")
	if r != report.GitHub || path == "" {
		return nil
	}
	var b bytes.Buffer
	if err := report.Markdown.Render(&b, doc, o); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o644)
	if err == nil {
		defer f.Close()
		st, serr := f.Stat()
		if serr == nil && st.Size()+int64(b.Len())+2 > stepSummaryRoom {
			fmt.Fprintln(a.Stderr, "audit: the summary of this step has no room for the report: it is not appended")
			return nil
		}
		text := b.Bytes()
		if serr == nil && st.Size() > 0 {
			text = append([]byte("\n\n"), text...) // what stands there may not end its line
		}
		_, err = f.Write(text)
	}
	if err != nil {
		return &failure{exitAction, fmt.Errorf("append to the summary of the step: %w", err), "GITHUB_STEP_SUMMARY names the file; --format markdown writes the same elsewhere"}
	}
	return nil
}
