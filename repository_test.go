package healthaudit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// actionlint v1.7.12 compiles with no later yaml/v4, and its own parser is used
// past its interface; see docs/dependencies.md.
func TestPinnedYAML(t *testing.T) {
	for path, want := range map[string]string{"go.yaml.in/yaml/v4": "v4.0.0-rc.3", "github.com/rhysd/actionlint": "v1.7.12"} {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{with .Replace}}replaced{{end}}", path).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s is at %s, not at %s", path, got, want)
		}
	}
}

// Every direct dependency has its reason in docs/dependencies.md, and the page
// names no module that go.mod does not require directly.
func TestDependenciesAreExplained(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatalf("go mod edit: %v", err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\|$").FindAllStringSubmatch(string(page), -1) {
		explained[m[1]] = true
	}
	required := map[string]bool{}
	for _, r := range mod.Require {
		required[r.Path] = !r.Indirect
		if !r.Indirect && !explained[r.Path] {
			t.Errorf("docs/dependencies.md gives no reason for %s", r.Path)
		}
	}
	for path := range explained {
		if !required[path] {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require directly", path)
		}
	}
}

// Links between the documents lead to files that are there. docs/checks.md is
// generated; its test is with the command that makes it.
func TestDocumentsLinkToFiles(t *testing.T) {
	for _, name := range []string{"README.md", "docs/architecture.md", "docs/backups.md", "docs/dependencies.md", "docs/formats.md", "docs/coming-from-redundancy-v2.md", "docs/ci.md"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if bytes.ContainsRune(b, '\r') {
			t.Errorf("%s has carriage returns", name)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(b), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
}

// Every feature, option, command and npm script of the suite that audit replaces is
// named on the page for its users.
func TestEveryFeatureOfTheSuiteIsNamed(t *testing.T) {
	b, err := os.ReadFile("docs/coming-from-redundancy-v2.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, feature := range []string{
		"PM2 monitoring", "PM2 automatic recovery", "PM2 log rotation", "PM2 backup", "PM2 resource optimisation", "ecosystem discovery",
		"Workflow validation", "Workflow backup", "Workflow health", "Workflow change detection", "Workflow triggering",
		"Function health checks", "Function deployment monitoring", "Function manifest validation", "Function deployment (`netlify deploy", "Function backup and recovery",
		"Custom script validation", "Master orchestrator", "load balancing", "Conflict resolution", "Recovery of a process, workflow or function", "System restart",
		"Log files", "Backups with automatic cleanup", "Restore", "Real-time checks", "Health score", "Issue detection", "Performance metrics, throughput", "Recommendations", "Status, resource usage",
		"master.logLevel", "pm2.logLevel", "github.logLevel", "netlify.logLevel", "master.orchestrationInterval", "master.healthCheckInterval", "master.backupInterval",
		"pm2.healthCheckInterval", "github.healthCheckInterval", "netlify.healthCheckInterval", "master.autoRecovery", "master.loadBalancing", "pm2.maxRestartAttempts", "pm2.autoRecovery",
		"pm2.processMonitoring", "pm2.loadBalancing", "pm2.logRotation", "github.maxFailures", "netlify.maxFailures", "github.autoTrigger", "github.backupTriggers", "github.workflowValidation",
		"github.apiHealthCheck", "netlify.autoDeploy", "netlify.autoRegenerate", "netlify.deploymentCheck", "netlify.manifestValidation", "`GITHUB_",
		"| `start`, `stop`, `restart` |", "| `status`, `health` |", "| `logs` |", "| `help` |", "redundancy:start", "redundancy:status", "redundancy:logs", "prerequisites", "configuration written at the first start",
		"Troubleshooting", "Integration", "Extensibility", "Performance budgets", "smart scheduling", "Local only", "File permissions", "Secure logging", "Backup encryption", "Access logging", "Maintenance",
	} {
		if !bytes.Contains(b, []byte(feature)) {
			t.Errorf("docs/coming-from-redundancy-v2.md does not name %q", feature)
		}
	}
}
