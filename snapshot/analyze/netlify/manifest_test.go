package netlify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var manifestCases = []struct {
	name, src string
	format    string
	names     string
	defects   string // kind@line:column, space-separated
}{
	{"names", "{\"generatedAt\": \"2025-08-24T01:02:03.456Z\",\n \"functions\": [\"b\", \"a\"]}", ListOfNames, "a b", ""},
	{"objects", `{"functions": [{"name": "a", "path": "/.netlify/functions/a", "sha256": "x"}, {"name": "b"}]}`, ListOfObjects, "a b", ""},
	{"a list alone", `["a"]`, ListOfNames, "a", ""},
	{"of a build", `{"version":1,"timestamp":1,"system":{"arch":"x64"},"functions":[{"name":"a","routes":[{"pattern":"/x"}]}]}`, BuildOutput, "a", ""},
	{"file names and addresses", `{"functions": ["a.js", "netlify/functions/b.mts", "/.netlify/functions/c"]}`, ListOfNames, "a b c", ""},
	{"empty list", `{"functions": []}`, ListOfNames, "", ""},
	{"unknown keys, deep", `{"x": {"y": [[{"functions": 1}]]}, "functions": ["a"], "generatedAt": 1755991399000}`, ListOfNames, "a", ""},
	{"an odd object among names", "{\"functions\": [\"a\", \"b\",\n {\"name\": \"c\"}]}", ListMixed, "a b c", "mixed@2:2"},
	{"an odd name among objects", "{\"functions\": [{\"name\": \"b\"}, {\"name\": \"c\"},\n \"a\"]}", ListMixed, "a b c", "mixed@2:2"},
	{"bad entries", "{\"functions\": [null, 3,\n \"\", \" \", \"/\", {\"nome\": \"x\"}, {\"name\": 3}, [\"a\"], \"ok\"]}", ListMixed, "ok", "entry@1:16 entry@1:22 entry@2:2 entry@2:6 entry@2:11 entry@2:16 entry@2:31 entry@2:44 mixed@2:16"},
	{"a name twice", "{\"functions\": [\"a\",\n\"a\", \"a.js\"]}", ListOfNames, "a", "duplicate@2:1 duplicate@2:6"},
	{"a key twice: the last counts", "{\"functions\": [\"a\"],\n\"functions\": [\"b\"]}", ListOfNames, "b", "duplicate@2:1"},
	{"a key twice: the last is no list", "{\"functions\": [\"a\"],\n\"functions\": 3}", "", "", "functions@2:14"},
	{"no list", `{"generatedAt": "2025-01-01"}`, "", "", "functions@1:1"},
	{"an object for a list", `{"functions": {"a": {}}}`, "", "", "functions@1:15"},
	{"null", `null`, "", "", "functions@1:1"},
	{"a text", ` "a"`, "", "", "functions@1:2"},
	{"no time", "{\"generatedAt\": \"$DATE\", \"functions\": []}", ListOfNames, "", "generated@1:17"},
	{"an object for a time", "{\"generatedAt\": {}, \"functions\": []}", ListOfNames, "", "generated@1:17"},
	{"conflict", "{\n\"functions\": [\n<<<<<<< HEAD\n\"a\",\n=======\n", "", "", "syntax@3:1"},
	{"conflict, with a duplicate before it", "{\"functions\": [\"a\", \"a\",\n>>>>>>> x\n", "", "", "syntax@2:1"},
	{"trailing comma", "{\"functions\": [\"a\",]}", "", "", "syntax@1:19"},
	{"cut off", "{\"functions\": [\"a\"", "", "", "syntax@1:19"},
	{"two documents", "{\"functions\": []}\n{}", "", "", "syntax@2:1"},
	{"nothing", " \n", "", "", "syntax@1:1"},
	{"a program", "module.exports = {}", "", "", "syntax@1:1"},
	{"byte order mark", "\xef\xbb\xbf{\"functions\": [\"a\"]}", ListOfNames, "a", "encoding@1:1"},
	{"UTF-16", "\xff\xfe{\x00}\x00", "", "", "encoding@1:1"},
	{"Latin-1", "{\"functions\": [\"a\",\n\"caf\xe9\"]}", ListOfNames, "a caf\ufffd", "encoding@2:5"},
	{"no text at all", "\x00\x01\x02\xff", "", "", "syntax@1:1"},
	{"names that break lines", `{"functions": ["a\nb", "\u001b[31m", "\u2028"]}`, ListOfNames, "\x1b[31m a\nb", "entry@1:38"},
	{"larger than 1 MiB", strings.Repeat(" ", MaxManifest+1), "", "", "syntax@1:1"},
	{"brackets", `{"functions": ` + strings.Repeat("[", MaxManifest-20), "", "", "syntax@1:1048571"},
	{"objects in each other", strings.Repeat(`{"a":`, 200_000), "", "", "syntax@1:1000001"},
}

