package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// manPages are docs/man, by file name: audit(1), one page for each command, and
// audit.yaml(5), in the macros of groff_man(7).
func manPages(t *testing.T) map[string]string {
	t.Helper()
	m := model(t)
	pages := map[string]string{"man/audit.1": topPage(m), "man/audit.yaml.5": configPage()}
	for _, n := range leaves(m.Node) {
		pages["man/audit-"+strings.ReplaceAll(n.Path(), " ", "-")+".1"] = commandPage(n)
	}
	return pages
}

// leaves are the commands that can be called, in the order of the command line.
func leaves(n *kong.Node) (out []*kong.Node) {
	for _, c := range n.Children {
		switch {
		case c.Hidden:
		case len(c.Children) > 0:
			out = append(out, leaves(c)...)
		default:
			out = append(out, c)
		}
	}
	return out
}

// roff writes text as troff shows it: hyphens as they are typed, and nothing at
// the start of a line that could be a request.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "“", `"`, "”", `"`, "’", "'").Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func heading(name, section, what string) string {
	return fmt.Sprintf(".\\\" Generated from the code by make docs.\n.TH %s %s \"\" \"audit\" \"audit\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(roff(name)), section, roff(name), roff(strings.TrimSuffix(what, ".")))
}

// paragraphs writes a text of audit help.
func paragraphs(s string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n\n") {
		if b.WriteString(".PP\n"); strings.HasPrefix(part, "  ") {
			fmt.Fprintf(&b, ".nf\n%s\n.fi\n", roff(strings.TrimRight(part, "\n")))
			continue
		}
		b.WriteString(roff(part) + "\n")
	}
	return b.String()
}

func options(flags []*kong.Flag) string {
	var b strings.Builder
	for _, f := range flags {
		name := "--" + f.Name
		if f.Short != 0 {
			name = "-" + string(f.Short) + ", " + name
		}
		fmt.Fprintf(&b, ".TP\n.B %s", roff(name))
		if !f.IsBool() {
			fmt.Fprintf(&b, " \\fI%s\\fR", roff(strings.ToUpper(f.FormatPlaceHolder())))
		}
		fmt.Fprintf(&b, "\n%s\n", roff(f.Help))
	}
	return b.String()
}

func commandPage(n *kong.Node) string {
	var b strings.Builder
	b.WriteString(heading("audit-"+strings.ReplaceAll(n.Path(), " ", "-"), "1", n.Help))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B audit %s\n", roff(strings.TrimPrefix(n.Summary(), "audit ")))
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roff(n.Help))
	if n.Detail != "" {
		b.WriteString(paragraphs(n.Detail))
	}
	if len(n.Positional) > 0 {
		b.WriteString(".SH ARGUMENTS\n")
		for _, p := range n.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(p.Name), roff(p.Help))
		}
	}
	if len(n.Flags) > 0 {
		b.WriteString(".SH OPTIONS\n" + options(n.Flags))
	}
	b.WriteString(".PP\nThe options of every command are in\n.BR audit (1).\n.SH SEE ALSO\n.BR audit (1),\n.BR audit.yaml (5)\n")
	return b.String()
}

func topPage(m *kong.Application) string {
	var b strings.Builder
	b.WriteString(heading("audit", "1", "audits the automation of a project, and says what broke since"))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B audit\n.RI [ command ]\n.RI [ options ]\n.SH DESCRIPTION\n%s\n.PP\nWithout a command it is\n.BR \"audit run\" .\n.SH COMMANDS\n", roff(m.Help))
	for _, n := range leaves(m.Node) {
		fmt.Fprintf(&b, ".TP\n.BR audit\\-%s (1)\n%s\n", roff(strings.ReplaceAll(n.Path(), " ", "-")), roff(n.Help))
	}
	b.WriteString(".SH OPTIONS\n" + options(m.Flags))
	for _, s := range [][2]string{{"SNAPSHOTS", "snapshots"}, {"EXIT STATUS", "exit-codes"}, {"FORMATS", "formats"}, {"ENVIRONMENT", "environment"}} {
		for _, t := range topics {
			if t.name == s[1] {
				b.WriteString(".SH " + s[0] + "\n" + paragraphs(t.filled()))
			}
		}
	}
	b.WriteString(".SH FILES\n.TP\n.I audit.yaml\nwhat is looked at, and when it complains; see\n.BR audit.yaml (5)\n.TP\n.I audit.rules.yaml\nrules of recovery\n.TP\n.I .audit/audit.db\nthe store: every run, and the bytes of what was audited\n.TP\n.I .audit/logs/audit.log\nwhat runs write of themselves\n")
	return b.String()
}

func configPage() string {
	var b strings.Builder
	b.WriteString(heading("audit.yaml", "5", "configuration of audit"))
	for _, t := range topics {
		if t.name == "configuration" {
			b.WriteString(".SH DESCRIPTION\n" + paragraphs(t.filled()))
		}
	}
	fmt.Fprintf(&b, ".SH EXAMPLE\n.nf\n%s.fi\n.SH SEE ALSO\n.BR audit (1)\n", roff(configHead+configTail))
	return b.String()
}

// The pages are what groff and mandoc read without a complaint.
func TestManPages(t *testing.T) {
	pages := manPages(t)
	dir := filepath.Join("..", "..", "docs")
	there, err := os.ReadDir(filepath.Join(dir, "man"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if _, ok := pages["man/"+f.Name()]; !ok {
			t.Errorf("docs/man/%s is of no command", f.Name())
		}
	}
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		mandoc, err = exec.LookPath(filepath.Join("..", "..", "build", "debian", "usr", "bin", "mandoc"))
	}
	if err == nil {
		args := []string{"-T", "lint", "-W", "error"}
		for name := range pages {
			args = append(args, filepath.Join(dir, filepath.FromSlash(name)))
		}
		if out, err := exec.Command(mandoc, args...).CombinedOutput(); err != nil {
			t.Errorf("mandoc: %v\n%s", err, out)
		}
	}
	groff, gerr := exec.LookPath("groff")
	if err != nil && gerr != nil {
		t.Skip("neither mandoc nor groff is here")
	}
	for _, name := range []string{"man/audit.1", "man/audit.yaml.5", "man/audit-run.1", "man/audit-cron-install.1"} {
		if gerr != nil {
			continue
		}
		cmd := exec.Command(groff, "-ww", "-man", "-Tutf8", "-z", filepath.Join(dir, filepath.FromSlash(name)))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("groff %s: %v\n%s", name, err, out)
		}
	}
}
