package netlify

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"healthaudit/snapshot/analyze/jsontext"
)

type manifestReader struct {
	r              *jsontext.Reader
	m              Manifest
	first          map[string]Place
	told           map[string]int // defects by kind
	names, objects int
	seen, build    bool
	text           Place // of the entries, the first of each form
	object         Place
}

func (m *manifestReader) here() Place {
	line, column := m.r.Position(m.r.Next())
	return Place{line, column}
}

func (m *manifestReader) defect(at Place, kind, format string, args ...any) {
	if m.told[kind]++; m.told[kind] <= maxDefects {
		m.m.Defects = append(m.m.Defects, Defect{at, kind, fmt.Sprintf(format, args...)})
	}
}

func (m *manifestReader) document() {
	start := m.here()
	if m.r.Peek() == '[' {
		m.list()
	} else {
		m.keys()
	}
	m.r.End()
	m.complaints()
	if m.told[DefectSyntax] > 0 {
		return
	}
	if !m.seen {
		if m.told[DefectFunctions] == 0 {
			m.defect(start, DefectFunctions, `there is no "functions" in it`)
		}
		return
	}
	m.m.Format = ListOfNames
	switch {
	case m.build:
		m.m.Format = BuildOutput
	case m.names > 0 && m.objects > 0:
		m.m.Format = ListMixed
		if odd := m.object; m.objects <= m.names {
			m.defect(odd, DefectMixed, "%d of its %d entries are objects, the rest are names", m.objects, m.names+m.objects)
		} else {
			m.defect(m.text, DefectMixed, "%d of its %d entries are names, the rest are objects", m.names, m.names+m.objects)
		}
	case m.objects > 0:
		m.m.Format = ListOfObjects
	}
}

// keys reads the object at the top; of "functions" twice the last counts, as in
// every reader.
func (m *manifestReader) keys() {
	m.r.Object("", func(key string) {
		switch key {
		case "functions":
			m.m.Entries, m.first, m.names, m.objects, m.seen = nil, map[string]Place{}, 0, 0, false
			if at := m.here(); m.r.Peek() == '[' {
				m.list()
			} else if m.r.Peek() != 0 {
				m.r.Skip()
				m.defect(at, DefectFunctions, `"functions" is not a list`)
			}
		case "generatedAt":
			m.generated()
		case "system":
			m.build = m.r.Peek() == '{'
			m.r.Skip()
		default:
			m.r.Skip()
		}
	})
}

// generated looks at the time of the last generation: a text without a year, or
// neither text nor number, is none.
func (m *manifestReader) generated() {
	at, c := m.here(), m.r.Peek()
	switch {
	case c == '"':
		s, ok := m.r.Text("generatedAt")
		if ok && !hasYear(s) {
			m.defect(at, DefectGenerated, `"generatedAt" is no time`)
		}
		m.m.Generated, m.m.GeneratedAt = instant(s), at
	default:
		m.r.Skip()
		if !strings.ContainsRune("0123456789n", rune(c)) && !m.r.Failed() {
			m.defect(at, DefectGenerated, `"generatedAt" is no time`)
		}
	}
}

// instant reads a time as JavaScript's toISOString writes it, and its kin.
func instant(s string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly, time.RFC1123} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func hasYear(s string) bool {
	digits := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			digits = 0
		} else if digits++; digits == 4 {
			return true
		}
	}
	return false
}

func (m *manifestReader) list() {
	m.seen, m.m.List = true, m.here()
	m.r.Each(func() {
		at := m.here()
		switch m.r.Peek() {
		case '"':
			if m.names++; m.names == 1 {
				m.text = at
			}
			if s, ok := m.r.Text(""); ok {
				m.add(Entry{Place: at, Name: s})
			}
		case '{':
			if m.objects++; m.objects == 1 {
				m.object = at
			}
			m.entry(at)
		default:
			m.r.Skip()
			if !m.r.Failed() {
				m.defect(at, DefectEntry, "an entry is neither a name nor an object")
			}
		}
	})
}

func (m *manifestReader) entry(at Place) {
	e := Entry{Place: at}
	if m.build {
		e.Built = &Built{}
	}
	m.r.Object("functions", func(key string) {
		switch {
		case key == "buildData" && e.Built != nil && m.r.Peek() == '{':
			m.buildData(e.Built)
		case m.r.Peek() != '"':
			m.r.Skip()
		default:
			m.property(&e, key)
		}
	})
	m.add(e)
}

