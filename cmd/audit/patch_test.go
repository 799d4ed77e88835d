package main

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"healthaudit/snapshot/analyze/mask"
)

// Whatever two files hold, every line of their diff is there, masked or not.
func FuzzMaskedDiff(f *testing.F) {
	for _, seed := range [][3]string{
		{"a", "one\ntwo\n", "one\nthree"},
		{"b", "", "env:\n  A: x\n\n  B: |\n    y\n"},
		{"c\n@@ -900 +900 @@\n-x", "x: 1\n", ""},
		{"d", "[plugins.inputs]\na = [\n[\"x\"],\n]\n", "\xff\r\n- args:\n- --token=x\n"},
		{"e", "curl -u a:b 'x\n", "@@ -1 +1 @@\n--- x\n"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, name, old, cur string) {
		m := &masker{value: mask.Telling()}
		got := maskedDiff(name, []byte(old), []byte(cur), m)
		plain := string(diff.Diff("a", []byte(old), "b", []byte(cur)))
		if g, p := strings.Count(got, "\n"), strings.Count(plain, "\n"); g != p {
			t.Errorf("%d lines, want %d:\n%s\nof\n%s", g, p, got, plain)
		}
	})
}

func TestWords(t *testing.T) {
	m := &masker{known: map[string]bool{"api/v1x.js": true}}
	for in, want := range map[string]string{
		"npm run build":                                    "npm run build",
		"mysql -pS3cret -u root shop":                      "mysql -p(not shown) -u (not shown) shop",
		"curl -u user:pass https://a.example/b?k=v":        "curl -u (not shown) https://a.example/b?(not shown)",
		"curl -uuser:pass https://user:pass@a.example/b":   "curl -u(not shown) https://(not shown)@a.example/b",
		`curl -H "Authorization: Bearer x" x`:              "curl -H (not shown) x",
		`"curl -H \"Authorization: Bearer x\" x"`:          `"curl -H (not shown) x"`,
		"curl -H 'open":                                    "curl -H (not shown)",
		"tool --password S --name=S --count 3 --on=true":   "tool --password (not shown) --name=(not shown) --count 3 --on=true",
		"tool -f api/v1x.js hunter2 2c26b46b68ffc68ff99b4": "tool -f api/v1x.js (not shown) (not shown)",
		"sh -c 'npm test' && tar -xzf":                     "sh -c 'npm test' && tar -xzf",
		"echo ${{ secrets.KEY_2 }} ${{ 'x1y' }}":           "echo ${{ secrets.KEY_2 }} ${{ '(not shown)' }}",
		"17 */6 0-5 1,15 * node a.js >> log 2>&1":          "17 */6 0-5 1,15 * node a.js >> log 2>&1",
		"aGVsbG8gd29ybGQ= QhJkLmNoPq":                      "(not shown) (not shown)",
	} {
		if got := m.words(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}
