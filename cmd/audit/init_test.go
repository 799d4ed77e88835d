package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit/check"
	"healthaudit/report"
	"healthaudit/rules"
)

// everything is a document in which every system has something.
var everything = &report.Document{
	Systems: []report.System{{System: "pm2", Status: "ok", Items: 1, Reason: "a reason\nof two lines"}, {System: "workflows", Status: "absent"}},
	Items:   []report.Item{{Key: "pm2/api", System: "pm2"}, {Key: "pm2/api#0", System: "pm2"}, {Key: "workflows/a \"b\".yml", System: "workflows"}, {Key: "scripts/x.sh", System: "scripts"}},
}

// switchOn takes the # off every setting, which stands before it without a blank.
func switchOn(text string) string {
	return regexp.MustCompile(`(?m)^#((?:\s\s)*(?:- )?[a-z_"]+\S*.*)$`).ReplaceAllStringFunc(text, func(l string) string {
		if regexp.MustCompile(`^#   (pm2|workflows|functions|scripts) `).MatchString(l) {
			return l
		}
		return l[1:]
	})
}

// What init writes is read as it stands, and with every setting switched on.
func TestInitConfig(t *testing.T) {
	text := configText(everything)
	for name, src := range map[string]string{"as it stands": text, "switched on": switchOn(text)} {
		var f File
		if err := parseConfig("audit.yaml", []byte(src), &f); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", name, err, err.(*usageError).hint, src)
		}
		s := &settings{root: t.TempDir(), file: f, source: []byte(src)}
		a := &App{Process: &Process{Env: func(k string) string { return map[string]string{"HOME": "/home/ada"}[k] }, Now: fixedNow}, CLI: &CLI{Store: "/x/.audit/audit.db"}}
		if err := s.check(a, "audit.yaml"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "switched on" && (len(f.Expect) != 2 || f.Cadence == (fileCadence{}) || f.Recovery.Mode != "plan" || f.Retention.Monthly == nil || len(f.Criticality) != 1 || len(f.Systems.PM2.Homes) != 1) {
			t.Errorf("not everything was switched on: %+v", f)
		}
	}
}

func TestInitRules(t *testing.T) {
	off, err := rules.Parse("audit.rules.yaml", []byte(rulesText()), ruleWords(idsOf(check.All())))
	if err != nil || len(off.Rules) != 0 {
		t.Fatalf("%v %v", off, err)
	}
	on, err := rules.Parse("audit.rules.yaml", []byte(regexp.MustCompile(`(?m)^#(  )`).ReplaceAllString(rulesText(), "$1")), ruleWords(idsOf(check.All())))
	if err != nil || len(on.Rules) != len(builtin().Rules) {
		t.Fatalf("%v %v", on, err)
	}
}

func TestAddScripts(t *testing.T) {
	add := [][2]string{{"audit", "audit run"}, {"b", "c"}}
	for _, c := range []struct{ title, src, want string }{
		{"none", "{\n    \"name\": \"x\"\n}\n", "{\n    \"name\": \"x\",\n    \"scripts\": {\n        \"audit\": \"audit run\",\n        \"b\": \"c\"\n    }\n}\n"},
		{"empty object", "{}", "{\n  \"scripts\": {\n    \"audit\": \"audit run\",\n    \"b\": \"c\"\n  }\n}"},
		{"empty scripts", "{\n  \"scripts\": {  }\n}", "{\n  \"scripts\": {\n    \"audit\": \"audit run\",\n    \"b\": \"c\"\n  }\n}"},
		{"one line", `{"a":1,"scripts":{"x":"y"}}`, `{"a":1,"scripts":{"x":"y","audit":"audit run","b":"c"}}`},
		{"carriage returns", "{\r\n  \"scripts\": {\r\n    \"x\": \"y\"\r\n  }\r\n}\r\n", "{\r\n  \"scripts\": {\r\n    \"x\": \"y\",\r\n    \"audit\": \"audit run\",\r\n    \"b\": \"c\"\r\n  }\r\n}\r\n"},
		{"byte order mark", "\ufeff{\"scripts\": {\"x\": \"y\"}}", "\ufeff{\"scripts\": {\"x\": \"y\",\"audit\": \"audit run\",\"b\": \"c\"}}"},
		{"twice, the last counts", `{"scripts":{"b":"1"},"scripts":{"x":"y"}}`, `{"scripts":{"b":"1"},"scripts":{"x":"y","audit":"audit run","b":"c"}}`},
		{"taken", `{"scripts":{"b":"mine", "audit" : "too"}}`, `{"scripts":{"b":"mine", "audit" : "too"}}`},
		{"a name with quotes and commas", `{"scripts":{"x,\"y": "z"}, "n": [1,{"scripts":{}}]}`, `{"scripts":{"x,\"y": "z","audit": "audit run","b": "c"}, "n": [1,{"scripts":{}}]}`},
	} {
		t.Run(c.title, func(t *testing.T) {
			got, _, err := addScripts([]byte(c.src), add)
			if err != nil || string(got) != c.want {
				t.Errorf("%v\ngot  %q\nwant %q", err, got, c.want)
			}
			if again, added, err := addScripts(got, add); err != nil || len(added) > 0 || string(again) != string(got) {
				t.Errorf("the second time: %v %v %q", err, added, again)
			}
		})
	}
	for _, bad := range []string{"", "[]", "{", `{"scripts": []}`, `{"scripts": "x"}`, `{"a":1,}`, "{}{}", "{\n \"0\""} {
		if now, added, err := addScripts([]byte(bad), add); err == nil {
			t.Errorf("%q became %q with %v", bad, now, added)
		}
	}
}

