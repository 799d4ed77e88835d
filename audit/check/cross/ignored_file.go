package cross

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/litter"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/shell"
)

// IgnoredFile reports files that automation cannot do without and git ignores.
var IgnoredFile = &audit.Check{
	ID:    "cross-ignored-file",
	Needs: []snapshot.System{snapshot.PM2, snapshot.Scripts},
	Title: "needed, and ignored by git",
	Doc: "A script runs `npm ci` (or `pnpm install --frozen-lockfile`), which fails without a lockfile, and .gitignore names the lockfile: it is there for whoever wrote the script, and on no other machine. " +
		"Or something starts an ecosystem file of PM2 that git ignores: a new server does not get it, and the backup of the repository has none. Both work where they were made, and fail on the day " +
		"when everything is set up anew. Workflows that lack a lockfile are told by `workflow-no-lockfile`.",
	Severity:      audit.Medium,
	Hint:          "Take the file out of .gitignore and commit it; secrets that stand in it go into the environment. Or use `npm install`, which needs no lockfile.",
	Discriminator: "the file; of a lockfile its name, one finding for each script",
	Source:        "https://docs.npmjs.com/cli/commands/npm-ci; measured: in one repository .gitignore lists the lockfile and nearly everything runs npm ci",
	Still:         true,
	Judge:         judgeIgnoredFile,
}

func judgeIgnoredFile(p *audit.Pass) {
	if !p.Now.Tree.Git {
		return
	}
	started := map[string]bool{}
	for _, it := range p.Items() {
		for _, r := range it.Refs.All() {
			e, ok := p.Now.Tree.At(r.Path)
			base := strings.ToLower(path.Base(r.Path))
			if r.Kind != snapshot.RefFile || r.Loads() || !ok || e.State != snapshot.Ignored || e.Kind != snapshot.PathFile && e.Kind != snapshot.PathExec || !strings.HasPrefix(base, "ecosystem") || started[r.Path] {
				continue
			}
			started[r.Path] = true
			at := audit.Location{Path: it.Path, Line: r.Line, Column: r.Column}
			if r.File != "" {
				at.Path = r.File
			}
			p.Report(audit.Report{Item: it.Key, Discriminator: r.Path, At: at,
				Message: fmt.Sprintf("%s starts %s, which git ignores: no clone has it", what(it), r.Path)})
		}
	}
	lockfiles(p)
}

// locks are the lockfiles of the package managers that can fail without one.
var locks = map[string]string{"package-lock.json": "npm", "npm-shrinkwrap.json": "npm", "pnpm-lock.yaml": "pnpm"}

// lockfiles reports scripts that install from a lockfile which git ignores.
func lockfiles(p *audit.Pass) {
	ignored, there := map[string]string{}, map[string]bool{} // a lockfile of each manager that git ignores, and whether it has another
	for _, e := range p.Now.Tree.All() {
		manager := locks[path.Base(e.Path)]
		switch {
		case manager == "" || litter.Vendored(e.Path):
		case e.State != snapshot.Ignored:
			there[manager] = true
		case ignored[manager] == "":
			ignored[manager] = e.Path
		}
	}
	for manager := range there {
		delete(ignored, manager)
	}
	if len(ignored) == 0 {
		return
	}
	for _, it := range p.Items() {
		f, ok := it.OwnFile()
		if language, _ := it.Fact("language"); language.Str() != "shell" || !ok || f.SHA256 == "" {
			continue
		}
		for _, n := range installs(p, f) {
			if lock := ignored[n.Name]; lock != "" {
				p.Report(audit.Report{Item: it.Key, Discriminator: path.Base(lock), At: audit.Location{Path: it.Path, Line: n.Line, Column: n.Column},
					Message: fmt.Sprintf("%s installs from a lockfile, and git ignores %s: no clone has it", what(it), lock)})
				break
			}
		}
	}
}

// installs returns the installs of a shell script that fail without a lockfile.
func installs(p *audit.Pass, f snapshot.File) []snapshot.Ref {
	return snapshot.Derive(p.Derived, "cross.installs", 1, []string{f.SHA256, f.Path}, func() (out []snapshot.Ref) {
		b := p.Bytes(f)
		dialect, ok := shell.DialectOf(f.Path, b)
		if !ok || !bytes.Contains(b, []byte("npm")) || bytes.Contains(b, []byte("git clone")) || shell.TooMuch(b) {
			return nil
		}
		for _, r := range refs.Installs(shell.Read(b, dialect), refs.Origin{Dir: ".", Line: 1, Column: 1}) {
			if r.Name == "install" {
				return nil // it may write one
			}
			if !r.Guarded {
				out = append(out, r)
			}
		}
		return out
	})
}
