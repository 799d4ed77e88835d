package rules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxFile bounds a file of rules in bytes, maxRules the rules in it: every one
// is tried on every item.
const (
	MaxFile  = 256 << 10
	maxRules = 200
	// MaxNested bounds the brackets that are open at once in a file: the time of the
	// YAML reader grows with their square.
	MaxNested = 100
)

// A ParseError says what is wrong with a file of rules, and where.
type ParseError struct {
	Path string
	Line int    // 0 unknown
	What string // one line
	Hint string // the place in the file with a caret, and what may have been meant
}

func (e *ParseError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.What)
	}
	return e.Path + ": " + e.What
}

// The file as it is written. Every key is here; one that is not is an error.
type fileDoc struct {
	Version  int         `yaml:"version"`
	Defaults defaultsDoc `yaml:"defaults"`
	Limits   limitsDoc   `yaml:"limits"`
	Rules    []ruleDoc   `yaml:"rules"`
}

type defaultsDoc struct {
	For         forDoc     `yaml:"for"`
	Cooldown    span       `yaml:"cooldown"`
	Backoff     backoffDoc `yaml:"backoff"`
	MaxAttempts *int       `yaml:"max_attempts"`
	MaxGap      span       `yaml:"max_gap"`
	Verify      *verifyDoc `yaml:"verify"`
}

type limitsDoc struct {
	Actions       *int `yaml:"max_actions"`
	PerSystem     *int `yaml:"max_per_system"`
	UnhealthyPct  *int `yaml:"max_unhealthy_pct"`
	StopAfter     *int `yaml:"stop_after_failures"`
	ActionsPerDay *int `yaml:"max_actions_per_day"`
}

type ruleDoc struct {
	ID     string `yaml:"id"`
	Why    string `yaml:"why"`
	System string `yaml:"system"`
	Match  struct {
		Items  []string `yaml:"items"`
		Except []string `yaml:"except"`
	} `yaml:"match"`
	When        string         `yaml:"when"`
	For         forDoc         `yaml:"for"`
	Priority    int            `yaml:"priority"`
	Cooldown    span           `yaml:"cooldown"`
	Backoff     backoffDoc     `yaml:"backoff"`
	MaxAttempts *int           `yaml:"max_attempts"`
	ResetAfter  span           `yaml:"reset_after"`
	OnExhausted exhaustedDoc   `yaml:"on_exhausted"`
	Window      *windowDoc     `yaml:"window"`
	Mutex       string         `yaml:"mutex"`
	DependsOn   []string       `yaml:"depends_on"`
	Approval    string         `yaml:"approval"`
	Verify      *verifyDoc     `yaml:"verify"`
	Action      map[string]any `yaml:"action"`
}

type exhaustedDoc struct {
	DisableFor span `yaml:"disable_for"`
}

type verifyDoc struct {
	Expect  string `yaml:"expect"`
	After   span   `yaml:"after"`
	Timeout span   `yaml:"timeout"`
}

type backoffDoc struct {
	Factor float64 `yaml:"factor"`
	Max    span    `yaml:"max"`
}

type windowDoc struct {
	Start    string `yaml:"start"`
	End      string `yaml:"end"`
	Timezone string `yaml:"timezone"`
}

// A span is a duration as Go writes it (30m, 1h30m), or with days: 2d.
type span string

func (s span) parse() (time.Duration, error) { return ParseSpan(string(s)) }

// ParseSpan reads a duration as a file of rules has it, at most a year.
func ParseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 365 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 365*24*time.Hour {
		return 0, fmt.Errorf("%q is no duration such as 30m, 6h or 2d", text)
	}
	return d, nil
}

// A forDoc is a number, or {times, within}.
type forDoc struct {
	Times, Within int
	set           bool
}

func (f *forDoc) UnmarshalYAML(b []byte) error {
	f.set = true
	if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
		f.Times, f.Within = n, n
		return nil
	}
	var of struct {
		Times  int `yaml:"times"`
		Within int `yaml:"within"`
	}
	if err := yaml.UnmarshalWithOptions(b, &of, yaml.Strict()); err != nil {
		return errors.New("for is a number of runs, or {times: 3, within: 5}")
	}
	f.Times, f.Within = of.Times, of.Within
	return nil
}

