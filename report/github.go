package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// GitHub writes what GitHub Actions shows beside the code: a few lines for the
// log, and workflow commands. The program appends the Markdown report to the
// summary of the step.
var GitHub = &Renderer{
	Name:   "github",
	Doc:    "in GitHub Actions: annotations beside the code, and the Markdown report in the summary of the step",
	Render: renderGitHub,

	Summary: true,
}

// maxAnnotations is how many annotations of a kind GitHub shows of a step
// (https://docs.github.com/en/actions/reference/limits); what comes after is lost.
const maxAnnotations = 10

// annotations are the kinds there are, and the severities that go by each.
var annotations = []struct{ kind, severities string }{
	{"error", "critical high"}, {"warning", "medium"}, {"notice", "low info"},
}

func renderGitHub(w io.Writer, d *Document, o Options) error {
	r := &reading{page: newPage(o), Document: legible(d, o), opts: o}
	shown, reduced := r.shown()
	for _, line := range []string{r.headline(), r.runLine(), r.judgedAnew(), reduced} {
		r.log(line)
	}
	for _, a := range annotations {
		var of []Finding
		for _, f := range shown {
			if strings.Contains(a.severities, f.Severity) {
				of = append(of, f)
			}
		}
		r.annotate(a.kind, of)
	}
	for _, e := range r.Errors {
		r.log("Not read: " + strings.Join(slices.DeleteFunc([]string{e.System, e.Source, e.Message}, func(s string) bool { return s == "" }), ": "))
	}
	r.log(r.gate())
	_, err := w.Write(r.Bytes())
	return err
}

// log writes a line of the log in which the runner finds no command: it looks
// for "::" where a line begins and for "##[" anywhere
// (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs).
func (r *reading) log(s string) {
	if s == "" {
		return
	}
	s = strings.ReplaceAll(s, "##[", "## [")
	if strings.HasPrefix(strings.TrimSpace(s), "::") {
		s = "audit: " + s
	}
	r.WriteString(s + "\n")
}

// annotate writes the findings of one kind. Where there are more than GitHub
// shows, the last one says so.
func (r *reading) annotate(kind string, fs []Finding) {
	most := maxAnnotations
	if len(fs) > most {
		most--
	}
	for _, f := range fs[:min(most, len(fs))] {
		item, at := placed(f)
		text := f.Message + r.marks([]Finding{f})
		if item != "" && at != "" || f.Location == nil {
			text = strings.TrimSuffix(f.Item, "/(system)") + ": " + text
		}
		if f.Hint != "" {
			text += "\nTo do: " + f.Hint
		}
		r.WriteString("::" + kind + " " + r.spot(f) + "title=" + property(f.Title+" ["+f.Check+"]") + "::" + data(long(text)) + "\n")
	}
	if rest := len(fs) - most; len(fs) > maxAnnotations {
		fmt.Fprintf(r, "::%s title=%s::%s\n", kind, property(fmt.Sprintf("%s more of %s", group(rest), group(len(fs)))),
			data(fmt.Sprintf("GitHub shows %d annotations of a kind for each step. The others are in the summary of the step and in %s.", maxAnnotations, r.see("--format html"))))
	}
}

// spot names file, line and column as a command takes them. The path is that of
// this machine: the runner makes it one of the repository, wherever in it the
// root lies.
func (r *reading) spot(f Finding) string {
	if f.Location == nil || f.Location.Path == "" {
		return ""
	}
	p := f.Location.Path
	if !strings.HasPrefix(p, "/") {
		p = strings.TrimSuffix(r.Run.Root, "/") + "/" + p
	}
	return fmt.Sprintf("file=%s,line=%d,col=%d,", property(p), max(f.Location.Line, 1), max(f.Location.Column, 1))
}

// data escapes the text of a command, property the value of a property, as
// actions/toolkit does
// (https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts).
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
