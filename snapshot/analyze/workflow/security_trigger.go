package workflow

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Kinds of DangerousTrigger, by what the run does with what strangers sent.
const (
	RunsHead    = "runs"     // checks their code out and runs it, with rights or secrets
	RunsReduced = "reduced"  // the same, with a token that only reads and no secrets
	UsesOutput  = "artifact" // runs after taking what their run left
	OnlyTrigger = "trigger"  // nothing of it is seen

	GuardedOutput = "guarded artifact" // as UsesOutput, behind a condition or an environment
)

// commits are, by event, the paths that name a stranger's commit.
var commits = map[string]map[string]bool{
	"pull_request_target": set("github.event.pull_request.head.sha", "github.event.pull_request.head.ref", "github.head_ref", "github.event.pull_request.merge_commit_sha"),
	"workflow_run":        set("github.event.workflow_run.head_sha", "github.event.workflow_run.head_branch", "github.event.workflow_run.head_commit.id"),
}

// numbers are, by event, the paths that name a pull request.
var numbers = map[string]map[string]bool{
	"pull_request_target": set("github.event.number", "github.event.pull_request.number"),
	"issue_comment":       set("github.event.issue.number"),
	"workflow_run":        set("github.event.workflow_run.pull_requests.*.number"),
}

// triggers judges the events with which strangers' input meets the
// repository's rights: one hit for each, of the worst that is seen.
// Source: https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
func (s *scan) triggers() {
	if s.onlyLabels() {
		return
	}
	told := map[*yaml.Node]bool{}
	for _, t := range s.m.Triggers {
		if t.Event != "pull_request_target" && t.Event != "workflow_run" && t.Event != "issue_comment" {
			continue
		}
		kind, at, trusted := s.worst(t.Event)
		switch {
		case told[at]: // one checkout, one finding
		case kind != "":
			told[at] = true
			switch {
			case trusted && kind == UsesOutput:
				kind = GuardedOutput
			case trusted:
				kind = Guarded
			}
			s.hit(DangerousTrigger, kind, at, t.Event)
		case t.Event != "issue_comment" && !s.allTrust():
			s.hitAt(DangerousTrigger, OnlyTrigger, t.Pos, t.Event)
		}
	}
}

// allTrust reports whether a condition of every job asks who caused the run.
func (s *scan) allTrust() bool {
	for _, job := range pairs(s.jobs) {
		if !trusts(child(job, "if")) {
			return false
		}
	}
	return true
}

// onlyLabels reports whether the file does nothing but put labels on, which is
// what pull_request_target is for.
func (s *scan) onlyLabels() bool {
	n := 0
	for _, j := range s.m.Jobs {
		for _, st := range j.Steps {
			a, _ := ActionOf(st.Uses)
			if n++; !strings.EqualFold(a, "actions/labeler") {
				return false
			}
		}
	}
	return n > 0
}

// worst returns the worst that a job does with what strangers sent by an event, and where.
func (s *scan) worst(event string) (kind string, at *yaml.Node, trusted bool) {
	rank := map[string]int{"": 0, UsesOutput: 1, RunsReduced: 2, RunsHead: 3}
	for _, job := range pairs(s.jobs) {
		jobTrust := trusts(child(job, "if")) || child(job, "environment") != nil
		k, n, t := s.worstStep(job, event)
		if k == RunsHead && s.harmless(job) {
			k = RunsReduced
		}
		if t = t || jobTrust; k != "" && (rank[k] > rank[kind] || k == kind && trusted && !t) {
			kind, at, trusted = k, n, t
		}
	}
	return kind, at, trusted
}

func (s *scan) worstStep(job *yaml.Node, event string) (kind string, at *yaml.Node, trusted bool) {
	var got string
	var from *yaml.Node
	trust := false
	for st := range each(child(job, "steps")) {
		if got != "" && s.executes(st) {
			return got, from, trust
		}
		if n, k := takes(st, event); k != "" && (got == "" || k == RunsHead) {
			got, from, trust = k, n, trusts(child(st, "if"))
		}
		if got == "" && strings.Contains(raw(child(st, "run")), "gh pr checkout") {
			return RunsHead, child(st, "run"), trusts(child(st, "if"))
		}
	}
	return "", nil, false
}

// takes says what a step fetches of the stranger who caused an event.
func takes(st *yaml.Node, event string) (*yaml.Node, string) {
	action, _ := ActionOf(raw(child(st, "uses")))
	with := child(st, "with")
	switch strings.ToLower(action) {
	case "actions/checkout":
		if ref := child(with, "ref"); readsOne(ref, commits[event]) || strings.Contains(raw(ref), "refs/pull/") && readsOne(ref, numbers[event]) {
			return ref, RunsHead
		}
	case "actions/download-artifact":
		if id := child(with, "run-id"); event == "workflow_run" && readsOne(id, set("github.event.workflow_run.id")) {
			return id, UsesOutput
		}
	case "dawidd6/action-download-artifact":
		if event == "workflow_run" {
			return child(st, "uses"), UsesOutput
		}
	}
	return nil, ""
}

// readsOne reports whether an expression of a text reads one of these paths.
func readsOne(n *yaml.Node, paths map[string]bool) bool {
	if n == nil {
		return false
	}
	for _, f := range fences(raw(n)) {
		if mentions(f.node, paths) {
			return true
		}
	}
	return false
}

// executes reports whether a step may run what stands in the workspace: not
// what only says something.
func (s *scan) executes(st *yaml.Node) bool {
	if u := raw(child(st, "uses")); u != "" {
		_, local := Local(u)
		action, _ := ActionOf(u)
		return local || builders[strings.ToLower(action)]
	}
	run := raw(child(st, "run"))
	if run == "" {
		return false
	}
	sc := readScript(run)
	if sc.Text.Err != nil || len(sc.Names) == 0 {
		return true
	}
	for _, name := range sc.Names {
		if runsProject(name) {
			return true
		}
	}
	return false
}

// builders are actions that run what stands in the workspace.
var builders = set("docker/build-push-action", "cypress-io/github-action", "goreleaser/goreleaser-action", "gradle/gradle-build-action", "bahmutov/npm-install",
	"pre-commit/action", "actions-rs/cargo", "borales/actions-yarn", "golangci/golangci-lint-action", "jfrog/frogbot", "amondnet/vercel-action")

// idle are programs that read or say something without running what they find.
var idle = set("echo", "printf", "cat", "ls", "git", "gh", "jq", "grep", "sed", "awk", "cut", "head", "tail", "wc", "sort", "tr", "diff", "cp", "mv", "mkdir", "rm",
	"true", "exit", "date", "pwd", "sleep", "curl", "unzip", "tar", "test", "tee", "find", "basename", "dirname", "false", ":")

func runsProject(program string) bool { return !idle[program] }

// harmless reports whether a job has a token that only reads, and no secret.
func (s *scan) harmless(job *yaml.Node) bool {
	p := child(job, "permissions")
	if p == nil {
		p = child(s.root, "permissions")
	}
	if p == nil || raw(p) == WriteAll {
		return false
	}
	for _, lvl := range pairs(p) {
		if raw(lvl) == "write" {
			return false
		}
	}
	secrets, _ := names(job)
	for _, name := range secrets {
		if name != "GITHUB_TOKEN" {
			return false
		}
	}
	return true
}
