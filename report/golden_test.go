package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"
)

var update = flag.Bool("update", false, "rewrite the golden files and docs/report.schema.json")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "testdata", "golden", "report", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs from its golden (-want +got), -update rewrites it:\n%s", name, diff)
	}
}

// render writes a document twice and fails when the bytes differ.
func render(t *testing.T, r *Renderer, d *Document, o Options) []byte {
	t.Helper()
	var a, b bytes.Buffer
	if err := r.Render(&a, d, o); err != nil {
		t.Fatal(err)
	}
	if err := r.Render(&b, d, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("%s: the same document gave other bytes the second time", r.Name)
	}
	return a.Bytes()
}

// fits fails on a line that is wider than n columns, or holds what a terminal
// would obey.
func fits(t *testing.T, text []byte, n int) {
	t.Helper()
	cond := &runewidth.Condition{StrictEmojiNeutral: true}
	for i, line := range strings.Split(string(text), "\n") {
		w := 0
		for _, r := range line {
			w += cond.RuneWidth(r)
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("line %d holds %U: %q", i+1, r, line)
			}
		}
		if w > n {
			t.Errorf("line %d has %d columns, want at most %d: %s", i+1, w, n, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d ends in spaces: %q", i+1, line)
		}
	}
}

func TestTable(t *testing.T) {
	for name, d := range documents() {
		for _, o := range []Options{{}, {Width: 60}, {Width: 120}, {Items: true}, {New: true}} {
			file := name
			switch {
			case o.Width != 0:
				file += fmt.Sprintf("-%d", o.Width)
			case o.Items:
				file += "-items"
			case o.New:
				file += "-new"
			}
			t.Run(file, func(t *testing.T) {
				got := render(t, Table, d, o)
				fits(t, got, o.columns())
				golden(t, file+".txt", got)
			})
		}
	}
}

func TestTable_colour_changes_nothing_but_colour(t *testing.T) {
	for name, d := range documents() {
		t.Run(name, func(t *testing.T) {
			plain := render(t, Table, d, Options{Items: true})
			colour := render(t, Table, d, Options{Items: true, Color: true})
			if !bytes.Contains(colour, []byte("\x1b[")) {
				t.Error("no colour at all")
			}
			if diff := cmp.Diff(string(plain), stripColour(string(colour))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func stripColour(s string) string {
	for _, c := range []ink{"0", inkBold, inkDim, inkRed, inkGreen, inkYellow, inkCyan, inkAlarm} {
		s = strings.ReplaceAll(s, "\x1b["+string(c)+"m", "")
	}
	return s
}

// Of names that differ only in bytes that are no UTF-8, always the same one stays.
func TestJSON_names_that_become_one(t *testing.T) {
	d := &Document{Items: []Item{{Key: "scripts/a\xff\xfe", Facts: map[string]any{"env.a\xff": "1", "env.a\xfe": "2", "b": "3"}}}}
	got := render(t, JSON, d, Options{})
	delete(d.Items[0].Facts, "env.a\xff")
	if key := []byte(`"key": "scripts/a��"`); !bytes.Contains(got, key) || !bytes.Contains(render(t, JSON, d, Options{}), key) {
		t.Errorf("a key is written otherwise when names become one: %s", got)
	}
	if !bytes.Contains(got, []byte(`"facts": {
        "b": "3",
        "env.a�": "1"
      }`)) {
		t.Errorf("%s", got)
	}
}

func TestJSON(t *testing.T) {
	for name, d := range documents() {
		t.Run(name, func(t *testing.T) {
			got := render(t, JSON, d, Options{})
			if bytes.Contains(got, []byte(": null")) && name == "zero" {
				for _, line := range strings.Split(string(got), "\n") {
					if key, _, ok := strings.Cut(strings.TrimSpace(line), ": null"); ok && !nullable[strings.Trim(key, `"`)] {
						t.Errorf("%s is null", key)
					}
				}
			}
			for _, r := range string(got) {
				if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
					t.Errorf("%U stands unescaped", r)
				}
			}
			var back Document
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			if name != "hostile" { // bytes that are not UTF-8 do not come back
				if diff := cmp.Diff(rewritten(d, strings.Clone), &back, loose); diff != "" {
					t.Errorf("read back (-want +got):\n%s", diff)
				}
			}
			if again := render(t, JSON, &back, Options{}); !bytes.Equal(got, again) {
				t.Errorf("write, read, write gives other bytes:\n%s", cmp.Diff(string(got), string(again)))
			}
		})
	}
}

var nullable = map[string]bool{"compared_to": true, "week": true, "baseline": true, "rechecked": true, "git": true, "fail_under": true, "value": true, "grade": true, "delta": true, "delta_like_for_like": true,
	"without_waivers": true, "archive": true, "journal_head": true}

// loose lets the list of a fact come back as JSON has lists.
var loose = cmp.FilterValues(func(x, y any) bool {
	_, a := x.([]string)
	_, b := y.([]string)
	return a != b
}, cmp.Comparer(func(x, y any) bool { return fmt.Sprint(x) == fmt.Sprint(y) }))

func TestFind(t *testing.T) {
	if r, err := Find("json"); err != nil || r != JSON {
		t.Errorf("Find(json) = %v, %v", r, err)
	}
	if _, err := Find("tabel"); err == nil || !strings.Contains(err.Error(), "table, json") {
		t.Errorf("Find(tabel) error = %v, want the names there are", err)
	}
}

// FuzzTable renders whatever parses as a saved report.
func FuzzTable(f *testing.F) {
	for name, d := range documents() {
		if name == "many" {
			continue // a seed that large keeps the fuzzer busy with shortening it
		}
		var b bytes.Buffer
		if err := JSON.Render(&b, d, Options{}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"run":{"root":"/"},"systems":[{"system":"` + strings.Repeat("x", 99) + `","items":12345678901,"counts":{"critical":123456,"high":123456,"medium":123456,"low":123456}}],"findings":[{"severity":"high","loss":1e99}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Document
		if json.Unmarshal(b, &d) != nil {
			return // no document
		}
		for _, o := range []Options{{Width: 60, Items: true}, {New: true}} {
			fits(t, render(t, Table, &d, o), o.columns())
		}
	})
}

func TestWriteJSON(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"leaves_markup_alone", "<a href=\"x\">&", `"<a href=\"x\">&"`},
		{"escapes_C1_and_bidi", "\u009b31m\u202e\x7f", `"\u009b31m\u202e\u007f"`},
		{"escapes_above_the_basic_plane_in_pairs", "a\U000e0041z", `"a\udb40\udc41z"`},
		{"replaces_bytes_that_are_not_UTF8", "a\xff", `"a` + "\ufffd" + `"`},
		{"leaves_what_can_be_seen", "部署 👩 é", `"部署 👩 é"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteJSON(&b, c.in); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.want+"\n" {
				t.Errorf("got %s, want %s", b.String(), c.want)
			}
			var back string
			if err := json.Unmarshal(b.Bytes(), &back); err != nil || back != strings.ToValidUTF8(c.in, "\ufffd") {
				t.Errorf("read back %q, %v", back, err)
			}
		})
	}
}
