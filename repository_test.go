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

// actionlint v1.7.12 compiles with no later yaml/v4; see docs/dependencies.md.
func TestPinnedYAML(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{with .Replace}}replaced{{end}}", "go.yaml.in/yaml/v4").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if got := strings.TrimSpace(string(out)); got != "v4.0.0-rc.3" {
		t.Errorf("go.yaml.in/yaml/v4 is at %s, not at v4.0.0-rc.3", got)
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
	for _, name := range []string{"README.md", "docs/architecture.md", "docs/backups.md", "docs/dependencies.md", "docs/formats.md", "docs/coming-from-redundancy-v2.md"} {
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
