// Package formats has the parsers of others read what audit writes: the golden
// reports of every machine format, of an ordinary, an empty, a first and a hostile
// run among others.
package formats

import (
	"bytes"
	"encoding/csv"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/xeipuuv/gojsonschema"
)

// golden calls fn with every golden report of that extension.
func golden(t *testing.T, ext string, fn func(t *testing.T, name string, b []byte)) {
	t.Helper()
	dir := filepath.Join("..", "..", "testdata", "golden", "report")
	for _, name := range []string{"ordinary", "empty", "first-run", "hostile", "unreadable", "nothing-wrong", "zero"} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, name+"."+ext))
			if err != nil {
				t.Fatal(err)
			}
			fn(t, name, b)
		})
	}
}

// findings are how many each document has; what is resolved is no longer there.
var findings = map[string]int{"ordinary": 10, "first-run": 1, "hostile": 18, "unreadable": 2}

// unread is how many things each could not read.
var unread = map[string]int{"hostile": 18, "unreadable": 2}

func TestJUnit(t *testing.T) {
	golden(t, "junit.xml", func(t *testing.T, name string, b []byte) {
		suites, err := junit.IngestReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		var sum junit.Totals
		for _, s := range suites {
			counted := s.Totals
			s.Aggregate()
			if s.Totals.Tests != len(s.Tests) || counted.Failed != s.Totals.Failed || counted.Skipped != s.Totals.Skipped || counted.Error != s.Totals.Error {
				t.Errorf("%s: the file counts %+v, there are %+v", s.Name, counted, s.Totals)
			}
			sum.Tests += s.Totals.Tests
			sum.Failed += s.Totals.Failed
			sum.Error += s.Totals.Error
			sum.Skipped += s.Totals.Skipped
		}
		want := map[string]junit.Totals{"ordinary": {Tests: 17, Failed: 8, Skipped: 2}, "unreadable": {Tests: 12, Error: 1, Skipped: 8}}
		if w, ok := want[name]; ok && sum != w {
			t.Errorf("%+v, want %+v", sum, w)
		}
		if sum.Tests <= 0 || (name == "empty" || name == "nothing-wrong" || name == "first-run") && sum.Failed+sum.Error > 0 {
			t.Errorf("%+v", sum)
		}
	})
}

// schema is the official schema of SARIF 2.1.0, which go-sarif carries as text.
func schema(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for _, f := range files {
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name == "schema" && len(v.Values) == 1 {
				if lit, ok := v.Values[0].(*ast.BasicLit); ok {
					text, _ = strconv.Unquote(lit.Value)
				}
			}
			return true
		})
	}
	if !strings.Contains(text, "Static Analysis Results Format (SARIF) Version 2.1.0") {
		t.Fatal("go-sarif has no schema any more")
	}
	s, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSARIF(t *testing.T) {
	s := schema(t)
	if res, err := s.Validate(gojsonschema.NewStringLoader(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{}, "level":"bad"}]}]}`)); err != nil || res.Valid() {
		t.Fatal("the schema accepts everything")
	}
	golden(t, "sarif", func(t *testing.T, name string, b []byte) {
		res, err := s.Validate(gojsonschema.NewBytesLoader(b))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Errors() {
			t.Error(e)
		}
		r, err := sarif.FromBytes(b, sarif.WithStrictValidation())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, x := range r.Runs[0].Results {
			n++
			if at := x.Locations[0].PhysicalLocation; at.ArtifactLocation.URI == nil || *at.ArtifactLocation.URI == "" || *at.Region.StartLine < 1 {
				t.Errorf("result %d has no place", n)
			}
		}
		want := findings[name]
		if name == "ordinary" {
			want-- // one is resolved
		}
		if n != want {
			t.Errorf("%d results, want %d", n, want)
		}
	})
}

func TestPrometheus(t *testing.T) {
	golden(t, "prom", func(t *testing.T, name string, b []byte) {
		p := expfmt.NewTextParser(model.LegacyValidation)
		families, err := p.TextToMetricFamilies(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetHelp() == "" || f.Type == nil {
				t.Errorf("%s has no help or type", f.GetName())
			}
			for _, m := range f.Metric {
				if m.TimestampMs != nil {
					t.Errorf("%s has a timestamp, which the textfile collector refuses", f.GetName())
				}
			}
		}
		problems, err := promlint.New(bytes.NewReader(b)).Lint()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	})
}

func TestCSV(t *testing.T) {
	golden(t, "csv", func(t *testing.T, name string, b []byte) {
		recs, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil || len(recs) != findings[name]+unread[name]+1 {
			t.Errorf("%d records, %v", len(recs), err)
		}
	})
}
