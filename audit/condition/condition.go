// Package condition is the language of conditions: those of the rules of recovery,
// and those of checks that audit.yaml defines. It is expr with a closed
// environment: what a condition may name is known when it is read, what is not
// known when it is asked is an error and never false.
//
// It is pure: no I/O, no clock.
package condition

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// A Subject is one item as conditions see it.
type Subject struct {
	Item      *snapshot.Item
	Level     audit.Level
	Worst     audit.Severity // of the findings that count
	Score     float64
	Change    string // added, changed, unchanged, rebased; or unknown, which conditions cannot tell
	Regressed bool
	Flapping  bool
	Waived    bool            // a finding of it is accepted
	Open      map[string]bool // checks with a finding that counts
	Doubted   map[string]bool // checks with a finding that nobody could look for this time

	// Ask, if not nil, is asked instead of Open and Doubted whether a check found
	// something; known is false where nobody could look.
	Ask func(check string) (found, known bool)
}

// A Cond is a compiled condition.
type Cond struct {
	Text    string
	Facts   []string // that it asks for, in the order of the text
	Metrics []string // the same
	program *vm.Program
	early   bool
}

// A Vocabulary is the names that a condition may use.
type Vocabulary struct {
	Checks  []string
	Metrics []string
	Off     []string                                 // of Checks those that do not run: nobody knows what they would find
	Early   bool                                     // it is asked before items are judged: item has neither level nor score
	Nearest func(word string, names []string) string // for suggestions; "" where none is near
}