// property reads a text of an entry.
func (m *manifestReader) property(e *Entry, key string) {
	at := m.here()
	s, _ := m.r.Text("")
	switch key {
	case "name":
		e.Place, e.Name = at, s
	case "path":
		if isProjectPath(s) {
			e.Path = s
		}
	case "mainFile":
		e.Generated = e.Generated || strings.Contains(strings.ReplaceAll(s, `\`, "/"), "/.netlify/")
	case "generator":
		e.Generated = true
	}
	if e.Built == nil {
		return
	}
	switch key {
	case "path":
		e.Built.Archive = path.Base(strings.ReplaceAll(s, `\`, "/"))
	case "runtime":
		e.Built.Runtime = clip(s)
	case "bundler":
		e.Built.Bundler = clip(s)
	case "schedule":
		e.Built.Schedule = clip(s)
	}
}

func (m *manifestReader) buildData(b *Built) {
	m.r.Object("", func(key string) {
		if c := m.r.Peek(); key == "runtimeAPIVersion" && (c == '1' || c == '2') {
			b.API = int(c - '0')
		}
		m.r.Skip()
	})
}

// isProjectPath reports whether a path can only be meant as a file of the
// project's: not a URL, not absolute, with the ending of code.
func isProjectPath(p string) bool {
	return IsCode(p) && !strings.HasPrefix(p, "/") && !strings.ContainsAny(p, ":\\?*{\x00") && len(p) < 1024
}

// add takes an entry. A list may name the file or the address of a function
// instead of its name.
func (m *manifestReader) add(e Entry) {
	if m.r.Failed() {
		return
	}
	e.Name = path.Base(e.Name)
	if IsCode(e.Name) {
		e.Name = strings.TrimSuffix(e.Name, path.Ext(e.Name))
	}
	if e.Name == "." || e.Name == "/" || strings.TrimSpace(e.Name) == "" || len(e.Name) > 1024 {
		m.defect(e.Place, DefectEntry, "an entry has no name")
		return
	}
	if at, twice := m.first[e.Name]; twice {
		m.defect(e.Place, DefectDuplicate, "%s stands twice, first on line %d", clip(e.Name), at.Line)
		return
	}
	if len(m.m.Entries) == maxEntries {
		return
	}
	m.first[e.Name] = e.Place
	m.m.Entries = append(m.m.Entries, e)
}

// complaints takes over what the reader of JSON found.
func (m *manifestReader) complaints() {
	for _, p := range m.r.Problems() {
		at := Place{p.Line, p.Column}
		switch p.Kind {
		case jsontext.Syntax:
			m.defect(at, DefectSyntax, "%s", clip(p.Message))
		case jsontext.Duplicate:
			if !strings.Contains(p.Name, ".") || strings.HasSuffix(p.Name, ".name") {
				m.defect(at, DefectDuplicate, "%s", clip(p.Message))
			}
		case jsontext.BOM:
			m.defect(at, DefectEncoding, "it %s", p.Message)
		case jsontext.Shape:
			if p.Name == "" {
				m.defect(at, DefectFunctions, "%s", p.Message)
			}
		}
	}
}

// bytes looks for what is not UTF-8.
func (m *manifestReader) bytes(src []byte) {
	line, start := 1, 0
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		if c == utf8.RuneError && n == 1 {
			m.defect(Place{line, i - start + 1}, DefectEncoding, "a byte in it is not UTF-8")
			return
		}
		if i += n; c == '\n' {
			line, start = line+1, i
		}
	}
}

// settle leaves one complaint about a manifest that cannot be read: the others
// come of it.
func (m *manifestReader) settle() {
	is := func(kind string) int {
		return slices.IndexFunc(m.m.Defects, func(d Defect) bool { return d.Kind == kind })
	}
	if is(DefectGenerated) >= 0 {
		m.m.Generated, m.m.GeneratedAt = time.Time{}, Place{}
	}
	if !m.m.Broken() {
		return
	}
	for _, kind := range []string{DefectSyntax, DefectEncoding, DefectFunctions} {
		if i := is(kind); i >= 0 {
			m.m = Manifest{Defects: m.m.Defects[i : i+1]}
			return
		}
	}
}
