package healthaudit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rhysd/actionlint"

	"healthaudit/report"
)

// An actionFile is as much of action.yml as these tests need (Metadata syntax for
// GitHub Actions, docs.github.com).
type actionFile struct {
	Inputs map[string]struct {
		Description string `yaml:"description"`
		Default     string `yaml:"default"`
	} `yaml:"inputs"`
	Runs struct {
		Steps []actionStep `yaml:"steps"`
	} `yaml:"runs"`
}

type actionStep struct {
	ID, Name, If, Uses, Shell, Run string
	Env, With                      map[string]string
	Anyway                         bool `yaml:"continue-on-error"`
}

func readAction(t *testing.T) (a actionFile, src []byte) {
	t.Helper()
	src, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(src, &a); err != nil {
		t.Fatal(err)
	}
	return a, src
}

// What the action uses is pinned by commit, every input is there and of use, and
// none of them is written into a script.
func TestAction(t *testing.T) {
	a, src := readAction(t)
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`inputs\.([a-z0-9-]+)`).FindAllSubmatch(src, -1) {
		used[string(m[1])] = true
	}
	for name, in := range a.Inputs {
		if !used[name] || in.Description == "" {
			t.Errorf("input %s does nothing or is not described", name)
		}
	}
	for name := range used {
		if _, ok := a.Inputs[name]; !ok {
			t.Errorf("there is no input %s", name)
		}
	}
	for _, s := range a.Runs.Steps {
		if s.Uses != "" && !regexp.MustCompile(`^[^@]+@[0-9a-f]{40}$`).MatchString(s.Uses) {
			t.Errorf("%s is not pinned by commit", s.Uses)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q: an expression stands in its script: anybody who names a branch could write code there", s.Name)
		}
		if shellcheck, err := exec.LookPath("shellcheck"); err == nil && s.Run != "" {
			cmd := exec.Command(shellcheck, "--shell=bash", "-")
			cmd.Stdin = strings.NewReader(s.Run)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("step %q: %s", s.Name, out)
			}
		}
	}
}

