package ecosystem

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// FuzzEvaluate reads JSON and YAML. Whatever comes: no panic, the same twice,
// and what is plain JSON means the same when it is read as YAML's superset of
// it or as JavaScript.
func FuzzEvaluate(f *testing.F) {
	for _, s := range []string{
		`{"apps":[{"name":"api","script":"api.js","args":"--token=a 'b c'","env":{"A":1},"instances":"max"}]}`,
		`[{"script":"a b c","cron_restart":"0 3 * * *","watch":["x"],"env_production":{"B":"c"}}]`,
		"apps:\n  - &a\n    name: api\n    script: ./api.js\n  - <<: *a\n    name: b\n", "a: &a [*a]", "- - - -", `{"pm2":{"exec":"x"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, name := range []string{"pm2.json", "pm2.yml", "package.json"} {
			in := Input{Path: name, Src: src, Hash: func(s string) string { return "h" }}
			a, b := Evaluate(in), Evaluate(in)
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("%s: %+v, then %+v", name, a, b)
			}
			whole, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			var back File
			if err := json.Unmarshal(whole, &back); err != nil {
				t.Fatalf("%s does not come back: %v", whole, err)
			}
			if again, _ := json.Marshal(back); !bytes.Equal(again, whole) {
				t.Fatalf("%s comes back as %s", whole, again)
			}
		}
	})
}

func FuzzMaskArgs(f *testing.F) {
	f.Add("--token", "abc")
	f.Add("-p", "hunter2hunter2")
	f.Add("--key=abcdefgh", "x.js")
	f.Fuzz(func(t *testing.T, a, b string) {
		out := MaskArgs([]string{a, b})
		if len(out) != 2 {
			t.Fatal(out)
		}
		// After an option that sounds like a secret nothing of the value is seen.
		if a == "--token" && !strings.HasPrefix(b, "-") && out[1] != masked {
			t.Errorf("%q %q shown as %q", a, b, out)
		}
	})
}
