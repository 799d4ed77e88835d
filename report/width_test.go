package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// squeezed leaves the breaks of lines out of account.
func squeezed(s string) string {
	return strings.Join(strings.Fields(Clean(strings.ReplaceAll(s, "\n", " "))), "")
}

// TestTable_at_every_width tries all of 60 to 200 columns: no line is wider, and
// nothing of a listed finding is lost.
func TestTable_at_every_width(t *testing.T) {
	for name, d := range map[string]*Document{"ordinary": ordinary(), "hostile": hostile(), "unreadable": unreadable(), "first-run": firstDocument()} {
		for w := 60; w <= 200; w++ {
			var b bytes.Buffer
			if err := Table.Render(&b, d, Options{Width: w, Items: true}); err != nil {
				t.Fatal(err)
			}
			fits(t, b.Bytes(), w)
			text := squeezed(b.String())
			for _, f := range d.Findings {
				if f.Status == "resolved" || f.Waiver != nil {
					continue
				}
				for _, s := range []string{Clean(strings.TrimSuffix(f.Item, "/(system)")), Clean(f.Title), Clean(f.Message), cleanLines(f.Hint)} {
					if !strings.Contains(text, squeezed(s)) {
						t.Errorf("%s, %d columns: %q is not in the table", name, w, s)
					}
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

var osc8 = regexp.MustCompile("\x1b]8;[^\x1b\a]*\x1b\\\\")

// TestTable_links changes nothing but links: every one is closed on its line, and
// what it leads to holds nothing that a terminal would obey.
func TestTable_links(t *testing.T) {
	for name, d := range documents() {
		for _, w := range []int{60, 80, 137} {
			plain := render(t, Table, d, Options{Items: true, Color: true, Width: w})
			linked := render(t, Table, d, Options{Items: true, Color: true, Width: w, Links: true})
			if diff := cmp.Diff(string(plain), osc8.ReplaceAllString(string(linked), "")); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			for i, l := range bytes.Split(linked, []byte("\n")) {
				for j, m := range osc8.FindAll(l, -1) {
					if opens := string(m) != "\x1b]8;;\x1b\\"; opens != (j%2 == 0) {
						t.Errorf("%s: line %d opens and closes wrongly: %q", name, i+1, l)
					}
				}
				if n := len(osc8.FindAll(l, -1)); n%2 != 0 {
					t.Errorf("%s: line %d leaves a link open: %q", name, i+1, l)
				}
			}
		}
	}
	got := string(render(t, Table, ordinary(), Options{Links: true}))
	for _, want := range []string{";file://web-1/srv/shop/.github/workflows/deploy.yml\x1b\\.github/workflows/deploy.yml:31\x1b]8;;\x1b\\ [workflow-missing-target]"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

// TestTable_first_screen asks the first 24 lines of 80 columns whether all is
// right, what got worse and what to do.
func TestTable_first_screen(t *testing.T) {
	lines := strings.SplitN(string(render(t, Table, ordinary(), Options{Width: 80})), "\n", 25)
	screen := strings.Join(lines[:24], "\n")
	for _, want := range []string{"is failing: score 60.0 (D), 33.4 lower", "TO DO FIRST", "1. pm2/api, crash loop: Read its error log", "3. functions/checkout", "REGRESSIONS: 6"} {
		if !strings.Contains(screen, want) {
			t.Errorf("%q is not on the first screen:\n%s", want, screen)
		}
	}
	hidden := ordinary()
	for i := range hidden.Findings {
		hidden.Findings[i].Carried = hidden.Findings[i].Item == "workflows/deploy.yml"
	}
	if s := string(render(t, Table, hidden, Options{Width: 80})); !strings.Contains(s, "2. functions/checkout") {
		t.Errorf("what nobody could look at comes first:\n%s", s)
	}
	if s := string(render(t, Table, firstDocument(), Options{})); strings.Contains(s, "TO DO FIRST") {
		t.Error("a report of one finding says it twice")
	}
}