// actionProject is a repository whose workflow, as audit init writes it, uses the
// action.
func actionProject(t *testing.T) string {
	t.Helper()
	_, src := readAction(t)
	dir := t.TempDir()
	for _, d := range []string{".git", ".github/actions/audit/cmd/audit"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".github", "actions", "audit", "action.yml"), src, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(auditBinary(t), "--root", dir, "init", "--github", "./.github/actions/audit")
	cmd.Env = cleanEnv(dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// actionlint has nothing to say of the workflow that audit init writes, and of how
// it uses the action; nor has audit itself.
func TestActionIsClean(t *testing.T) {
	dir := actionProject(t)
	var said bytes.Buffer
	l, err := actionlint.NewLinter(&said, &actionlint.LinterOptions{WorkingDir: dir, LogWriter: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := l.LintFiles([]string{filepath.Join(dir, ".github", "workflows", "audit.yml")}, nil)
	if err != nil || len(problems) > 0 {
		t.Errorf("actionlint: %v\n%s", err, &said)
	}
	cmd := exec.Command(auditBinary(t), "--root", dir, "run", "--format", "json", "--fail-on", "low")
	cmd.Env = cleanEnv(dir)
	out, err := cmd.Output()
	var doc report.Document
	if json.Unmarshal(out, &doc) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, f := range doc.Findings {
		t.Errorf("%s on %s: %s", f.Check, f.Item, f.Message)
	}
	if !slices.ContainsFunc(doc.Items, func(i report.Item) bool { return strings.Contains(i.Key, "action:") }) {
		t.Error("audit did not see the action")
	}
}

// The step that audits does on a machine of GitHub's kind what it should: it tells
// the exit code and goes on, so that the store is saved before the gate fails.
func TestActionRuns(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	for _, format := range []string{"sarif", "github", "markdown"} {
		if _, err := report.Find(format); err != nil {
			t.Skip(err)
		}
	}
	a, _ := readAction(t)
	i := slices.IndexFunc(a.Runs.Steps, func(s actionStep) bool { return s.ID == "run" })
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "shop"), os.DirFS("testdata/site")); err != nil {
		t.Fatal(err)
	}
	step := func(output string, env ...string) []byte {
		cmd := exec.Command(bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", a.Runs.Steps[i].Run)
		cmd.Dir = dir
		cmd.Env = append(cleanEnv(dir), "PATH="+filepath.Dir(auditBinary(t))+":"+os.Getenv("PATH"), "RUNNER_TEMP="+dir, "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+output+".md",
			"AUDIT_ROOT=shop", "AUDIT_FAIL_UNDER=", "ANNOTATIONS=true", "SUMMARY=true")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	for code, failOn := range map[string]string{"0": "never", "1": "high"} {
		output := filepath.Join(dir, "output"+code)
		out := step(output, "AUDIT_FAIL_ON="+failOn)
		told, _ := os.ReadFile(output)
		sarif, _ := os.ReadFile(filepath.Join(dir, "audit.sarif"))
		summary, _ := os.ReadFile(output + ".md")
		if !strings.Contains(string(told), "exit-code="+code+"\n") || !json.Valid(sarif) || strings.Count(string(summary), "**Gate ") != 1 || !strings.Contains(string(out), "::") {
			t.Errorf("exit %s: output %q, %d bytes of SARIF, %d of summary\n%s", code, told, len(sarif), len(summary), out)
		}
	}
	// The table has names of files: it stands in a file, never in the log.
	out := step(filepath.Join(dir, "quiet"), "AUDIT_FAIL_ON=", "ANNOTATIONS=false", "SUMMARY=false")
	table, _ := os.ReadFile(filepath.Join(dir, "audit.txt"))
	if bytes.Contains(out, []byte("scripts/")) || !bytes.Contains(table, []byte("scripts/")) {
		t.Errorf("the log has %q, the file %d bytes", out, len(table))
	}
	// What fails after the run does not hide how the run ended.
	for _, err := range []error{os.Remove(filepath.Join(dir, "audit.sarif")), os.Mkdir(filepath.Join(dir, "audit.sarif"), 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for code, failOn := range map[string]string{"64": "never", "1": "high"} {
		output := filepath.Join(dir, "late"+code)
		out := step(output, "AUDIT_FAIL_ON="+failOn)
		if told, _ := os.ReadFile(output); string(told) != "exit-code="+code+"\n" {
			t.Errorf("without SARIF, want exit code %s: %q\n%s", code, told, out)
		}
	}
}

// An upload that fails keeps neither the store from being saved nor the gate from
// telling; and unless the job says so, audit.yaml decides what fails it.
func TestActionUploads(t *testing.T) {
	a, _ := readAction(t)
	at := func(uses string) int {
		return slices.IndexFunc(a.Runs.Steps, func(s actionStep) bool { return strings.HasPrefix(s.Uses, uses) })
	}
	save, upload := at("actions/cache/save@"), at("github/codeql-action/upload-sarif@")
	if save < 0 || upload < save || !a.Runs.Steps[upload].Anyway {
		t.Errorf("the store is saved in step %d, the upload is step %d", save, upload)
	}
	if d := a.Inputs["fail-on"].Default; d != "" {
		t.Errorf("fail-on is %q by default: it would win over audit.yaml", d)
	}
}

// The recipes of docs/ci.md are YAML, and check out by the commit that audit init
// writes.
func TestCIPage(t *testing.T) {
	b, err := os.ReadFile("docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(b, -1)
	if len(blocks) < 2 {
		t.Fatalf("%d recipes", len(blocks))
	}
	for _, m := range blocks {
		var v any
		if err := yaml.Unmarshal(m[1], &v); err != nil {
			t.Errorf("%v\n%s", err, m[1])
		}
	}
	src, err := os.ReadFile("cmd/audit/init_github.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, uses := range regexp.MustCompile(`actions/checkout@\S+ # \S+`).FindAll(b, -1) {
		if !bytes.Contains(src, uses) {
			t.Errorf("docs/ci.md has %s, audit init writes another", uses)
		}
	}
	a, _ := readAction(t)
	for name := range a.Inputs {
		if !bytes.Contains(b, []byte("`"+name+"`")) {
			t.Errorf("docs/ci.md does not name the input %s", name)
		}
	}
}
