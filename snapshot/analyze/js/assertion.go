package js

import ast "github.com/tdewolff/parse/v2/js"

// TypeScript assertions are gone from the printed code, but tools that read the
// source stumble on them, so they are looked up there.

// assertedLiteral returns the assertion right after a literal: "as", "satisfies" or "".
func (m *Module) assertedLiteral(piece []byte) string {
	off, _, _ := m.at.at(piece)
	t := tokens{src: m.src, pos: off}
	if k := t.next(); k.kind != tokString && k.kind != tokWord {
		return ""
	}
	return assertionWord(t.next())
}

func assertionWord(k token) string {
	if k.kind == tokWord && (k.text == "as" || k.text == "satisfies") {
		return k.text
	}
	return ""
}

// asserted returns the assertion on the object or call that a top-level name
// (const c = {…} as T) or a member (exports.c = <T>f()) is initialised with: "as",
// "satisfies", "<>" or "".
func (m *Module) asserted(name string) string {
	t := tokens{src: m.src}
	for prev, k := (token{}), t.next(); k.kind != tokEnd; prev, k = k, t.next() {
		if k.kind == tokWord && k.text == name && len(t.braces) == 0 &&
			(prev.text == "const" || prev.text == "let" || prev.text == "var" || prev.text == ".") {
			if t.toInitialiser() {
				return t.assertion()
			}
		}
	}
	return ""
}

// toInitialiser moves behind the = of a declaration, past its type annotation.
func (t *tokens) toInitialiser() bool {
	for n := 0; n < 500; n++ {
		switch k := t.next(); {
		case k.kind == tokEnd, k.text == ";", k.kind == tokClose && len(t.braces) == 0 && k.text == ")":
			return false
		case k.text == "=" && len(t.braces) == 0:
			return true
		}
	}
	return false
}

// assertion looks for an assertion around the expression that begins here.
func (t *tokens) assertion() string {
	k := t.next()
	for k.text == "(" {
		k = t.next()
	}
	switch {
	case k.text == "<":
		return "<>"
	case k.kind == tokWord: // a call: a.b(…)
		for k = t.next(); k.text == "."; k = t.next() {
			t.next()
		}
		if k.text != "(" {
			return ""
		}
	case k.text != "{":
		return ""
	}
	for depth := 1; depth > 0; {
		switch k = t.next(); k.kind {
		case tokOpen:
			depth++
		case tokClose:
			depth--
		case tokEnd:
			return ""
		}
	}
	for k = t.next(); k.text == ")"; k = t.next() {
	}
	return assertionWord(k)
}

// assertion notes the assertion on an export's object or call.
func (m *Module) assertion(e *Export) {
	name := e.Name
	if e.Local != "" {
		name = e.Local
	}
	switch e.Value.expr.(type) {
	case *ast.ObjectExpr, *ast.CallExpr:
		if e.Decl != DeclDefault {
			e.Value.Assertion = m.asserted(name)
		}
	}
}

// defaultAt returns where export default stands.
func (m *Module) defaultAt() (line, col int) {
	t := tokens{src: m.src}
	for prev, k := (token{}), t.next(); k.kind != tokEnd; prev, k = k, t.next() {
		if k.text == "default" && prev.text == "export" && len(t.braces) == 0 {
			return m.at.position(prev.start)
		}
	}
	return 1, 1
}
