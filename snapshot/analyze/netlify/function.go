package netlify

import (
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

// A Declared is one schedule that the source of a function asks for.
type Declared struct {
	Expression string `json:"expression,omitempty"` // empty when it is not written as a literal
	Form       string `json:"form"`                 // "schedule()" or "config"
	Why        string `json:"why,omitempty"`        // why Netlify does not take it; empty when it does
	At         Place  `json:"at"`
}

// A Function is what the main file of a function says.
type Function struct {
	Source
	Empty     bool         `json:"empty,omitempty"`
	Version   string       `json:"version,omitempty"`
	Format    string       `json:"format,omitempty"`  // esm or cjs, by its syntax
	Handler   string       `json:"handler,omitempty"` // how it is exported: "exports.handler", "export default"
	State     HandlerState `json:"state,omitempty"`
	What      string       `json:"what,omitempty"` // what a wrong handler is, what a missing one may be hidden by
	HandlerAt Place        `json:"handlerAt"`
	Declared  []Declared   `json:"declared,omitempty"`
	Routes    []string     `json:"routes,omitempty"`
	Methods   []string     `json:"methods,omitempty"`
	Bundler   string       `json:"bundler,omitempty"`
	// Background is true when config says so; the name may say so too.
	Background bool `json:"background,omitempty"`
}

// helperModule is the package whose schedule() Netlify looks for.
const helperModule = "@netlify/functions"

// Analyze reads the main file of a function.
func Analyze(file string, src []byte) *Function {
	m := js.Parse(file, src)
	f := &Function{Source: source(m), Empty: m.Empty, Format: "cjs"}
	if len(m.Problems) > 0 || m.Unjudged != "" {
		f.Format, f.State = "", HandlerUnknown
		return f
	}
	if m.ESM {
		f.Format = "esm"
	}
	f.entry(m)
	f.schedules(m)
	if f.Version == V2 && !m.JSX {
		f.config(m)
	}
	return f
}

// entry decides the version as Netlify does: v1 when it sees a handler export,
// else v2 when there is a default export, else v1. Where its static analysis
// does not see a handler that Node will find, the function still works as v1.
func (f *Function) entry(m *js.Module) {
	handler, hasHandler := m.Export("handler")
	def, hasDefault := m.Export("default")
	f.Version = V1
	switch {
	case hasHandler && (seen(handler) || !hasDefault || m.JSX):
		f.take(handler)
	case hasDefault && def.Decl != js.DeclObject && def.Decl != js.DeclIndex && !m.JSX:
		f.Version = V2
		f.take(def)
	case hasDefault && m.JSX:
		f.State, f.What = HandlerUnknown, "a default export in a file with JSX, which Netlify's analysis cannot read"
		f.HandlerAt = Place{def.Line, def.Column}
	default:
		f.absent(m)
	}
}

// seen reports whether Netlify's static analysis recognises the export.
func seen(e js.Export) bool {
	calls := e.Value.Kind == js.Call && strings.Contains(e.Value.Text, ".")
	switch e.Decl {
	case js.DeclMember, js.DeclConst, js.DeclLet:
		return !calls
	case js.DeclClause:
		return e.From == "" && !calls
	}
	return false
}

// handlerForms is how each way of exporting is called in reports.
var handlerForms = map[string]string{
	js.DeclConst: "export const", js.DeclLet: "export let", js.DeclFunction: "export function", js.DeclClass: "export class",
	js.DeclClause: "export {}", js.DeclDefault: "export default", js.DeclMember: "exports.", js.DeclIndex: "exports[]", js.DeclObject: "module.exports = {}",
}

func (f *Function) take(e js.Export) {
	f.Handler = handlerForms[e.Decl]
	if e.Decl == js.DeclMember {
		f.Handler += e.Name
	}
	f.HandlerAt = Place{e.Line, e.Column}
	f.State = HandlerOK
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
