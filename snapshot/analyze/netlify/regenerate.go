package netlify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/jsontext"
)

// ErrCollapse is returned by Regenerate when the functions found are so few that
// their folder is more likely broken than small.
var ErrCollapse = errors.New("fewer than half of the functions that the last good list held")

// Regenerate returns a list that names exactly these functions, written anew
// from the bytes of the old one. What it lists already gives the old bytes,
// unchanged, so that a date alone makes no new version; an entry that stays
// keeps its text, and so does everything beside the list. good is the count of
// the last good list, 0 when there was none.
//
// Errors: ErrCollapse, also where there are no functions at all; one that says
// why for a list that cannot be parsed, or that a build has written.
func Regenerate(old []byte, functions []string, good int) ([]byte, error) {
	names := slices.Clone(functions)
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 || 2*len(names) < good {
		return nil, ErrCollapse
	}
	m := ParseManifest(old)
	switch {
	case m.Broken():
		return nil, fmt.Errorf("line %d: %s", max(m.Defects[0].Line, 1), m.Defects[0].Message)
	case m.Format == BuildOutput:
		return nil, errors.New("the manifest of a build is written by the build alone")
	case slices.ContainsFunc(m.Defects, func(d Defect) bool { return d.Kind == DefectEncoding }):
		return nil, errors.New("the list is not plain UTF-8")
	}
	if sound := !slices.ContainsFunc(m.Defects, func(d Defect) bool { return d.Kind != DefectGenerated }); sound && slices.Equal(m.Names(), names) {
		return old, nil
	}
	from, to, entries := listBytes(old)
	return slices.Concat(old[:from], written(old, from, names, entries, m.Format), old[to:]), nil
}

// listBytes returns where the list of functions begins and ends, and the text of
// its entries that are objects, by name. Of two lists the last counts.
func listBytes(src []byte) (from, to int, entries map[string][]byte) {
	r := jsontext.NewReader(src)
	list := func() {
		from, entries = r.Next(), map[string][]byte{}
		r.Each(func() {
			start := r.Next()
			r.Skip()
			text := r.Since(start)
			if one := ParseManifest(slices.Concat([]byte("["), text, []byte("]"))); len(one.Entries) == 1 && entries[one.Entries[0].Name] == nil {
				entries[one.Entries[0].Name] = text
			}
		})
		to = r.Offset()
	}
	if r.Peek() == '[' {
		list()
		return from, to, entries
	}
	r.Object("", func(key string) {
		if key == "functions" && r.Peek() == '[' {
			list()
		} else {
			r.Skip()
		}
	})
	return from, to, entries
}

// written is the new list, indented as the line that it begins on. Objects stay
// only where all entries were objects: names among objects are found by nobody.
func written(old []byte, from int, names []string, entries map[string][]byte, format string) []byte {
	line := old[bytes.LastIndexByte(old[:from], '\n')+1 : from]
	indent := string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
	var b strings.Builder
	b.WriteString("[\n")
	for i, n := range names {
		text, _ := json.Marshal(n) // of a text it cannot fail
		if format == ListOfObjects {
			if kept := entries[n]; kept != nil {
				text = kept
			} else {
				text = slices.Concat([]byte(`{ "name": `), text, []byte(" }"))
			}
		}
		b.WriteString(indent + "  " + string(text))
		if i < len(names)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString(indent + "]")
	return []byte(b.String())
}
