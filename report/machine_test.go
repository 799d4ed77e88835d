package report

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// machine are the formats that programs read, and how their files are called.
// The parsers of others read the same goldens: tools/formats.
var machine = []struct {
	*Renderer
	ext string
}{{JUnit, "junit.xml"}, {SARIF, "sarif"}, {Prometheus, "prom"}, {CSV, "csv"}}

func TestMachine(t *testing.T) {
	for name, d := range documents() {
		for _, r := range machine {
			t.Run(r.Name+"-"+name, func(t *testing.T) {
				got := render(t, r.Renderer, d, Options{})
				inert := bytes.ReplaceAll(got, []byte("&#xA;"), []byte("\n"))
				if !utf8.Valid(got) {
					t.Error("not UTF-8")
				}
				for _, c := range string(inert) {
					if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
						t.Fatalf("%U stands in it", c)
					}
				}
				if name != "many" {
					golden(t, name+"."+r.ext, got)
				}
			})
		}
	}
}

func TestMachine_reports_a_writer_that_fails(t *testing.T) {
	for _, r := range machine {
		if err := r.Render(&full{10}, ordinary(), Options{}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: error %v, want that of the writer", r.Name, err)
		}
	}
}

func readJUnit(t *testing.T, d *Document, o Options) (j junitSuites) {
	t.Helper()
	if err := xml.Unmarshal(render(t, JUnit, d, o), &j); err != nil {
		t.Fatal(err)
	}
	return j
}

// TestJUnit_fails_when_the_gate_does tries every document, as it is and with the
// gate turned round.
func TestJUnit_fails_when_the_gate_does(t *testing.T) {
	for name, d := range documents() {
		for _, passed := range []bool{true, false} {
			d := *d
			if d.Gate.Passed = passed; passed { // what a gate that passes never has
				d.Findings, d.Regressions = nil, nil
			}
			if j := readJUnit(t, &d, Options{}); (j.Failures == 0) != passed {
				t.Errorf("%s: the gate passes: %v, and there are %d failures", name, passed, j.Failures)
			}
		}
	}
}

