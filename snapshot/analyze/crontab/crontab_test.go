package crontab

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	src := `# comment
SHELL=/bin/bash
MAILTO = "ops@example.org"
PATH=/usr/bin:$HOME/bin

*/15 * * * *   cd /srv/shop && node scripts/sync.js >> log 2>&1
CRON_TZ=Europe/Berlin
@daily	scripts/report.sh $(date +\%F)%line one%line two
	0 3 * * mon-fri TOKEN=x ./backup.sh
`
	want := File{
		Env: []Env{{"SHELL", "/bin/bash", 2}, {"MAILTO", "ops@example.org", 3}, {"PATH", "/usr/bin:$HOME/bin", 4}, {"CRON_TZ", "Europe/Berlin", 7}},
		Entries: []Entry{
			{Schedule: "*/15 * * * *", Shell: "bash", Command: "cd /srv/shop && node scripts/sync.js >> log 2>&1", Line: 6, Column: 1, Start: 16},
			{Schedule: "@daily", Timezone: "Europe/Berlin", Shell: "bash", Command: "scripts/report.sh $(date +%F)", Input: true, Line: 8, Column: 1, Start: 8},
			{Schedule: "0 3 * * mon-fri", Timezone: "Europe/Berlin", Shell: "bash", Command: "TOKEN=x ./backup.sh", Line: 9, Column: 2, Start: 18},
		},
	}
	if d := cmp.Diff(want, Parse("deploy/crontab", []byte(src))); d != "" {
		t.Error(d)
	}
}

func TestParse_user_column(t *testing.T) {
	for _, c := range []struct{ name, path, src, user, command string }{
		{"in etc/crontab", "etc/crontab", "5 4 * * * deploy run-it now\n", "deploy", "run-it now"},
		{"in cron.d", "ops/cron.d/shop", "@reboot deploy run-it\n", "deploy", "run-it"},
		{"elsewhere with a known account", "crontab", "# x\nA=b\n5 4 * * * root run-it now\n", "root", "run-it now"},
		{"elsewhere the first word is the command", "crontab", "5 4 * * * node server.js\n", "", "node server.js"},
		{"elsewhere one known account decides for other names", "crontab", "5 4 * * * deploy run-it now\n5 4 * * * root x y\n", "deploy", "run-it now"},
		{"elsewhere one line without a user decides", "crontab", "5 4 * * * deploy run-it now\n5 4 * * * ./x y\n", "", "deploy run-it now"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Parse(c.path, []byte(c.src))
			if len(f.Problems) > 0 || len(f.Entries) == 0 || f.Entries[0].User != c.user || f.Entries[0].Command != c.command {
				t.Errorf("got %+v", f)
			}
		})
	}
}

var badCases = []struct {
	name, src string
	want      []Problem
}{
	{"hour out of range", "0 25 * * * true\n", []Problem{{1, 1, "bad schedule: hour is not valid", true}}},
	{"unknown macro", "# x\n  @dayly true\n", []Problem{{2, 3, "bad schedule", true}}},
	{"no command", "0 1 * * *\n", []Problem{{1, 1, "not a crontab line: it needs 5 schedule fields and a command", true}}},
	{"no final newline", "0 1 * * * true", []Problem{{1, 15, "no newline at the end of the file: cron refuses or ignores the last line", true}}},
	{"CRLF", "0 1 * * * true\r\n", []Problem{{1, 1, "lines end in CRLF: the carriage return becomes part of every command", true}}},
	{"a user where there is no column for one", "5 4 * * * root run-it now\n5 4 * * * ./x y\n", []Problem{{1, 11, "root is no command: the crontab of one user has no column for users, as other lines here have none", true}}},
	{"a program of the name of a box", "0 2 * * * vagrant snapshot push\n5 4 * * * ./x y\n", nil},
	{"a placeholder may be a user", "5 4 * * * root run-it now\n5 4 * * * ${APP_USER} x y\n", nil},
	{"NUL", "a\nb\x00", []Problem{{2, 1, "holds a NUL byte: not a crontab", false}}},
	{"comment without newline is harmless only when blank", "0 1 * * * true\n  ", nil},
	{"too many", strings.Repeat("@daily x\n", MaxEntries+2), []Problem{{1001, 1, "more than 1000 entries: the rest is not read", false}}},
}

