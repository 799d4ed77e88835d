package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"healthaudit/audit/check"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/collect/plugin"
)

var update = flag.Bool("update", false, "write the generated pages of docs/ again")

// TestDocs holds the generated pages against the code they are made of.
func TestDocs(t *testing.T) {
	pages := manPages(t)
	pages["checks.md"], pages["report.schema.json"], pages["commands.md"] = checksPage(), string(report.SchemaJSON), commandsPage(t)
	pages["plugin.schema.json"], pages["hook.schema.json"] = string(plugin.SchemaJSON), string(pipeline.HookSchemaJSON)
	for name, page := range pages {
		path := filepath.Join("..", "..", "docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		is, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(is) != page {
			t.Errorf("docs/%s is not what the code says: run make docs", name)
		}
	}
}

// checksPage is docs/checks.md.
func checksPage() string {
	var b strings.Builder
	b.WriteString("# Checks\n\nGenerated from the code by `make docs`; `audit check explain ID` prints the same. Every example is run by the tests.\n\n| check | severity | finds |\n|---|---|---|\n")
	for _, k := range check.All() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", k.ID, k.ID, k.Severity, k.Title)
	}
	for _, k := range check.All() {
		d := checkDoc(k)
		fmt.Fprintf(&b, "\n## %s\n\n**%s** · severity %s, confidence %s\n\n%s\n\n**What to do.** %s\n", d.ID, d.Title, d.Severity, d.Confidence, d.Doc, d.Hint)
		fmt.Fprintf(&b, "\nIt finds this:\n\n```\n%s\n```\n\nand not this:\n\n```\n%s\n```\n", fenced(d.Bad), fenced(d.Good))
		for _, l := range d.Limits {
			fmt.Fprintf(&b, "\nLimit `%s.%s`: %g %s, %s.\n", d.ID, l.Name, l.Default, l.Unit, l.Doc)
		}
		fmt.Fprintf(&b, "\nTwo findings of one item differ by: %s. Source: %s\n", strings.TrimSuffix(d.Discriminator, "."), strings.TrimSuffix(d.Source, "."))
	}
	return b.String()
}

// fenced keeps an example from ending its own code block.
func fenced(s string) string { return strings.ReplaceAll(s, "```", "'''") }

// commandsPage is docs/commands.md: what --help prints for every command.
func commandsPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Commands\n\nGenerated from the code by `make docs`.\n")
	commands := []string{""}
	for _, n := range leaves(model(t).Node) {
		commands = append(commands, n.Path())
	}
	for _, c := range commands {
		var out bytes.Buffer
		p := &Process{Args: append(strings.Fields(c), "--help"), Stdout: &out, Stderr: &out, Env: func(string) string { return "" }}
		if code := Main(t.Context(), p); code != exitOK {
			t.Errorf("audit %s --help exits %d", c, code)
		}
		fmt.Fprintf(&b, "\n## %s\n\n```\n%s\n```\n", strings.TrimSpace("audit "+c), strings.TrimRight(out.String(), "\n"))
	}
	return b.String()
}