func TestJUnit_cases(t *testing.T) {
	d := unreadable()
	d.Items = append(d.Items, Item{Key: "scripts/a.sh", System: "scripts", Level: "ok"}, Item{Key: "scripts/b.sh", System: "scripts", Level: "degraded"})
	w := finding("low", "script-lint", "scripts/w.sh", "w.sh:2", "lint", "unquoted", "", 0)
	w.Waiver = &Waiver{"later", "2027-01-31", "ann"}
	both := []Finding{finding("low", "script-lint", "scripts/b.sh", "b.sh:2", "lint", "first", "", 0), finding("high", "script-lint", "scripts/b.sh", "b.sh:9", "lint", "second", "", 0)}
	both[1].FailsGate = true
	gone := finding("high", "script-lint", "scripts/a.sh", "a.sh:1", "lint", "was there", "", 0).is("resolved", false)
	d.Findings = append(d.Findings, w, both[0], both[1], gone)
	is := func(o Options) map[string]string {
		out := map[string]string{}
		for _, s := range readJUnit(t, d, o).Suites {
			for _, c := range s.Cases {
				is := "passed"
				switch {
				case c.Failure != nil:
					is = "failed: " + c.Failure.Message
				case c.Error != nil:
					is = "error"
				case c.Skipped != nil:
					is = "skipped"
				}
				if _, twice := out[c.Class+" "+c.Name]; twice {
					t.Errorf("two cases are called %s %s", c.Class, c.Name)
				}
				out[c.Class+" "+c.Name] = is
			}
		}
		return out
	}
	got := is(Options{})
	for name, want := range map[string]string{
		"pm2 could be read": "error", "functions could be read": "skipped", "pm2/worker-0 could be judged": "skipped", "scripts/a.sh nothing found": "passed",
		"scripts/w.sh script-lint": "skipped", "scripts/b.sh script-lint": "failed: lint: second", "pm2/(system) audit-system-unreadable": "passed", "audit gate": "passed",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if got := is(Options{New: true}); got["scripts/b.sh nothing found"] != "" {
		t.Error("--new: an item whose findings are not shown has passed")
	}
}

// sarif is what the tests read of a SARIF file.
type sarif struct{ Runs []sarifRun }

func readSARIF(t *testing.T, d *Document, o Options) sarifRun {
	t.Helper()
	var s sarif
	if err := json.Unmarshal(render(t, SARIF, d, o), &s); err != nil {
		t.Fatal(err)
	}
	return s.Runs[0]
}

func TestSARIF_places_every_finding_in_a_file(t *testing.T) {
	items := []Item{{Key: "pm2/api", System: "pm2", Path: "apps/ecosystem.config.cjs"}, {Key: "pm2/file:ecosystem.config.js", System: "pm2", Path: "ecosystem.config.js"},
		{Key: "functions/a", System: "functions", Path: "netlify/functions/a.mjs"}, {Key: "functions/file:web/netlify.toml", System: "functions", Path: "web/netlify.toml"},
		{Key: "workflows/ci.yml", System: "workflows", Path: ".github/workflows/ci.yml"}, {Key: "scripts/npm:x", System: "scripts", Path: "/opt/x"}}
	for _, c := range []struct{ name, item, place, want string }{
		{"its place", "pm2/api", "logs/a b.log:7", "logs/a%20b.log 7"},
		{"the file of its item", "pm2/api", "", "apps/ecosystem.config.cjs 1"},
		{"the ecosystem file", "pm2/(system)", "", "ecosystem.config.js 1"},
		{"netlify.toml", "functions/(system)", "", "web/netlify.toml 1"},
		{"the first workflow", "workflows/(system)", "", ".github/workflows/ci.yml 1"},
		{"a place outside of the project", "workflows/ci.yml", "/etc/crontab:3", ".github/workflows/ci.yml 1"},
		{"a place above the project", "workflows/ci.yml", "../x:3", ".github/workflows/ci.yml 1"},
		{"nothing in the project", "scripts/npm:x", "", "package.json 1"},
		{"the auditor itself", "audit/(system)", "", "audit.yaml 1"},
		{"a name like a scheme", "pm2/api", "", ""},
	} {
		d := &Document{Items: items, Findings: []Finding{finding("high", "x-y", c.item, c.place, "t", "m", "", 0)}}
		if c.want == "" {
			d.Findings[0].Location, c.want = &Location{Path: "mailto:x", Line: 4}, "./mailto:x 4"
		}
		at := readSARIF(t, d, Options{}).Results[0].Locations[0].Physical
		if got := fmt.Sprint(at.Artifact.URI, " ", at.Region.Line); got != c.want || at.Artifact.Base != sarifRoot {
			t.Errorf("%s: %s below %s, want %s", c.name, got, at.Artifact.Base, c.want)
		}
	}
}

func TestSARIF_keeps_to_what_GitHub_takes(t *testing.T) {
	d := many()
	for len(d.Findings) < sarifResults+7 {
		f := d.Findings[len(d.Findings)%500]
		f.ID = digest(fmt.Sprint(len(d.Findings)))
		d.Findings = append(d.Findings, f)
	}
	var b, packed bytes.Buffer
	if err := SARIF.Render(&b, d, Options{}); err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(&packed)
	z.Write(b.Bytes())
	z.Close()
	if packed.Len() > 10<<20 {
		t.Errorf("%d bytes packed, GitHub takes 10 MB", packed.Len())
	}
	var s sarif
	if err := json.Unmarshal(b.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	run := s.Runs[0]
	if n := len(run.Results); n != 25_000 {
		t.Errorf("%d results, GitHub takes 25,000", n)
	}
	if n := run.Invocations[0].Notifications; len(n) != 1 || !strings.HasPrefix(n[0].Message.Text, "7 findings left out") {
		t.Errorf("what is left out is told as %v", n)
	}
}

func TestSARIF_results(t *testing.T) {
	run := readSARIF(t, ordinary(), Options{Only: []string{"pm2", "scripts"}})
	if got := run.AutomationDetails.ID; got != "audit/pm2-scripts/"+thisRun {
		t.Errorf("category %s", got)
	}
	seen := map[string]bool{}
	for _, r := range run.Results {
		rule := run.Tool.Driver.Rules[r.Index]
		if rule.ID != r.Rule || rule.Help.Text == "" || rule.Help.Markdown == "" {
			t.Errorf("%s is described by %v", r.Rule, rule)
		}
		if id := r.Fingerprints["primaryLocationLineHash"]; len(id) != 64 || seen[id] {
			t.Errorf("%s: fingerprint %s", r.Rule, id)
		} else {
			seen[id] = true
		}
		if waived := r.Rule == "workflow-shared-concurrency"; waived != (len(r.Suppressions) == 1) {
			t.Errorf("%s: suppressions %v", r.Rule, r.Suppressions)
		}
		if r.Rule == "script-conflict-marker" {
			t.Error("what is resolved would be shown as open")
		}
	}
	first := run.Results[0]
	if first.State != "new" || first.Level != "error" || run.Results[3].State != "unchanged" || run.Tool.Driver.Rules[0].Properties.Security != "9.5" {
		t.Errorf("first result %+v", first)
	}
	for _, r := range readSARIF(t, hostile(), Options{}).Results {
		if strings.Contains(r.Message.Text, "](") {
			t.Errorf("a foreign name makes a link: %s", r.Message.Text)
		}
	}
}

func TestCSV(t *testing.T) {
	for name, d := range documents() {
		recs, err := csv.NewReader(bytes.NewReader(render(t, CSV, d, Options{}))).ReadAll() // as many fields in each
		if err != nil || len(recs) != len(d.Findings)+len(d.Errors)+1 {
			t.Errorf("%s: %d records of %d findings, %v", name, len(recs), len(d.Findings), err)
		}
		for _, rec := range recs {
			for _, cell := range rec {
				if cell != "" && strings.ContainsAny(strings.TrimLeft(cell, " ")[:1], "=+-@") {
					t.Errorf("%s: a spreadsheet calculates %q", name, cell)
				}
			}
		}
	}
	if recs, err := csv.NewReader(bytes.NewReader(render(t, CSV, ordinary(), Options{New: true}))).ReadAll(); len(recs) != 4 {
		t.Errorf("--new: %d records, %v", len(recs), err)
	}
}

// FuzzMachine renders whatever parses as a saved report: the result is read back,
// and has as many findings.
func FuzzMachine(f *testing.F) {
	for name, d := range documents() {
		var b bytes.Buffer
		if err := JSON.Render(&b, d, Options{}); err != nil {
			f.Fatal(err)
		}
		if name != "many" {
			f.Add(b.Bytes())
		}
	}
	sample := regexp.MustCompile(`^audit_[a-z_]+\{root="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*\} -?[0-9.]+$`)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Document
		if json.Unmarshal(b, &d) != nil {
			return // no document
		}
		open := 0
		for _, f := range d.Findings {
			if f.Status != "resolved" {
				open++
			}
		}
		if err := xml.Unmarshal(render(t, JUnit, &d, Options{}), &junitSuites{}); err != nil {
			t.Errorf("junit: %v", err)
		}
		for _, r := range readSARIF(t, &d, Options{}).Results {
			open--
			if u, err := url.Parse(r.Locations[0].Physical.Artifact.URI); err != nil || u.String() == "" || u.IsAbs() {
				t.Errorf("sarif: %v %v", u, err)
			}
		}
		if open != 0 {
			t.Errorf("sarif lacks %d findings", open)
		}
		if recs, err := csv.NewReader(bytes.NewReader(render(t, CSV, &d, Options{}))).ReadAll(); err != nil || len(recs) != len(d.Findings)+len(d.Errors)+1 {
			t.Errorf("csv: %d records, %v", len(recs), err)
		}
		for l := range strings.Lines(string(render(t, Prometheus, &d, Options{}))) {
			if l = strings.TrimSuffix(l, "\n"); !strings.HasPrefix(l, "# ") && !sample.MatchString(l) {
				t.Errorf("prometheus: %q", l)
			}
		}
	})
}

