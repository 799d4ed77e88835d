package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/mask"
)

// A masker takes out of a text what could be a secret. Structure, keys,
// programs and names of options stay, and of values the words that are plain:
// letters as people write them, small numbers, and whatever the reports show of
// the project anyway. Values of variables, arguments and inputs go altogether.
type masker struct {
	value *regexp.Regexp  // a name that is given a secret value
	known map[string]bool // words of the project that reports show
}

var (
	// container matches a key whose values may all be secret.
	container = lazyregexp.New(`(?:^|[^\w-])["']?(?:(?:env(?:_\w+)?|\w*args|entrypoint|with|matrix)["']?\s*[:=]|environment["']?\s*=)`)
	header    = lazyregexp.New(`^\s*\[\[?[A-Za-z]`) // of a table in TOML
	table     = lazyregexp.New(`\b(?:env|environment|inputs)\b`)
	entry     = lazyregexp.New(`^(\s*(?:- )?["']?[A-Za-z][\w.-]*["']?\s*[:=]\s*)(.*)$`)

	quotedArg = lazyregexp.New(`((?:^|\s)(?:-[A-Zabd-z]|-[a-z]{2,}|--[A-Za-z][\w-]*)[ =]+)(?:\\?"[^"]*"?|'[^']*'?)`)
	reference = lazyregexp.New(`^\$\{\{\s*(?:secrets|github|vars|env|inputs|matrix|needs|steps|runner)(?:\.[\w-]+)+\s*\}\}$`)
	chunk     = lazyregexp.New(`\(not shown\)|\$\{\{\s*(?:secrets|github|vars|env|inputs|matrix|needs|steps|runner)(?:\.[\w-]+)+\s*\}\}|[^\s"'` + "`" + `,;(){}\[\]<>|]+`)

	harmless = lazyregexp.New(`^(?:true|false|yes|no|on|off|[0-9]{1,6}(?:\.[0-9]{1,3})?)$`)
	access   = lazyregexp.New(`^(?:read|write|none|inherit)$`) // of id-token and its like
	letters  = lazyregexp.New(`^(?:[a-z]{1,20}|[A-Z]{1,12}|[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|v?[0-9]{1,6}|)$`)
	cluster  = lazyregexp.New(`^-(?:[A-Za-z]|[a-oq-tv-z][a-z]{1,3})$`)
	option   = lazyregexp.New(`^--[A-Za-z][A-Za-z-]{0,40}$`)
	attached = lazyregexp.New(`^-[A-Za-z]`)
	separate = lazyregexp.New(`[^A-Za-z0-9]+`)
	digit    = lazyregexp.New(`[0-9]`)
	hump     = lazyregexp.New(`[A-Z][a-z]`)
)

// valueOf returns the pattern of a name that is given a value that a patch must
// not show. A nil secret has none but those that sound like one.
func (s *secret) valueOf() *regexp.Regexp {
	if s == nil {
		return mask.Telling()
	}
	names := make([]string, 0, len(s.names))
	for n := range s.names {
		names = append(names, regexp.QuoteMeta(n))
	}
	slices.Sort(names)
	return regexp.MustCompile(`(?:^|[^\w-])["']?(?:` + strings.Join(names, "|") + `)["']?\s*[:=]|` + mask.Telling().String())
}

// vocabulary is every word of keys, paths and facts that reports show.
func vocabulary(snaps ...*snapshot.Snapshot) map[string]bool {
	known := map[string]bool{}
	learn := func(texts ...string) {
		for _, t := range texts {
			for _, w := range chunk().FindAllString(t, -1) {
				known[w] = true
			}
		}
	}
	for _, s := range snaps {
		for _, it := range s.Items {
			learn(it.Name, it.Path, path.Dir(it.Path))
			for _, f := range it.Facts.All() {
				if f.Class != snapshot.Secret {
					learn(f.Value.Str())
				}
			}
			for _, f := range it.Files {
				learn(f.Path, path.Dir(f.Path), path.Base(f.Path))
			}
			for _, r := range it.Refs.All() {
				learn(r.Name, r.Path)
			}
		}
	}
	return known
}

