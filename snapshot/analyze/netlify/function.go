package netlify

import (
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/js"
)

// Versions of the functions API.
const (
	V1 = "v1" // a handler export, called as (event, context)
	V2 = "v2" // a default export, called with a Request
)

// HandlerState says what is known of a function's entry point.
type HandlerState string

const (
	HandlerOK      HandlerState = "ok"
	HandlerMissing HandlerState = "missing" // nothing that Netlify calls is exported
	HandlerWrong   HandlerState = "wrong"   // it is exported, and is not a function
	HandlerUnknown HandlerState = "unknown" // something is exported that cannot be followed
)

// Forms in which a source declares a schedule.
const (
	FormHelper = "schedule()"
	FormConfig = "config"
)

// A Refusal is why Netlify's build fails on a function, or on all of them.
type Refusal struct {
	Place
	Message string `json:"message"`
}

// A Declared is one schedule that the source of a function asks for.
type Declared struct {
	Expression string `json:"expression,omitempty"` // empty when it is not written as a literal
	Form       string `json:"form"`                 // FormHelper or FormConfig
	Why        string `json:"why,omitempty"`        // why Netlify does not take it; empty when it does
	At         Place  `json:"at"`
}

// A Function is what the main file of a function says.
type Function struct {
	Source
	Empty      bool         `json:"empty,omitempty"`
	Version    string       `json:"version,omitempty"`
	Format     string       `json:"format,omitempty"`  // esm or cjs, by its syntax
	Dynamic    bool         `json:"dynamic,omitempty"` // it calls import()
	Handler    string       `json:"handler,omitempty"` // how it is exported: "exports.handler", "export default"
	State      HandlerState `json:"state,omitempty"`
	What       string       `json:"what,omitempty"` // what a wrong handler is, what a missing one may be hidden by
	HandlerAt  Place        `json:"handlerAt"`
	Default    bool         `json:"default,omitempty"`  // it has a default export
	Complete   bool         `json:"complete,omitempty"` // all that it exports is known
	Declared   []Declared   `json:"declared,omitempty"`
	Unparsed   string       `json:"unparsed,omitempty"`   // why Netlify's analysis cannot read a file that Node can; empty when it can
	Refused    *Refusal     `json:"refused,omitempty"`    // why Netlify's build fails on it
	Configured bool         `json:"configured,omitempty"` // it exports a config, whether Netlify reads it or not
	Unheeded   []Unheeded   `json:"unheeded,omitempty"`   // keys of its config that do not take effect
	InSource
}

// helperModule is the package whose schedule() Netlify looks for.
const helperModule = "@netlify/functions"

// Analyze reads the main file of a function.
func Analyze(file string, src []byte) *Function {
	m := js.Parse(file, src)
	f := &Function{Source: source(m), Empty: m.Empty, Dynamic: m.Dynamic, Format: "cjs"}
	if len(m.Problems) > 0 || m.Unjudged != "" {
		f.Format, f.State = "", HandlerUnknown
		return f
	}
	if m.ESM {
		f.Format = "esm"
	}
	f.Unparsed = unparsed(m, file, src)
	f.entry(m)
	f.schedules(m)
	f.helperUse(m, file, src)
	f.unheeded(m)
	if f.Version == V2 {
		f.config(m)
	} else if f.Unparsed == "" && streams(m) {
		f.Mode = ModeStream
	}
	return f
}

// Why Netlify's analysis, which reads every file as a module of plain TypeScript,
// sees no configuration in a file.
const (
	whyJSX    = "the file holds JSX, which Netlify's analysis cannot read: it sees no configuration at all"
	whySloppy = "Netlify's analysis reads every file as a module and stumbles on this one: it sees no configuration at all"
)

func unparsed(m *js.Module, file string, src []byte) string {
	switch {
	case m.JSX:
		return whyJSX
	case m.Odd != "":
		return "the file uses " + m.Odd + ", which Netlify's analysis cannot read: it sees no configuration at all"
	}
	if !m.ESM && configures(m) && len(src) < maxSloppy && len(js.AsModule(file, src)) > 0 {
		return whySloppy
	}
	return ""
}

// configures reports whether there is anything in a script that Netlify's analysis
// would take.
func configures(m *js.Module) bool {
	_, config := m.Export("config")
	_, def := m.Export("default")
	return config || def || slices.ContainsFunc(m.Bindings, func(b js.Binding) bool { return b.From == helperModule })
}

