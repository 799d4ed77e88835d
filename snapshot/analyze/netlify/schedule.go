package netlify

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/js"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// schedules collects every schedule the source asks for, and why Netlify does
// not take it. Its analysis is static: only the forms it knows count.
func (f *Function) schedules(m *js.Module) {
	f.helper(m)
	if c, ok := m.Export("config"); ok {
		f.configSchedule(m, c, c.Value)
	} else if whole, ok := m.Export("default"); ok && whole.Value.Kind == js.Object {
		if c, ok := whole.Value.Field("config"); ok && f.Version == V2 {
			f.configSchedule(m, js.Export{Decl: js.DeclDefault, Line: c.Line, Column: c.Column}, c.Value)
		}
	}
}

// helper reads handler = schedule("…", …), where schedule comes from
// @netlify/functions by name.
func (f *Function) helper(m *js.Module) {
	for _, e := range m.Exports {
		if e.Name != "handler" && e.Name != "default" || e.Value.Kind != js.Call {
			continue
		}
		callee, member, isMember := strings.Cut(e.Value.Text, ".")
		b, ok := m.Binding(callee)
		if !ok || b.From != helperModule {
			continue
		}
		if isMember && member == "schedule" && b.Name == "*" || isMember && member == "schedule" && b.Name == "default" {
			d := f.cron(m, e.Value)
			d.Why = "schedule() is called through a namespace (" + clip(e.Value.Text) + "); Netlify looks for schedule(…) imported by name"
			f.Declared = append(f.Declared, d)
			continue
		}
		if isMember || b.Name != "schedule" {
			continue
		}
		d := f.cron(m, e.Value)
		switch {
		case d.Why != "":
		case e.Name == "default":
			d.Why = "schedule() counts only as the value of the handler export, not of the default export"
		case f.Unparsed != "":
			d.Why = f.Unparsed
		case e.Value.Assertion != "":
			d.Why = "the call is written with " + assertion(e.Value.Assertion) + ": Netlify does not see schedule()"
		case e.CommonJS() && e.Decl != js.DeclMember:
			d.Why = "Netlify sees exports.handler = schedule(…), not this form of export"
		case e.CommonJS() && e.Local != "":
			d.Why = "exports.handler is a name; Netlify takes schedule(…) only when it stands there itself"
		case e.Decl == js.DeclConst && e.Local != "" || e.Decl == js.DeclLet && e.Local != "":
			d.Why = "handler is another name's value; Netlify takes schedule(…) only when it stands there itself"
		default:
			f.Schedule = d.Expression
			d.Why = badCron(d.Expression)
		}
		f.Declared = append(f.Declared, d)
	}
}

// helperUse notes on which uses of schedule() Netlify's build fails: it must find
// one as the value of the handler, with an expression that it can read.
func (f *Function) helperUse(m *js.Module, file string, src []byte) {
	if f.Version != V1 || f.Unparsed != "" || !importsSchedule(m, file, src) {
		return
	}
	for _, e := range m.Exports {
		b, ok := m.Binding(e.Value.Text)
		if e.Name != "handler" || !seen(e) || e.Value.Kind != js.Call || e.Value.Assertion != "" || !ok || b.From != helperModule || b.Name != "schedule" ||
			e.Local != "" && e.Decl != js.DeclClause {
			continue
		}
		if f.Schedule == "" {
			f.misuse(Place{e.Value.Line, e.Value.Column}, "the cron expression of schedule() cannot be read from the file")
		}
		return
	}
	f.misuse(f.HandlerAt, "schedule() is imported from @netlify/functions and is not the value of the handler")
}

// misuse notes that the build fails on a use of schedule(), and says so where the
// schedule is told of.
func (f *Function) misuse(at Place, message string) {
	f.Refused = &Refusal{at, message}
	for i, d := range f.Declared {
		if d.Form == FormHelper && d.Why != "" && !strings.HasSuffix(d.Why, buildFails) {
			f.Declared[i].Why += "; " + buildFails
		}
	}
}

const buildFails = "Netlify's build fails"

var typedImport = lazyregexp.New(`(?m)^import\s*\{([^{}]*)\}\s*from\s*["']@netlify/functions["']`)

// importsSchedule reports whether the name is imported. An import of TypeScript
// that nothing uses is gone from the module, but not for Netlify.
func importsSchedule(m *js.Module, file string, src []byte) bool {
	if slices.ContainsFunc(m.Bindings, func(b js.Binding) bool { return b.From == helperModule && b.Name == "schedule" }) {
		return true
	}
	if !strings.Contains(path.Ext(file), "ts") {
		return false
	}
	for _, found := range typedImport().FindAllSubmatch(src, -1) {
		for name := range strings.SplitSeq(string(found[1]), ",") {
			if first, _, _ := strings.Cut(strings.TrimSpace(name), " "); first == "schedule" {
				return true
			}
		}
	}
	return false
}

