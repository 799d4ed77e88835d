package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// What completion knows of names is of names that there are.
func TestCompletionKnowsTheCommandLine(t *testing.T) {
	known := map[string]bool{}
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		for _, p := range n.Positional {
			known[p.Name], known[n.Path()+" "+p.Name] = true, true
		}
		for _, f := range n.Flags {
			known[f.Name], known[n.Path()+" "+f.Name] = true, true
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(model(t).Node)
	for name := range valuesOf {
		if !known[name] {
			t.Errorf("there is no argument or flag %q", name)
		}
	}
}

// model is the command line as kong has it.
func model(t *testing.T) *kong.Application {
	t.Helper()
	k, err := newKong(&CLI{}, &Process{})
	if err != nil {
		t.Fatal(err)
	}
	return k.Model
}

// The pages of audit help name every key and every variable that there is.
func TestTopicsAreComplete(t *testing.T) {
	var keys []string
	for _, k := range configDocs {
		keys = append(keys, k[0])
	}
	for i := range reflect.TypeFor[File]().NumField() {
		if name := reflect.TypeFor[File]().Field(i).Tag.Get("yaml"); !slices.Contains(keys, name) {
			t.Errorf("audit help configuration does not name %s", name)
		}
	}
	env := topics[slices.IndexFunc(topics, func(t topic) bool { return t.name == "environment" })].text
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`Env\("([A-Z_0-9]+)"\)|"(AUDIT_[A-Z_]+)"`).FindAllStringSubmatch(string(b), -1) {
			name := m[1] + m[2]
			if strings.HasSuffix(f, "_test.go") || slices.Contains([]string{"TERM", "USER", "LOGNAME", "SHELL", "PWD", "GITHUB_ACTIONS", "SUDO_USER", "XDG_CONFIG_HOME"}, name) {
				continue // who runs it, for the journal; where units lie
			}
			if !strings.Contains(env, name) {
				t.Errorf("%s reads %s, which audit help environment does not name", f, name)
			}
		}
	}
}
