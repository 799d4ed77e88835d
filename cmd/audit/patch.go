package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"healthaudit/report"
	"healthaudit/snapshot"
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
	secret := secrets(old, cur)
	for _, p := range paths {
		if a[p].SHA256 == b[p].SHA256 {
			continue
		}
		text := withheld
		if s := secret[p]; s == nil || !s.program {
			d := diff.Diff("a/"+p, content(old, a[p]), "b/"+p, content(cur, b[p]))
			text = s.mask(strings.ToValidUTF8(string(d), "\ufffd"))
		}
		out = append(out, report.Patch{Path: p, Text: text})
	}
	return out
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
	notShown = "(not shown)"
	withheld = "(not shown: values of environment variables stand in this file; audit restore SNAPSHOT FILE --target DIR brings it back)\n"
)

var (
	envFact  = regexp.MustCompile(`(?:^|\.)env\w*\.([^.\[\]]+)$`)
	argsFact = regexp.MustCompile(`(?:^|\.)(\w*args)\.hash$`)
	withFact = regexp.MustCompile(`(?i)\.with\.([^.\[\]]*(?:token|secret|pass|key|auth|cred)[^.\[\]]*)$`)
)

// secrets tells of every file the names whose values were masked in a fact.
func secrets(snaps ...*snapshot.Snapshot) map[string]*secret {
	out := map[string]*secret{}
	for _, s := range snaps {
		for _, it := range s.Items {
			for _, f := range it.Facts {
				if f.Class != snapshot.Secret {
					continue
				}
				for _, kind := range []*regexp.Regexp{envFact, argsFact, withFact} {
					m := kind.FindStringSubmatch(f.Name)
					if m == nil {
						continue
					}
					if out[it.Path] == nil {
						ext := path.Ext(it.Path)
						out[it.Path] = &secret{map[string]bool{}, ext == ".js" || ext == ".cjs" || ext == ".mjs"}
					}
					out[it.Path].names[m[1]] = true
				}
			}
		}
	}
	return out
}

var (
	// telling matches a name that sounds like a secret and is given a value, in
	// whatever kind of file, or an option of that name.
	// An assignment in capitals is one to an environment variable.
	telling  = regexp.MustCompile(`(?:^|[\s;&|("'])[A-Z][A-Z0-9_]*=|(?i:[\w-]*(?:token|secret|pass|pwd|auth|credential|\bkey|[_-]key)[\w-]*["']?(?:\s*[:=]|\s+["']?))`)
	userInfo = regexp.MustCompile(`(://|\s-u\s+|--user[ =])[^/\s:@'"]*:[^@\s'"]+`)
)

// valueOf returns the pattern of a name that is given a value that a patch must
// not show. A nil secret has none but those that sound like one.
func (s *secret) valueOf() *regexp.Regexp {
	if s == nil {
		return telling
	}
	names := make([]string, 0, len(s.names))
	for n := range s.names {
		names = append(names, regexp.QuoteMeta(n))
	}
	slices.Sort(names)
	return regexp.MustCompile(`(?:^|[^\w-])["']?(?:` + strings.Join(names, "|") + `)["']?\s*[:=]|` + telling.String())
}

// mask takes values out of a unified diff: the rest of the line, and what is
// indented deeper below it.
func (s *secret) mask(patch string) string {
	value := s.valueOf()
	var b strings.Builder
	below := -1 // indentation of the name whose value goes on
	for line := range strings.Lines(patch) {
		if line == "" || !strings.ContainsRune("+- ", rune(line[0])) || strings.HasPrefix(line, "+++ ") || strings.HasPrefix(line, "--- ") {
			below = -1
			b.WriteString(line)
			continue
		}
		text := userInfo.ReplaceAllString(strings.TrimRight(line[1:], "\r\n"), "$1"+notShown)
		indent := len(text) - len(strings.TrimLeft(text, " \t"))
		switch at := value.FindStringIndex(text); {
		case below >= 0 && (indent > below || strings.TrimSpace(text) == ""):
			b.WriteString(line[:1] + text[:indent] + notShown + "\n")
		case at != nil:
			below = indent
			b.WriteString(line[:1] + text[:at[1]] + " " + notShown + "\n")
		default:
			below = -1
			b.WriteString(line[:1] + text + "\n")
		}
	}
	return b.String()
}