// streams reports whether the handler is wrapped in stream() of @netlify/functions.
func streams(m *js.Module) bool {
	e, ok := m.Export("handler")
	if !ok || e.Value.Kind != js.Call || !seen(e) || e.Local != "" && e.Decl != js.DeclClause {
		return false
	}
	b, ok := m.Binding(e.Value.Text)
	return ok && b.From == helperModule && b.Name == "stream"
}

func badCron(expr string) string {
	if why := BadSchedule(expr); why != "" {
		return "not a valid schedule: " + why
	}
	return ""
}

// cron reads the first argument of schedule(): a literal or a top-level name.
func (f *Function) cron(m *js.Module, call js.Value) Declared {
	d := Declared{Form: FormHelper, At: Place{call.Line, call.Column}}
	if len(call.List) == 0 {
		d.Why = "schedule() has no arguments; " + buildFails
		return d
	}
	v := call.List[0]
	if v.Kind == js.Identifier {
		if c, ok := m.Top(v.Text); ok {
			v = c
		}
	}
	if v.Kind != js.String {
		d.Why = "the cron expression is " + article(v.Kind) + ", not a literal; " + buildFails
		return d
	}
	d.Expression = clip(v.Text)
	return d
}

func article(k js.ValueKind) string {
	switch k {
	case js.Array, js.Object, js.Identifier, js.Other:
		return "an " + string(k)
	case js.Template:
		return "a template literal"
	}
	return "a " + string(k)
}

// configSchedule reads config.schedule, which counts only for v2 and only as
// literals in an object literal without a TypeScript assertion.
func (f *Function) configSchedule(m *js.Module, e js.Export, config js.Value) {
	if config.Kind != js.Object {
		if config.Kind == js.Call {
			f.wrappedConfig(e, config)
		}
		return
	}
	field, ok := config.Field("schedule")
	if !ok {
		return
	}
	d := Declared{Form: FormConfig, At: Place{field.Line, field.Column}}
	if field.Value.Kind == js.String {
		d.Expression = clip(field.Value.Text)
	}
	if field.Value.Kind == js.Null {
		return
	}
	d.Why = f.whyConfig(m, e, config, field.Value)
	f.Declared = append(f.Declared, d)
}

func (f *Function) whyConfig(m *js.Module, e js.Export, config, v js.Value) string {
	switch {
	case f.Unparsed != "":
		return f.Unparsed
	case f.Version == V1:
		return "config is read only in functions with a default export (v2); beside a handler export Netlify ignores it"
	case config.Assertion != "" && e.Decl != js.DeclDefault:
		return "config is written with " + assertion(config.Assertion) + ": Netlify ignores the whole object (write config: Config = {…})"
	case e.CommonJS() && e.Local != "":
		return "exports.config is a name; Netlify takes only an object that stands there itself"
	case v.Assertion != "":
		return "the value is written with " + assertion(v.Assertion) + ": Netlify ignores it"
	case v.Kind == js.Template:
		return "the value is a template literal: Netlify takes only plain strings"
	case v.Kind != js.String:
		return "the value is " + article(v.Kind) + ": Netlify takes only plain strings"
	}
	return badCron(v.Text)
}

func assertion(a string) string {
	if a == "<>" {
		return "a TypeScript assertion (<T>{…})"
	}
	return "“" + a + "”"
}

// wrappedConfig reads defineConfig({ schedule }): a call is never followed.
func (f *Function) wrappedConfig(e js.Export, call js.Value) {
	for _, a := range call.List {
		if field, ok := a.Field("schedule"); ok && a.Kind == js.Object {
			d := Declared{Form: FormConfig, At: Place{field.Line, field.Column}, Why: "config is the result of a call: Netlify takes only an object literal"}
			if field.Value.Kind == js.String {
				d.Expression = clip(field.Value.Text)
			}
			f.Declared = append(f.Declared, d)
		}
	}
}

// Scheduled returns the schedule in the source that takes effect, if any.
func (f *Function) Scheduled() (Declared, bool) {
	for _, d := range f.Declared {
		if d.Why == "" {
			return d, true
		}
	}
	return Declared{}, false
}

// Why a schedule in netlify.toml does not take effect.
const (
	WhyNoSuchKey  = "Netlify does not read [[scheduled.functions]]"
	WhyNoFunction = "there is no function of that name"
	WhyRefused    = "not a valid schedule, Netlify's build fails" // the reason follows; function-syntax tells of it
	WhyOverridden = "the schedule in the function's source wins"
)
