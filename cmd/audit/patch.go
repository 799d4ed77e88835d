package main

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/mask"
)

// patches are the text diffs of every captured file that differs, sorted by path.
func patches(old, cur *snapshot.Snapshot) []report.Patch {
	a, b := files(old), files(cur)
	paths := make([]string, 0, len(a)+len(b))
	for p := range a {
		paths = append(paths, p)
	}
	for p := range b {
		if _, ok := a[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	out := []report.Patch{}
	secret, known := secrets(old, cur), vocabulary(old, cur)
	for _, p := range paths {
		if a[p].SHA256 == b[p].SHA256 {
			continue
		}
		text := withheld
		if s := secret[p]; s == nil || !s.program {
			text = maskedDiff(p, content(old, a[p]), content(cur, b[p]), &masker{value: s.valueOf(), known: known})
		}
		out = append(out, report.Patch{Path: p, Text: text})
	}
	return out
}

// maskedDiff is the unified diff of two contents, each line masked as what it is
// in its file: the key that a value belongs to may stand far above the hunk.
func maskedDiff(name string, old, cur []byte, m *masker) string {
	name = strings.ReplaceAll(name, "\n", "\\n") // its lines would be read as the diff's
	was, now := m.lines(string(old)), m.lines(string(cur))
	var b strings.Builder
	i, j := -1, -1 // of the next lines
	for line := range strings.Lines(string(diff.Diff("a/"+name, old, "b/"+name, cur))) {
		at := hunk().FindStringSubmatch(line)
		switch {
		case at != nil:
			i, j = lineIndex(at[1], at[2]), lineIndex(at[3], at[4])
			b.WriteString(line)
		case i < 0 || !strings.ContainsRune("+- ", rune(line[0])): // not in a hunk yet, or a note
			b.WriteString(line)
		case line[0] == '+':
			b.WriteString("+" + now[j] + "\n")
			j++
		default:
			b.WriteString(line[:1] + was[i] + "\n")
			if i++; line[0] == ' ' {
				j++
			}
		}
	}
	return b.String()
}

var hunk = lazyregexp.New(`^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@`)

// lineIndex counts lines from 0; an empty range names the line before it.
func lineIndex(line, count string) int {
	n, _ := strconv.Atoi(line)
	if count == ",0" {
		return n
	}
	return n - 1
}

func files(s *snapshot.Snapshot) map[string]snapshot.File {
	m := map[string]snapshot.File{}
	for _, it := range s.Items {
		for _, f := range it.Files {
			if f.SHA256 != "" && f.Link == "" {
				m[f.Path] = f
			}
		}
	}
	return m
}

func content(s *snapshot.Snapshot, f snapshot.File) []byte {
	if f.SHA256 == "" {
		return nil
	}
	b, err := s.Content.Bytes(f.SHA256)
	if err != nil {
		return []byte("(bytes not readable: " + err.Error() + ")\n")
	}
	return b
}

// A secret is what of a file a patch must not show: the values of environment
// variables and arguments, which stand in no report either.
type secret struct {
	names   map[string]bool
	program bool // the file computes its values: they may stand anywhere in it
}

const (
	notShown = mask.NotShown
	withheld = "(not shown: values of environment variables stand in this file; audit restore SNAPSHOT FILE --target DIR brings it back)\n"
)

// secrets tells of every file the names whose values were masked in a fact.
func secrets(snaps ...*snapshot.Snapshot) map[string]*secret {
	out := map[string]*secret{}
	for file, names := range pipeline.Masked(snaps...) {
		ext := path.Ext(file)
		out[file] = &secret{names, ext == ".js" || ext == ".cjs" || ext == ".mjs"}
	}
	return out
}
