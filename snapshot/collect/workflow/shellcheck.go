package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	model "healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// Bounds of the processes that lint shell, one after another. 1,211 scripts
// were measured to take 2.9 s in one process.
var shellTimeout = 30 * time.Second // for all of a run

const (
	shellBatch  = 100     // scripts of one process: what one has done is kept when the time is over
	shellMemory = 2 << 30 // of private memory; its runtime reserves more than it uses
	shellOutput = 32 << 20
	shellText   = 64 << 10 // a longer script is not given: it takes seconds
)

// What a workflow always looks like to shellcheck, and no fault of it: files
// that are not there, constants where expressions stood, and variables that
// come from env. Source: actionlint v1.7.12, rule_shellcheck.go, and SC2193 for the constants. Sourced files,
// unreachable code and unused variables are left out for the same reason.
const shellExcluded = "SC1090,SC1091,SC2194,SC2050,SC2153,SC2154,SC2157,SC2193,SC2043,SC2034,SC2317"

const shellCursor = "shellcheck"

// maxComments bounds what is kept of one script.
const maxComments = 100

// shells gathers the scripts of run steps and has shellcheck judge them, where
// there is one on PATH. It is safe for concurrent use.
type shells struct {
	program, tool string // empty where there is none
	exclude       string

	mu    sync.Mutex
	files []shellFile
}

type shellFile struct {
	sha   string
	texts []model.ShellText
}

func (r *reader) findShellcheck() {
	program, identity := collect.Program(r.s.Host, "shellcheck")
	if program == "" || r.s.Derived == nil {
		return
	}
	sc := &r.shells
	sc.program, sc.exclude = program, shellExcluded
	if b, err := r.s.Host.Read(".shellcheckrc", 64<<10); err == nil {
		sc.exclude += disabled(string(b))
	}
	sc.tool = snapshot.Sum([]byte(identity + "\x00" + sc.exclude))[:16]
}

// stamp names the tool for the next run: another one judges all files again,
// and so does one that comes back after there was none.
func (sc *shells) stamp() json.RawMessage { return json.RawMessage(`"` + sc.tool + `"`) }

var disables = lazyregexp.New(`(?m)^[ \t]*disable=((?:SC\d{4},?)+)[ \t]*(?:#.*)?$`)

// disabled returns the codes that a project's .shellcheckrc switches off, each
// behind a comma. Nothing else of it is obeyed: it may name any file to be read.
func disabled(rc string) string {
	var out strings.Builder
	for _, m := range disables().FindAllStringSubmatch(rc, -1) {
		for code := range strings.SplitSeq(m[1], ",") {
			if code != "" {
				out.WriteString("," + code)
			}
		}
	}
	return out.String()
}

// add takes the scripts of one file, unless this very tool judged them before. Of
// a file that does not parse none are known.
func (sc *shells) add(d *snapshot.Derived, sha string, doc *model.Document) {
	if sc.program == "" || doc.Broken() {
		return
	}
	if v, ok := model.ShellSaid(d, sha); ok && v.Tool == sc.tool {
		return
	}
	texts := doc.ShellTexts()
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.files = append(sc.files, shellFile{sha, texts})
}

// lintShells has the scripts of the files judged that were read. It says in one
// line what was not, and that shellcheck is gone once; done is false when the
// next run must try again.
func (r *reader) lintShells(ctx context.Context) (why string, done bool) {
	sc := &r.shells
	if sc.program == "" {
		var was string
		if r.s.Cursors != nil {
			_ = json.Unmarshal(r.s.Cursors(snapshot.Workflows, shellCursor), &was)
		}
		if was != "" {
			why = "shellcheck is no longer on PATH: what it found stays, and changed run steps are not linted"
		}
		return why, true
	}
	if len(sc.files) > 0 {
		why = sc.judge(ctx, r.s)
	}
	return why, why == ""
}

// judge has the scripts judged, and says in one line what was not.
func (sc *shells) judge(ctx context.Context, s *collect.Session) (why string) {
	slices.SortFunc(sc.files, func(a, b shellFile) int { return strings.Compare(a.sha, b.sha) })
	sc.files = slices.CompactFunc(sc.files, func(a, b shellFile) bool { return a.sha == b.sha })
	ctx, cancel := context.WithTimeout(ctx, shellTimeout)
	defer cancel()
	var scripts []string // each once
	known := map[string][]comment{}
	for _, f := range sc.files {
		for i := range f.texts {
			t := script(&f.texts[i])
			if _, ok := known[t]; !ok && len(t) <= shellText {
				known[t] = nil
				scripts = append(scripts, t)
			}
		}
	}
	done := map[string]bool{}
	for batch := range slices.Chunk(scripts, shellBatch) {
		said, err := sc.ask(ctx, s.Host, batch)
		if err != nil {
			break
		}
		for i, t := range batch {
			known[t], done[t] = said[i], true
		}
	}
	left := 0
	for _, f := range sc.files {
		whole := true
		v := model.ShellVerdict{Tool: sc.tool}
		for i := range f.texts {
			t := script(&f.texts[i])
			whole = whole && (done[t] || len(t) > shellText)
			for _, c := range known[t] {
				v.Said = append(v.Said, model.ShellMessage{Pos: f.texts[i].Place(c.Line-1, c.Column), Code: c.Code, Error: c.Level == "error",
					Where: f.texts[i].Where, Text: c.Message})
			}
		}
		if whole {
			model.KeepShell(s.Derived, f.sha, v)
		} else {
			left++
		}
	}
	if left > 0 {
		return fmt.Sprintf("the shell of %d workflow files is not linted: shellcheck took more than %s, or failed", left, shellTimeout)
	}
	return ""
}

// script is a text with the line that tells shellcheck its dialect.
func script(t *model.ShellText) string { return "#!/bin/" + t.Dialect + " -e\n" + t.Text }

// A comment is one of shellcheck's json1 format (shellcheck(1)).
type comment struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level"`
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// ask runs shellcheck over scripts and returns its comments on each.
func (sc *shells) ask(ctx context.Context, h host.Host, scripts []string) ([][]comment, error) {
	files := map[string][]byte{}
	args := []string{"--norc", "--format=json1", "--severity=warning", "--exclude=" + sc.exclude, "--"}
	number := map[string]int{}
	for i, t := range scripts {
		name := fmt.Sprintf("%d.sh", i)
		files[name], number[name] = []byte(t), i
		args = append(args, name)
	}
	res, err := h.Run(ctx, host.Command{Program: sc.program, Args: args, Files: files, Timeout: shellTimeout, MaxOut: shellOutput, MaxMemory: shellMemory,
		Env: []string{"PATH=" + collect.SafePath(h), "LC_ALL=C.UTF-8", "HOME=/nonexistent"}})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Comments []comment `json:"comments"`
	}
	if err := json.Unmarshal(res.Out, &answer); err != nil || res.Code > 2 {
		return nil, fmt.Errorf("shellcheck: exit %d, %w", res.Code, err)
	}
	out := make([][]comment, len(scripts))
	for _, c := range answer.Comments {
		i, ok := number[c.File]
		if !ok || c.Code < 2000 || len(out[i]) >= maxComments { // codes below are of the parser: ours tells those
			continue
		}
		out[i] = append(out[i], c)
	}
	return out, nil
}