func TestPrometheus_names_one_root(t *testing.T) {
	d := hostile()
	d.Run.Root = "/srv/\"a\\b\"\n"
	for l := range strings.Lines(string(render(t, Prometheus, d, Options{}))) {
		if !strings.HasPrefix(l, "#") && !strings.Contains(l, `{root="/srv/\"a\\b\"↵"`) {
			t.Errorf("root is not told in %s", l)
		}
	}
}

// TestErrors: what could not be read is in every format, in one place.
func TestErrors(t *testing.T) {
	d := unreadable()
	for _, r := range All {
		for _, only := range []*Document{d, d.Only([]string{"workflows"})} {
			out := string(render(t, r, only, Options{}))
			want := "permission denied"
			if r == Prometheus {
				want = `audit_errors{root="/srv/shop",system="workflows"} 1`
			}
			if n := strings.Count(out, want); n != 1 {
				t.Errorf("%s: %d times %q", r.Name, n, want)
			}
		}
	}
	d.Errors = append(d.Errors, Error{"audit", "store", "the store is damaged", "mend it"})
	for _, r := range All { // what systems are read from concerns each of them
		if out := string(render(t, r, d.Only([]string{"scripts"}), Options{})); !strings.Contains(out, "the store is damaged") && !strings.Contains(out, `audit_errors{root="/srv/shop",system="audit"} 1`) {
			t.Errorf("%s: it does not say that the store is damaged", r.Name)
		}
	}
	d.Gate.Exit = ExitDamaged // whoever reads cases alone sees one that failed
	if out := string(render(t, JUnit, d, Options{})); !strings.Contains(out, `name="the store could be read"`) {
		t.Errorf("no case of junit tells of a damaged store: %s", out)
	}
}
