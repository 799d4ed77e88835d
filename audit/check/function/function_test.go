package function

import (
	"strings"
	"testing"

	"healthaudit/audit"
	"healthaudit/audit/check/checktest"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/function"
)

func TestCases(t *testing.T) { checktest.Run(t, All, function.Collector) }

func judge(t *testing.T, archive string) []audit.Finding {
	t.Helper()
	dir := t.TempDir()
	collecttest.Write(t, dir, archive)
	s := collecttest.Session(t, dir)
	snap := collecttest.Snapshot(t, s, function.Collector)
	return audit.Judge(All, &audit.World{Now: snap, Before: snapshot.Nothing, Derived: s.Derived}).Findings
}

// A netlify.toml with dozens of tables that Netlify does not read is one
// mistake, told once, with a table to copy.
func TestScheduleIgnored(t *testing.T) {
	t.Run("tells of many tables once", func(t *testing.T) {
		var toml strings.Builder
		for _, c := range "abcdefghijklmnopqrstuvwxyz" {
			toml.WriteString("[[scheduled.functions]]\nname = \"job-" + string(c) + "\"\nschedule = \"@daily\"\n")
		}
		got := judge(t, "-- netlify.toml --\n"+toml.String()+"-- netlify/functions/job-a.js --\nexports.handler = async () => ({});\n")
		if len(got) != 1 {
			t.Fatalf("%d findings, want 1: %+v", len(got), got)
		}
		for _, want := range []string{"26 schedules", "job-a, job-b, job-c and 23 more"} {
			if !strings.Contains(got[0].Message, want) {
				t.Errorf("message %q lacks %q", got[0].Message, want)
			}
		}
		if want := "[functions.\"job-a\"]\n  schedule = \"@daily\""; !strings.Contains(got[0].Hint, want) {
			t.Errorf("hint %q lacks the table %q", got[0].Hint, want)
		}
	})
	t.Run("keeps its identity when the expression changes", func(t *testing.T) {
		src := "-- netlify/functions/x.js --\n\n\nexports.handler = async () => ({});\nexports.config = { schedule: \"@daily\" };\n"
		a, b := judge(t, src), judge(t, strings.Replace(strings.Replace(src, "@daily", "@hourly", 1), "\n\n\n", "\n", 1))
		if len(a) != 1 || len(b) != 1 || a[0].ID != b[0].ID {
			t.Fatalf("want one finding with one identity:\n%+v\n%+v", a, b)
		}
	})
}

// A broken line may hold a secret: no message quotes it.
func TestSyntaxKeepsSecrets(t *testing.T) {
	const secret = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
	for _, src := range []string{
		"const key = \"a\" \"" + secret + "\";", "const key = (" + secret + " " + secret + ";", "const x = { '" + secret + "' '" + secret + "' }",
		"let " + secret + "; let " + secret + ";", "const k = `" + secret, "const k = \"" + secret,
	} {
		got := judge(t, "-- netlify.toml --\n[functions]\nx = \""+secret+"\"\ny = "+secret+"\n-- netlify/functions/f.js --\n"+src+"\n")
		if len(got) != 2 {
			t.Fatalf("%q: %d findings, want 2", src, len(got))
		}
		for _, f := range got {
			if strings.Contains(f.Message+f.Hint, secret) || strings.Contains(f.Message, secret[:12]) {
				t.Errorf("%q: the message quotes it: %s", src, f.Message)
			}
		}
	}
}