// maxSloppy is the size in bytes above which a script is not read once more, as
// a module.
const maxSloppy = 1 << 20

// entry decides the version as Netlify does: v1 when it sees a handler export,
// else v2 when there is a default export, else v1. Where its static analysis
// does not see a handler that Node will find, the function still works as v1.
func (f *Function) entry(m *js.Module) {
	handler, hasHandler := m.Export("handler")
	def, hasDefault := m.Export("default")
	f.Version, f.Default, f.Complete = V1, hasDefault, m.Complete
	switch {
	case hasHandler && (!hasDefault || f.Unparsed != "" || slices.ContainsFunc(m.Exports, func(e js.Export) bool { return e.Name == "handler" && seen(e) })):
		f.take(m, handler)
	case hasDefault && def.Decl != js.DeclObject && def.Decl != js.DeclIndex && f.Unparsed == "":
		f.Version = V2
		f.take(m, def)
	case hasDefault && f.Unparsed != "":
		f.State, f.What = HandlerUnknown, "a default export in a file that Netlify's analysis cannot read, and so takes for the older kind"
		if m.JSX {
			f.What = "a default export in a file with JSX, which Netlify's analysis cannot read"
		}
		f.HandlerAt = Place{def.Line, def.Column}
	default:
		f.absent(m)
	}
}

// seen reports whether Netlify's static analysis recognises the export: as a
// call, an object, or something else that is not a call of a member.
func seen(e js.Export) bool {
	v := e.Value
	known := v.Kind != "" && (v.Kind != js.Call || v.Assertion != "" || strings.HasPrefix(v.Text, "new ") || v.Text != "" && !strings.Contains(v.Text, "."))
	switch e.Decl {
	case js.DeclMember, js.DeclConst, js.DeclLet:
		return known || e.Local != ""
	case js.DeclClause:
		return e.From == "" && known
	}
	return false
}

// handlerForms is how each way of exporting is called in reports.
var handlerForms = map[string]string{
	js.DeclConst: "export const", js.DeclLet: "export let", js.DeclFunction: "export function", js.DeclClass: "export class",
	js.DeclClause: "export {}", js.DeclDefault: "export default", js.DeclMember: "exports.", js.DeclIndex: "exports[]", js.DeclObject: "module.exports = {}",
}

func (f *Function) take(m *js.Module, e js.Export) {
	f.Handler = handlerForms[e.Decl]
	if e.Decl == js.DeclMember {
		f.Handler += e.Name
	}
	f.HandlerAt = Place{e.Line, e.Column}
	f.State = HandlerOK
	if m.Varies(e.Local) {
		return // what it holds when it is called is not known
	}
	switch v := e.Value; v.Kind {
	case js.String, js.Number, js.Boolean, js.Null, js.Array, js.Template:
		f.State, f.What = HandlerWrong, "a "+string(v.Kind)
		if v.Kind == js.Array {
			f.What = "an array"
		}
		if v.Kind == js.Null {
			f.What = "null or undefined"
		}
	case js.Class:
		f.State, f.What = HandlerWrong, "a class"
	case js.Object:
		if f.Version == V1 || !callable(v) {
			f.State, f.What = HandlerWrong, "an object"
		}
	}
}

// callable reports whether a default export object may hold what Netlify calls:
// fetch, or an event handler.
func callable(v js.Value) bool {
	for _, x := range v.Fields {
		switch x.Value.Kind {
		case js.Function, js.Identifier, js.Call, js.Spread, js.Other:
			return true
		}
	}
	return false
}

// absent grades a missing handler: certain only when all exports are known.
func (f *Function) absent(m *js.Module) {
	f.State = HandlerMissing
	if whole, ok := m.Export("module.exports"); ok {
		f.HandlerAt = Place{whole.Line, whole.Column}
		f.What = "module.exports is " + describe(whole)
		f.State = HandlerUnknown
		return
	}
	if !m.Complete {
		f.State, f.What = HandlerUnknown, "it exports in a way that cannot be followed"
	}
}

func describe(e js.Export) string {
	switch {
	case e.From != "":
		return "what another module exports"
	case e.Value.Kind == js.Function:
		return "a function, without a handler"
	case e.Value.Kind == js.Identifier || e.Value.Kind == js.Other:
		return "an expression"
	}
	return "a " + string(e.Value.Kind)
}
