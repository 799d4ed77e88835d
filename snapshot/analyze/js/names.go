package js

import "bytes"

// Where esbuild names an earlier place beside an error, it walks over the text
// between the two and back: a file with many such errors takes minutes. names
// foretells them from the tokens: names that are bound or exported twice, and
// what strict code forbids. It errs towards too many, as it knows no grammar.
type names struct {
	src      []byte
	tokens   int
	far      int // bytes between what collides
	strict   int // the same, of what collides in strict code only
	isStrict bool
	again    int // names bound again at the top: esbuild follows them as a list, each from its start
	assigns  int // assignments, which a top-level using makes errors where they are to constants
	using    bool

	directives   int            // strings at the beginning: each is looked up among those before
	begun        bool           // something else came
	exported     map[string]int // places of exported names
	pending      token          // a name that is bound unless a colon follows
	before       token          // the token before the previous one
	beforeMember bool           // the previous token is a name after a dot
}

// The bounds, each measured to take esbuild a second or less: of 15,000 files
// out of big packages the worst come to a quarter.
const (
	maxFar   = 200 << 20
	maxAgain = 20_000

	// shortFile is the size in bytes up to which no file can pass them: were every
	// second byte a name that collides with the first one, it would come to 160 MiB.
	shortFile = 16 << 10

	// maxTokens is more than 8 MiB of minified code have, but not of {};{};{};
	maxTokens = 5_000_000
)

// What else takes time, in bytes walked over.
const (
	messageCost   = 4 << 10 // one error
	hoistCost     = 16      // one level that a var rises
	decoratorCost = 6       // each decorator of a class before another
)

// tooSlow reports whether esbuild would take seconds.
func (n *names) tooSlow() bool {
	far := n.far
	if n.isStrict {
		far += n.strict
	}
	if n.using {
		far += n.assigns * len(n.src) / 2
	}
	return far > maxFar || n.again > maxAgain || n.tokens > maxTokens
}

// A binding is how a name is bound, and where it was first.
type binding struct {
	how binds
	pos int
}

type binds byte

const (
	bindsNothing   binds = iota
	bindsParameter       // may be repeated in sloppy code
	bindsVar             // may be repeated
	bindsFunction        // may be repeated in sloppy code
	bindsLexical         // let, const, class, import: may not
	bindsExport          // an export clause
)

// A scope is what a bracket holds together.
type scope struct {
	up    *scope
	names map[string]binding
	whole bool // var goes no further up

	// What strict code forbids in parentheses counts once they turn out to hold parameters.
	far, forbidden int
}

// A binder is the part of a frame that says which words bind names.
type binder struct {
	scope      *scope
	how        binds
	expects    bool // the next word is bound
	one        bool // and no other
	object     bool // a pattern in braces: a word before a colon is none
	start      int  // offset of the bracket
	proto      int  // offset of the first "__proto__:" in it
	class      bool // it holds the members of a class
	ofClass    bool // the next brace does
	ofEnum     bool // the next brace holds the members of an enum
	with       bool // it holds import attributes
	decorators int
	params     *scope // the scope of the parentheses before
	assigns    bool   // a = stands in it
}

// binderOf returns the binder of the bracket k within f.
func (n *names) binderOf(f *frame, prev, k token) binder {
	b := binder{scope: f.scope, start: k.start, with: prev.text == "with" || prev.text == "assert"}
	brace, expects := k.text == "{", f.expects
	f.expects = false
	switch {
	case brace && f.ofClass:
		f.ofClass = false
		b.scope, b.class = &scope{up: f.scope, whole: true}, true
	case brace && f.ofEnum:
		f.ofEnum = false
		b.scope, b.how, b.expects = &scope{up: f.scope}, bindsLexical, true
	case expects && !f.one && (brace || k.text == "["):
		b.how, b.expects, b.object = f.how, true, brace
	case brace && prev.text == "export":
		b.how, b.expects, b.object = bindsExport, true, true
	case k.text == "(":
		b.scope, b.how, b.expects = &scope{up: f.scope}, bindsParameter, true
		if prev.text == "catch" {
			b.how = bindsLexical
		}
	case brace && (f.params != nil || prev.text == "=>"):
		b.scope = &scope{up: f.scope, whole: true}
		if f.params != nil {
			b.scope.names = f.params.names
		}
		f.params = nil
	case brace:
		b.scope = &scope{up: f.scope}
	}
	return b
}

// token looks at k. f is the innermost frame before it, closed the one that closed last.
func (n *names) token(f *frame, closed frame, prev, k token) {
	n.tokens++
	if n.begun = n.begun || k.kind != tokString && k.text != ";"; !n.begun {
		n.directives++
		n.far += n.directives
	}
	n.bindPending(f, k)
	n.forbidden(f, closed, prev, k)
	n.parameters(f, closed, prev, k)
	member := prev.text == "." && (prev.start == 0 || n.src[prev.start-1] != '.') // no spread
	switch {
	case k.kind == tokWord && !member:
		n.word(f, prev, k)
	case k.kind == tokString:
		switch {
		case f.expects && f.how == bindsExport:
			n.export(string(n.src[k.start:k.end]), k.start)
			f.expects = false
		case bytes.Equal(n.src[k.start+1:max(k.end-1, k.start+1)], []byte("use strict")):
			n.isStrict = true
		}
	case k.text == ",":
		f.expects = f.how != bindsNothing && !f.one
	case k.text == ":":
		f.expects = f.object && f.how != bindsExport
		n.key(f, prev)
	case k.text == ";":
		f.how, f.expects, f.assigns, f.ofClass = bindsNothing, false, false, false
	case k.text == "=":
		f.expects, f.assigns = false, true
		n.assigns++
	case k.kind == tokPunct && k.text != "." && k.text != "*":
		f.expects = false
	}
	if f.class && (k.text == "(" || k.text == ";" || k.text == "=") && prev.kind == tokWord && n.method(f) {
		n.bind(f.scope, bindsLexical, prev) // no error, but esbuild prepares a warning
	}
	if k.text == "@" {
		f.decorators++
		n.far += f.decorators * decoratorCost
	}
	n.before, n.beforeMember = prev, member
}