func TestParse_problems(t *testing.T) {
	for _, c := range badCases {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, Parse("crontab", []byte(c.src)).Problems); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParse_machine_without_user(t *testing.T) {
	for src, column := range map[string]int{
		"25 6 * * * cd /srv/app && ./x\n":   12,
		"25 6 * * * /srv/app/x --all\n":     12,
		"@daily TOKEN=s3cret ./x\n":         8,
		"25 6 * * * $HOME/bin/x\n":          12,
		"25 6 * * * [ -x /srv/x ] && run\n": 12,
	} {
		f := Parse("etc/cron.d/app", []byte(src))
		if len(f.Problems) != 1 || f.Problems[0].Column != column || !strings.HasPrefix(f.Problems[0].Message, "no user before the command") || !f.Entries[0].Misfit || f.Entries[0].Bad || f.Entries[0].Start != column {
			t.Errorf("%q: %+v", src, f)
		}
	}
	for _, src := range []string{"5 4 * * * www-data x y\n", "5 4 * * * svc_1.x@corp x\n", "@reboot Deploy x\n", "5 4 * * * root:wheel x\n", "5 4 * * * ${APP_USER} x\n", "5 4 * * * {{ user }} x\n", "5 4 * * * <user> x\n"} {
		if f := Parse("etc/cron.d/app", []byte(src)); len(f.Problems) > 0 {
			t.Errorf("%q: %+v", src, f.Problems)
		}
	}
}

func TestParse_keeps_no_clear_text(t *testing.T) {
	src := "TOKEN=s3cret\n0 1 * * * curl -H s3cret x\ns3cret s3cret\n99 s3cret s3cret * * s3cret\n"
	b, err := json.Marshal(Parse("crontab", []byte(src)))
	if err != nil || bytes.Contains(b, []byte("s3cret")) {
		t.Errorf("%s %v", b, err)
	}
}

func TestIs(t *testing.T) {
	for p, want := range map[string]bool{
		"crontab": true, "a/backup.crontab": true, "crontab.prod": true, "x/cron.d/shop": true, "crontab.example": true,
		"crontab.md": false, "src/crontab.py": false, "cron.d/README": false, "crontab.j2": false, "mycrontab": false, "cron/crontab~": false,
	} {
		if Is(p) != want {
			t.Errorf("Is(%q) is %v", p, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range badCases {
		f.Add("crontab", []byte(c.src[:min(len(c.src), 300)]))
	}
	f.Add("etc/crontab", []byte("CRON_TZ=UTC\n*/5 * * * * root cd x && ./y \\% z % in\n@reboot a b"))
	f.Fuzz(func(t *testing.T, p string, src []byte) {
		file := Parse(p, src)
		if !reflect.DeepEqual(file, Parse(p, src)) {
			t.Fatal("two results for the same bytes")
		}
		lines := bytes.Split(src, []byte("\n"))
		inside := func(line, col int) {
			if line < 1 || line > len(lines) || col < 1 || col > len(lines[line-1])+1 {
				t.Fatalf("position %d:%d is outside the text", line, col)
			}
		}
		for _, q := range file.Problems {
			inside(q.Line, q.Column)
		}
		for _, e := range file.Entries {
			inside(e.Line, e.Column)
			inside(e.Line, e.Start)
			text := string(lines[e.Line-1][e.Start-1:])
			if !strings.Contains(text, "%") && !strings.HasPrefix(text, e.Command) {
				t.Fatalf("command %q does not stand at %d:%d", e.Command, e.Line, e.Start)
			}
			if e.Command == "" && !e.Input {
				t.Fatal("entry without a command")
			}
		}
	})
}
