// Package js reads JavaScript and TypeScript without running it: whether a file
// can load, what it imports, what it exports.
//
// esbuild parses (it knows TypeScript, JSX and every module form) and prints
// plain JavaScript, whose syntax tree is then read; a source map leads every
// answer back to the place in the original file. Of scripts, where less is
// asked, esbuild only says whether they are sound, and most are read as they stand.
//
// Invariants:
//   - No input makes it panic, and memory stays in proportion to the size of
//     the file: files above MaxSize and files nested beyond MaxNesting are not
//     parsed, nor those that would take the parser more than seconds.
//   - Equal input gives equal output.
//
// It resolves no import and looks at no other file.
package js

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// MaxSize is the size in bytes above which a file is not parsed.
const MaxSize = 8 << 20

// A Problem is why a file cannot be loaded. Line and Column are at least 1;
// columns count bytes.
type Problem struct {
	Line, Column int
	Message      string
}

// An Import is one module that a file asks for by a literal name.
type Import struct {
	Path         string // the specifier as it stands: "./lib/db", "node:fs", "@netlify/functions"
	Line, Column int
	Kind         string // import, require or dynamic
	Lazy         bool   // in a function: it is loaded when that is called, not when the file is
	Optional     bool   // in a try block or with a catch: that it is missing may do no harm
}

// Syntax returns why a file cannot be loaded, or nil. The dialect follows from
// the extension; JSX in a .js file is tolerated. A merge conflict marker is
// reported as such when it is what breaks the file. A file that was not parsed
// (see Module.Unjudged) has no problems.
func Syntax(file string, src []byte) []Problem {
	m, _ := transform(file, src)
	return m.Problems
}

// Imports returns the modules that a file asks for, in the order of their
// places. Imports that exist for TypeScript only are left out, as are those of
// a file that cannot be parsed.
func Imports(file string, src []byte) []Import { return Parse(file, src).Imports }

// loaders returns the dialects to try for a file, in order. JSX is the second
// choice so that its use is known: Netlify's parser does not understand it.
func loaders(file string) []api.Loader {
	switch strings.ToLower(path.Ext(file)) {
	case ".ts", ".mts", ".cts":
		return []api.Loader{api.LoaderTS}
	case ".tsx":
		return []api.Loader{api.LoaderTS, api.LoaderTSX}
	case ".json":
		return []api.Loader{api.LoaderJSON}
	}
	return []api.Loader{api.LoaderJS, api.LoaderJSX}
}

const tsconfig = `{"compilerOptions":{"experimentalDecorators":true}}`

// unsupported is newer syntax that esbuild removes or rewrites because the
// reader of the printed code does not know it.
var unsupported = map[string]bool{
	"import-attributes": false, "import-assertions": false, "decorators": false, "using": false,
	"import-defer": false, "import-source": false,
}

// warnings are silenced, not only left out: a place for each takes time.
var warnings = map[string]api.LogLevel{
	"assign-to-constant": api.LogLevelSilent, "assign-to-import": api.LogLevelSilent, "bigint": api.LogLevelSilent,
	"call-import-namespace": api.LogLevelSilent, "class-name-will-throw": api.LogLevelSilent, "commonjs-variable-in-esm": api.LogLevelSilent,
	"delete-super-property": api.LogLevelSilent, "direct-eval": api.LogLevelSilent, "duplicate-case": api.LogLevelSilent,
	"duplicate-class-member": api.LogLevelSilent, "duplicate-object-key": api.LogLevelSilent, "empty-import-meta": api.LogLevelSilent,
	"equals-nan": api.LogLevelSilent, "equals-negative-zero": api.LogLevelSilent, "equals-new-object": api.LogLevelSilent,
	"html-comment-in-js": api.LogLevelSilent, "impossible-typeof": api.LogLevelSilent, "private-name-will-throw": api.LogLevelSilent,
	"semicolon-after-return": api.LogLevelSilent, "suspicious-boolean-not": api.LogLevelSilent, "suspicious-logical-operator": api.LogLevelSilent,
	"suspicious-nullish-coalescing": api.LogLevelSilent, "this-is-undefined-in-esm": api.LogLevelSilent, "unsupported-jsx-comment": api.LogLevelSilent,
}