// Meant suggests the name that a wrong one may have been.
func (v *Vocabulary) Meant(word string, names []string) string {
	if v.Nearest == nil {
		return ""
	}
	if near := v.Nearest(word, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// scope is the closed environment of a condition: no maps, whose missing keys
// would read as zero and let a rule fire.
//
// What is not known panics, and the machine makes an error of that: functions of
// these types are called directly, those that return an error by reflection.
type scope struct {
	Item    *itemScope                        `expr:"item"`
	Change  func() string                     `expr:"item.change"` // no text can name it: see visitor.member
	Metric  func(string) float64              `expr:"metric"`
	Fact    func(string, ...any) (any, error) `expr:"fact"`
	Finding func(string) bool                 `expr:"finding"`
}

type itemScope struct {
	Key       string  `expr:"key"`
	System    string  `expr:"system"`
	Name      string  `expr:"name"`
	Kind      string  `expr:"kind"`
	Path      string  `expr:"path"`
	State     string  `expr:"state"`
	Level     string  `expr:"level"`
	Change    string  `expr:"change"` // of the language only: see Subject.change
	Score     float64 `expr:"score"`
	Regressed bool    `expr:"regressed"`
	Flapping  bool    `expr:"flapping"`
}

// earlyScope is scope before items are judged.
type earlyScope struct {
	Item    *earlyItem                        `expr:"item"`
	Change  func() string                     `expr:"item.change"`
	Metric  func(string) float64              `expr:"metric"`
	Fact    func(string, ...any) (any, error) `expr:"fact"`
	Finding func(string) bool                 `expr:"finding"`
}

type earlyItem struct {
	Key    string `expr:"key"`
	System string `expr:"system"`
	Name   string `expr:"name"`
	Kind   string `expr:"kind"`
	Path   string `expr:"path"`
	State  string `expr:"state"`
	Change string `expr:"change"`
}

// change is asked in the place of item.change: a field has no way to say that
// nobody knows, and whatever it said instead would make some condition hold.
func (s *Subject) change() string {
	if s.Change == audit.Unknown {
		panic(errors.New("nobody knows whether it changed"))
	}
	return s.Change
}

func (s *Subject) metric(name string) float64 {
	m, ok := s.Item.Metric(name)
	if !ok {
		panic(fmt.Errorf("it has no metric %s", name))
	}
	return m.Value
}

func (s *Subject) fact(name string, otherwise []any) (any, error) {
	v, ok := s.Item.Fact(name)
	switch {
	case ok:
		return v.Any(), nil
	case len(otherwise) == 1:
		return otherwise[0], nil
	}
	return nil, fmt.Errorf("it has no fact %s", name)
}

func (s *Subject) finding(check string) bool {
	found, doubted := s.Open[check], s.Doubted[check]
	if s.Ask != nil {
		var known bool
		found, known = s.Ask(check)
		doubted = !known
	}
	if found {
		return true
	}
	if doubted {
		panic(fmt.Errorf("nobody could look for %s this time", check))
	}
	return false
}

// maxNodes bounds a condition: more is a program, and belongs into a check.
const maxNodes = 300

// fields are what a condition may ask of item.
var fields = []string{"key", "system", "name", "kind", "path", "state", "change", "level", "score", "regressed", "flapping"}

// earlyFields is how many of them there are before items are judged.
const earlyFields = 7

// functions are what a condition may call of ours.
var functions = []string{"metric", "fact", "finding"}

// allowed are the built-in functions of the language that need no clock and
// make no large values.
var allowed = []string{"len", "lower", "upper", "trim", "any", "all", "none", "int", "float", "string", "abs", "max", "min"}

// MaxText bounds the text of a condition, in bytes.
const MaxText = 4000

// Compile checks and compiles a condition. The error is an *Error.
func Compile(text string, v Vocabulary) (Cond, error) {
	if len(text) > MaxText {
		return Cond{}, &Error{What: fmt.Sprintf("it is longer than %d bytes", MaxText)}
	}
	look := &visitor{v: v}
	var env any = &scope{Item: &itemScope{}}
	if v.Early {
		env = &earlyScope{Item: &earlyItem{}}
	}
	options := []expr.Option{expr.Env(env), expr.AsBool(), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.Patch(look)}
	for _, name := range allowed {
		options = append(options, expr.EnableBuiltin(name))
	}
	p, err := expr.Compile(text, options...)
	if look.err != nil {
		return Cond{}, look.err
	}
	if err != nil {
		return Cond{}, v.condError(text, err)
	}
	return Cond{Text: text, Facts: look.facts, Metrics: look.metrics, program: p, early: v.Early}, nil
}

// An Error says what is wrong with a condition.
type Error struct {
	Column int // in its text, from 1 on; 0 unknown
	What   string
	Hint   string
}

func (e *Error) Error() string { return e.What }

// Show returns the condition with a caret below the place, and what may have been meant.
func (e *Error) Show(text string) string {
	shown := "    " + text
	if e.Column > 0 && !strings.Contains(text, "\n") {
		before := []rune(text)
		shown += "\n    " + strings.Repeat(" ", min(e.Column-1, len(before))) + "^"
	}
	if e.Hint != "" {
		shown += "\n" + e.Hint
	}
	return shown
}

func (v *Vocabulary) condError(text string, err error) *Error {
	var at *file.Error
	if !errors.As(err, &at) {
		return &Error{What: err.Error()}
	}
	out := &Error{Column: at.Column + 1, What: at.Message}
	if at.Line > 1 {
		out.Column = 0
	}
	if _, field, ok := strings.Cut(out.What, " has no field "); ok {
		known := fields
		if v.Early {
			known = fields[:earlyFields]
		}
		out.What, out.Hint = "item has no "+field, "item has "+strings.Join(known, ", ")
		if v.Early && slices.Contains(fields, field) {
			out.What = "a check cannot ask for item." + field + ": that is made of what checks find"
		} else if meant := v.Meant(field, known); meant != "" {
			out.Hint = meant
		}
		return out
	}
	word := text
	if at.Column < len(text) {
		word = text[at.Column:]
	}
	if strings.Contains(at.Message, "unknown name") {
		out.Hint = "a condition knows item, metric(…), fact(…) and finding(…)"
		if meant := v.Meant(name(word), append([]string{"item"}, functions...)); meant != "" {
			out.Hint = meant
		}
	}
	return out
}

func name(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end < 0 {
		return s
	}
	return s[:end]
}

// A Judge evaluates conditions one after another, for one goroutine.
type Judge struct {
	machine vm.VM
	scope   scope
	early   earlyScope
	of      *Subject
}

// NewJudge returns a judge that is about nothing yet.
func NewJudge() *Judge {
	j := &Judge{}
	j.scope.Metric = func(name string) float64 { return j.of.metric(name) }
	j.scope.Fact = func(name string, otherwise ...any) (any, error) { return j.of.fact(name, otherwise) }
	j.scope.Finding = func(check string) bool { return j.of.finding(check) }
	j.scope.Change = func() string { return j.of.change() }
	j.early = earlyScope{Change: j.scope.Change, Metric: j.scope.Metric, Fact: j.scope.Fact, Finding: j.scope.Finding}
	return j
}

// memoryBudget bounds what one evaluation may make.
const memoryBudget = 10_000

// About sets the subject of the evaluations that follow.
func (j *Judge) About(s *Subject) {
	it := s.Item
	j.of = s
	j.scope.Item = &itemScope{Key: string(it.Key), System: string(it.System()), Name: it.Name, Kind: it.Kind, Path: it.Path, State: it.State,
		Level: string(s.Level), Score: s.Score, Regressed: s.Regressed, Flapping: s.Flapping}
	j.early.Item = &earlyItem{Key: string(it.Key), System: string(it.System()), Name: it.Name, Kind: it.Kind, Path: it.Path, State: it.State}
}

// Eval tells whether a condition holds; an error is that nobody knows, and why.
func (j *Judge) Eval(c Cond) (bool, error) {
	j.machine.MemoryBudget = memoryBudget
	var env any = &j.scope
	if c.early {
		env = &j.early
	}
	v, err := j.machine.Run(c.program, env)
	if err != nil {
		var at *file.Error
		if errors.As(err, &at) {
			return false, errors.New(at.Message)
		}
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, errors.New("it is neither true nor false")
	}
	return b, nil
}
