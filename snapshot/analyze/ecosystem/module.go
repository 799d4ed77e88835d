package ecosystem

import (
	"errors"
	"path"
	"strings"

	"github.com/dop251/goja"
	"github.com/evanw/esbuild/pkg/api"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var moduleSyntax = lazyregexp.New(`(?m)^\s*(export\s*[\w{*]|import\s*[\w{*"'])`)

// bare wraps a module that has neither module nor exports.
func bare(src string) string {
	return "(function (__exports, __require, __module, __filename, __dirname, __url) {" + src + "\n})"
}

// A scope says which names a module finds around it.
type scope int

const (
	either   scope = iota // a required file: whatever it looks like, with every name
	commonjs              // "type": "commonjs": import and export are syntax errors
	esmodule              // an ES module: module, exports, require, __dirname and __filename are not defined
)

// scope returns how Node takes the process file itself. Verified with Node
// 20.20: https://nodejs.org/api/packages.html#determining-module-system
func (s *sandbox) scope() scope {
	js := strings.HasSuffix(s.req.Path, ".js")
	written := moduleSyntax().MatchString(s.req.Src) && !compiles(s.req.Src)
	switch {
	case s.req.Kind == Module || js && s.req.Type == "module" || js && s.req.Type == "" && written:
		return esmodule
	case written:
		return commonjs
	}
	return either
}

// compiles reports whether a text can be the body of a CommonJS module: the
// word "export" at the start of a line may stand in a comment.
func compiles(src string) bool {
	_, err := goja.Compile("", wrapper(src), false)
	return err == nil
}

func wrapper(src string) string {
	src = strings.TrimPrefix(src, "\ufeff")
	if strings.HasPrefix(src, "#!") { // #!/usr/bin/env node
		src = "//" + src
	}
	return "(function (exports, require, module, __filename, __dirname, __url) {" + src + "\n})"
}

// module runs a file as a CommonJS module and returns its module object.
func (s *sandbox) module(p, src string, in scope) (*goja.Object, error) {
	if m := s.loaded[p]; m != nil { // also a cycle: what is exported so far
		return m, nil
	}
	m := s.vm.NewObject()
	exports := s.vm.NewObject()
	s.loaded[p] = m
	if err := errors.Join(m.Set("exports", exports), m.Set("id", p), m.Set("filename", virtualRoot+"/"+p)); err != nil {
		return nil, err
	}
	name, wrap := p, wrapper
	if in == commonjs {
		return nil, &unreadable{`uses import or export, which a .js file of a package with "type": "commonjs" cannot`}
	}
	if in == esmodule || moduleSyntax().MatchString(src) && !compiles(src) {
		if in == esmodule && compiles(src) { // nothing of it needs what the transformed code would
			wrap = bare
		}
		js, err := commonJS(src, in == esmodule)
		if err != nil {
			return nil, err
		}
		src, name = js, "" // lines of the result are not those of the file
	}
	// The wrapper is on the file's first line, so that lines stay true.
	v, err := s.vm.RunScript(name, wrap(src))
	if err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(v)
	if !ok {
		return nil, errors.New("not a module")
	}
	file := virtualRoot + "/" + p
	require, err := s.require(goja.Undefined(), s.vm.ToValue(p))
	if err != nil {
		return nil, err
	}
	_, err = f(exports, exports, require, m, s.vm.ToValue(file), s.vm.ToValue(path.Dir(file)), s.vm.ToValue("file://"+file))
	return m, err
}

// A syntaxError is one of a module. Its text quotes the file and is dropped.
type syntaxError struct{ line int }

func (e *syntaxError) Error() string { return "syntax error" }

// notInModules stands in front of the names that an ES module lacks: what the
// transformed code itself needs of them stays.
const notInModules = "__es_module_without_"

func commonJS(src string, strict bool) (string, error) {
	define := map[string]string{"import.meta.url": "__url", "import.meta.dirname": "__dirname", "import.meta.filename": "__filename"}
	for _, name := range []string{"module", "exports", "require", "__dirname", "__filename"} {
		if strict {
			define[name] = notInModules + name
		}
	}
	res := api.Transform(src, api.TransformOptions{
		Format: api.FormatCommonJS, Target: api.ES2017, Loader: api.LoaderJS, LogLevel: api.LogLevelSilent,
		Supported: map[string]bool{"dynamic-import": false}, Define: define,
	})
	if len(res.Errors) > 0 {
		e := &syntaxError{}
		if l := res.Errors[0].Location; l != nil {
			e.line = l.Line
		}
		return "", e
	}
	return string(res.Code), nil
}
