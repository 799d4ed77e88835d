package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	nethtml "golang.org/x/net/html"
)

// pageOf reads a page with another parser than the browser's.
func pageOf(t *testing.T, page []byte) *nethtml.Node {
	t.Helper()
	doc, err := nethtml.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func attr(n *nethtml.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// ours are the elements and attributes of the template.
var (
	ours = strings.Fields("html head meta title style body a header p b span div h1 h2 h3 bdi figure figcaption svg path rect nav ul ol li main section table caption thead tbody tfoot tr th td abbr small code" +
		" form label input fieldset legend select option button output details summary dl dt dd pre footer script time")
	oursToo = strings.Fields("lang charset http-equiv content name class href datetime viewbox viewBox preserveAspectRatio role aria-label aria-labelledby aria-hidden aria-live d id width height scope type placeholder autocomplete" +
		" spellcheck value checked hidden open title data-s data-y data-n")
)

// TestHTML looks at every page as a parser sees it.
func TestHTML(t *testing.T) {
	docs := documents()
	docs["busy"] = busy()
	for name, d := range docs {
		for _, o := range []Options{{}, {Items: true}, {New: true}} {
			file := name
			switch {
			case o.Items:
				file += "-items"
			case o.New:
				file += "-new"
			}
			t.Run(file, func(t *testing.T) {
				got := render(t, HTML, d, o)
				doc := pageOf(t, got)
				wellMade(t, doc)
				confined(t, doc)
				if name != "many" && (!o.Items && !o.New || name == "ordinary") {
					golden(t, file+".html", withoutStyle(got))
				}
			})
		}
	}
}

// withoutStyle takes out of a page what is the same on all.
func withoutStyle(page []byte) []byte {
	s := strings.Replace(string(page), htmlStyle, "…", 1)
	s = strings.Replace(s, htmlScript, "…", 1)
	return []byte(regexp.MustCompile(`sha256-.*?&#39;`).ReplaceAllString(s, "sha256-…&#39;"))
}

// wellMade fails on elements and attributes that no template of ours has, on
// headings that skip a step, on tables without a caption and on links to nowhere.
func wellMade(t *testing.T, doc *nethtml.Node) {
	t.Helper()
	ids, heading := map[string]bool{}, 0
	for n := range doc.Descendants() {
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("two elements are #%s", id)
			}
			ids[id] = true
		}
	}
	for n := range doc.Descendants() {
		if n.Type != nethtml.ElementNode {
			continue
		}
		if !slices.Contains(ours, n.Data) {
			t.Errorf("the page holds <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if !slices.Contains(oursToo, a.Key) {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
		for _, to := range []string{"href", "aria-labelledby"} {
			if at, ok := attr(n, to); ok && (to == "href") != strings.HasPrefix(at, "#") || ok && !ids[strings.TrimPrefix(at, "#")] {
				t.Errorf("%s=%q leads nowhere", to, at)
			}
		}
		switch n.Data {
		case "h1", "h2", "h3":
			level := int(n.Data[1] - '0')
			if level > heading+1 || level == 1 && heading > 0 {
				t.Errorf("<%s> follows a heading of level %d", n.Data, heading)
			}
			heading = level
		case "table":
			if c := firstElement(n); c == nil || c.Data != "caption" || strings.TrimSpace(textOf(c)) == "" {
				t.Error("a table has no caption")
			}
		case "th":
			if scope, _ := attr(n, "scope"); scope != "row" && scope != "col" {
				t.Errorf("<th>%s</th> says not what it heads", textOf(n))
			}
		}
	}
}

func firstElement(n *nethtml.Node) *nethtml.Node {
	for c := range n.ChildNodes() {
		if c.Type == nethtml.ElementNode {
			return c
		}
	}
	return nil
}

// confined fails when the policy allows anything but the one style and the one
// script that the page holds.
func confined(t *testing.T, doc *nethtml.Node) {
	t.Helper()
	policy, hashes := "", map[string]string{}
	for n := range doc.Descendants() {
		if v, _ := attr(n, "http-equiv"); v == "Content-Security-Policy" {
			policy, _ = attr(n, "content")
		}
		if n.Data == "style" || n.Data == "script" {
			if hashes[n.Data] != "" {
				t.Errorf("a second <%s>", n.Data)
			}
			sum := sha256.Sum256([]byte(textOf(n)))
			hashes[n.Data] = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		}
	}
	if want := "default-src 'none'; style-src " + hashes["style"] + "; script-src " + hashes["script"] + "; base-uri 'none'; form-action 'none'"; policy != want {
		t.Errorf("the policy is %s, want %s", policy, want)
	}
}

// TestHTML_loses_nothing looks on the page for everything that a finding says.
func TestHTML_loses_nothing(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for _, d := range []*Document{ordinary(), hostile(), unreadable(), crowd(2000)} {
		page := squeeze(textOf(pageOf(t, render(t, HTML, d, Options{Items: true}))))
		for _, f := range d.Findings {
			if f.Status == "resolved" || f.Waiver != nil {
				continue
			}
			for _, s := range []string{Clean(f.Title), Clean(f.Message), cleanLines(f.Hint), f.Check, short(f.ID)} {
				if !strings.Contains(page, squeeze(s)) {
					t.Errorf("%q is not on the page", s)
				}
			}
		}
	}
}

func TestHTML_tells_what_it_leaves_out(t *testing.T) {
	d := base()
	for i := range htmlFindings + 1234 {
		d.Findings = append(d.Findings, finding("low", "script-shellcheck", fmt.Sprintf("scripts/%d.sh", i), "", "lint", "m", "h", 0))
		d.Errors = append(d.Errors, Error{"scripts", fmt.Sprint(i), "m", ""})
	}
	page := textOf(pageOf(t, render(t, HTML, d, Options{})))
	for _, want := range []string{"6,234 open", "and 1,234 more: audit report --format json", fmt.Sprintf("and %s more: audit report", group(len(d.Errors)-htmlRows))} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestHTML_timelines draws one item by hand.
func TestHTML_timelines(t *testing.T) {
	d := busy()
	r := &reading{page: newPage(Options{}), Document: legible(d, Options{})}
	for _, l := range r.timelines(d.Items) {
		if l.Item != "pm2/api" {
			continue
		}
		// 30 runs, the last at noon, 2 h apart; failing from 8 h to 4 h before noon, and now
		want := []timelineBar{{0, 25, "ok"}, {25, 2, "failing"}, {27, 2, "ok"}, {29, 1, "failing"}}
		if !slices.Equal(l.Bars, want) || l.Says != "Of the last 30 runs: failing in 3, without an open finding in 27." || l.Now != "failing · 1 open, since this run" {
			t.Errorf("%+v", l)
		}
		return
	}
	t.Error("pm2/api has no timeline")
}

// TestHTML_contrast computes the contrast of every pair of colours that carries
// text, light, dark and on paper (WCAG 2.2, 1.4.3: 4.5 at least).
func TestHTML_contrast(t *testing.T) {
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(htmlStyle, -1)
	if len(blocks) != 3 {
		t.Fatalf("%d palettes, want light, dark and paper", len(blocks))
	}
	for i, b := range blocks {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(b[1], -1) {
			colours[m[1]] = m[2]
		}
		var pairs [][2]string
		for _, text := range strings.Fields("ink soft critical high medium low info ok link") {
			for _, ground := range []string{"bg", "card", "faint"} {
				pairs = append(pairs, [2]string{text, ground})
			}
		}
		for _, heat := range []string{"h1", "h2", "h3"} {
			pairs = append(pairs, [2]string{"h-ink", heat})
		}
		pairs = append(pairs, [2]string{"h-light", "h4"}, [2]string{"h-light", "h5"})
		for _, p := range pairs {
			if c := contrast(t, colours[p[0]], colours[p[1]]); c < 4.5 {
				t.Errorf("palette %d: %s on %s has a contrast of %.2f", i+1, p[0], p[1], c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	lum := func(s string) float64 {
		var c [3]int
		if _, err := fmt.Sscanf(s, "#%02x%02x%02x", &c[0], &c[1], &c[2]); err != nil {
			t.Fatalf("%q is no colour", s)
		}
		out := 0.0
		for i, w := range []float64{.2126, .7152, .0722} {
			v := float64(c[i]) / 255
			if v <= .04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+.055)/1.055, 2.4)
			}
			out += w * v
		}
		return out
	}
	x, y := lum(a), lum(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func FuzzHTML(f *testing.F) {
	for _, x := range hostile().Findings {
		f.Add(x.Title)
	}
	for _, s := range []string{"</style><script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "{{.}}", "javascript:alert(1)", "</title>", "<!--", "]]>", "&lt;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := base().past()
		x := finding("high", "script-a", "scripts/"+s, "", s+"x", s, s, 1)
		x.Location, x.Evidence = &Location{Path: s, Line: 1}, []Evidence{{s, s}}
		d.Findings, d.Run.Root, d.Run.Host = []Finding{x}, "/"+s, s
		d.Errors = []Error{{"scripts", s, s, s}}
		d.Items = []Item{{Key: "scripts/" + s, System: s, Level: s, State: s}}
		d.Changes = []Change{{Item: s, Op: s, Files: []string{s}, Facts: []FactChange{{s, s, nil, s}}}}
		d.Recovery = Recovery{Mode: s, Steps: []Step{{Status: s, Item: s, Action: s, Rule: s, What: s, Reason: s, Hint: s}}}
		d.Journal[0].Detail, d.Week.Collisions[0].Items[0], d.Schedules[0].Expression = s, s, s
		doc := pageOf(t, render(t, HTML, d, Options{Items: true}))
		wellMade(t, doc)
		confined(t, doc)
	})
}
