package healthaudit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"healthaudit/report"
)

// scratch is a folder for what several tests share; TestMain removes it.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "audit-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

var buildAudit = sync.OnceValues(func() (string, error) {
	program := filepath.Join(scratch, "audit")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/audit").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/audit: %w: %s", err, out)
	}
	return program, nil
})

// auditBinary returns the program, built once for all tests.
func auditBinary(t *testing.T) string {
	t.Helper()
	program, err := buildAudit()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// cleanEnv is an environment without the developer's own settings and PM2.
func cleanEnv(dir string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PM2_HOME=" + filepath.Join(dir, "no-pm2")}
}

// runSite copies the sample project, lets change change it, and audits it.
func runSite(t *testing.T, git bool, change func(dir string)) report.Document {
	t.Helper()
	program := auditBinary(t)
	dir := t.TempDir()
	shop := filepath.Join(dir, "shop")
	if err := os.CopyFS(shop, os.DirFS("testdata/site")); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(shop)
	}
	if git {
		for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "all"}} {
			cmd := exec.Command("git", args...)
			cmd.Dir = shop
			cmd.Env = append(cleanEnv(dir), "GIT_CONFIG_NOSYSTEM=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v: %s", args, err, out)
			}
		}
	}
	cmd := exec.Command(program, "run", "--root", ".", "--format", "json", "--fail-on", "never")
	cmd.Dir, cmd.Env = shop, cleanEnv(dir)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("audit run: %v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var doc report.Document
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// wounds lists the findings of a report that are medium or worse.
func wounds(doc report.Document) []string {
	var out []string
	for _, f := range doc.Findings {
		if f.Severity != "low" && f.Severity != "info" {
			out = append(out, fmt.Sprintf("%s %s", f.Check, f.Item))
		}
	}
	slices.Sort(out)
	return out
}

// siteWounds is what is wrong in testdata/site on purpose, and nothing else is.
var siteWounds = []string{
	"cross-backup-litter workflows/(system)",
	"cross-same-job scripts/cron:crontab:ea364717",
	"function-schedule-ignored functions/file:netlify.toml",
	"function-schedule-ignored functions/price-watch",
	"script-missing-target scripts/npm:images:optimise",
	"script-not-executable scripts/scripts/rotate-logs.sh",
	"workflow-missing-target workflows/weekly-report.yml",
	"workflow-shared-concurrency workflows/(system)",
}

func TestSite(t *testing.T) {
	t.Run("has exactly its wounds", func(t *testing.T) {
		if diff := cmp.Diff(siteWounds, wounds(runSite(t, false, nil))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("has the same ones in git", func(t *testing.T) {
		if _, err := exec.LookPath("git"); err != nil {
			t.Skip("no git")
		}
		if diff := cmp.Diff(siteWounds, wounds(runSite(t, true, nil))); diff != "" {
			t.Error(diff)
		}
	})
}

// The configuration that README.md shows is one that audit accepts.
func TestReadmeConfiguration(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\n")
	config, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("README.md shows no configuration")
	}
	runSite(t, false, func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "audit.yaml"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
	})
}

// The demonstration shows what it promises, within its time.
func TestDemo(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	cmd := exec.Command(sh, "testdata/demo/run.sh", auditBinary(t))
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	for _, want := range []string{"$ audit run", "$ audit diff", "$ audit restore '#1' scripts/scripts/backup-db.sh", "$ audit list", "(exit 1)",
		"functions/checkout", "workflows/nightly-backup.yml", "workflows/deploy.yml"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demonstration does not show %q:\n%s", want, out)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(readme), "```\n$ audit run\n")
	block, _, ends := strings.Cut(block, "```\n")
	if !ok || !ends {
		t.Fatal("README.md shows no output of the demonstration")
	}
	for line := range strings.Lines(block) {
		if !strings.Contains(string(out), line) {
			t.Errorf("README.md shows a line that the demonstration does not print: %s", line)
		}
	}
}
