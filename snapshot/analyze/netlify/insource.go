package netlify

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"healthaudit/snapshot/analyze/js"
)

// Modes in which Netlify calls a function other than waiting for its whole answer.
const (
	ModeBackground = "background"
	ModeStream     = "stream"
)

// InSource is what Netlify's static analysis takes from the config of a function.
// Anything but literals it drops without a word.
// Source: zip-it-and-ship-it 16, in_source_config.
type InSource struct {
	Routes       []string `json:"routes,omitempty"`   // config.path
	Excluded     []string `json:"excluded,omitempty"` // config.excludedPath
	Methods      []string `json:"methods,omitempty"`  // in capitals
	PreferStatic bool     `json:"preferStatic,omitempty"`
	Schedule     string   `json:"schedule,omitempty"` // as it stands in the manifest, valid or not
	Bundler      string   `json:"bundler,omitempty"`
	Background   bool     `json:"background,omitempty"` // config says so; the name may say so too
	Mode         string   `json:"mode,omitempty"`
	Events       []string `json:"events,omitempty"` // that methods of the default export subscribe to, sorted
	Display      string   `json:"display,omitempty"`
	Generator    string   `json:"generator,omitempty"`
	Node         string   `json:"node,omitempty"`    // nodeVersion
	Region       string   `json:"region,omitempty"`  // in small letters
	Memory       int      `json:"memory,omitempty"`  // MB
	VCPU         string   `json:"vcpu,omitempty"`    // a number
	Timeout      string   `json:"timeout,omitempty"` // seconds, a number
	Included     []string `json:"included,omitempty"`
	External     []string `json:"external,omitempty"`
	RateLimited  bool     `json:"rateLimited,omitempty"`
}

// events are the methods of a default export that Netlify subscribes to something.
// Source: eventHandlers of @netlify/serverless-functions-api.
var events = map[string]string{
	"deployBuilding": "deploy_building", "deploySucceeded": "deploy_succeeded", "deployFailed": "deploy_failed", "deployDeleted": "deploy_deleted",
	"deployLocked": "deploy_locked", "deployUnlocked": "deploy_unlocked", "formSubmitted": "submission_created", "userLogin": "identity_login",
	"userSignup": "identity_signup", "userValidate": "identity_validate", "userModified": "identity_usermodified", "userDeleted": "identity_userdeleted",
	"fetch": "fetch",
}

// Regions are the places where Netlify runs functions.
var Regions = []string{"cmh", "dub", "fra", "gru", "iad", "lhr", "nrt", "pdx", "sfo", "sin", "syd", "yul"}

// Bounds of what a function may ask for.
// Source: functionConfigShape of zip-it-and-ship-it 16; the same in @netlify/config 25.
const (
	MinMemory, MaxMemory = 1024, 4096 // MB
	MinVCPU, MaxVCPU     = 0.5, 2.0
)

// configObject returns the object that Netlify takes for a function's config: the
// last named export that is a plain object, else the config of the default export.
func configObject(m *js.Module) (js.Value, bool) {
	for _, e := range slices.Backward(m.Exports) {
		if e.Name == "config" && plainObject(e) {
			return e.Value, true
		}
	}
	def, ok := m.Export("default")
	if !ok || def.Value.Kind != js.Object {
		return js.Value{}, false
	}
	for _, field := range def.Value.Fields {
		if field.Name == "config" && field.Value.Kind == js.Object && field.Value.Assertion == "" {
			return field.Value, true
		}
	}
	return js.Value{}, false
}

func plainObject(e js.Export) bool {
	if e.Value.Kind != js.Object || e.Value.Assertion != "" {
		return false
	}
	switch e.Decl {
	case js.DeclConst, js.DeclLet, js.DeclMember:
		return e.Local == ""
	case js.DeclClause:
		return e.From == ""
	}
	return false
}

// config reads the config of a v2 function.
func (f *Function) config(m *js.Module) {
	f.Mode = ModeStream
	if def, ok := m.Export("default"); ok && def.Value.Kind == js.Object {
		for _, field := range def.Value.Fields {
			if e, ok := events[field.Name]; ok {
				f.Events = append(f.Events, e)
			}
		}
		slices.Sort(f.Events)
		f.Events = slices.Compact(f.Events)
	}
	c, ok := configObject(m)
	if !ok {
		return
	}
	f.routing(c)
	f.compute(c)
	text := func(name string) string {
		if v, ok := literal(c, name); ok && v.Kind == js.String {
			return clip(v.Text)
		}
		return ""
	}
	f.Schedule, f.Display, f.Generator, f.Node = text("schedule"), text("name"), text("generator"), text("nodeVersion")
	if b := text("nodeBundler"); slices.Contains([]string{"esbuild", "esbuild_zisi", "nft", "zisi", "none"}, b) {
		f.Bundler = b
	}
	if v, ok := literal(c, "background"); ok && v.Kind == js.Boolean && v.Text == "true" {
		f.Background, f.Mode = true, ModeBackground
	}
	if v, ok := literal(c, "timeout"); ok && v.Kind == js.Number {
		f.Timeout = number(v.Text)
	}
	f.Included, f.External = texts(c, "includedFiles"), texts(c, "externalNodeModules")
	if v, ok := literal(c, "rateLimit"); ok && v.Kind == js.Object {
		_, limit := literal(v, "windowLimit")
		_, size := literal(v, "windowSize")
		f.RateLimited = limit && size
	}
}

// refuse notes the first thing on which Netlify's build fails.
func (f *Function) refuse(v js.Value, message string) {
	if f.Refused == nil {
		f.Refused = &Refusal{Place{max(v.Line, 1), max(v.Column, 1)}, message}
	}
}

