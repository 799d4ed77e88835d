package cross

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/litter"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/analyze/trait"
)

// MissingName reports environment variables that automation needs and nobody names.
var MissingName = &audit.Check{
	ID:         "cross-missing-name",
	Needs:      []snapshot.System{snapshot.PM2, snapshot.Workflows, snapshot.Functions, snapshot.Scripts},
	Title:      "variable that nobody names",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "Automation reads an environment variable for which it has no default, and neither the project's example (`.env.example`), nor netlify.toml, PM2, a workflow, a crontab, a unit or a script gives it. " +
		"Whoever sets the project up from its own example gets undefined, or a KeyError in Python, in the middle of a run. It is medium, and told by itself, where another name that nothing reads differs by a letter only: " +
		"then it is a slip of the pen. Only projects that keep an example with three names or more are looked at, and only what something starts. Names are compared, never values; variables that the platforms set are left out. " +
		"Secrets of a repository are in no file: of these only a name that one workflow asks for is told, which differs by a letter from one that several do.",
	Hint:          "Add the name to the example with a word on what it is, or correct it where it is read.",
	Discriminator: "empty for all that are nowhere named; else the name",
	Source:        "https://12factor.net/config; https://docs.netlify.com/configure-builds/environment-variables/; https://docs.github.com/actions/reference/workflows-and-actions/variables",
	Still:         true,
	Judge:         judgeMissingName,
}

// A lack is one variable that an item cannot do without.
type lack struct {
	item *snapshot.Item
	name string
	at   audit.Location
}

func judgeMissingName(p *audit.Pass) {
	secrets(p)
	named, files := exampleNames(p)
	if len(named) < 3 {
		return
	}
	all := needs(p)
	read := map[string]bool{}
	for _, n := range all {
		read[n.name] = true
	}
	var open []lack
	for _, n := range all {
		if !named[n.name] && !platformSets(n.name) && slices.ContainsFunc(files, func(f string) bool { return covers(f, n.at.Path) }) {
			open = append(open, n)
		}
	}
	if len(open) == 0 {
		return
	}
	given := givenNames(p)
	open = slices.DeleteFunc(open, func(n lack) bool { return given[n.name] })
	maps.Copy(given, named)
	spare := slices.Sorted(maps.Keys(given))
	spare = slices.DeleteFunc(spare, func(name string) bool { return read[name] })
	byItem := map[snapshot.System][]lack{}
	for _, n := range open {
		if i := slices.IndexFunc(spare, func(s string) bool { return alike(n.name, s) }); i >= 0 {
			p.Report(audit.Report{Item: n.item.Key, Discriminator: n.name, At: n.at, Severity: audit.Medium,
				Message: fmt.Sprintf("%s reads %s, which nothing names; %s is named, and nothing reads it", what(n.item), n.name, spare[i]),
				Hint:    fmt.Sprintf("Read %s if that is meant, else add %s to the example with a word on what it is.", spare[i], n.name)})
			continue
		}
		byItem[n.item.System()] = append(byItem[n.item.System()], n)
	}
	for _, sys := range slices.Sorted(maps.Keys(byItem)) {
		p.Report(unnamed(sys, byItem[sys], files))
	}
}

// unnamed makes one finding of all variables that nobody names.
func unnamed(sys snapshot.System, list []lack, examples []string) audit.Report {
	slices.SortStableFunc(list, func(a, b lack) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.at.Path, b.at.Path)) })
	var names []string
	r := audit.Report{Item: snapshot.Pseudo(sys), At: list[0].at, Wide: true}
	for _, n := range list {
		if !slices.Contains(names, n.name) {
			names = append(names, n.name)
			r.Evidence = append(r.Evidence, audit.Evidence{Name: n.name, Value: fmt.Sprintf("%s:%d", n.at.Path, n.at.Line)})
		}
	}
	r.Evidence = r.Evidence[:min(len(r.Evidence), 20)]
	r.Message = fmt.Sprintf("%d variables are read, and neither %s nor any configuration names them: %s", len(names), few(examples), few(names))
	if len(names) == 1 {
		r.Message = fmt.Sprintf("%s is read, and neither %s nor any configuration names it", names[0], few(examples))
	}
	return r
}

