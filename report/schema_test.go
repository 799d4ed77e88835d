package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/report"
	"healthaudit/report/reporttest"
)

func encode(t *testing.T, d *report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON.Render(&b, d, report.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSchema_accepts_every_document(t *testing.T) {
	for name, d := range report.Documents() {
		t.Run(name, func(t *testing.T) {
			if err := reporttest.Validate(encode(t, d)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchema_rejects(t *testing.T) {
	for _, c := range []struct {
		name, path string
		set        any // nil deletes
	}{
		{"another_schema", "schema", "audit.report/v2"},
		{"a_missing_list", "regressions", nil},
		{"a_list_that_is_null", "findings", json.RawMessage("null")},
		{"a_missing_field_of_a_finding", "findings.0.hint", nil},
		{"an_unknown_severity", "findings.0.severity", "error"},
		{"an_unknown_status", "findings.0.status", "open"},
		{"a_line_of_zero", "findings.0.location.line", 0},
		{"a_local_time", "run.started", "2026-11-23T12:00:00+01:00"},
		{"a_score_as_text", "score.value", "71.3"},
		{"an_exit_code_of_go", "gate.exit", 2},
		{"an_unknown_grade", "systems.0.score.grade", "E"},
		{"a_system_of_another_product", "systems.0.system", "docker"},
		{"a_short_id", "findings.0.id", "abc"},
		{"a_fact_that_is_an_object", "items.1.facts.watch", map[string]any{}},
		{"an_unknown_risk", "changes.0.facts.0.risk", "high"},
		{"a_code_that_is_not_there", "regressions.0.code", "R7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var doc any
			if err := json.Unmarshal(encode(t, report.Documents()["ordinary"]), &doc); err != nil {
				t.Fatal(err)
			}
			change(t, doc, strings.Split(c.path, "."), c.set)
			b, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if reporttest.Validate(b) == nil {
				t.Errorf("%s = %v passes", c.path, c.set)
			}
		})
	}
}

func change(t *testing.T, doc any, path []string, set any) {
	t.Helper()
	for ; len(path) > 1; path = path[1:] {
		switch x := doc.(type) {
		case map[string]any:
			doc = x[path[0]]
		case []any:
			doc = x[path[0][0]-'0']
		}
	}
	m, ok := doc.(map[string]any)
	if !ok || m[path[0]] == nil {
		t.Fatalf("the document has no %s", path[0])
	}
	if set == nil {
		delete(m, path[0])
		return
	}
	m[path[0]] = set
}

func TestSchema_tolerates_fields_to_come(t *testing.T) {
	b := bytes.Replace(encode(t, report.Documents()["ordinary"]), []byte(`"schema":`), []byte(`"tomorrow": 1, "schema":`), 1)
	if err := reporttest.Validate(b); err != nil {
		t.Error(err)
	}
}

// TestSchema_names_every_field walks the Go types and the schema side by side.
func TestSchema_names_every_field(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(report.SchemaJSON, &root); err != nil {
		t.Fatal(err)
	}
	gained := []string{"items[].unknown", "items[].flapping", "findings[].occurrence", "findings[].check_version", "findings[].fails_gate", "changes[].from", "regressions[].fails_gate", "checks[].doc", "checks[].confidence"} // not in the first v1: read but not demanded
	var walk func(path string, typ reflect.Type, s map[string]any)
	walk = func(path string, typ reflect.Type, s map[string]any) {
		s = resolve(root, s)
		switch typ.Kind() {
		case reflect.Pointer:
			walk(path, typ.Elem(), s)
		case reflect.Slice:
			items, ok := s["items"].(map[string]any)
			if !ok {
				t.Errorf("%s: a list without items in the schema", path)
				return
			}
			walk(path+"[]", typ.Elem(), items)
		case reflect.Struct:
			if typ == reflect.TypeFor[time.Time]() {
				return
			}
			props, _ := s["properties"].(map[string]any)
			required, _ := s["required"].([]any)
			if len(props) != typ.NumField() {
				t.Errorf("%s: %d fields in Go, %d in the schema", path, typ.NumField(), len(props))
			}
			for i := range typ.NumField() {
				name := typ.Field(i).Tag.Get("json")
				at := strings.TrimPrefix(path+"."+name, ".")
				p, ok := props[name].(map[string]any)
				if !ok {
					t.Errorf("%s is not in the schema", at)
					continue
				}
				if slices.Contains(required, any(name)) == slices.Contains(gained, at) {
					t.Errorf("%s: required is wrong", at)
				}
				walk(at, typ.Field(i).Type, p)
			}
		}
	}
	walk("", reflect.TypeFor[report.Document](), root)
}

// resolve follows references and takes the not-null side of a choice.
func resolve(root, s map[string]any) map[string]any {
	if ref, ok := s["$ref"].(string); ok {
		return resolve(root, root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any))
	}
	if one, ok := s["oneOf"].([]any); ok {
		return resolve(root, one[0].(map[string]any))
	}
	return s
}

func TestSchema_in_docs_is_a_copy(t *testing.T) {
	path := filepath.Join("..", "docs", "report.schema.json")
	if *report.Update {
		if err := os.WriteFile(path, report.SchemaJSON, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, report.SchemaJSON) {
		t.Error("docs/report.schema.json is not report/schema.json: copy it")
	}
}