func TestParseManifest(t *testing.T) {
	for _, c := range manifestCases {
		t.Run(c.name, func(t *testing.T) {
			begun := time.Now()
			m := ParseManifest([]byte(c.src))
			var defects []string
			for _, d := range m.Defects {
				defects = append(defects, fmt.Sprintf("%s@%d:%d", d.Kind, d.Line, d.Column))
			}
			if got := strings.Join(m.Names(), " "); got != c.names || m.Format != c.format {
				t.Errorf("%s %q, want %s %q", m.Format, got, c.format, c.names)
			}
			if got := strings.Join(defects, " "); got != c.defects {
				t.Errorf("defects %s, want %s", got, c.defects)
			}
			if d := time.Since(begun); d > 3*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestParseManifest_places(t *testing.T) {
	m := ParseManifest([]byte("{\n  \"functions\": [\n    \"a\",\n    {\"path\": \"x/b.js\", \"name\": \"b\"},\n {\"name\": \"c\", \"mainFile\": \"/x/.netlify/functions-internal/c.js\", \"path\": \"/tmp/c.zip\"}]}"))
	want := []Entry{{Place: Place{3, 5}, Name: "a"}, {Place: Place{4, 32}, Name: "b", Path: "x/b.js"}, {Place: Place{5, 11}, Name: "c", Generated: true}}
	if d := cmp.Diff(want, m.Entries); d != "" || m.List != (Place{2, 16}) {
		t.Errorf("list at %v: %s", m.List, d)
	}
}

// Thousands of entries and defects stay small enough to be cached.
func TestParseManifest_is_bounded(t *testing.T) {
	src := `{"functions": [` + strings.Repeat(`"a",{},`, 70_000) + `"b"]}`
	b, err := json.Marshal(ParseManifest([]byte(src)))
	if err != nil || len(b) > 20_000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	var long strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&long, `"%x",`, i)
	}
	if m := ParseManifest([]byte(`[` + long.String() + `"z"]`)); len(m.Entries) != maxEntries {
		t.Errorf("%d entries", len(m.Entries))
	}
}

func FuzzParseManifest(f *testing.F) {
	for _, c := range manifestCases {
		if len(c.src) < 1000 {
			f.Add([]byte(c.src))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m := ParseManifest(src)
		if m.Broken() && (len(m.Defects) != 1 || len(m.Entries) > 0) {
			t.Fatalf("broken, with %+v", m)
		}
		lines := bytes.Split(src, []byte("\n"))
		inside := func(p Place) bool {
			return p.Line >= 1 && p.Line <= len(lines) && p.Column >= 1 && p.Column <= len(lines[p.Line-1])+1
		}
		for _, d := range m.Defects {
			if !inside(d.Place) {
				t.Fatalf("outside the text: %+v", d)
			}
		}
		for _, e := range m.Entries {
			if !inside(e.Place) {
				t.Fatalf("outside the text: %+v", e)
			}
		}
		b, err := json.Marshal(m)
		var back Manifest
		if err != nil || json.Unmarshal(b, &back) != nil || !reflect.DeepEqual(m, back) {
			t.Fatalf("%+v comes back as %+v", m, back)
		}
	})
}