// parameters finds out whether the parentheses before k held parameters, whose
// scope is then that of the body too.
func (n *names) parameters(f *frame, closed frame, prev, k token) {
	was := f.params
	f.params = nil
	switch {
	case prev.text == ")" && closed.scope != nil && !closed.control && (k.text == "=>" || k.text == "{"):
		n.strict += closed.scope.far + closed.scope.forbidden
		f.params = closed.scope
	case prev.text == ")" && closed.scope != nil && k.text == ":": // a type follows, or it is an operand
		n.strict += closed.scope.far
	case k.text == "=>" && prev.kind == tokWord:
		f.params = &scope{names: map[string]binding{prev.text: {bindsParameter, prev.start}}}
	case prev.text == "=>":
		f.params = was
	}
}

// word looks at a word that is no member: it may bind names, or say that names follow.
func (n *names) word(f *frame, prev, k token) {
	switch k.text {
	case "let", "const", "using", "import":
		f.how, f.expects, f.one = bindsLexical, true, false
		n.isStrict = n.isStrict || k.text == "import"
	case "var":
		f.how, f.expects, f.one = bindsVar, true, false
	case "class":
		n.isStrict, f.ofClass = true, true
		if !begins(prev) {
			return
		}
		f.how, f.expects, f.one = bindsLexical, true, true
	case "function":
		if !begins(prev) {
			return
		}
		f.how, f.expects, f.one = bindsFunction, true, true
	case "enum":
		f.how, f.expects, f.one, f.ofEnum = bindsVar, true, true, true
	case "export":
		n.isStrict = true
		return
	case "default":
		if prev.text == "export" {
			n.export(k.text, k.start)
		}
		return
	case "as":
		f.expects = f.object
		return
	case "type", "from", "async", "of", "in":
		return
	default:
		if k.text[0] == '#' {
			n.bind(f.scope, bindsLexical, k)
		} else if f.expects {
			f.expects, n.pending = false, k
		} else if prev.operand() && !f.object {
			f.how = bindsNothing // a new statement
		}
		return
	}
	if prev.text == "export" && f.how != bindsNothing {
		f.how = bindsLexical // what is exported may not be repeated
	}
}

// begins reports whether a statement may begin after a token: a function or
// class within an expression binds no name around it.
func begins(prev token) bool {
	return block[prev.text] && prev.text != "=>" || prev.kind == tokWord && !operators[prev.text] || prev.operand() ||
		prev.text == "export" || prev.text == "default" || prev.text == "async" || prev.text == ":"
}

// bindPending binds the word before k.
func (n *names) bindPending(f *frame, k token) {
	p := n.pending
	if n.pending = (token{}); p.text == "" || k.text == "as" && f.object || k.text == ":" && f.object {
		return
	}
	switch f.how {
	case bindsExport:
		n.export(p.text, p.start)
	case bindsNothing:
	default:
		n.bind(f.scope, f.how, p)
	}
	if p.text == "eval" || p.text == "arguments" {
		f.scope.forbidden += len(n.src) / 2
	}
}

// export notes a name that an export clause exports.
func (n *names) export(name string, pos int) {
	if first, ok := n.exported[name]; ok {
		n.far += pos - first + messageCost
		return
	}
	if n.exported == nil {
		n.exported = map[string]int{}
	}
	n.exported[name] = pos
}

// bind binds the word k in s and, for a var, in the scopes around it.
func (n *names) bind(s *scope, how binds, k token) {
	for at := s; at != nil; at = at.up {
		b, ok := at.names[k.text]
		switch {
		case ok && (how == bindsLexical || b.how == bindsLexical):
			n.far += k.start - b.pos + messageCost
			return
		case ok && how == bindsFunction:
			n.strict += k.start - b.pos + messageCost
		case ok:
			at.far += k.start - b.pos + messageCost
		default:
			if at.names == nil {
				at.names = map[string]binding{}
			}
			at.names[k.text] = binding{how, k.start}
		}
		if ok && at == s && at.up == nil {
			n.again++
		}
		if how != bindsVar || at.whole {
			return
		}
		n.far += hoistCost
	}
}

// key looks at the name of a property, or of an import attribute, before a colon.
func (n *names) key(f *frame, prev token) {
	switch text := n.src[prev.start:prev.end]; {
	case f.with:
		n.far += prev.start - f.start
	case string(text) == "__proto__" || len(text) == len("'__proto__'") && string(text[1:len(text)-1]) == "__proto__":
		if f.proto > 0 {
			n.far += prev.start - f.proto + messageCost
		} else {
			f.proto = prev.start
		}
	}
}
