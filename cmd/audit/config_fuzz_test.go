package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// everyKey is a configuration with every key that there is.
const everyKey = `version: 1
root: .
systems:
  pm2: {enabled: auto, homes: [/srv/.pm2], files: [ecosystem.config.js], node: false}
  workflows: {enabled: true}
  functions: {enabled: auto, manifests: [netlify/list.json]}
  scripts: {enabled: auto, include: ["tools/**"], exclude: ["old/**"], crontabs: [crontab]}
expect: [pm2/api, workflows/ci.yml]
criticality: {pm2/api: high, "scripts/legacy/**": low}
weights: {pm2: 1, workflows: 0.5}
cadence: {every: 15m, grace: 10m}
gate: {fail_on: [critical, regression], fail_under: 50}
store: {network: false}
retention: {last: 10, hourly: 48, daily: 30, weekly: 12, monthly: 24}
checks:
  off: [pm2-errored]
  severity: {script-syntax: low}
  limits: {pm2-memory-over-limit.ratio: 1}
  custom:
    - id: strict
      system: scripts
      match: {items: ["scripts/tools/*"], except: ["scripts/tools/x"]}
      when: 'item.kind == "script" && !finding("script-syntax") && fact("a", 1) == 1'
      severity: low
      message: "{name} is not strict"
      hint: Write set -eu.
waivers:
  - {check: script-syntax, item: "scripts/**", reason: for a while, until: 2027-01-31}
ignore:
  - {item: "pm2/*", fact: version, reason: it changes all the time, until: 2027-01-31}
archive:
  dir: .audit/archives
  copy_to: /srv/copies
  when: auto
  keep: {last: 7, weekly: 8, monthly: 12}
  max_bytes: 1GB
  drill_every: 30d
log: {level: info, dir: .audit/logs, max_size: 10MB, keep: 5}
recovery: {mode: plan, rules: audit.rules.yaml}
plugins:
  collectors:
    - {name: backups, system: scripts, command: [./backups.sh, "db=/srv/db"], timeout: 20s, env: [PGPASSFILE], metrics: [age]}
  checks:
    - name: runbook
      system: scripts
      command: [python3, ./runbook.py]
      timeout: 5s
      env: [LANG]
      match: ["workflows/*"]
      finds: [{id: missing, title: not there, severity: low, doc: It helps., hint: Write it.}]
hooks:
  before: [{command: [./fetch.sh], timeout: 5s, env: [LANG]}]
  after: [{command: [mail]}]
  on_regression: [{command: [/bin/mail]}]
  ping: https://example.org/x
`

// settle reads a configuration as every command does.
func settle(t testing.TB, dir, text string) error {
	config := filepath.Join(dir, "audit.yaml")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	a := &App{Process: &Process{Env: func(string) string { return "" }, Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}, CLI: &CLI{Config: config, Root: dir}}
	_, err := a.settings()
	return err
}

var (
	placed = regexp.MustCompile(`audit\.yaml: \[\d+:\d+\] `)
	whole  = regexp.MustCompile(`is nested too deeply|holds a second YAML document|not a regular file of at most`)
)

// told reports what is wrong with an error of a configuration: it must be one of the
// user's, and say in which line.
func told(err error) string {
	var usage *usageError
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &usage):
		return "no error of the user's"
	case !placed.MatchString(err.Error()) && !whole.MatchString(err.Error()):
		return "without a line"
	}
	return ""
}

// The configuration has every key, so that mutations of it meet every error.
func TestConfig_everything(t *testing.T) {
	if err := settle(t, t.TempDir(), everyKey); err != nil {
		t.Fatal(err)
	}
	for key := range configKeys(reflect.TypeFor[File](), "") {
		if !regexp.MustCompile(`\b`+key+`:`).MatchString(everyKey) && key != "recipients_file" {
			t.Errorf("%s is not in it", key)
		}
	}
}

// Whatever is wrong, it is told with a line, and nothing breaks.
func TestConfig_mutations(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	refused := 0
	for range 150 {
		text := everyKey
		for range 1 + r.IntN(2) {
			text = mutate(r, text)
		}
		err := settle(t, dir, text)
		if err != nil {
			refused++
		}
		if bad := told(err); bad != "" {
			t.Fatalf("%s: %v %s", bad, err, changedLines(text))
		}
	}
	if refused < 30 {
		t.Errorf("only %d were refused", refused)
	}
}

// values are what a scalar is replaced with.
var values = []string{"", "null", "~", "[]", "{}", "[[]]", "{a: b}", "-1", "0", "1e999", ".nan", "99999999999999999999", "true", "'x'", `"\u0000"`, `"\u202e"`, "*a", "&a b", "!!binary x", "2026-13-45", "'{nmae}'", "'item.score > 1'", "../..", "/", "|", "'[['"}

func mutate(r *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	i := r.IntN(len(lines) - 1)
	switch r.IntN(8) {
	case 0:
		return strings.Join(slices.Delete(lines, i, i+1), "")
	case 1:
		return strings.Join(slices.Insert(lines, i, lines[i]), "")
	case 2:
		lines[i] = " " + lines[i]
	case 3:
		at := r.IntN(len(text))
		return text[:at] + string(rune(r.IntN(0x250))) + text[at:]
	case 4:
		at := r.IntN(len(text))
		return text[:at] + text[min(len(text), at+1+r.IntN(5)):]
	default:
		words := scalar.FindAllStringIndex(text, -1)
		w := words[r.IntN(len(words))]
		return text[:w[0]] + values[r.IntN(len(values))] + text[w[1]:]
	}
	return strings.Join(lines, "")
}

var scalar = regexp.MustCompile(`[A-Za-z0-9_./*"'-]+`)

// Whatever stands in a configuration: no panic, and an error of the user's.
func FuzzConfig(f *testing.F) {
	f.Add(everyKey)
	f.Add("checks: {custom: [{id: x, system: scripts, message: x, when: 'let a = item; a.score'}]}")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 32<<10 {
			t.Skip("longer than what is tried here")
		}
		if err := settle(t, t.TempDir(), text); err != nil && !errors.As(err, new(*usageError)) {
			t.Error(err)
		}
	})
}

// changedLines are the lines that a mutation made.
func changedLines(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.Contains(everyKey, line) {
			out = append(out, line)
		}
	}
	return fmt.Sprintf("%q", out)
}
