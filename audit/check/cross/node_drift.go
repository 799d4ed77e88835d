package cross

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/workflow"
)

// NodeDrift reports places that ask for another Node than the project says it needs.
var NodeDrift = &audit.Check{
	ID:       "cross-node-drift",
	Needs:    []snapshot.System{snapshot.PM2, snapshot.Workflows, snapshot.Functions, snapshot.Scripts},
	Title:    "Node versions disagree",
	Severity: audit.Low,
	Doc: "package.json says in engines.node which versions of Node the project needs, or .nvmrc which one it is written for; workflows, Netlify and PM2 each choose their own. " +
		"Where they disagree, tests pass under a Node that production does not have, and code works on one machine only. npm merely prints a warning. " +
		"It is medium when what serves the project (PM2, the build at Netlify) is the one that disagrees. Versions that are computed (a matrix, `lts/*`) are left out.",
	Hint:          "Decide for one version, write it into engines.node and .nvmrc, and let the others follow: `node-version-file: .nvmrc` in workflows, NODE_VERSION in netlify.toml, `pm2 update` under the new Node.",
	Discriminator: "none: one finding for the repository",
	Source:        "https://docs.npmjs.com/cli/configuring-npm/package-json#engines; measured: agents under Node 18 where engines asks for 20.18.1",
	Judge:         judgeNodeDrift,
}

// A pin is one place that chooses a Node.
type pin struct {
	at      audit.Location
	in      *snapshot.Item // the workflow, whose lines are looked for only when it is told
	name    string         // of the place, for a person
	version string         // "18", "20.11", "v22.1.0"
	shown   string         // the version as it may be shown; "" where it is a variable's value
	serves  bool           // it runs what the project serves
}

var exactVersion = lazyregexp.New(`^v?(\d{1,3})(?:\.(\d{1,4}|x))?(?:\.(\d{1,4}|x))?$`)

func judgeNodeDrift(p *audit.Pass) {
	asked, who, at := needed(p)
	if asked == nil {
		return
	}
	var wrong []pin
	for _, q := range pins(p) {
		if q.at.Path != at.Path && !satisfies(asked, q.version) {
			wrong = append(wrong, q)
		}
	}
	if len(wrong) == 0 {
		return
	}
	slices.SortStableFunc(wrong, func(a, b pin) int { return cmp.Compare(rank(a), rank(b)) })
	r := audit.Report{Item: snapshot.Pseudo(snapshot.Scripts), At: wrong[0].place(p), Wide: len(wrong) > 1}
	if wrong[0].serves {
		r.Severity = audit.Medium
	}
	var names []string
	for _, q := range wrong {
		says := q.name
		if q.shown != "" {
			says += " has Node " + q.shown
		} else {
			says += " asks for another one"
		}
		names = append(names, says)
		r.Evidence = append(r.Evidence, audit.Evidence{Name: q.name, Value: cmp.Or(q.shown, "not shown: it is a variable")})
	}
	more := ""
	if n := len(names) - 4; n > 0 {
		names, more = names[:4], fmt.Sprintf(" and %d more", n)
	}
	r.Evidence = r.Evidence[:min(len(r.Evidence), 20)]
	r.Message = fmt.Sprintf("%s, but %s%s", who, strings.Join(names, ", "), more)
	p.Report(r)
}

func rank(q pin) int {
	if q.serves {
		return 0
	}
	return 1
}

// needed returns what the project says it needs: engines.node of the package.json
// in the root, else the first version file there.
func needed(p *audit.Pass) (c *semver.Constraints, who string, at audit.Location) {
	if it := p.Now.Item("scripts/file:package.json"); it != nil {
		v, _ := it.Fact("engines.node")
		if c, err := semver.NewConstraint(v.Str()); err == nil && v.Str() != "" {
			return c, fmt.Sprintf("package.json needs Node %s", v.Str()), audit.Location{Path: "package.json"}
		}
	}
	for _, q := range versionFiles(p) {
		if m := exactVersion().FindStringSubmatch(q.version); m != nil {
			c, err := semver.NewConstraint(m[1] + ".x")
			if err == nil {
				return c, fmt.Sprintf("%s says Node %s", q.name, q.version), q.at
			}
		}
	}
	return nil, "", at
}