// lines returns the lines of a text, masked.
func (m *masker) lines(text string) (out []string) {
	in, gone := -1, -1 // columns of the key whose values, or whose whole value, go on
	section := false   // of TOML, with nothing but values
	for line := range strings.Lines(strings.ToValidUTF8(text, "\ufffd")) {
		line = strings.TrimRight(line, "\r\n")
		bare := strings.TrimLeft(line, " \t")
		indent := len(line) - len(bare)
		column := indent
		if strings.HasPrefix(bare, "- ") {
			column += 2
		}
		deeper := func(than int) bool {
			return than >= 0 && (indent > than || bare == "" || indent == than && strings.HasPrefix(bare, "-"))
		}
		head := header().MatchString(line)
		if head {
			section = table().MatchString(line)
		}
		if !deeper(gone) {
			gone = -1
		}
		if !deeper(in) {
			in = -1
		}
		at, values := m.value.FindStringIndex(line), container().FindStringIndex(line)
		parts := entry().FindStringSubmatch(line)
		switch {
		case bare == "":
			out = append(out, line)
		case gone >= 0:
			out = append(out, line[:indent]+notShown)
		case in >= 0 || section && !head:
			if parts == nil {
				out = append(out, line[:indent]+notShown)
				continue
			}
			out = append(out, m.words(parts[1])+m.shown(parts[2]))
			if v := strings.TrimSpace(parts[2]); v != "" && !plainValue(v) {
				gone = column
			}
		case at != nil && (values == nil || at[1] <= values[1]):
			out = append(out, m.words(line[:at[1]])+m.shown(line[at[1]:]))
			gone = column
		case values != nil:
			out = append(out, m.words(line[:values[1]])+m.shown(line[values[1]:]))
			in = column
		default:
			out = append(out, m.words(line))
		}
	}
	return out
}

// plainValue reports whether a value can be no secret whatever its name.
func plainValue(v string) bool {
	v = strings.Trim(v, `"', `)
	return access().MatchString(v) || reference().MatchString(v)
}

// shown returns the value of a name that may be given a secret.
func (m *masker) shown(value string) string {
	v := strings.TrimSpace(value)
	switch {
	case v == "" || plainValue(v) || slices.Contains([]string{"{", "[", "|", ">"}, v):
		return value
	case strings.HasPrefix(value, " "):
		return " " + notShown
	}
	return notShown
}

// words masks the words of a line that are not plain, and those that follow an
// option.
func (m *masker) words(line string) string {
	line = mask.UserInfo().ReplaceAllString(line, "${1}"+notShown+"@")
	line = mask.Query().ReplaceAllString(line, "${1}"+notShown)
	line = quotedArg().ReplaceAllString(line, "${1}"+notShown)
	argument := false
	return chunk().ReplaceAllStringFunc(line, func(w string) string {
		after := argument
		argument = option().MatchString(w) || cluster().MatchString(w) && w != "-c"
		name, value, assigned := strings.Cut(w, "=")
		switch {
		case w == notShown || argument || w == "-c" || reference().MatchString(w) || m.known[w]:
			return w
		case assigned && option().MatchString(name):
			if !harmless().MatchString(value) && !m.known[value] {
				value = notShown
			}
			return name + "=" + value
		case attached().MatchString(w):
			return w[:2] + notShown
		case after && letterless(w), m.plain(w) && (!after || harmless().MatchString(w)):
			return w
		}
		return notShown
	})
}

func letterless(w string) bool { return strings.Trim(w, "&\\:=+*#!?/.-") == "" }

// plain reports whether a word is one as people write them: its parts are
// letters in usual case or small numbers, with few digits in all and humps of
// four letters in the mean.
func (m *masker) plain(w string) bool {
	if len(digit().FindAllString(w, -1)) > 8 {
		return false
	}
	for _, part := range separate().Split(w, -1) {
		humps := len(hump().FindAllString(part, -1))
		if len(part) > 24 || humps > 1 && 4*humps > len(part) || !letters().MatchString(part) {
			return m.known[strings.Trim(w, ":.\\$")]
		}
	}
	return true
}
