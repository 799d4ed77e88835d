package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"healthaudit/report"
)

// A topic is something that concerns more than one command.
type topic struct {
	name, title string
	text        string // paragraphs; lines that begin with two blanks stay as they are
}

type helpCmd struct {
	Topic []string `arg:"" optional:"" help:"snapshots, exit-codes, formats, configuration or environment; or a command."`
}

// Run explains a topic, or a command as its --help does.
func (c *helpCmd) Run(a *App) error {
	if len(c.Topic) == 0 {
		return a.write("", exitGate, func(w io.Writer, o report.Options) error { return report.Topics(w, topicRows(), o) })
	}
	name := strings.Join(c.Topic, " ")
	if i := slices.IndexFunc(topics, func(t topic) bool { return t.name == name }); i >= 0 {
		return a.write("", exitGate, func(w io.Writer, o report.Options) error {
			return report.Topic(w, topics[i].title, topics[i].filled(), o)
		})
	}
	node := walk(a.model.Node, c.Topic)
	if node.args == 0 && node.node != a.model.Node {
		return exitCode(Main(a.ctx, &Process{Args: append(slices.Clone(c.Topic), "--help"), Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr, Env: a.Env, Now: a.Now, Terminal: a.Terminal, Width: a.Width}))
	}
	var names []string
	for _, t := range topics {
		names = append(names, t.name)
	}
	hint := "audit help lists them"
	if near := nearestName(name, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &usageError{fmt.Sprintf("there is no topic and no command %q", name), hint}
}

func topicRows() (rows [][2]string) {
	for _, t := range topics {
		rows = append(rows, [2]string{t.name, t.title})
	}
	return rows
}

// filled puts in what the code itself knows.
func (t topic) filled() string {
	var formats, keys strings.Builder
	for _, r := range report.All {
		fmt.Fprintf(&formats, "  %-12s %s\n", r.Name, r.Doc)
	}
	for _, k := range configDocs {
		fmt.Fprintf(&keys, "  %-12s %s\n", k[0], k[1])
	}
	return strings.NewReplacer("FORMATS\n", formats.String(), "KEYS\n", keys.String()).Replace(t.text)
}

// configDocs is a sentence for each key at the top of audit.yaml.
var configDocs = [][2]string{
	{"version", "1"},
	{"root", "the project, relative to the file"},
	{"systems", "which of pm2, workflows, functions, scripts are looked at, and where"},
	{"expect", "items that must be there; a missing one is a critical finding"},
	{"criticality", "glob over items: low, normal, high; what an item is worth"},
	{"weights", "what a system is worth in the score"},
	{"gate", "fail_on, fail_under: when audit run exits with 1"},
	{"checks", "off, severity, limits: by the ids of audit check list; custom: your own"},
	{"waivers", "findings that are accepted: check, item, reason, until"},
	{"ignore", "facts whose changes are not shown: item, fact, reason, until"},
	{"cadence", "every, grace: how often a run is due"},
	{"retention", "last, hourly, daily, weekly, monthly: which snapshots stay"},
	{"archive", "dir, copy_to, when, recipients_file, keep, max_bytes, drill_every"},
	{"plugins", "collectors and checks of your own: programs (docs/plugins.md)"},
	{"hooks", "before, after, on_regression, ping: programs that are told of a run"},
	{"recovery", "mode (off, plan, apply) and the file of rules"},
	{"store", "network: true lets the store lie on NFS or SMB"},
	{"log", "level, dir, max_size, keep: what runs write of themselves"},
}

// topics are the pages of audit help.
var topics = []topic{
	{"snapshots", "How a saved run is named", `Wherever a command takes a snapshot, these words name one. They are tried in this order:

  latest        the newest snapshot of any kind (the default)
  previous      the one before it
  baseline      the one that audit baseline set has pinned
  latest~3      the third before the newest
  #12           the one with that number; quote it: '#12'
  2026-11-23    the last one not after the end of that day, local time
  2026-11-23T08:00:00Z
                the last one not after that moment
  '2026-11-23 08:00'
                the last one not after that minute, UTC: as audit list shows it
  30m 12h 3d 2w the last one not after that long ago
  01JD2K8M      the one whose id begins so: 8 letters or more

audit list shows numbers and times, audit list --format json the ids as well.`},
	{"exit-codes", "What the exit code says", `  0        done, and the gate passed
  1        the gate failed: --fail-on (default critical,regression) or
           --fail-under; audit diff: something changed; audit doctor: something
           needs doing; audit cron status: nothing starts audit; audit
           check-alive: the last run is too old, or could not be kept
  3        incomplete: the listing of a configured system failed
  4        the store is damaged: nothing was done, or some of what is shown
           is missing, which is named; a run compared with nothing and kept
           nothing
  5        something audit did failed: a restore, an archive, a recovery
  64       usage or configuration; nothing was done
  70       a bug of audit; -v prints a trace
  75       another run holds the lock; --wait 5m waits for it
  130 143  interrupted, by SIGINT or SIGTERM

Where several hold, the first of 4, 5, 1, 3 counts. 2 is never used: it is what a crashed program of this kind ends with.

audit status --format nagios has the codes of its trade instead: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. It is critical when the gate failed or three runs are missing, a warning when a run is missing, something could not be read, or a finding of high severity is open that the gate lets pass.`},
	{"formats", "What reports look like, and for whom", `The report is rendered from one document, now or later: audit run --format NAME writes what it just saw, audit report SNAPSHOT --format NAME any earlier run. --output FILE writes whole files only.

FORMATS

Listings (list, history, diff, schedules, journal, status, doctor, logs and others) have table and json. The JSON of reports is a contract: version 1 gains fields, and never loses or renames one. Its schema is docs/report.schema.json.

Tables take the width of the terminal, or of COLUMNS, and are 80 columns wide otherwise. Colours are for terminals only (--color, NO_COLOR).`},
	{"configuration", "What audit.yaml may say", `audit.yaml lies in the root and may be missing: every key has a default. Unknown and double keys are errors, with their line and the nearest name. audit init writes one with everything in it, switched off.

KEYS

Flags win over the environment, that over the file. What is accepted for a while (waivers, ignore, baseline) is explained in docs/waivers.md, archives in docs/backups.md, rules of recovery in docs/recovery.md.`},
	{"environment", "Which variables audit reads", `  AUDIT_ROOT           as --root
  AUDIT_CONFIG         as --config
  AUDIT_STORE          as --store
  AUDIT_FAIL_ON        as --fail-on
  AUDIT_FAIL_UNDER     as --fail-under
  AUDIT_COLOR          as --color
  AUDIT_IDENTITY_FILE  as --identity
  PM2_HOME             where PM2 keeps its state, when audit.yaml names no home
  HOME, PATH           for ~ and for git, python3, shellcheck
  NO_COLOR, COLUMNS    no colours; the width of tables
  GITHUB_STEP_SUMMARY  the file to which --format github appends the report

No others, and flags win over them. Cron gives a program almost none: audit doctor --cron shows what that means here, audit cron install writes what is needed into its line.`},
}