// routing reads path, excludedPath and method.
func (f *Function) routing(c js.Value) {
	valid := func(s string) bool { return strings.HasPrefix(s, "/") }
	f.Routes = f.strict(c, "path", "texts that begin with a slash", valid)
	f.Excluded = f.strict(c, "excludedPath", "texts that begin with a slash", valid)
	f.Methods = f.strict(c, "method", "GET, POST, PUT, PATCH, OPTIONS, DELETE or HEAD", func(s string) bool {
		return slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "OPTIONS", "DELETE", "HEAD"}, strings.ToUpper(s))
	})
	for i := range f.Methods {
		f.Methods[i] = strings.ToUpper(f.Methods[i])
	}
	if v, ok := literal(c, "preferStatic"); ok && v.Kind == js.Boolean {
		f.PreferStatic = v.Text == "true"
	}
	for _, r := range slices.Concat(f.Routes, f.Excluded) {
		if !balanced(r) {
			v, _ := c.Field("path")
			f.refuse(v.Value, "config.path has a pattern that is not one of URLPattern's")
		}
	}
}

// strict reads a text or a list of texts, all of which must be valid. A value that
// is no literal counts as absent, but not within a list.
func (f *Function) strict(c js.Value, name, want string, valid func(string) bool) []string {
	v, ok := literal(c, name)
	if !ok {
		return nil
	}
	list := []js.Value{v}
	if v.Kind == js.Array {
		list = v.List
	}
	var out []string
	for _, e := range list {
		if e.Kind != js.String || e.Assertion != "" || !valid(e.Text) {
			field, _ := c.Field(name)
			f.refuse(js.Value{Line: field.Line, Column: field.Column}, "config."+name+" must hold "+want)
			return nil
		}
		if s := clip(e.Text); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// compute reads memory, vcpu and region, which must be in bounds.
func (f *Function) compute(c js.Value) {
	memory, hasMemory := literal(c, "memory")
	vcpu, hasVCPU := literal(c, "vcpu")
	if hasMemory {
		mb, ok := Megabytes(memory.Text)
		if memory.Kind != js.String && memory.Kind != js.Number || !ok {
			f.refuse(memory, "config.memory must be between 1024 and 4096 MB")
		}
		f.Memory = mb
	}
	if hasVCPU {
		n, err := strconv.ParseFloat(number(vcpu.Text), 64)
		if vcpu.Kind != js.Number || err != nil || n < MinVCPU || n > MaxVCPU {
			f.refuse(vcpu, "config.vcpu must be between 0.5 and 2")
		} else {
			f.VCPU = number(vcpu.Text)
		}
	}
	if hasMemory && hasVCPU {
		f.refuse(vcpu, "config.memory and config.vcpu cannot both be set")
	}
	if region, ok := literal(c, "region"); ok {
		if f.Region = strings.ToLower(clip(region.Text)); region.Kind != js.String || !slices.Contains(Regions, f.Region) {
			f.refuse(region, "config.region must be one of "+strings.Join(Regions, ", "))
			f.Region = ""
		}
	}
}

// literal returns a property whose value Netlify's analysis reads: one of a plain
// literal. A name, a template, a call and undefined are none.
func literal(o js.Value, name string) (js.Value, bool) {
	field, ok := o.Field(name)
	v := field.Value
	if !ok || v.Assertion != "" {
		return v, false
	}
	switch v.Kind {
	case js.String, js.Boolean, js.Array, js.Object:
		return v, true
	case js.Number:
		return v, !strings.HasPrefix(v.Text, "-")
	case js.Null:
		return v, v.Text != js.Undefined
	}
	return v, false
}

// texts returns a list of texts, nil when it holds anything else.
func texts(o js.Value, name string) []string {
	v, ok := literal(o, name)
	if !ok || v.Kind != js.Array {
		return nil
	}
	var out []string
	for _, e := range v.List {
		if e.Kind != js.String || e.Assertion != "" {
			return nil
		}
		out = append(out, clip(e.Text))
	}
	return out
}

// number is a JavaScript number in its shortest decimal form, "" when it is none.
func number(s string) string {
	s = strings.ReplaceAll(s, "_", "")
	n, err := strconv.ParseFloat(s, 64)
	if i, e := strconv.ParseInt(s, 0, 64); e == nil {
		n, err = float64(i), nil
	}
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return ""
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// Megabytes reads a size such as 2048, "2gb" or "1024 MB"; false when it is no
// whole number of MB that Netlify accepts.
func Megabytes(s string) (int, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	factor := 1.0
	if t, ok := strings.CutSuffix(s, "gb"); ok {
		s, factor = strings.TrimSpace(t), 1024
	} else if t, ok := strings.CutSuffix(s, "mb"); ok {
		s = strings.TrimSpace(t)
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "+-exinp_") || n*factor != math.Trunc(n*factor) || n*factor < MinMemory || n*factor > MaxMemory {
		return 0, false
	}
	return int(n * factor), true
}

// balanced reports whether the brackets of a pattern close.
func balanced(pattern string) bool {
	var open []rune
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '(' || r == '{':
			open = append(open, r)
		case r == ')' || r == '}':
			if len(open) == 0 || (open[len(open)-1] == '(') != (r == ')') {
				return false
			}
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

// Literal reports whether a route is a path rather than a pattern.
func Literal(route string) bool {
	for part := range strings.SplitSeq(route, "/") {
		if strings.ContainsAny(part, "*{[(") || strings.HasPrefix(part, ":") {
			return false
		}
	}
	return true
}
