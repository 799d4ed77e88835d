package netlify

import (
	"slices"

	"healthaudit/snapshot/analyze/js"
)

// An Unheeded key of a function's config does not take effect.
type Unheeded struct {
	Key string `json:"key"`
	Why string `json:"why"`
	At  Place  `json:"at"`
}

// configKeys are the keys of config that Netlify reads, but for schedule.
var configKeys = []string{"path", "excludedPath", "method", "preferStatic", "rateLimit", "background", "memory", "vcpu", "region", "timeout", "name",
	"generator", "includedFiles", "externalNodeModules", "ignoredNodeModules", "nodeBundler", "nodeVersion"}

// mistaken are keys that Netlify does not have, and that people write where they
// mean one that it has.
var mistaken = map[string]string{
	"timezone": whyUTC, "timeZone": whyUTC, "tz": whyUTC,
	"cron": "the key is called schedule", "crontab": "the key is called schedule",
	"paths": "the key is called path", "routes": "the key is called path", "route": "the key is called path", "methods": "the key is called method",
}

const whyUTC = "Netlify has no such key; schedules run in UTC"

// Mistaken reports whether a key of config is one that Netlify does not have.
func Mistaken(key string) bool { return mistaken[key] != "" }

// unheeded collects the keys of config that Netlify passes over, with the reason.
// The schedule is not among them: see Declared.
func (f *Function) unheeded(m *js.Module) {
	e, ok := m.Export("config")
	if !ok {
		def, has := m.Export("default")
		field, inner := def.Value.Field("config")
		if !has || !inner || def.Value.Kind != js.Object {
			return
		}
		e = js.Export{Decl: js.DeclDefault, Value: field.Value, Line: field.Line, Column: field.Column}
	}
	f.Configured = true
	config := e.Value
	if config.Kind == js.Call && len(config.List) > 0 {
		config = config.List[len(config.List)-1]
	}
	for _, field := range config.Fields {
		if why, meant := mistaken[field.Name]; meant && f.Version == V2 && f.Unparsed == "" {
			f.Unheeded = append(f.Unheeded, Unheeded{field.Name, why, Place{max(field.Line, 1), max(field.Column, 1)}})
		}
		if !slices.Contains(configKeys, field.Name) {
			continue
		}
		if why := f.passedOver(e, field.Value); why != "" {
			f.Unheeded = append(f.Unheeded, Unheeded{field.Name, why, Place{max(field.Line, 1), max(field.Column, 1)}})
		}
	}
}

// passedOver says why a value of config is not read, "" when it is.
func (f *Function) passedOver(e js.Export, v js.Value) string {
	switch {
	case f.Unparsed != "":
		return f.Unparsed
	case f.Version == V1:
		return "config is read only in functions with a default export; beside a handler export Netlify ignores it"
	case e.Value.Kind == js.Call:
		return "config is the result of a call; Netlify takes only an object literal"
	case e.Value.Assertion != "":
		return "config is written with " + assertion(e.Value.Assertion) + "; Netlify ignores the whole object (write config: Config = {…})"
	case e.CommonJS() && e.Local != "" || e.Local != "" && e.Decl != js.DeclClause && e.Decl != js.DeclDefault:
		return "config is a name; Netlify takes only an object that stands there itself"
	case v.Assertion != "":
		return "the value is written with " + assertion(v.Assertion) + "; Netlify ignores it"
	case v.Kind == js.Template || v.Kind == js.Identifier || v.Kind == js.Call || v.Kind == js.Other:
		return "the value is " + article(v.Kind) + "; Netlify takes only literals"
	}
	return ""
}
