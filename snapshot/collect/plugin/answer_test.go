package plugin

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"healthaudit/snapshot"
)

// A said is an answer, and what is wrong with it; empty: it is taken.
type said struct{ name, out, wrong string }

const head = `{"schema":"audit.plugin/v1",`

// secret is the value of a variable that the plugin was given.
const secret = "s3same-open-s3same"

var collectorSays = []said{
	{"no_items", head + `"items":[]}`, ""},
	{"all", head + `"items":[{"id":"a","name":"A","path":"tools/x.sh","line":3,"state":"ok","facts":{"n":1,"t":"x","b":true,"l":["b","a"]},"volatile":{"pid":3},"metrics":{"age":1.5}}]}` + "\n", ""},
	{"unknown", head + `"items":[{"id":"a","unknown":"the disk does not answer"}]}`, ""},
	{"hostile_names", head + `"items":[{"id":"a/../b%2e #1|<b>"}]}`, ""},
	{"nothing", "", "printed nothing"},
	{"blank", " \n", "printed nothing"},
	{"torn", head + `"items":[{"id":"a"`, "ends in the middle"},
	{"text", "all is well", "no JSON, from byte 1 on"},
	{"a_list", "[]", "no JSON object"},
	{"null", "null", "its schema is not"},
	{"two", head + `"items":[]}` + head + `"items":[]}`, "no JSON, from byte"},
	{"rubbish_behind", head + `"items":[]} x`, "no JSON, from byte"},
	{"version_2", `{"schema":"audit.plugin/v2","items":[]}`, `its schema is not "audit.plugin/v1"`},
	{"version_of_another_type", `{"schema":1,"items":[]}`, "its schema is not"},
	{"no_version", `{"items":[]}`, "its schema is not"},
	{"no_list", head + `"items":null}`, "answers with items"},
	{"findings", head + `"items":[],"findings":[]}`, "answers with items"},
	{"an_unknown_key", head + `"items":[{"id":"a","levle":"ok"}]}`, "does not know: levle"},
	{"a_secret_key", head + `"items":[{"id":"a","` + secret + `":"ok"}]}`, "does not know: (not shown)"},
	{"no_id", head + `"items":[{"name":"a"}]}`, "item 1: id is missing"},
	{"twice", head + `"items":[{"id":"a"},{"id":"a"}]}`, "item 2: its id is there twice"},
	{"control_in_id", head + `"items":[{"id":"a\u001b[2J"}]}`, "characters that nobody can read"},
	{"direction_in_id", head + `"items":[{"id":"a\u202eb"}]}`, "characters that nobody can read"},
	{"secret_id", head + `"items":[{"id":"` + secret + `"}]}`, "looks like a secret"},
	{"long_id", head + `"items":[{"id":"` + strings.Repeat("a", 201) + `"}]}`, "longer than 200 bytes"},
	{"path_out", head + `"items":[{"id":"a","path":"../x"}]}`, "no path below the root"},
	{"path_absolute", head + `"items":[{"id":"a","path":"/etc/passwd"}]}`, "no path below the root"},
	{"line_without_path", head + `"items":[{"id":"a","line":1}]}`, "line is that of a path"},
	{"a_fact_that_is_null", head + `"items":[{"id":"a","facts":{"n":null}}]}`, "the fact n is no text"},
	{"a_fact_that_is_an_object", head + `"items":[{"id":"a","facts":{"n":{}}}]}`, "the fact n is no text"},
	{"a_fact_with_a_strange_name", head + `"items":[{"id":"a","facts":{"N 1":1}}]}`, "no name of a fact"},
	{"an_undeclared_metric", head + `"items":[{"id":"a","metrics":{"size":1}}]}`, "does not declare: size"},
	{"a_metric_as_text", head + `"items":[{"id":"a","metrics":{"age":"` + secret + `"}}]}`, "items.metrics is of another type"},
	{"a_number_beyond_all", head + `"items":[{"id":"a","metrics":{"age":1e999}}]}`, "items.metrics is of another type"},
	{"deep", head + `"items":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "nested deeper"},
	{"no_UTF-8", head + `"items":[{"id":"a` + "\xff" + `"}]}`, "not UTF-8"},
	{"many", head + `"items":[` + strings.TrimSuffix(strings.Repeat(`{"id":"a"},`, 2001), ",") + `]}`, "more than 2000 items"},
}

var checkSays = []said{
	{"nothing_found", head + `"findings":[]}`, ""},
	{"all", head + `"findings":[{"check":"old","item":"scripts/x","discriminator":"d","message":"m","hint":"h","location":{"path":"x","line":2,"column":1},"evidence":{"age":"3"}},{"check":"old","message":"on none"}],"unknown":[{"item":"scripts/x"}]}`, ""},
	{"items", head + `"findings":[],"items":[]}`, "with no items"},
	{"an_undeclared_check", head + `"findings":[{"check":"new","message":"m"}]}`, "declares no check new"},
	{"another_item", head + `"findings":[{"check":"old","item":"scripts/y","message":"m"}]}`, "an item that it was not given"},
	{"no_message", head + `"findings":[{"check":"old","message":" "}]}`, "no message"},
	{"twice", head + `"findings":[{"check":"old","message":"m"},{"check":"old","message":"n"}]}`, "finding 2: it is there twice"},
	{"a_place_outside", head + `"findings":[{"check":"old","message":"m","location":{"path":"/x"}}]}`, "no path below the root"},
	{"a_place_without_a_path", head + `"findings":[{"check":"old","message":"m","location":{"line":1}}]}`, "location wants a path"},
	{"evidence_as_number", head + `"findings":[{"check":"old","message":"m","evidence":{"a":1}}]}`, "findings.evidence is of another type"},
	{"unknown_of_another_item", head + `"findings":[],"unknown":[{"item":"scripts/y"}]}`, "was not given"},
	{"a_secret_discriminator", head + `"findings":[{"check":"old","message":"m","discriminator":"` + secret + `"}]}`, "looks like a secret"},
}

var (
	collector = &Plugin{Name: "p", System: snapshot.Scripts, Metrics: []string{"age"}}
	checker   = &Plugin{Name: "p", System: snapshot.Scripts, Finds: []string{"old"}}
	given     = map[snapshot.Key]bool{"scripts/x": true}
)

func hashed(string) string { return "hmac:0" }

func read(collects bool, out string) (any, error) {
	if collects {
		return collector.readItems([]byte(out), []string{secret}, hashed)
	}
	return checker.readFindings([]byte(out), []string{secret}, given)
}

// An answer is taken whole or not at all, and what is wrong with it says nothing
// of what stands in it. What is taken is an answer of the schema.
func TestAnswers(t *testing.T) {
	schema := compiled(t)
	for collects, list := range map[bool][]said{true: collectorSays, false: checkSays} {
		for _, c := range list {
			t.Run(c.name, func(t *testing.T) {
				_, err := read(collects, c.out)
				doc, jsonErr := jsonschema.UnmarshalJSON(strings.NewReader(c.out))
				valid := jsonErr == nil && schema.Validate(doc) == nil
				switch {
				case err == nil && c.wrong != "":
					t.Errorf("taken, want %q", c.wrong)
				case err != nil && (c.wrong == "" || !strings.Contains(err.Error(), c.wrong)):
					t.Errorf("%v, want %q", err, c.wrong)
				case err != nil && strings.Contains(err.Error(), secret):
					t.Errorf("the secret stands in %v", err)
				case err == nil && !valid:
					t.Errorf("taken, and not of the schema: %v %v", jsonErr, schema.Validate(doc))
				}
			})
		}
	}
}

func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(SchemaJSON))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("plugin.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("plugin.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What a plugin says of secrets is not passed on, whatever it puts them into.
func TestAnswers_hide_secrets(t *testing.T) {
	items, err := read(true, head+`"items":[{"id":"a","name":"n `+secret+`","state":"`+secret+`","unknown":"why `+secret+`",
		"facts":{"t":"`+secret+`","db_password":"hunter2","pins":["password=hunter2"],"api_key":1234},"volatile":{"v":"token: hunter2"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	it := items.([]*snapshot.Item)[0]
	for _, f := range it.Facts.All() {
		if want := f.Name == "db_password" || f.Name == "api_key"; want != (f.Class == snapshot.Secret) {
			t.Errorf("%s is of class %q", f.Name, f.Class)
		}
	}
	found, err := read(false, head+`"findings":[{"check":"old","message":"m `+secret+`","hint":"password: hunter2","evidence":{"e":"`+secret+`","password":"hunter2"}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	split, err := read(false, head+`"findings":[{"check":"old","message":"m s3same-\u0007open-s3same"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.Marshal([]any{it, found, split})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{secret, "hunter2", "1234"} {
		if bytes.Contains(shown, []byte(s)) {
			t.Errorf("%s stands in %s", s, shown)
		}
	}
}

// Whatever a plugin prints: no panic, nothing of a secret, and the same again.
func FuzzAnswer(f *testing.F) {
	for _, c := range collectorSays {
		f.Add(true, c.out)
	}
	for _, c := range checkSays {
		f.Add(false, c.out)
	}
	f.Fuzz(func(t *testing.T, collects bool, out string) {
		if len(out) > 64<<10 {
			t.Skip("longer than what is read")
		}
		one, err := read(collects, out)
		two, err2 := read(collects, out)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v, then %v", err, err2)
		}
		a, _ := json.Marshal(one)
		b, _ := json.Marshal(two)
		if !bytes.Equal(a, b) {
			t.Errorf("%s\n%s", a, b)
		}
		if strings.Contains(string(a), secret) || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the secret stands in %s %v", a, err)
		}
		if items, ok := one.([]*snapshot.Item); ok {
			for _, it := range items {
				if strings.ContainsAny(string(it.Key)+it.Name+it.State, "\x00\n\x1b") {
					t.Errorf("%q %q %q", it.Key, it.Name, it.State)
				}
			}
		}
	})
}