// unreadable returns what is known of a text that is not to be parsed, nil for any other.
func unreadable(src []byte) *Module {
	if len(src) > MaxSize {
		return &Module{Unjudged: "larger than 8 MiB"}
	}
	if enc := foreignEncoding(src); enc != "" {
		return &Module{Problems: []Problem{{1, 1, "the file is " + enc + "; Node reads UTF-8 only"}}}
	}
	switch n := measure(src); {
	case n.deepest > MaxNesting:
		return &Module{Unjudged: "nested too deeply to be parsed"}
	case n.names.tooSlow():
		return &Module{Unjudged: "repeats itself too often to be parsed"}
	}
	return nil
}

// transform fills what the parse alone tells, and returns esbuild's result when it succeeded.
func transform(file string, src []byte) (*Module, *api.TransformResult) {
	if m := unreadable(src); m != nil {
		return m, nil
	}
	m := &Module{}
	m.src = src
	text := string(bytes.ReplaceAll(src, []byte("sourceMappingURL="), []byte("sourceMappingURL-"))) // esbuild would lead to what src was made from
	var first []api.Message
	for i, l := range loaders(file) {
		r := api.Transform(text, api.TransformOptions{
			LogLevel: api.LogLevelSilent, LogOverride: warnings, LogLimit: 20, Loader: l, Target: api.ESNext, Supported: unsupported,
			LegalComments: api.LegalCommentsNone, TsconfigRaw: tsconfig,
			Sourcemap: api.SourceMapExternal, SourcesContent: api.SourcesContentExclude, Sourcefile: "x",
		})
		if len(r.Errors) == 0 {
			m.JSX = i > 0
			return m, &r
		}
		if i == 0 {
			first = r.Errors
			if l == api.LoaderJS && !slices.ContainsFunc(first, usesJSX) {
				break // with JSX it would only find the same once more
			}
		}
		if i == 1 && usesJSX(first[0]) {
			first = r.Errors
		}
	}
	m.Problems = problems(src, first)
	return m, nil
}

// AsModule returns why a file that is no ES module could not be loaded as one,
// or nil: what strict code forbids, a return outside of functions, a name await.
// Tools that read every file as a module stumble on it.
func AsModule(file string, src []byte) []Problem {
	if len(src) > MaxSize {
		return nil
	}
	m, _ := transform(file, slices.Concat(src, []byte("\nexport {};")))
	return m.Problems
}

func usesJSX(e api.Message) bool { return strings.Contains(e.Text, "JSX syntax extension") }

var conflictLine = lazyregexp.New(`(?m)^(<{7}|>{7}|\|{7})( .*)?\r?$`)

func problems(src []byte, msgs []api.Message) []Problem {
	if at := conflictLine().FindIndex(src); at != nil {
		return []Problem{{1 + bytes.Count(src[:at[0]], []byte("\n")), 1, "merge conflict marker"}}
	}
	out := make([]Problem, 0, len(msgs))
	for _, e := range msgs {
		p := Problem{1, 1, clean(e.Text)}
		if e.Location != nil {
			p.Line, p.Column = max(e.Location.Line, 1), e.Location.Column+1
		}
		out = append(out, p)
	}
	return out
}

var (
	quotedPart = lazyregexp.New(`"(?:[^"\\]|\\.)*"`)
	harmless   = lazyregexp.New(`^"(?:[A-Za-z]{1,16}|[^\pL\pN"'` + "`" + `\\]{1,4}|\\"|end of file)"$`)
)

// clean makes a parser's message one printable line of bounded length. What it
// quotes from the file is left out, but for punctuation and plain words: a
// literal in a broken line may be a secret.
func clean(s string) string {
	s = quotedPart().ReplaceAllStringFunc(s, func(q string) string {
		if harmless().MatchString(q) {
			return q
		}
		return "something"
	})
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}

// foreignEncoding names the encoding of a file that is not UTF-8, by its byte order mark.
func foreignEncoding(src []byte) string {
	switch {
	case bytes.HasPrefix(src, []byte{0xff, 0xfe}):
		return "UTF-16 (little endian)"
	case bytes.HasPrefix(src, []byte{0xfe, 0xff}):
		return "UTF-16 (big endian)"
	}
	return ""
}
