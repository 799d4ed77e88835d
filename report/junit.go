package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// JUnit writes the run as test results, for CI systems that show those: a suite
// for each system, and in it a case for each item and check that has something to
// say, and one for each item that has nothing. Only what makes the gate fail is a
// failure, what could not be read an error, what is waived or could not be judged
// skipped; the rest passes and says so in its output. Elements and attributes are
// those that the schema of Jenkins has, which knows no file of a case
// (https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd).
var JUnit = &Renderer{
	Name:   "junit",
	Doc:    "test results for CI: what fails the gate is a failure",
	Render: renderJUnit,

	Summary: true,
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string           `xml:"name,attr"`
	Tests      int              `xml:"tests,attr"`
	Failures   int              `xml:"failures,attr"`
	Errors     int              `xml:"errors,attr"`
	Skipped    int              `xml:"skipped,attr"`
	Time       string           `xml:"time,attr"`
	Timestamp  string           `xml:"timestamp,attr"`
	Hostname   string           `xml:"hostname,attr,omitempty"`
	Properties *junitProperties `xml:"properties"`
	Cases      []junitCase      `xml:"testcase"`
	Err        string           `xml:"system-err,omitempty"`
}

type junitProperties struct {
	List []junitProperty `xml:"property"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Skipped *junitReason `xml:"skipped"`
	Error   *junitReason `xml:"error"`
	Failure *junitReason `xml:"failure"`
	Out     string       `xml:"system-out,omitempty"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

func renderJUnit(w io.Writer, d *Document, o Options) error {
	all := d
	if o.New {
		d = d.OnlyNew()
	}
	t := junitSuites{Name: "audit", Time: seconds(d.Run.DurationMS)}
	j := &junit{Document: d, hidden: map[string]bool{}}
	for _, f := range all.Findings { // an item with findings that are not shown has not passed
		j.hidden[f.Item] = o.New && f.Status != "resolved" && f.Waiver == nil || j.hidden[f.Item]
	}
	for _, s := range d.Systems {
		t.Suites = append(t.Suites, j.suite(s))
	}
	t.Suites = append(t.Suites, j.own())
	for i := range t.Suites {
		s := &t.Suites[i]
		s.count()
		s.Timestamp = d.Run.Started.UTC().Format("2006-01-02T15:04:05")
		s.Hostname = Clean(d.Run.Host)
		t.Tests, t.Failures, t.Errors = t.Tests+s.Tests, t.Failures+s.Failures, t.Errors+s.Errors
	}
	b, err := xml.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	b = bytes.ReplaceAll(b, []byte("&#xA;"), []byte("\n")) // no attribute has any, and a text is easier to read
	_, err = w.Write(slices.Concat([]byte(xml.Header), b, []byte("\n")))
	return err
}

func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64) }

// A junit is one document on its way to test results.
type junit struct {
	*Document
	hidden map[string]bool // items that have findings that are not shown
}

func (s *junitSuite) count() {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
}

// suite makes the cases of one system.
func (j *junit) suite(s System) junitSuite {
	out := junitSuite{Name: s.System, Time: seconds(s.DurationMS), Err: j.unread(s.System)}
	if s.Score.Value != nil {
		out.Properties = &junitProperties{[]junitProperty{{"score", points(*s.Score.Value)}}}
	}
	switch s.Status {
	case "error":
		out.Cases = append(out.Cases, junitCase{Class: s.System, Name: "could be read", Error: &junitReason{Message: Clean(s.Reason), Type: "unread"}})
	case "skipped":
		out.Cases = append(out.Cases, junitCase{Class: s.System, Name: "could be read", Skipped: &junitReason{Message: Clean(s.Reason)}})
	}
	out.Cases = append(append(out.Cases, j.findings(s.System)...), j.worse(s.System)...)
	has := map[string]bool{}
	for _, f := range j.Findings {
		has[f.Item] = has[f.Item] || f.Status != "resolved"
	}
	for _, it := range j.Items {
		if it.System != s.System || has[it.Key] || j.hidden[it.Key] {
			continue
		}
		c := junitCase{Class: Clean(it.Key), Name: "nothing found"}
		if it.Level == "unknown" {
			c.Name, c.Skipped = "could be judged", &junitReason{Message: Clean(it.Unknown)}
		}
		out.Cases = append(out.Cases, c)
	}
	return out
}

