package ecosystem

import (
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// virtualRoot stands for the project's root in __dirname: what a script
// declares must not depend on where the project lies.
const virtualRoot = "/.audit-root"

//go:embed prelude.js
var prelude string

// A sandbox runs one process file.
type sandbox struct {
	vm      *goja.Runtime
	req     *request
	require goja.Callable           // of the prelude: returns the require function of a file
	loaded  map[string]*goja.Object // module objects by path
	env     map[string]bool

	need    string
	refused string
	line    int
}

// evaluate runs a process file to its end or to its first refusal.
func evaluate(req *request) (r reply) {
	s := &sandbox{vm: goja.New(), req: req, loaded: map[string]*goja.Object{}, env: map[string]bool{}}
	s.vm.SetMaxCallStackSize(callStack)
	// Clock and randomness are fixed: equal files give equal apps.
	now, random := time.Unix(0, 0).UTC(), 0.5
	if req.other {
		now, random = time.Unix(1e9, 0).UTC(), 0.25
	}
	s.vm.SetTimeSource(func() time.Time { return now })
	s.vm.SetRandSource(func() float64 { return random })
	defer overtime(evalTime, func(why string) { s.vm.Interrupt(why) })()

	var v goja.Value
	err := s.setUp()
	if err == nil {
		v, err = s.run()
	}
	var apps []any
	if err == nil {
		apps, r.Default, err = s.apps(v)
	}
	for name := range s.env {
		r.Env = append(r.Env, name)
	}
	sort.Strings(r.Env)
	switch {
	case s.need != "":
		r.Need = s.need
	case s.refused != "":
		r.Refused, r.Line = s.refused, s.line
	case err != nil:
		r.Failed, r.Line, r.Slow = s.explain(err)
	default:
		r.Apps = apps
	}
	return r
}

func (s *sandbox) setUp() error {
	host := s.vm.NewObject()
	for name, f := range map[string]any{
		"read":   func(name string) { s.note(name) },
		"refuse": func(what string) { s.refuse(what) },
		"load":   s.load,
	} {
		if err := host.Set(name, f); err != nil {
			return err
		}
	}
	v, err := s.vm.RunScript("prelude", prelude)
	if err != nil {
		return err
	}
	install, ok := goja.AssertFunction(v)
	if !ok {
		return errors.New("prelude is no function")
	}
	out, err := install(goja.Undefined(), host, s.vm.ToValue(virtualRoot), s.vm.GlobalObject(), s.vm.ToValue(s.req.other))
	if err != nil {
		return err
	}
	s.require, _ = goja.AssertFunction(out)
	return nil
}

func (s *sandbox) run() (goja.Value, error) {
	if s.req.Kind == JSON {
		if err := s.vm.GlobalObject().Delete("require"); err != nil { // PM2 evaluates it outside of every module
			return nil, err
		}
		return s.vm.RunScript(s.req.Path, "("+s.req.Src+")") // so that a comment at the end hides the bracket, as in PM2
	}
	m, err := s.module(s.req.Path, s.req.Src, s.scope())
	if err != nil {
		return nil, err
	}
	return m.Get("exports"), nil
}

// load is require() for a path of the project.
func (s *sandbox) load(from, name string) (goja.Value, error) {
	p := path.Join(path.Dir(from), name)
	if abs, ok := strings.CutPrefix(path.Clean(name), virtualRoot+"/"); ok {
		p = abs
	}
	if strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/") {
		s.refuse("requires a file outside the project")
		return goja.Undefined(), nil
	}
	dep, ok := s.req.Files[p]
	if !ok {
		s.need = p
		s.vm.Interrupt("need")
		return goja.Undefined(), nil
	}
	if dep.Absent {
		e := s.vm.NewTypeError("Cannot find module")
		if err := errors.Join(e.Set("code", "MODULE_NOT_FOUND"), e.Set("name", "Error")); err != nil {
			return nil, err
		}
		panic(e)
	}
	if path.Ext(dep.Path) == ".json" {
		v, err := decodeJSON([]byte(strings.TrimPrefix(dep.Src, "\ufeff")))
		if err != nil {
			return nil, fmt.Errorf("%s: not JSON", dep.Path)
		}
		return s.vm.ToValue(v), nil
	}
	in := either
	if path.Ext(dep.Path) == ".mjs" {
		in = esmodule
	}
	m, err := s.module(dep.Path, dep.Src, in)
	if err != nil {
		return nil, err
	}
	return m.Get("exports"), nil
}