// needs returns the variables that items which something starts cannot do without.
func needs(p *audit.Pass) (out []lack) {
	index := marksOf(p)
	for _, it := range index.Items {
		if it.System() != snapshot.Scripts || startedBy(p)[it.Key].By() == "" {
			continue
		}
		for _, m := range index.Of(it, trait.Needs) {
			out = append(out, lack{it, m.Name, at(it, m)})
		}
	}
	for _, it := range p.Now.Of(snapshot.Functions) {
		if it.Carried || it.Kind == "file" || it.Path == "" {
			continue
		}
		for _, f := range it.Files {
			if f.SHA256 == "" || f.Link != "" || !netlify.IsCode(f.Path) || litter.Vendored(f.Path) {
				continue
			}
			src := netlify.CachedFunction(p.Derived, f, p.Bytes).Source
			if f.Path != it.Path {
				src = netlify.CachedSource(p.Derived, f, p.Bytes)
			}
			for _, n := range src.Needs {
				out = append(out, lack{it, n.Name, audit.Location{Path: f.Path, Line: n.Line, Column: n.Column}})
			}
		}
	}
	return out
}

var (
	assignment = lazyregexp.New(`(?m)^[ \t#;]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=`)
	anywhere   = lazyregexp.New(`\b([A-Z][A-Z0-9_]{2,})=`)
)

// exampleNames returns the names that the example files of the project have, also
// those that are commented out, and the paths of the files.
func exampleNames(p *audit.Pass) (names map[string]bool, files []string) {
	names = map[string]bool{}
	for _, f := range p.Now.Context {
		if !strings.HasPrefix(path.Base(f.Path), ".env") || f.SHA256 == "" || f.Size > 256<<10 || litter.Vendored(f.Path) {
			continue
		}
		files = append(files, f.Path)
		for _, m := range assignment().FindAllSubmatch(p.Bytes(f), -1) {
			names[string(m[1])] = true
		}
	}
	return names, files
}

// covers reports whether an example file is that of the part of the project that
// a file lies in: it stands in a folder above it.
func covers(example, file string) bool {
	dir := path.Dir(example)
	return dir == "." || strings.HasPrefix(file, dir+"/")
}

// givenNames returns the names of variables that something gives a value:
// netlify.toml, PM2, workflows, crontabs, units, shell text.
func givenNames(p *audit.Pass) map[string]bool {
	out := map[string]bool{}
	for _, it := range p.Now.Items {
		for _, f := range it.Facts.All() {
			if f.Name == "env" {
				for _, name := range f.Value.Strings() {
					out[name] = true
				}
			}
			if before, name, ok := cutLast(f.Name, "."); ok && (before == "env" || strings.HasSuffix(before, ".env") || strings.Contains(before, "env_")) {
				out[name] = true
			}
		}
		if language, _ := it.Fact("language"); language.Str() == "shell" || it.Kind == "file" && path.Base(it.Path) == "package.json" {
			if f, ok := it.OwnFile(); ok && f.SHA256 != "" {
				for _, name := range assigned(p, f) {
					out[name] = true
				}
			}
		}
	}
	return out
}

