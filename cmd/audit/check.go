package main

import (
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/testdata"
)

type checkListCmd struct {
	listing
}

func (c *checkListCmd) Run(a *App) error {
	rows := []report.CheckRow{}
	checks, err := a.catalogue()
	if err != nil {
		return err
	}
	for _, k := range checks {
		rows = append(rows, report.CheckRow{ID: k.ID, System: string(k.System), Severity: k.Severity.String(), Title: k.Title})
	}
	return show(a, c.listing, exitOK, rows, report.Checks)
}

type checkExplainCmd struct {
	listing
	ID string `arg:"" help:"The check, as audit check list names it."`
}

func (c *checkExplainCmd) Run(a *App) error {
	checks, err := a.catalogue()
	if err != nil {
		return err
	}
	for _, k := range checks {
		if k.ID == c.ID {
			return show(a, c.listing, exitOK, checkDoc(k), report.CheckExplain)
		}
	}
	hint := "audit check list names them"
	if near := nearestName(c.ID, idsOf(checks)); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &usageError{fmt.Sprintf("there is no check %q", c.ID), hint}
}

func checkDoc(k *audit.Check) report.CheckDoc {
	d := report.CheckDoc{ID: k.ID, System: string(k.System), Title: k.Title, Severity: k.Severity.String(), Confidence: string(k.Confidence),
		Doc: k.Doc, Hint: k.Hint, Discriminator: k.Discriminator, Source: k.Source, Limits: []report.LimitDoc{},
		Bad: example(k.ID, "bad"), Good: example(k.ID, "good")}
	if d.Confidence == "" {
		d.Confidence = string(audit.Certain)
	}
	for _, l := range k.Limits {
		d.Limits = append(d.Limits, report.LimitDoc{Name: l.Name, Default: l.Default, Unit: l.Unit, Doc: l.Doc})
	}
	return d
}

// maxExample bounds an example that is printed, in lines.
const maxExample = 40

// example is a documented case: what it shows, then the files it is made of.
func example(id, name string) string {
	src, err := testdata.Checks.ReadFile("check/" + id + "/" + name + ".txtar")
	if err != nil {
		return ""
	}
	ar := txtar.Parse(src)
	var b strings.Builder
	b.WriteString(strings.TrimSpace(string(ar.Comment)) + "\n")
	for _, f := range ar.Files {
		head := ""
		if p, ok := strings.CutPrefix(f.Name, "tree/"); ok {
			head = strings.TrimSuffix(p, "*")
		} else if p, ok := strings.CutPrefix(f.Name, "before/"); ok {
			head = strings.TrimSuffix(p, "*") + " (at the snapshot before)"
		} else {
			continue
		}
		fmt.Fprintf(&b, "\n%s:\n", head)
		lines := strings.SplitAfter(string(f.Data), "\n")
		for i, l := range lines {
			if i == maxExample {
				fmt.Fprintf(&b, "    (%d more lines)\n", len(lines)-i)
				break
			}
			if l != "" {
				b.WriteString("    " + strings.TrimRight(l, "\n") + "\n")
			}
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