// satisfies reports whether some version that a pin stands for is in the range.
// What is no plain version satisfies everything.
func satisfies(c *semver.Constraints, version string) bool {
	m := exactVersion().FindStringSubmatch(version)
	if m == nil {
		return true
	}
	for _, open := range []string{"0", "9999"} { // "18" is the first and the last of 18
		full := m[1]
		for _, part := range m[2:] {
			if part == "" || part == "x" {
				part = open
			}
			full += "." + part
		}
		if v, err := semver.NewVersion(full); err == nil && c.Check(v) {
			return true
		}
	}
	return false
}

// pins returns every place that chooses a Node, in a stable order.
func pins(p *audit.Pass) []pin {
	out := append(versionFiles(p), netlifyPins(p)...)
	first := map[string]bool{}
	for _, it := range p.Items() {
		switch {
		case it.System() == snapshot.PM2:
			v, ok := it.Fact("node_version")
			if !ok || first[v.Str()] || it.Kind == "instance" {
				continue
			}
			first[v.Str()] = true // the daemon runs them all under one
			out = append(out, pin{at: audit.Location{Path: it.Path, Line: it.Line}, name: "PM2 (" + it.Name + ")", version: v.Str(), shown: v.Str(), serves: true})
		case it.System() == snapshot.Workflows && it.Path != "":
			out = append(out, workflowPins(p, it)...)
		}
	}
	return out
}

func versionFiles(p *audit.Pass) (out []pin) {
	for _, f := range p.Now.Context {
		if f.Path != ".nvmrc" && f.Path != ".node-version" || f.Size > 200 {
			continue
		}
		if v := strings.TrimSpace(string(p.Bytes(f))); exactVersion().MatchString(v) {
			out = append(out, pin{at: audit.Location{Path: f.Path}, name: f.Path, version: v, shown: v})
		}
	}
	return out
}

// workflowPins returns the versions that the steps of a workflow set up, each once.
func workflowPins(p *audit.Pass, it *snapshot.Item) (out []pin) {
	seen := map[string]bool{}
	for _, f := range it.Facts.All() {
		v := f.Value.Str()
		step, ok := strings.CutSuffix(f.Name, ".with.node-version")
		if !ok || f.Class == snapshot.Secret || seen[v] || !exactVersion().MatchString(v) {
			continue
		}
		uses, _ := it.Fact(step + ".uses")
		if action, _ := workflow.ActionOf(uses.Str()); action != "actions/setup-node" {
			continue
		}
		seen[v] = true
		out = append(out, pin{in: it, name: path.Base(it.Path), version: v, shown: v})
	}
	return out
}

// place returns where a pin stands.
func (q pin) place(p *audit.Pass) audit.Location {
	if q.in == nil {
		return q.at
	}
	at := audit.Location{Path: q.in.Path}
	f, _ := q.in.OwnFile()
	if i := regexp.MustCompile(`node-version:\s*['"]?` + regexp.QuoteMeta(q.version) + `\b`).FindIndex(p.Bytes(f)); i != nil {
		at.Line, at.Column = position(p.Bytes(f), i[0])
	}
	return at
}

var nodeVersion = lazyregexp.New(`(?m)^[ \t]*NODE_VERSION[ \t]*=[ \t]*["']([^"']*)["']`)

// netlifyPins returns the Node that netlify.toml asks for. It is the value of a
// variable, and never shown.
func netlifyPins(p *audit.Pass) []pin {
	it := p.Now.Item("functions/file:netlify.toml")
	if it == nil {
		return nil
	}
	f, _ := it.OwnFile()
	b := p.Bytes(f)
	m := nodeVersion().FindSubmatchIndex(b)
	if m == nil {
		return nil
	}
	at := audit.Location{Path: it.Path}
	at.Line, at.Column = position(b, m[2])
	return []pin{{at: at, name: "netlify.toml", version: string(b[m[2]:m[3]]), serves: true}}
}

// position returns line and column of an offset, both 1-based.
func position(b []byte, at int) (line, column int) {
	return 1 + bytes.Count(b[:at], []byte("\n")), at - bytes.LastIndexByte(b[:at], '\n')
}