// assigned returns the names that a text gives values to.
func assigned(p *audit.Pass, f snapshot.File) []string {
	return snapshot.Derive(p.Derived, "cross.assigned", 1, []string{f.SHA256}, func() []string {
		var out []string
		b := p.Bytes(f)
		for _, m := range anywhere().FindAllSubmatch(b[:min(len(b), 256<<10)], -1) {
			out = append(out, string(m[1]))
		}
		slices.Sort(out)
		return slices.Compact(out)
	})
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

var (
	platformNames = map[string]bool{"PATH": true, "HOME": true, "USER": true, "USERNAME": true, "LOGNAME": true, "SHELL": true, "PWD": true, "OLDPWD": true, "TERM": true, "LANG": true, "TZ": true, "CI": true,
		"HOSTNAME": true, "HOST": true, "PORT": true, "DEBUG": true, "TMPDIR": true, "TEMP": true, "TMP": true, "EDITOR": true, "NO_COLOR": true, "FORCE_COLOR": true, "URL": true, "SITE_ID": true, "SITE_NAME": true,
		"CONTEXT": true, "BRANCH": true, "HEAD": true, "COMMIT_REF": true, "CACHED_COMMIT_REF": true, "BUILD_ID": true, "REVIEW_ID": true, "PULL_REQUEST": true, "REPOSITORY_URL": true, "INSTANCE_ID": true,
		"APPDATA": true, "LOCALAPPDATA": true, "USERPROFILE": true, "COMSPEC": true, "SYSTEMROOT": true, "SystemRoot": true, "WINDIR": true, "INIT_CWD": true, "COLUMNS": true, "LINES": true, "PROGRAMFILES": true,
		"VIRTUAL_ENV": true, "name": true, "exec_mode": true, "status": true, "PROD": true, "DEV": true, "MODE": true}
	platformPrefixes = []string{"GITHUB_", "RUNNER_", "ACTIONS_", "NETLIFY", "npm_", "NPM_CONFIG", "NODE_", "AWS_", "LAMBDA_", "VERCEL", "DEPLOY_", "PM2_", "pm_", "PM_", "XDG_", "SSH_", "LC_", "CI_", "JEST_", "VITEST", "INCOMING_HOOK_",
		"PYTHON", "DOCKER_", "KUBERNETES_", "RAILWAY_", "RENDER", "FLY_", "HEROKU_", "DYNO", "CF_PAGES", "TRAVIS", "CIRCLE", "TERM_", "__"}
)

// platformSets reports whether a platform, Node or the shell sets a variable.
func platformSets(name string) bool {
	return platformNames[name] || slices.ContainsFunc(platformPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// alike reports whether two names may be one: they differ in letter case or
// underscores only, or by one letter that is left out, added, changed or has
// changed its place. Digits tell names apart, and short ones are too like.
func alike(a, b string) bool {
	if a == b {
		return false
	}
	flat := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "_", "")) }
	x, y := flat(a), flat(b)
	switch {
	case x == y:
		return true
	case min(len(x), len(y)) < 8 || len(x)-len(y) > 1 || len(y)-len(x) > 1 || digits(x) != digits(y):
		return false
	}
	i := 0
	for i < min(len(x), len(y)) && x[i] == y[i] {
		i++
	}
	x, y = x[i:], y[i:]
	switch {
	case len(x) > len(y):
		return x[1:] == y && !plural(x, y)
	case len(y) > len(x):
		return y[1:] == x && !plural(y, x)
	case len(x) > 1 && x[0] == y[1] && x[1] == y[0] && x[2:] == y[2:]:
		return true
	}
	return x[1:] == y[1:]
}

// plural reports whether the rest of a longer name is but an S more: KEYS is not
// a slip for KEY.
func plural(long, short string) bool { return short == "" && long == "S" }

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// secrets reports secrets that one workflow asks for by a name that is like one
// that several ask for.
func secrets(p *audit.Pass) {
	users := map[string][]*snapshot.Item{}
	for _, it := range p.Now.Of(snapshot.Workflows) {
		if v, _ := it.Fact("secrets"); !it.Carried {
			for _, name := range v.Strings() {
				users[name] = append(users[name], it)
			}
		}
	}
	names := slices.Sorted(maps.Keys(users))
	for _, name := range names {
		if len(users[name]) > 1 || strings.HasPrefix(name, "GITHUB_") {
			continue
		}
		i := slices.IndexFunc(names, func(other string) bool { return len(users[other]) > 1 && alike(name, other) })
		if i < 0 {
			continue
		}
		it := users[name][0]
		at := audit.Location{Path: it.Path}
		f, _ := it.OwnFile()
		if b := p.Bytes(f); b != nil {
			if n := bytes.Index(bytes.ToUpper(b), []byte("SECRETS."+name)); n >= 0 {
				at.Line, at.Column = position(b, n)
			}
		}
		p.Report(audit.Report{Item: it.Key, Discriminator: name, At: at, Confidence: audit.Guess,
			Message: fmt.Sprintf("%s alone asks for the secret %s; %d other workflows ask for %s", what(it), name, len(users[names[i]]), names[i]),
			Hint:    "Look in the settings of the repository which of the two there is; a secret that is not there is an empty text, and no error."})
	}
}
