package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot/collect/plugin"
)

// TestPluginsPage reads the examples of docs/plugins.md: each configuration is one
// that is accepted, and each piece of JSON one of the schema.
func TestPluginsPage(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "docs", "plugins.md"))
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]int{}
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(string(src), -1) {
		kind, text := m[1], m[2]
		read[kind]++
		switch kind {
		case "json":
			valid(t, plugin.SchemaJSON, text)
		case "yaml":
			dir := t.TempDir()
			config := filepath.Join(dir, "audit.yaml")
			if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			a := &App{Process: &Process{Env: func(string) string { return "" }, Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}, CLI: &CLI{Config: config, Root: dir}}
			if _, err := a.settings(); err != nil {
				t.Errorf("%v\n%s", err, strings.TrimSpace(text))
			}
		}
	}
	if read["yaml"] < 4 || read["json"] < 4 {
		t.Errorf("only %v examples were read", read)
	}
}
