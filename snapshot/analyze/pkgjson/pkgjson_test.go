package pkgjson

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	src := `{
  "name": "shop",
  "type": "module",
  "main": "index.js",
  "scripts": {
    "build": "vite build",
    "quoted": "echo \"hi\""
  },
  "workspaces": {"packages": ["apps/*"], "nohoist": ["x"]},
  "engines": {"node": ">=20", "runtime": {"name": "node"}},
  "bin": "cli.js",
  "dependencies": {"b": "1", "a": "^2"},
  "devDependencies": {"a": "3"},
  "nested": {"scripts": {"no": "no"}, "deep": [[{"x": [1, 2]}]]}
}
`
	want := Package{
		Name: "shop", Type: "module", Main: "index.js",
		Scripts: []Script{
			{Name: "build", Command: "vite build", Line: 6, Column: 15},
			{Name: "quoted", Command: `echo "hi"`, Line: 7, Column: 16, Escaped: true},
		},
		Workspaces: []string{"apps/*"},
		Deps:       []string{"a", "b"},
		Engines:    map[string]string{"node": ">=20"},
		Bin:        map[string]string{"shop": "cli.js"},
	}
	if d := cmp.Diff(want, Parse([]byte(src))); d != "" {
		t.Error(d)
	}
	crlf := Parse([]byte(strings.ReplaceAll(src, "\n", "\r\n")))
	if d := cmp.Diff(want, crlf); d != "" {
		t.Errorf("with CRLF: %s", d)
	}
}

var problemCases = []struct {
	name, src string
	want      Problem
}{
	{"trailing comma in an object", "{\"scripts\": {\n  \"a\": \"b\",\n}}", Problem{Kind: Syntax, Name: "", Line: 2, Column: 11, Message: `trailing comma before "}"`}},
	{"trailing comma in a list", `{"workspaces": ["a", ]}`, Problem{Kind: Syntax, Name: "", Line: 1, Column: 20, Message: `trailing comma before "]"`}},
	{"two commas", `{"a": 1,, "b": 2}`, Problem{Kind: Syntax, Name: "", Line: 1, Column: 9, Message: "one comma too many"}},
	{"missing comma", "{\n\"a\": \"b\"\n\"c\": 1}", Problem{Kind: Syntax, Name: "", Line: 3, Column: 1, Message: "a comma or colon is missing before this"}},
	{"comment", "{\n  // x\n}", Problem{Kind: Syntax, Name: "", Line: 2, Column: 3, Message: "comments are not allowed in JSON"}},
	{"single quotes", "{'a': 1}", Problem{Kind: Syntax, Name: "", Line: 1, Column: 2, Message: "single quotes are not allowed in JSON"}},
	{"conflict marker", "{\n<<<<<<< HEAD\n}", Problem{Kind: Syntax, Name: "", Line: 2, Column: 1, Message: "merge conflict marker"}},
	{"line break in a text", "{\"a\": \"x\ny\"}", Problem{Kind: Syntax, Name: "", Line: 1, Column: 9, Message: "unexpected end of line in a quoted text"}},
	{"bad escape", `{"a": "\q"}`, Problem{Kind: Syntax, Name: "", Line: 1, Column: 9, Message: "unexpected 'q' in a quoted text"}},
	{"cut off", `{"a": {`, Problem{Kind: Syntax, Name: "", Line: 1, Column: 8, Message: "the file ends in the middle: a bracket or quote is not closed"}},
	{"empty", " \n", Problem{Kind: Syntax, Name: "", Line: 1, Column: 1, Message: "the file is empty"}},
	{"second document", "{}\n{}", Problem{Kind: Syntax, Name: "", Line: 2, Column: 1, Message: "text after the end of the document"}},
	{"byte order mark", "\xef\xbb\xbf{}", Problem{Kind: BOM, Name: "", Line: 1, Column: 1, Message: "starts with a byte order mark"}},
	{"list on top", "[1]", Problem{Kind: Shape, Name: "", Line: 1, Column: 1, Message: "the file is not an object"}},
	{"script that is a list", `{"scripts": {"a": ["x"]}}`, Problem{Kind: Shape, Name: "scripts.a", Line: 1, Column: 19, Message: `"scripts.a" is not a text`}},
	{"script twice", "{\"scripts\": {\n\"a\": \"1\",\n\"a\": \"2\"}}", Problem{Kind: Duplicate, Name: "scripts.a", Line: 3, Column: 1, Message: `"a" stands twice in "scripts", first on line 2: only this one counts`}},
	{"too large", "{" + strings.Repeat(" ", MaxSize) + "}", Problem{Kind: Syntax, Name: "", Line: 1, Column: 1, Message: "larger than 1048576 bytes: not read"}},
}

func TestProblems(t *testing.T) {
	for _, c := range problemCases {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff([]Problem{c.want}, Parse([]byte(c.src)).Problems); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParse_keeps_what_stands_before_an_error(t *testing.T) {
	p := Parse([]byte(`{"scripts": {"a": "1", "a": "2", "b": "3",}}`))
	if len(p.Scripts) != 2 || p.Scripts[0].Command != "2" || p.Broken() == nil {
		t.Errorf("got %+v", p)
	}
}

func TestScript_commands_are_never_encoded(t *testing.T) {
	b, err := json.Marshal(Parse([]byte(`{"scripts": {"a": "curl -H s3cret-value x", "b": ["s3cret-value"]}, "x": "s3cret-value}`)))
	if err != nil || bytes.Contains(b, []byte("s3cret")) {
		t.Errorf("encoded %s, %v", b, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range problemCases {
		f.Add([]byte(c.src[:min(len(c.src), 200)]))
	}
	f.Add([]byte(`{"name":"x","scripts":{"a":"b\\n\"c"},"workspaces":["a"],"bin":{"x":"y"},"engines":{"node":"1"}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		p := Parse(src)
		if !reflect.DeepEqual(p, Parse(src)) {
			t.Fatal("two results for the same bytes")
		}
		lines := bytes.Split(src, []byte("\n"))
		inside := func(line, col int) bool {
			return line >= 1 && line <= len(lines) && col >= 1 && col <= len(lines[line-1])+1
		}
		for _, q := range p.Problems {
			if !inside(q.Line, q.Column) {
				t.Fatalf("problem outside the text: %+v", q)
			}
		}
		for _, s := range p.Scripts {
			if !inside(s.Line, s.Column) {
				t.Fatalf("script outside the text: %+v", s)
			}
			if l := lines[s.Line-1]; !s.Escaped && !bytes.HasPrefix(l[s.Column-1:], []byte(s.Command)) {
				t.Fatalf("command %q does not stand at %d:%d", s.Command, s.Line, s.Column)
			}
		}
		// The decoder's own verdict; it gives up on depth where we do not.
		plain := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
		if bytes.Count(plain, []byte("["))+bytes.Count(plain, []byte("{")) < 1000 && json.Valid(plain) != (p.Broken() == nil) {
			t.Fatalf("valid is %v, but broken is %+v", json.Valid(plain), p.Broken())
		}
	})
}