// Whatever is there, other members stay, and the second time nothing is added.
func FuzzAddScripts(f *testing.F) {
	for _, s := range []string{"{}", `{"scripts":{"a":"b"}}`, "{\n \"x\": [1, {}],\n \"scripts\": {\n }\n}", "\ufeff{\"scripts\":{}}", `{"scripts":{},"scripts":{"a":1}}`, "{\n \"0\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		now, added, err := addScripts(src, npmScripts)
		if err != nil {
			return
		}
		body := strings.TrimPrefix(string(now), "\ufeff")
		if !json.Valid([]byte(body)) {
			t.Fatalf("%q became %q", src, now)
		}
		if again, more, err := addScripts(now, npmScripts); err != nil || len(more) > 0 || string(again) != string(now) {
			t.Fatalf("%q: the second time %v %v, after %v", src, err, more, added)
		}
	})
}

func fixedNow() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// Who sits at a terminal is asked about what belongs to others, and told first what
// was found; an answer that is none is no.
func TestInitAsks(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("it needs script of util-linux for a terminal")
	}
	for answers, want := range map[string]string{"y\nyes\n": ".gitignore package.json", "n\nY\n": "package.json", "\nwhat\n": "", "": ""} {
		dir := t.TempDir()
		for name, text := range map[string]string{"package.json": "{}", ".gitignore": ""} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(script, "-qec", "audit init", "/dev/null")
		cmd.Stdin, cmd.Dir = strings.NewReader(answers), dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "AUDIT_ROOT="+dir, "TERM=dumb")
		out, err := cmd.CombinedOutput()
		said := string(out)
		var changed []string
		for name, was := range map[string]string{".gitignore": "", "package.json": "{}"} {
			if b, _ := os.ReadFile(filepath.Join(dir, name)); string(b) != was {
				changed = append(changed, name)
			}
		}
		slices.Sort(changed)
		if found := strings.Index(said, "Looked at"); err != nil || strings.Join(changed, " ") != want || found < 0 || strings.Index(said, "[y/N]") < found {
			t.Errorf("%q: %v, changed %q, want %q\n%s", answers, err, changed, want, said)
		}
	}
}

// The workflow runs on pushes to the branch that origin calls its own; where no
// clone has said which that is, on those to any.
func TestInitBranch(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if text := workflowText("a/b@c", defaultBranch(root)); strings.Contains(text, "branches") || !strings.Contains(text, "  push:\n  pull_request:\n") {
		t.Error(text)
	}
	if err := create(root, ".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/release/1\n"); err != nil {
		t.Fatal(err)
	}
	if text := workflowText("a/b@c", defaultBranch(root)); !strings.Contains(text, "  push:\n    branches: [\"release/1\"]\n  pull_request:\n") {
		t.Error(text)
	}
}
