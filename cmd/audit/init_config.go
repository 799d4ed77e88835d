package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"healthaudit/report"
	"healthaudit/rules"
)

// configHead and configTail are audit.yaml as init writes it: what begins with
// "# " is for a person, what begins with "#" and a key is a setting that is
// switched off and shows its default.
const configHead = `# audit.yaml: what audit looks at, and when it complains.
#
# audit init wrote this file once and never writes it again: it is yours. Every
# key may be left out. A line such as "#gate:" shows a key with its default; take
# the # away, there and on the lines below that belong to it, to change it.
# All keys, each in a sentence: audit help configuration

version: 1
`

const configTail = `
# Which systems are looked at: auto (where there is something to see), true, false.
#systems:
#  pm2:
#    enabled: auto
#    homes: [~/.pm2]        # when named here, PM2_HOME does not count
#    files: []              # further ecosystem files
#  workflows: {enabled: auto}
#  functions:
#    enabled: auto
#    manifests: []          # further lists of functions
#  scripts:
#    enabled: auto
#    include: []            # globs of further scripts
#    exclude: []            # globs of scripts to leave alone
#    crontabs: []           # further crontab files of the project

# What an item is worth, by glob: low, normal or high.
#criticality: {"scripts/legacy/**": low}

# When audit run exits with 1: critical, high, medium, low, info (that or worse),
# regression, new, never.
#gate:
#  fail_on: [critical, regression]
#  fail_under: 0            # or when the score is lower

# Checks that are off, and other severities: audit check list names them.
#checks:
#  off: []
#  severity: {}
#  limits: {}

# How often a run is due. With it, runs that are missing are findings: switch it
# on when cron or a timer starts audit (audit cron install).
#cadence: {every: 15m, grace: 10m}

# Which snapshots stay; any rule is enough to keep one.
#retention: {last: 10, hourly: 48, daily: 30, weekly: 12, monthly: 24}

# Backup files: auto (when something changed), always, never.
#archive:
#  when: auto
#  copy_to: ""              # a second folder, on another disk
#  recipients_file: ""      # public keys of age or ssh: archives are encrypted
#  keep: {last: 7, weekly: 8, monthly: 12}

# What runs write of themselves (audit logs), beside the store.
#log: {level: info, max_size: 10MB, keep: 5}

# Recovery by the rules of audit.rules.yaml: off, plan (tell only) or apply.
#recovery: {mode: plan}

# What you know and accept for a while: check, item, reason and until each.
#waivers: []
`

// configText is the audit.yaml of a project, with what was found there.
func configText(doc *report.Document) string {
	var b strings.Builder
	b.WriteString(configHead + "\n# What audit found here when it wrote this:\n")
	for _, s := range doc.Systems {
		switch {
		case s.System == "audit":
			continue
		case s.Status == "absent":
			fmt.Fprintf(&b, "#   %-10s nothing of the kind\n", s.System)
		case s.Reason != "":
			fmt.Fprintf(&b, "#   %-10s %s (%s)\n", s.System, counted(s.Items, "item"), report.Clean(s.Reason))
		default:
			fmt.Fprintf(&b, "#   %-10s %s\n", s.System, counted(s.Items, "item"))
		}
	}
	keys := worth(doc)
	b.WriteString("\n# What must be there: where one of these is missing, that is a critical finding.\n#expect:")
	if len(keys) == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "#  - %s\n", strconv.Quote(k))
	}
	return b.String() + configTail
}

// maxExpected is how many items init proposes to expect.
const maxExpected = 30

// worth returns the items that one would miss: apps, workflows and functions that
// are there, no files and nothing temporary.
func worth(doc *report.Document) (keys []string) {
	for _, it := range doc.Items {
		_, name, _ := strings.Cut(it.Key, "/")
		if it.System == "scripts" || strings.ContainsAny(name, "#*[](") || strings.Contains(name, "file:") || strings.Contains(name, "action:") || it.Unknown != "" || it.Change == "removed" {
			continue
		}
		keys = append(keys, it.Key)
	}
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(a, b) })
	return keys[:min(len(keys), maxExpected)]
}

// rulesText is audit.rules.yaml with every rule that audit brings along, none of
// them on.
func rulesText() string {
	_, text, _ := strings.Cut(string(rules.Builtin), "rules:\n")
	var b strings.Builder
	b.WriteString(`# audit.rules.yaml: what audit may mend by itself.
#
# Every rule is switched off: take the # away from its lines to switch it on. Even
# then audit only tells what it would do (audit recover plan), until audit.yaml
# says recovery: {mode: apply} or somebody calls audit recover apply.
# audit rule explain ID explains a rule; audit rule test goes over the history and
# tells when it would have acted.

version: 1
rules:
`)
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			b.WriteString("\n")
			continue
		}
		b.WriteString("#" + line)
	}
	return b.String()
}
