//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/report"
)

// The examples of docs/examples do what docs/plugins.md says of them.
func TestExamples(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3 on PATH")
	}
	examples, err := filepath.Abs(filepath.Join("..", "..", "docs", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	write := func(name, text string, age time.Duration) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	write("project/.github/workflows/deploy.yml", "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: echo}]}}\n", 0)
	write("project/.github/workflows/test.yml", "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: echo}]}}\n", 0)
	write("project/docs/RUNBOOK.md", "- `workflows/deploy.yml` ships the shop; ask Ada.\n- `scripts/plugin:backups/new`: ask Bob.\n", 0)
	write("db/monday.sql.gz", "dump", 30*time.Hour)
	write("db/sunday.sql.gz", "dump", 54*time.Hour)
	write("new/a", "x", time.Hour)
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("audit.yaml", fmt.Sprintf(`plugins:
  collectors:
    - name: backups
      command: [%[1]s/backups.sh, database=%[2]s/db, new=%[2]s/new, empty=%[2]s/empty, lost=%[2]s/none]
      metrics: [age_hours, bytes]
  checks:
    - name: runbook
      command: [%[1]s/runbook.py, docs/RUNBOOK.md]
      match: ["workflows/*.yml", "scripts/plugin:*/**"]
      finds: [{id: missing, severity: low}]
checks:
  custom:
    - id: backup-old
      system: scripts
      match: {items: ["scripts/plugin:backups/**"]}
      when: 'item.state == "empty" || metric("age_hours") > 26'
      severity: high
      message: "The backup {name} is missing or older than a day"
`, examples, dir), 0)
	var out bytes.Buffer
	code := Main(t.Context(), &Process{Args: []string{"run", "--config", filepath.Join(dir, "audit.yaml"), "--root", filepath.Join(dir, "project"), "--ephemeral", "--format", "json", "--fail-on", "never"},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Env: os.Getenv, Now: func() time.Time { return now }})
	var d report.Document
	if err := json.Unmarshal(out.Bytes(), &d); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v\n%s", code, err, out.Bytes())
	}
	var got []string
	for _, f := range d.Findings {
		if strings.HasPrefix(f.Check, "custom-") || strings.HasPrefix(f.Check, "plugin-") || f.System == "audit" {
			got = append(got, f.Check+" "+f.Item)
		}
	}
	slices.Sort(got)
	want := []string{"custom-backup-old scripts/plugin:backups/database", "custom-backup-old scripts/plugin:backups/empty",
		"plugin-runbook-missing scripts/plugin:backups/database", "plugin-runbook-missing scripts/plugin:backups/empty", "plugin-runbook-missing workflows/test.yml"}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, it := range d.Items {
		if it.Key == "scripts/plugin:backups/lost" && it.Level != "unknown" || it.Key == "scripts/plugin:backups/database" && it.Metrics["age_hours"] != 30 {
			t.Errorf("%+v", it)
		}
	}
}