// own is the suite of the auditor itself: what it found out about itself, and its
// gate, so that there is a failure exactly when the gate fails.
func (j *junit) own() junitSuite {
	c := junitCase{Class: "audit", Name: "gate"}
	if why := Clean(strings.Join(j.Gate.Why, "; ")); !j.Gate.Passed {
		c.Failure = &junitReason{Message: why, Type: "gate", Text: why}
	}
	out := junitSuite{Name: "audit", Time: seconds(0), Err: j.unread("audit"), Cases: append(append(j.findings("audit"), j.worse("audit")...), c)}
	if j.Gate.Exit == ExitDamaged {
		out.Cases = append(out.Cases, junitCase{Class: "audit", Name: "the store could be read", Error: &junitReason{Message: "the store is damaged", Type: "unread"}})
	}
	return out
}

// unread says what of a system could not be read.
func (j *junit) unread(system string) string {
	var lines []string
	for _, e := range j.Errors {
		if e.System != system {
			continue
		}
		line := Clean(e.Message)
		if e.Source != "" {
			line = Clean(e.Source) + ": " + line
		}
		if lines = append(lines, line); e.Hint != "" {
			lines = append(lines, "To do: "+cleanLines(e.Hint))
		}
	}
	return strings.Join(lines, "\n")
}

// findings makes a case of each item and check, in the order of the document.
func (j *junit) findings(system string) (out []junitCase) {
	type pair struct{ item, check string }
	by, order := map[pair][]Finding{}, []pair{}
	for _, f := range j.Findings {
		if f.System != system || f.Status == "resolved" {
			continue
		}
		p := pair{f.Item, f.Check}
		if by[p] == nil {
			order = append(order, p)
		}
		by[p] = append(by[p], f)
	}
	for _, p := range order {
		out = append(out, caseOf(by[p]))
	}
	return out
}

// caseOf makes one case of the findings of one check on one item.
func caseOf(fs []Finding) junitCase {
	f := fs[0]
	if i := slices.IndexFunc(fs, func(f Finding) bool { return f.FailsGate }); i >= 0 {
		f = fs[i] // what fails gives the case its name
	}
	c := junitCase{Class: Clean(f.Item), Name: Clean(f.Check)}
	var text []string
	waived, fails := 0, f.FailsGate
	for _, f := range fs {
		text = append(text, told(f))
		if f.Waiver != nil {
			waived++
		}
	}
	said := strings.Join(text, "\n\n")
	switch {
	case fails:
		c.Failure = &junitReason{Message: Clean(f.Title) + ": " + long(Clean(f.Message)), Type: f.Severity, Text: said}
	case waived == len(fs):
		c.Skipped = &junitReason{Message: Clean(fmt.Sprintf("waived until %s: %s (%s)", f.Waiver.Until, f.Waiver.Reason, f.Waiver.By))}
		c.Out = said
	default:
		c.Out = said
	}
	return c
}

// told is a finding in a few lines.
func told(f Finding) string {
	lines := []string{fmt.Sprintf("%s, %s: %s", f.Severity, f.Status, Clean(f.Title)), long(Clean(f.Message))}
	if at := Clean(strings.TrimSpace(place(f))); at != "" {
		lines = append(lines, "at "+at)
	}
	if f.Hint != "" {
		lines = append(lines, "To do: "+long(cleanLines(f.Hint)))
	}
	return strings.Join(lines, "\n")
}

// worse makes a case of each item that regressed, by however many measures, and
// names the findings that made it worse.
func (j *junit) worse(system string) (out []junitCase) {
	by, order := map[string][]Regression{}, []string{}
	for _, x := range j.Regressions {
		if s, _, _ := strings.Cut(x.Item, "/"); s != system {
			continue
		}
		if by[x.Item] == nil {
			order = append(order, x.Item)
		}
		by[x.Item] = append(by[x.Item], x)
	}
	for _, item := range order {
		c, fails := junitCase{Class: Clean(item), Name: "regression"}, false
		var text []string
		for _, x := range by[item] {
			fails = fails || x.FailsGate
			text = append(text, Clean(fall(x)))
		}
		message := strings.Join(text, ", ")
		for _, f := range j.Findings {
			if f.Item == item && f.Regression {
				text = append(text, "because of "+Clean(f.Check)+": "+long(Clean(f.Message)))
			}
		}
		if c.Out = strings.Join(text, "\n"); fails {
			c.Failure, c.Out = &junitReason{Message: message, Type: "regression", Text: c.Out}, ""
		}
		out = append(out, c)
	}
	return out
}
