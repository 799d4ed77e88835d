package netlify

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// A Redirect is one rule of [[redirects]] or of a _redirects file that Netlify
// takes; one that it cannot read it passes over.
type Redirect struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Status int    `json:"status,omitempty"` // 0 where nothing is said, which is 301
	At     Place  `json:"at"`               // of to
}

// maxRedirects bounds the rules that are read of one file.
const maxRedirects = 10_000

// redirects reads [[redirects]], also in its old spellings.
// Source: @netlify/redirect-parser 16, normalize.js.
func (r *reader) redirects(v any) {
	l, _ := v.([]any)
	for i, e := range l[:min(len(l), maxRedirects)] {
		t, ok := e.(map[string]any)
		if !ok {
			continue
		}
		key := fmt.Sprintf("redirects#%d", i)
		at := r.place(key + ".to")
		if at.Line == 0 {
			at = r.place(key)
		}
		rule := Redirect{From: firstText(t, "from", "origin"), To: firstText(t, "to", "destination"), At: at}
		if s, ok := t["status"]; ok {
			n, err := strconv.Atoi(leadingDigits(scalar(s)))
			if err != nil {
				continue
			}
			rule.Status = n
		}
		if rule.complete() {
			r.c.Redirects = append(r.c.Redirects, rule)
		}
	}
}

// complete fills the destination of a rule that only changes the status, and
// reports whether Netlify takes it.
func (r *Redirect) complete() bool {
	if r.To == "" {
		head, splat := strings.CutSuffix(r.From, "/*")
		if !splat || r.Status < 200 || r.Status > 299 {
			return false
		}
		r.To = head + "/:splat"
	}
	return r.From != "" && !strings.HasPrefix(r.From, "/.netlify")
}

// ParseRedirects reads a _redirects file: from, parameters, to, status, conditions.
// Source: @netlify/redirect-parser 16, line_parser.js.
func ParseRedirects(src []byte) (out []Redirect) {
	n := 0
	for line := range bytes.Lines(src[:min(len(src), MaxConfig)]) {
		n++
		parts := strings.Fields(string(line))
		for i, p := range parts {
			if strings.HasPrefix(p, "#") {
				parts = parts[:i]
				break
			}
		}
		if len(parts) < 2 || len(out) >= maxRedirects {
			continue
		}
		rule := Redirect{From: parts[0], At: Place{n, 1}}
		rest := parts[1:]
		if leadingDigits(rest[0]) == "" {
			i := 0
			for i < len(rest) && !strings.HasPrefix(rest[i], "/") && !isURL(rest[i]) {
				i++
			}
			if i == len(rest) {
				continue
			}
			rule.To = rest[i]
			rule.At.Column = 1 + bytes.Index(line, []byte(" "+rest[i])) + 1
			rest = rest[i+1:]
		}
		if len(rest) > 0 {
			s := leadingDigits(rest[0])
			if s == "" {
				continue
			}
			rule.Status, _ = strconv.Atoi(s)
		}
		if rule.complete() {
			out = append(out, rule)
		}
	}
	return out
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

// leadingDigits is what JavaScript's parseInt would read, at most six digits.
func leadingDigits(s string) string {
	i := 0
	for i < len(s) && i < 6 && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i]
}

// Function returns the function that the rule leads to, also as an on-demand
// builder; false when it leads elsewhere, or to a name that is only known at run
// time.
func (r Redirect) Function() (string, bool) {
	rest, ok := strings.CutPrefix(r.To, "/.netlify/functions/")
	if !ok {
		rest, ok = strings.CutPrefix(r.To, "/.netlify/builders/")
	}
	if !ok {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "/")
	name, _, _ = strings.Cut(name, "?")
	name, _, _ = strings.Cut(name, "#")
	return name, name != "" && !strings.ContainsAny(name, ":*")
}
