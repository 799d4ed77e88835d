package cross

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/litter"
)

// CommittedEnv reports files of environment variables that git tracks.
var CommittedEnv = &audit.Check{
	ID:         "cross-committed-env",
	Title:      "environment files in git",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "A `.env` file holds what must not be public: keys, passwords, addresses. Once git tracks it, everybody who ever clones the repository has every version of " +
		"it, also after it is deleted. Files that are local by their name (`.env.local`, `.env.production.local`) and PM2's dump, which holds the environment of every app, " +
		"are medium: nothing commits those on purpose. Examples (`.env.example`, `.env.sample`, `.env.template` …) and the test settings of tools (`.env.test`) are left out. " +
		"Only names are looked at: the files are not read.",
	Hint: "Look what stands in it. If anything is secret, replace it where it is used first; then `git rm --cached FILE`, add it to .gitignore, and keep a " +
		"`.env.example` with the names alone. git's history still has the old values.",
	Discriminator: "none: one finding for the repository",
	Source:        "https://12factor.net/config; https://vite.dev/guide/env-and-mode (*.local is for git to ignore); measured: `.env` and `.env.automation` in a public project of 4,000 scripts",
	Still:         true,
	Judge:         judgeCommittedEnv,
}

// shown are words in the name of an environment file that is meant to be seen.
var shown = map[string]bool{"example": true, "examples": true, "sample": true, "samples": true, "template": true, "tmpl": true, "tpl": true, "dist": true,
	"default": true, "defaults": true, "test": true, "testing": true, "ci": true, "schema": true, "vault": true}

// envFile reports whether a file is one of environment variables, and whether its
// name says that it is never to be shared.
func envFile(p string) (is, local bool) {
	name := strings.ToLower(path.Base(p))
	if strings.HasPrefix(name, "dump.pm2") {
		return path.Base(path.Dir(p)) == ".pm2", true
	}
	if !strings.HasPrefix(name, ".env") && !strings.HasSuffix(name, ".env") || strings.HasPrefix(name, ".envrc") {
		return false, false
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '-' || r == '_' })
	for _, w := range words {
		if shown[w] || w == "ts" || w == "js" || w == "md" || w == "d" { // code and text about it
			return false, false
		}
	}
	return true, slices.Contains(words, "local")
}

func judgeCommittedEnv(p *audit.Pass) {
	var paths []string
	severity := audit.Low
	for _, e := range tracked(p) {
		is, local := envFile(e.Path)
		if !is || example(e.Path) {
			continue
		}
		if paths = append(paths, e.Path); local {
			severity = audit.Medium
		}
	}
	if len(paths) == 0 {
		return
	}
	r := audit.Report{Item: snapshot.Pseudo(snapshot.Scripts), At: audit.Location{Path: paths[0]}, Severity: severity, Wide: len(paths) > 1,
		Message:  fmt.Sprintf("git tracks %s, which holds environment variables.", paths[0]),
		Evidence: []audit.Evidence{{Name: "files", Value: few(paths)}}}
	if n := len(paths); n > 1 {
		r.Message = fmt.Sprintf("git tracks %d files of environment variables, %s among them.", n, paths[0])
	}
	p.Report(r)
}

// tracked returns the files that git tracks, but for other people's code; none
// where the scripts' folder was not listed, or where there is no git.
func tracked(p *audit.Pass) (out []snapshot.TreePath) {
	if !p.Now.Tree.Git || !p.Now.System(snapshot.Scripts).Status.Listed() {
		return nil
	}
	for _, e := range p.Now.Tree.All() {
		if e.State == snapshot.Tracked && (e.Kind == snapshot.PathFile || e.Kind == snapshot.PathExec) && !litter.Vendored(e.Path) {
			out = append(out, e)
		}
	}
	return out
}

// example reports whether a path lies in a folder that is shown, not run.
func example(p string) bool {
	for part := range strings.SplitSeq(strings.ToLower(path.Dir(p)), "/") {
		switch part {
		case "example", "examples", "sample", "samples", "template", "templates", "docs", "test", "tests", "e2e", "demo", "demos", "playground", "playgrounds", "starters":
			return true
		}
		if strings.HasPrefix(part, "create-") || strings.HasPrefix(part, "template-") { // generators of projects
			return true
		}
	}
	return false
}

// few names the first paths of a list.
func few(paths []string) string {
	s := strings.Join(paths[:min(len(paths), 5)], ", ")
	if n := len(paths) - 5; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}
