package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
)

// markdownTags names what the page of a Markdown report may consist of.
var markdownTags = map[string]bool{"html": true, "head": true, "body": true, "h2": true, "h3": true, "p": true, "strong": true, "code": true, "br": true,
	"table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true, "details": true, "summary": true, "sub": true}

// obeyed is what GitHub makes of words outside of code: mentions, references,
// links, emoji, mathematics.
var obeyed = regexp.MustCompile(`(?i)@\w|#\d|\bgh-\d|://|www\.|:[\w+-]+:|\$`)

// markdownPage makes HTML of a report with another engine, as GitHub does, and
// reads that.
func markdownPage(t *testing.T, md []byte) *nethtml.Node {
	t.Helper()
	engine := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	var page bytes.Buffer
	if err := engine.Convert(md, &page); err != nil {
		t.Fatal(err)
	}
	doc, err := nethtml.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// inertPage fails on everything in a page that is not ours.
func inertPage(t *testing.T, doc *nethtml.Node) {
	t.Helper()
	for n := range doc.Descendants() {
		switch n.Type {
		case nethtml.ElementNode:
			if !markdownTags[n.Data] {
				t.Errorf("the page holds <%s>: %s", n.Data, textOf(n.Parent))
			}
			for _, a := range n.Attr {
				if a.Key != "align" && a.Key != "style" {
					t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
				}
			}
		case nethtml.TextNode:
			if n.Parent.Data != "code" && obeyed.MatchString(n.Data) {
				t.Errorf("outside of code stands %q", n.Data)
			}
		}
	}
	for table := range doc.Descendants() {
		if table.Data != "table" {
			continue
		}
		heads := count(table, "th")
		for row := range table.Descendants() {
			if n := count(row, "td"); row.Data == "tr" && n != 0 && n != heads {
				t.Errorf("a row has %d cells, its table %d: %s", n, heads, textOf(row))
			}
		}
	}
}

func count(n *nethtml.Node, tag string) (k int) {
	for c := range n.Descendants() {
		if c.Type == nethtml.ElementNode && c.Data == tag {
			k++
		}
	}
	return k
}

func textOf(n *nethtml.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == nethtml.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func TestMarkdown(t *testing.T) {
	for name, d := range documents() {
		for _, o := range []Options{{}, {Items: true}, {New: true}} {
			file := name
			switch {
			case o.Items:
				file += "-items"
			case o.New:
				file += "-new"
			}
			t.Run(file, func(t *testing.T) {
				got := render(t, Markdown, d, o)
				if len(got) > markdownRoom {
					t.Errorf("%d bytes, want at most %d", len(got), markdownRoom)
				}
				inertPage(t, markdownPage(t, got))
				golden(t, file+".md", got)
			})
		}
	}
}

// TestMarkdown_loses_nothing looks in the page that GitHub would show for every
// title, message and hint, unescaped.
func TestMarkdown_loses_nothing(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00a0", " ")), "") }
	for _, d := range []*Document{ordinary(), hostile(), unreadable()} {
		page := squeeze(textOf(markdownPage(t, render(t, Markdown, d, Options{Items: true}))))
		for _, f := range d.Findings {
			if f.Status == "resolved" || f.Waiver != nil {
				continue
			}
			for _, s := range []string{clip(Clean(f.Title), 200), clip(Clean(f.Message), 500), clip(cleanLines(f.Hint), 600)} {
				if !strings.Contains(page, squeeze(s)) {
					t.Errorf("%q is not on the page", s)
				}
			}
		}
	}
}

// TestMarkdown_tells_what_it_leaves_out fills a report with more than a comment
// has room for.
func TestMarkdown_tells_what_it_leaves_out(t *testing.T) {
	d := base()
	for i := range 3000 {
		f := finding("high", fmt.Sprintf("script-rule-%04d", i), "scripts/"+strings.Repeat("<|`", 500)+fmt.Sprint(i), "", "title", strings.Repeat("@a ", 400), strings.Repeat("x", 900), 1)
		d.Findings = append(d.Findings, f)
		d.Errors = append(d.Errors, Error{"scripts", strings.Repeat("&", 300), strings.Repeat("*", 900), ""})
		d.Regressions = append(d.Regressions, Regression{f.Item, "R1", "ok", "failing", Mark{beforeRun, noon}, Mark{thisRun, noon}, false})
	}
	got := render(t, Markdown, d, Options{})
	if len(got) > markdownRoom {
		t.Fatalf("%d bytes, want at most %d", len(got), markdownRoom)
	}
	doc := markdownPage(t, got)
	inertPage(t, doc)
	left := regexp.MustCompile(`Left out for want of room: [\d,]+ of 3,000 (regressions|entries|sources and items)\. All of them: audit report --format html\.`)
	if n := len(left.FindAllString(textOf(doc), -1)); n != 3 {
		t.Errorf("%d of 3 lists say what they leave out:\n%s", n, textOf(doc))
	}
	if !strings.HasSuffix(string(got), "</sub>\n") {
		t.Error("the end is cut off")
	}
}

func TestProse(t *testing.T) {
	for in, want := range map[string]string{
		"plain words":             "plain words",
		"a|b *c* _d_ <e> & [f]":   "a&#124;b &#42;c&#42; &#95;d&#95; &lt;e&gt; &amp; &#91;f&#93;",
		"run #42, 2 h ago":        "run `#42`, 2 h ago",
		"(@ann) and x@v4":         "(`@ann`) and `x@v4`",
		"see https://a.b/c.":      "see `https://a.b/c`.",
		"`$FILES` is not quoted":  "`` `$FILES` `` is not quoted",
		":tada: GH-7 www.x.y a:b": "`:tada:` `GH-7` `www.x.y` a:b",
		"":                        "",
	} {
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %s, want %s", in, got, want)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, f2 := range hostile().Findings {
		f.Add(f2.Title)
	}
	for _, s := range []string{`a\|b`, `a\\|b`, "`|`|``", "\\`x", "``` x", "a`b|c", "@a@b", "x#1", "&#124;", "<!--", "http://a.b", "a\\", "`", "\\", "|", "- [ ] x", "::error::", "=HYPERLINK(1)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 300 {
			return
		}
		d := base()
		x := finding("high", "script-a", "scripts/"+s, "", s+"x", s, s, 1)
		x.Location = &Location{Path: s, Line: 1}
		d.Findings, d.Run.Root = []Finding{x}, "/"+s
		d.Errors = []Error{{"scripts", s, s, s}}
		d.Items = []Item{{Key: "scripts/" + s, System: "scripts", Level: "failing", State: s}}
		doc := markdownPage(t, render(t, Markdown, d, Options{Items: true}))
		inertPage(t, doc)
		if rows := count(doc, "tr"); rows != 5+2+2+2 {
			t.Errorf("%d rows in the tables", rows)
		}
	})
}