var harmless = lazyregexp.New(`[^\w$@./ :-]`)

// note records that the script looks at something that differs between machines.
func (s *sandbox) note(name string) {
	if len(s.env) < 200 && len(name) <= 100 && harmless().FindString(name) == "" {
		s.env[name] = true
	}
}

// refuse ends the evaluation: the script wants what only real Node may give.
func (s *sandbox) refuse(what string) {
	if s.refused == "" {
		what = harmless().ReplaceAllString(what, "?")
		s.refused = what[:min(len(what), 120)]
		for _, f := range s.vm.CaptureCallStack(0, nil) {
			if f.SrcName() == s.req.Path {
				s.line = f.Position().Line
				break
			}
		}
	}
	s.vm.Interrupt("refused")
}

// explain says why a script failed. Texts of errors may hold what the script
// holds, so only their class and place are told.
func (s *sandbox) explain(err error) (reason string, line int, slow bool) {
	var stop *goja.InterruptedError
	var thrown *goja.Exception
	var syntax *goja.CompilerSyntaxError
	var deep *goja.StackOverflowError
	var module *syntaxError
	switch {
	case errors.As(err, &stop):
		return fmt.Sprint(stop.Value()), 0, true
	case errors.As(err, &deep):
		return "calls itself without end", 0, false
	case errors.As(err, &module):
		return "syntax error", module.line, false
	case errors.As(err, &syntax):
		return "syntax error", s.parseLine(syntax.Message), false
	case errors.As(err, &thrown):
		return s.explainThrown(thrown)
	}
	var told *unreadable
	if errors.As(err, &told) {
		return told.what, 0, false
	}
	return "cannot be evaluated", 0, false
}

var errorClasses = []string{"ReferenceError", "TypeError", "RangeError", "SyntaxError", "Error"}

var notDefined = lazyregexp.New(`^ReferenceError: ([A-Za-z_$][\w$]{0,40}) is not defined`)

// lacks says that the file is taken for an ES module and uses what those lack.
func (s *sandbox) lacks(name string) string {
	why := "its name says so"
	switch {
	case s.req.Kind == Module:
	case s.req.Type == "module":
		why = `the nearest package.json says "type": "module"; as ….config.cjs it would load`
	default:
		why = "it uses import or export"
	}
	return "uses " + name + ", which is not defined in ES modules, and Node takes the file for one: " + why
}

func (s *sandbox) explainThrown(e *goja.Exception) (string, int, bool) {
	line := 0
	for _, f := range e.Stack() {
		if f.SrcName() == s.req.Path {
			line = f.Position().Line
			break
		}
	}
	class := "a value that is no Error"
	text := ""
	if o, ok := e.Value().(*goja.Object); ok && o.ClassName() == "Error" {
		text = e.Value().String()
		class, _, _ = strings.Cut(text, ":")
		if !slices.Contains(errorClasses, class) {
			class = "an error"
		}
	}
	if m := notDefined().FindStringSubmatch(text); m != nil {
		name, lacks := strings.CutPrefix(m[1], notInModules)
		if lacks || s.scope() == esmodule && (name == "module" || name == "exports") {
			return s.lacks(name), 0, false
		}
		return "uses " + m[1] + ", which is not defined", line, false
	}
	if class == "SyntaxError" {
		return "syntax error", max(line, s.parseLine(text)), false
	}
	return "throws " + class, line, false
}

// parseLine returns the line that a syntax error of the file itself names.
func (s *sandbox) parseLine(message string) int {
	_, rest, ok := strings.Cut(message, s.req.Path+": Line ")
	if !ok {
		return 0
	}
	digits, _, _ := strings.Cut(rest, ":")
	n, _ := strconv.Atoi(digits)
	return n
}
