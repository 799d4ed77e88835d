package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"
)

// HTML writes the report as one page.
var HTML = &Renderer{
	Name:   "html",
	Doc:    "one page for a browser: no network, no script needed, light and dark, prints",
	Render: renderHTML,
}

var (
	//go:embed html.tmpl
	htmlTemplate string
	//go:embed html.css
	htmlStyle string
	//go:embed html.js
	htmlScript string
)

// htmlRows bounds every list of the page but findings and items.
const htmlRows = 200

// An htmlPage is what the template asks for. The document in it is cleaned; the
// template escapes.
type htmlPage struct {
	*reading
	State      string // failing, degraded, healthy or none: how the page is tinted
	Verdict    string // after the subject
	Headline   string // what else the headline says
	Notes      []string
	Trend      *trendChart // nil with fewer than two scores
	Systems    []htmlSystem
	Falls      capped[falling]
	Flaps      []string
	Groups     []htmlGroup
	Reduced    string // what was asked for of the findings; "" is all
	Open       int
	MoreOpen   int // findings that are not on the page
	Lists      []htmlLines
	Unjudged   capped[[2]string]
	Timelines  capped[timeline]
	Schedules  *htmlSchedules
	Steps      capped[Step]
	Changes    capped[htmlChange]
	JournalLog []JournalRow
	Inventory  []Item
}

// A capped list tells how much it leaves out.
type capped[T any] struct {
	Rows []T
	More int
}

func first[T any](list []T, n int) capped[T] {
	return capped[T]{list[:min(len(list), n)], max(len(list)-n, 0)}
}

// htmlLines is one of the lists that are only looked up.
type htmlLines struct {
	Title string
	Lines capped[string]
}

func renderHTML(w io.Writer, d *Document, o Options) error {
	r := &reading{page: newPage(o), Document: legible(d, o), opts: o}
	p := &htmlPage{reading: r, State: r.tint(), Trend: newTrend(r.Score.History), Systems: r.htmlSystems(),
		Falls: first(r.falls(r.Document.Regressions), htmlRows), Flaps: r.flaps(), Unjudged: first(r.unjudged(), htmlRows),
		Timelines: first(r.timelines(d.Items), htmlRows/2), Schedules: r.htmlSchedules(), Steps: first(r.Document.Recovery.Steps, htmlRows),
		Changes: first(r.htmlChanges(), htmlRows), JournalLog: r.Document.Journal}
	for _, n := range append([]string{r.judgedAnew()}, append(r.scoreNotes(), r.uncounted())...) {
		if n != "" {
			p.Notes = append(p.Notes, n)
		}
	}
	p.Verdict, p.Headline = r.apart()
	p.groups()
	if !o.New {
		repaired, left := r.ended()
		for _, l := range []htmlLines{{"Resolved", first(repaired, htmlRows)}, {"No longer judged, because nothing starts it or it is gone", first(left, htmlRows)},
			{"Deleted", first(r.departed(), htmlRows)}, {"Waived", first(r.accepted(), htmlRows)}} {
			if len(l.Lines.Rows) > 0 {
				p.Lists = append(p.Lists, l)
			}
		}
	}
	if o.Items {
		p.Inventory = r.Document.Items
	}
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, p); err != nil {
		return fmt.Errorf("make the page: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// apart is the headline in two: the verdict without the subject, and the rest.
func (r *reading) apart() (verdict, rest string) {
	_, state := r.state()
	verdict, why, _ := strings.Cut(state, ": ")
	rest = strings.TrimLeft(strings.TrimPrefix(r.headline(), r.subject()+" "+state), ":;. ")
	if why != "" {
		rest = strings.TrimSpace(why + ". " + rest)
	}
	if rest != "" {
		rest = strings.ToUpper(rest[:1]) + rest[1:] // our own words
	}
	return verdict, rest
}

// tint is the state of the project in the word that a style is named by.
func (r *reading) tint() string {
	switch c, _ := r.state(); {
	case c == inkAlarm:
		return "failing"
	case c == inkYellow:
		return "degraded"
	case c == inkGreen:
		return "healthy"
	}
	return "none"
}

func (p *htmlPage) Subject() string  { return p.subject() }
func (p *htmlPage) RunLine() string  { return p.runLine() }
func (p *htmlPage) GateLine() string { return p.gate() }
func (p *htmlPage) Plan() string     { return p.Document.Recovery.totals() }
func (p *htmlPage) Style() template.CSS {
	return template.CSS(htmlStyle)
}
func (p *htmlPage) Script() template.JS { return template.JS(htmlScript) }

// See names the command that shows what the page has no room for.
func (p *htmlPage) See() string { return p.see("--format json") }

// Policy is the Content-Security-Policy: this style, this script, and nothing
// else from nowhere (https://www.w3.org/TR/CSP3/#grammardef-hash-source).
func (p *htmlPage) Policy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(htmlStyle) + "; script-src " + hash(htmlScript) + "; base-uri 'none'; form-action 'none'"
}

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("html.tmpl").Funcs(template.FuncMap{
		"stamp": stamp, "plural": plural, "group": group[int], "points": func(v *float64) string { return scored(v, nil) },
		"dash": dash, "lost": lost, "lines": func(s string) []string { return strings.Split(s, "\n") },
		"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"words": func(s string) string { return strings.ReplaceAll(s, "_", " ") }, "size": size, "prefix": prefix, "clip": clip,
		"more": func(n int, p *htmlPage) map[string]any { return map[string]any{"N": n, "See": p.See()} },
	}).Parse(htmlTemplate))
})
