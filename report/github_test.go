package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// An annotation is what a runner makes of a workflow command.
type annotation struct {
	kind  string
	props map[string]string
	text  string
}

// runnerReads reads a log as actions/runner does (TryParseV2 and TryParse of
// src/Runner.Common/ActionCommand.cs, checked against its source): a command is
// what "::" begins after spaces, or "##[" anywhere; properties are split at
// commas, then unescaped.
func runnerReads(t *testing.T, log []byte) (list []annotation, plain []string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(string(log), "\n"), "\n") {
		s := strings.TrimLeft(line, " \t")
		if !strings.HasPrefix(s, "::") {
			if strings.Contains(line, "##[") {
				t.Errorf("an old command stands in the log: %s", line)
			}
			plain = append(plain, line)
			continue
		}
		head, text, ok := strings.Cut(s[2:], "::")
		if !ok {
			plain = append(plain, line)
			continue
		}
		name, props, _ := strings.Cut(head, " ")
		a := annotation{kind: name, props: map[string]string{}, text: unescape(text, false)}
		for p := range strings.SplitSeq(props, ",") {
			k, v, ok := strings.Cut(p, "=")
			if !ok || a.props[k] != "" {
				t.Errorf("property %q of %s", p, line)
			}
			a.props[k] = unescape(v, true)
		}
		list = append(list, a)
	}
	return list, plain
}

func unescape(s string, property bool) string {
	if property {
		s = strings.NewReplacer("%3A", ":", "%2C", ",", "%0D", "\r", "%0A", "\n", "%25", "%").Replace(s)
		return s
	}
	return strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(s)
}

func TestGitHub(t *testing.T) {
	for name, d := range documents() {
		for _, o := range []Options{{}, {New: true}} {
			file := name
			if o.New {
				file += "-new"
			}
			t.Run(file, func(t *testing.T) {
				got := render(t, GitHub, d, o)
				list, _ := runnerReads(t, got)
				kinds := map[string]int{}
				for _, a := range list {
					if kinds[a.kind]++; kinds[a.kind] > maxAnnotations {
						t.Errorf("more %ss than GitHub shows", a.kind)
					}
					if a.kind != "error" && a.kind != "warning" && a.kind != "notice" {
						t.Errorf("a command that is no annotation: %+v", a)
					}
				}
				golden(t, file+".github", got)
			})
		}
	}
}

// TestGitHub_comes_back reads every annotation back and compares it with its finding.
func TestGitHub_comes_back(t *testing.T) {
	d := base()
	d.Run.Root = "/srv/a,b:c%d"
	names := []string{"a,b=c:d%2C", "::error::x", "x\n::add-mask::y\r\n::stop-commands::z", "%0A::error::", "##[error]x", "x::y", ",file=z,line=1"}
	for i, n := range names {
		f := finding("high", fmt.Sprintf("script-check-%c", 'a'+i), "scripts/"+n, "", n, n, n, 1)
		f.Location = &Location{Path: n, Line: 7, Column: 3}
		d.Findings = append(d.Findings, f)
	}
	list, plain := runnerReads(t, render(t, GitHub, d, Options{}))
	if len(list) != len(names) || len(plain) != 3 {
		t.Fatalf("%d annotations and %d lines, want %d and 3: %q", len(list), len(plain), len(names), plain)
	}
	for i, a := range list {
		n := Clean(names[i])
		if a.props["file"] != d.Run.Root+"/"+n || a.props["line"] != "7" || a.props["col"] != "3" || !strings.HasPrefix(a.props["title"], n+" [") || !strings.HasPrefix(a.text, n) || len(a.props) != 4 {
			t.Errorf("%q came back as %+v", names[i], a)
		}
	}
}

func TestGitHub_log_holds_no_command(t *testing.T) {
	d := base()
	d.Run.Root, d.Run.Host = "/::add-mask::x", "##[error]"
	d.Gate.Why = []string{"##[add-path]x"}
	d.Errors = []Error{{"", "::error::", "m", ""}}
	if list, _ := runnerReads(t, render(t, GitHub, d, Options{})); len(list) > 0 {
		t.Errorf("the log commands %+v", list)
	}
}

func TestGitHub_tells_what_it_leaves_out(t *testing.T) {
	d := base()
	for i := range 25 {
		d.Findings = append(d.Findings, finding("high", fmt.Sprintf("script-x-%c", 'a'+i), "scripts/a", "a:1", "t", "m", "", 1))
	}
	got := render(t, GitHub, d, Options{})
	if n := bytes.Count(got, []byte("::error ")); n != maxAnnotations || !bytes.Contains(got, []byte("::error title=16 more of 25::")) {
		t.Errorf("%d annotations:\n%s", n, got)
	}
}