// Parse reads a file of rules strictly. The error is a *ParseError with line,
// caret and, for an unknown name, the nearest one there is.
func Parse(path string, src []byte, v Vocabulary) (*Set, error) {
	if len(src) > MaxFile {
		return nil, &ParseError{Path: path, What: fmt.Sprintf("larger than %d KiB", MaxFile>>10)}
	}
	if Nested(src) > MaxNested {
		return nil, &ParseError{Path: path, What: "it is nested too deeply"}
	}
	var d fileDoc
	dec := yaml.NewDecoder(bytes.NewReader(src), yaml.Strict())
	err := dec.Decode(&d)
	if err == nil && !errors.Is(dec.Decode(new(any)), io.EOF) {
		return nil, &ParseError{Path: path, What: "it holds a second YAML document", Hint: "write all of it into one"}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, decodeError(path, err, v)
	}
	r := reader{path: path, src: src, v: v}
	if r.tree, err = parser.ParseBytes(src, 0); err != nil {
		return nil, decodeError(path, err, v)
	}
	if d.Version != 1 {
		return nil, r.fail("$.version", fmt.Sprintf("version is %d, want 1", d.Version), "write version: 1 at its beginning; this version of audit reads that one only")
	}
	return r.set(&d)
}

// Nested returns how many brackets of a text are open at once.
func Nested(src []byte) (deepest int) {
	open := 0
	for _, c := range src {
		switch c {
		case '[', '{':
			open++
			deepest = max(deepest, open)
		case ']', '}':
			open--
		}
	}
	return deepest
}

// keys are all the keys of the format, for suggestions.
var keys = []string{"version", "defaults", "limits", "rules", "for", "cooldown", "backoff", "factor", "max", "max_attempts", "max_gap", "max_actions",
	"max_per_system", "max_unhealthy_pct", "stop_after_failures", "max_actions_per_day", "id", "why", "system", "match", "items", "except", "when",
	"priority", "reset_after", "on_exhausted", "disable_for", "window", "start", "end", "timezone", "mutex", "depends_on", "approval", "action", "type",
	"verify", "expect", "after", "timeout", "argv", "idempotent", "env_allow"}

func decodeError(path string, err error, v Vocabulary) error {
	what, hint, _ := strings.Cut(strings.TrimSpace(yaml.FormatError(err, false, true)), "\n")
	e := &ParseError{Path: path, What: what, Hint: hint}
	if at, rest, ok := strings.Cut(strings.TrimPrefix(what, "["), "] "); ok && strings.HasPrefix(what, "[") {
		line, _, _ := strings.Cut(at, ":")
		if e.Line, err = strconv.Atoi(line); err == nil {
			e.What = rest
		}
	}
	if i := strings.Index(e.What, " Go struct field "); i >= 0 { // names of ours say nothing to whoever wrote the file
		if j := strings.Index(e.What, " of type "); j > i {
			e.What = e.What[:i] + e.What[j:]
		}
	}
	if _, word, ok := strings.Cut(e.What, `unknown field "`); ok {
		word = strings.TrimRight(word, `"`)
		if slices.Contains(keys, word) {
			e.Hint += "\n" + word + " is a key of another place: docs/recovery.md shows a rule with all its keys"
		} else if meant := v.Meant(word, keys); meant != "" {
			e.Hint += "\n" + meant
		}
	}
	return e
}

// A reader makes rules of what was decoded.
type reader struct {
	path string
	src  []byte
	v    Vocabulary
	tree *ast.File
}

// fail returns an error at a place of the file, with the lines around it.
func (r *reader) fail(at, what, hint string) error {
	e := &ParseError{Path: r.path, What: what, Hint: hint}
	for p := at; ; {
		path, err := yaml.PathString(p)
		if err == nil {
			if node, err := path.FilterFile(r.tree); err == nil && node != nil {
				e.Line = node.GetToken().Position.Line
				if shown, err := path.AnnotateSource(r.src, false); err == nil {
					e.Hint = strings.TrimRight(string(shown), "\n")
					if hint != "" {
						e.Hint += "\n" + hint
					}
				}
				return e
			}
		}
		i := strings.LastIndexAny(p, ".[")
		if i <= 0 {
			return e
		}
		p = p[:i]
	}
}
