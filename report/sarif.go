package report

import (
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
)

// SARIF writes the findings for code scanning, as SARIF 2.1.0
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), within what
// GitHub takes
// (https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning).
var SARIF = &Renderer{
	Name:   "sarif",
	Doc:    "for GitHub code scanning and editors: SARIF 2.1.0",
	Render: renderSARIF,

	Summary: true,
}

const (
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifResults = 25_000 // what GitHub takes of one run; it refuses a file with more
	sarifText    = 1000   // characters of a description; GitHub takes 1,024
	sarifRoot    = "%SRCROOT%"
)

func renderSARIF(w io.Writer, d *Document, o Options) error {
	if o.New {
		d = d.OnlyNew()
	}
	category := "audit/"
	if len(o.Only) > 0 {
		category += strings.Join(o.Only, "-") + "/"
	}
	run := sarifRun{
		Tool:              sarifTool{sarifDriver{Name: "audit", Version: Clean(d.Tool.Version), Rules: []sarifRule{}}},
		AutomationDetails: sarifID{category + d.Run.ID},
		ColumnKind:        "unicodeCodePoints",
		Results:           []sarifResult{},
	}
	if root := fileURI("", d.Run.Root); root != "" {
		run.BaseIDs = map[string]sarifArtifact{sarifRoot: {URI: strings.TrimSuffix(root, "/") + "/"}}
	}
	index := map[string]int{}
	for _, k := range d.Checks {
		index[k.ID] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(k))
	}
	at, left := d.anchors(), 0
	for _, f := range d.Findings {
		if f.Status == "resolved" { // it would be shown as open
			continue
		}
		if len(run.Results) == sarifResults { // the worst come first
			left++
			continue
		}
		i, ok := index[f.Check]
		if !ok {
			i = len(run.Tool.Driver.Rules)
			index[f.Check] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(Check{ID: f.Check, Title: f.Title, Severity: f.Severity, Help: f.Hint, Confidence: f.Confidence}))
		}
		run.Results = append(run.Results, sarifResultOf(f, i, at(f)))
	}
	run.Invocations = []sarifInvocation{sarifInvocationOf(d, left)}
	return WriteJSON(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

var sarifLevels = map[string]string{"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}

// The bands that GitHub makes of security-severity: above 9 critical, from 7 high,
// from 4 medium, below that low.
var sarifSeverities = map[string]string{"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}

var sarifProblems = map[string]string{"error": "error", "warning": "warning", "note": "recommendation"}

func sarifRuleOf(k Check) sarifRule {
	level := sarifLevels[k.Severity]
	system, _, _ := strings.Cut(k.ID, "-")
	explain := "audit check explain " + k.ID
	r := sarifRule{
		ID:    k.ID,
		Short: sarifShort(k.Title), Full: sarifShort(k.Doc),
		Default:    sarifLevel{level},
		Properties: sarifRuleProperties{Precision: k.Confidence, Problem: sarifProblems[level], Security: sarifSeverities[k.Severity], Tags: []string{"automation", system}},
	}
	if k.Doc == "" {
		r.Full = r.Short
	}
	escape := inMarkdown.Replace // our own words, as docs/checks.md has them
	if k.Doc == "" {             // those of a finding, with foreign names
		escape = noMarkdown.Replace
	}
	text, markdown := []string{}, []string{}
	if k.Doc != "" {
		text, markdown = append(text, cleanLines(k.Doc)), append(markdown, escape(cleanLines(k.Doc)))
	}
	if k.Help != "" {
		text, markdown = append(text, "To do: "+cleanLines(k.Help)), append(markdown, "**To do:** "+escape(cleanLines(k.Help)))
	}
	text, markdown = append(text, "An example: "+explain), append(markdown, "An example: `"+explain+"`")
	r.Help = sarifMessage{Text: strings.Join(text, "\n\n"), Markdown: strings.Join(markdown, "\n\n")}
	return r
}

// sarifShort makes a description of one paragraph.
func sarifShort(s string) sarifMessage {
	return sarifMessage{Text: clip(Clean(strings.Join(strings.Fields(s), " ")), sarifText)}
}

// clip bounds a clean text to n characters.
func clip(s string, n int) string {
	if c := prefix(s, n); c != s {
		return prefix(s, n-1) + "…"
	}
	return s
}

var (
	inMarkdown = strings.NewReplacer("&", "&amp;", "<", "&lt;")
	noMarkdown = strings.NewReplacer("&", "&amp;", "<", "&lt;", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "|", "\\|", "\\", "\\\\")
)

var sarifStates = map[string]string{"new": "new", "reopened": "new", "persisting": "unchanged"}

func sarifResultOf(f Finding, rule int, at Location) sarifResult {
	text := []string{Clean(f.Title) + ": " + long(Clean(f.Message))}
	if f.Location != nil && f.Location.Path != at.Path {
		text = append(text, fmt.Sprintf("It stands in %s:%d.", Clean(f.Location.Path), f.Location.Line))
	}
	if f.Hint != "" {
		text = append(text, "To do: "+long(cleanLines(f.Hint)))
	}
	r := sarifResult{
		Rule: f.Check, Index: rule, Level: sarifLevels[f.Severity],
		Message: sarifMessage{Text: unlinked(strings.Join(text, "\n"))},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{Artifact: sarifArtifact{URI: (&url.URL{Path: at.Path}).String(), Base: sarifRoot}, Region: sarifRegion{at.Line, at.Column}},
			Logical:  []sarifLogical{{Clean(f.Item), "resource"}},
		}},
		// GitHub follows an alert by the first; the second is ours, should the first
		// ever be needed for what its name says.
		Fingerprints: map[string]string{"primaryLocationLineHash": f.ID, "auditFinding/v1": f.ID},
		State:        sarifStates[f.Status],
		Suppressions: []sarifSuppression{},
		Properties:   sarifResultProperties{Severity: f.Severity, Confidence: f.Confidence, Regression: f.Regression, Loss: f.Loss},
	}
	if f.Updated && r.State == "unchanged" {
		r.State = "updated"
	}
	if x := f.Waiver; x != nil {
		r.Suppressions = append(r.Suppressions, sarifSuppression{"external", "accepted", Clean(fmt.Sprintf("%s (until %s, by %s)", x.Reason, x.Until, x.By))})
	}
	return r
}

// unlinked takes the meaning of a link from a text of SARIF (§3.11.6), in which a
// foreign name could otherwise lead anywhere.
func unlinked(s string) string { return strings.ReplaceAll(s, "](", "] (") }

func sarifInvocationOf(d *Document, left int) sarifInvocation {
	v := sarifInvocation{Successful: d.Gate.Exit <= 1, Exit: d.Gate.Exit, Started: d.Run.Started.UTC().Format(sarifTime), Ended: d.Run.Finished.UTC().Format(sarifTime), Notifications: []sarifNotification{}}
	for _, e := range d.Errors {
		where := e.System
		if e.Source != "" {
			where += " (" + e.Source + ")"
		}
		text := Clean(where) + ": " + long(Clean(e.Message))
		if e.Hint != "" {
			text += "\nTo do: " + long(cleanLines(e.Hint))
		}
		v.Notifications = append(v.Notifications, sarifNotification{"error", sarifMessage{Text: unlinked(text)}})
	}
	if left > 0 {
		v.Notifications = append(v.Notifications, sarifNotification{"warning", sarifMessage{Text: plural(left, "finding") + " left out: GitHub takes " + group(sarifResults) + " of one run. The JSON report has them all."}})
	}
	return v
}

const sarifTime = "2006-01-02T15:04:05Z"

// manifests are the files that declare a system, for findings of one that has
// no file at all.
var manifests = map[string]string{"pm2": "ecosystem.config.js", "workflows": ".github/workflows", "functions": "netlify.toml", "scripts": "package.json", "audit": "audit.yaml"}

// anchors returns where a finding is shown. One without a place in the project is
// shown at the file of its item, else at the file that declares its system: code
// scanning shows nothing that has no file.
func (d *Document) anchors() func(Finding) Location {
	of, declares, first := map[string]string{}, map[string]string{}, map[string]string{}
	for _, it := range d.Items {
		if !inProject(it.Path) {
			continue
		}
		of[it.Key] = it.Path
		if declares[it.System] == "" && strings.HasPrefix(it.Key, it.System+"/file:") {
			declares[it.System] = it.Path
		}
		if first[it.System] == "" {
			first[it.System] = it.Path
		}
	}
	return func(f Finding) Location {
		if l := f.Location; l != nil && inProject(l.Path) {
			return Location{l.Path, max(l.Line, 1), max(l.Column, 1)}
		}
		for _, p := range []string{of[f.Item], declares[f.System], first[f.System], manifests[f.System]} {
			if p != "" {
				return Location{p, 1, 1}
			}
		}
		return Location{manifests["audit"], 1, 1}
	}
}

// inProject reports whether a path names something below the root.
func inProject(p string) bool {
	c := path.Clean(p)
	return p != "" && c != "." && c != ".." && !strings.HasPrefix(c, "../") && !path.IsAbs(p) && !(len(p) > 1 && p[1] == ':')
}

// fileURI makes an absolute path, of whatever operating system, a URI (RFC 8089);
// "" where it is none.
func fileURI(host, p string) string {
	p = strings.ReplaceAll(p, `\`, "/")
	if len(p) > 1 && p[1] == ':' {
		p = "/" + p
	}
	if !strings.HasPrefix(p, "/") {
		return ""
	}
	return (&url.URL{Scheme: "file", Host: host, Path: p}).String()
}
