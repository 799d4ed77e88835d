package ecosystem

import (
	"math"
	"math/big"
	"reflect"

	"github.com/dop251/goja"
)

// Bounds of what a script may declare.
const (
	maxValues = 100_000
	maxDepth  = 8
	maxString = 64 << 10
)

// An unreadable says why a result is no configuration.
type unreadable struct{ what string }

func (e *unreadable) Error() string { return e.what }

// apps turns what a script exports into plain data: of each app only the keys
// of the schema. isDefault says that PM2 would see nothing of it.
func (s *sandbox) apps(v goja.Value) (out []any, isDefault bool, err error) {
	err = guard(s.vm, func() {
		x := exporter{vm: s.vm}
		o := x.object(v)
		if whole := o.Get("module.exports"); isTrue(whole) { // export {c as 'module.exports'}
			o = x.object(whole)
		}
		if !isTrue(o.Get("apps")) && !isTrue(o.Get("pm2")) && isTrue(o.Get("__esModule")) && isTrue(o.Get("default")) {
			o, isDefault = x.object(o.Get("default")), true
		}
		static := x.static(o.Get("static"))
		for _, key := range []string{"apps", "pm2"} {
			if inner := o.Get(key); isTrue(inner) {
				o = x.object(inner)
				break
			}
		}
		list := []*goja.Object{o}
		if o.ClassName() == "Array" {
			list = x.elements(o)
		}
		for _, a := range list {
			out = append(out, x.app(a))
		}
		out = append(out, static...)
	})
	return out, isDefault, err
}

// guard runs f, in which getters and proxies of the script may run, and turns
// what they throw, an interrupt, and our own *unreadable, into an error.
func guard(vm *goja.Runtime, f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			err = &unreadable{"cannot be evaluated"}
		}
	}()
	if e := vm.Try(f); e != nil {
		return e
	}
	return nil
}

type exporter struct {
	vm     *goja.Runtime
	values int
}

// app takes what PM2 takes of an app: the keys of the schema, inherited ones too,
// and its own blocks of variables.
func (x *exporter) app(a *goja.Object) map[string]any {
	app := map[string]any{}
	for k := range allowed() {
		if v := a.Get(k); v != nil && !goja.IsUndefined(v) {
			if k == "env" {
				app[k] = x.block(v)
				continue
			}
			app[k] = x.plain(v, 0)
		}
	}
	for _, k := range a.Keys() {
		if v := a.Get(k); envPattern().MatchString(k) && v != nil && !goja.IsUndefined(v) {
			app[k] = x.block(v)
		}
	}
	return app
}

// block takes a block of variables. An object for a variable becomes JSON, as
// PM2 makes it (lib/Common.js mergeEnvironmentVariables); what JSON cannot hold
// never reaches the daemon.
func (x *exporter) block(v goja.Value) any {
	plain, isMap := x.plain(v, 0).(map[string]any)
	if !isMap {
		return x.plain(v, 0)
	}
	o := v.(*goja.Object)
	for k := range plain {
		e := o.Get(k)
		if _, isObject := e.(*goja.Object); !isObject {
			continue
		}
		delete(plain, k)
		if e.(*goja.Object).ClassName() == "Function" {
			continue
		}
		if text := x.stringify(e); text != "" {
			plain[k] = x.text(text)
		}
	}
	return plain
}

func (x *exporter) stringify(v goja.Value) string {
	f, ok := goja.AssertFunction(x.vm.Get("JSON").ToObject(x.vm).Get("stringify"))
	if !ok {
		return ""
	}
	text, err := f(goja.Undefined(), v)
	if err != nil {
		panic(&unreadable{"declares a variable that is no JSON"})
	}
	if text == nil || goja.IsUndefined(text) {
		return ""
	}
	return text.String()
}

// static returns the apps that PM2 makes of the list "static".
func (x *exporter) static(v goja.Value) (out []any) {
	if !isTrue(v) {
		return nil
	}
	o := x.object(v)
	if o.ClassName() != "Array" {
		panic(&unreadable{"declares static pages that are no list"})
	}
	for _, page := range x.elements(o) {
		out = append(out, staticPage(x.plain(page.Get("name"), 0), x.plain(page.Get("port"), 0)))
	}
	return out
}

func isTrue(v goja.Value) bool { return v != nil && v.ToBoolean() }

func (x *exporter) object(v goja.Value) *goja.Object {
	o, ok := v.(*goja.Object)
	if !ok {
		panic(&unreadable{"exports no object"})
	}
	if o.ExportType() == reflect.TypeFor[*goja.Promise]() {
		panic(&unreadable{"exports a promise, for which PM2 does not wait"})
	}
	if o.ClassName() == "Function" {
		panic(&unreadable{"exports a function, which PM2 does not call"})
	}
	return o
}

func (x *exporter) elements(a *goja.Object) []*goja.Object {
	n := a.Get("length").ToInteger()
	if n > maxValues {
		panic(&unreadable{"declares more than 100,000 values"})
	}
	out := make([]*goja.Object, 0, n)
	for i := range int(n) {
		out = append(out, x.object(a.Get(x.vm.ToValue(i).String())))
	}
	return out
}

func (x *exporter) plain(v goja.Value, depth int) any {
	if x.values++; x.values > maxValues {
		panic(&unreadable{"declares more than 100,000 values"})
	}
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		return nil
	}
	o, ok := v.(*goja.Object)
	if !ok {
		return x.primitive(v)
	}
	if depth > maxDepth {
		panic(&unreadable{"declares values nested too deeply"})
	}
	switch o.ClassName() {
	case "Function":
		return nil
	case "Array":
		n := o.Get("length").ToInteger()
		if n > maxValues {
			panic(&unreadable{"declares more than 100,000 values"})
		}
		list := make([]any, 0, n)
		for i := range int(n) {
			list = append(list, x.plain(o.Get(x.vm.ToValue(i).String()), depth+1))
		}
		return list
	case "Object":
		m := map[string]any{}
		for _, k := range o.Keys() {
			e := o.Get(k)
			if _, symbol := e.(*goja.Symbol); !symbol && !goja.IsUndefined(e) { // JSON has neither
				m[k] = x.plain(e, depth+1)
			}
		}
		return m
	}
	return x.text(o.String()) // Date, RegExp, String, Number objects
}

func (x *exporter) primitive(v goja.Value) any {
	switch e := v.Export().(type) {
	case bool:
		return e
	case int64:
		return float64(e)
	case float64:
		if math.IsNaN(e) || math.IsInf(e, 0) {
			return nil
		}
		return e
	}
	if _, ok := v.(*goja.Symbol); ok {
		return nil
	}
	if _, ok := v.Export().(*big.Int); ok {
		panic(&unreadable{"declares a BigInt, which PM2 cannot send to its daemon"})
	}
	return x.text(v.String())
}

func (x *exporter) text(s string) string {
	if len(s) > maxString {
		panic(&unreadable{"declares a text of more than 64 KiB"})
	}
	return s
}
