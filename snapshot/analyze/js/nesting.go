package js

// MaxNesting is how deep a file may nest before it is not parsed: a recursive
// parser on adversarial input would otherwise use up the stack, which a Go
// program does not survive. Real files stay below a few hundred.
const MaxNesting = 2000

// measure estimates from the tokens how deep a recursive parser goes: open
// brackets, plus what nests without one (prefix operators, arrows, member
// chains, else-if ladders) since the last end of a statement. It ends at
// MaxNesting; below, names tells how long the parser takes.
func measure(src []byte) *nest {
	n := &nest{frames: []frame{{binder: binder{scope: &scope{whole: true}}}}, names: names{src: src}}
	t := tokens{src: src}
	for prev := (token{}); ; prev = t.last {
		k := t.next()
		if k.kind == tokEnd {
			n.names.far += t.commented / 2 // walked over once, not there and back
			return n
		}
		n.token(prev, k)
		if n.deepest = max(n.deepest, n.depth); n.deepest > MaxNesting {
			return n
		}
	}
}

// A frame is one open bracket.
type frame struct {
	chain   int  // levels within it that no bracket shows
	flat    int  // binary operators in one statement: a tree as deep as they are many
	commas  int  // the same of comma operators
	list    bool // of an array or object, where commas only separate
	control bool // the parentheses of if, for, while, with: a statement follows
	binder
}

type nest struct {
	frames         []frame
	depth, deepest int
	ended          bool // the last token ended a statement, unless else follows
	closed         frame
	names          names
}

// How many operators one statement may join. For commas the parsers' time grows
// with the square: 20,000 take seconds.
const (
	maxOperators = 50_000
	maxCommas    = 5_000
)

// operator counts a binary operator.
func (n *nest) operator() {
	f := &n.frames[len(n.frames)-1]
	if f.flat++; f.flat > maxOperators {
		n.deepest = max(n.deepest, MaxNesting+1)
	}
}

func (n *nest) add() { n.frames[len(n.frames)-1].chain++; n.depth++ }

func (n *nest) clear() {
	f := &n.frames[len(n.frames)-1]
	n.depth -= f.chain
	f.chain, f.flat = 0, 0
}

func (n *nest) token(prev, k token) {
	if n.ended && k.text != "else" {
		n.clear()
	}
	n.ended = false
	if len(n.names.src) > shortFile {
		n.names.token(&n.frames[len(n.frames)-1], n.closed, prev, k)
	}
	switch k.kind {
	case tokString:
		if prev.kind == tokString {
			n.add() // a tagged template
		}
	case tokOpen:
		if prev.operand() {
			n.add() // a call or index continues a chain
		}
		f := frame{control: heads[prev.text], list: k.text == "[" || k.text == "{" && !block[prev.text]}
		if len(n.names.src) > shortFile {
			f.binder = n.names.binderOf(&n.frames[len(n.frames)-1], prev, k)
		}
		n.frames, n.depth = append(n.frames, f), n.depth+1
	case tokClose:
		if len(n.frames) > 1 {
			n.clear()
			n.closed = n.frames[len(n.frames)-1]
			n.frames, n.depth = n.frames[:len(n.frames)-1], n.depth-1
		}
	case tokWord:
		if prev.operand() && !continues[k.text] && (prev.text != ")" || !n.closed.control) {
			n.clear() // two operands in a row: a new statement
		}
		if chaining[k.text] {
			n.add()
		}
	case tokPunct:
		n.punct(prev, k)
	}
}

func (n *nest) punct(prev, k token) {
	switch k.text {
	case ";", ",":
		n.ended = true
		if f := &n.frames[len(n.frames)-1]; k.text == "," && !f.list {
			if f.commas++; f.commas > maxCommas {
				n.deepest = max(n.deepest, MaxNesting+1)
			}
		} else if k.text == ";" {
			f.commas = 0
		}
	case "</", "/>":
		if f := &n.frames[len(n.frames)-1]; f.chain > 0 {
			f.chain, n.depth = f.chain-1, n.depth-1
		}
	case "!", "~", "=", "=>", "?", ":", "**", ".", "<", "@", "++", "--":
		n.add()
	case "+", "-", "*", "&", "|":
		if !prev.operand() {
			n.add()
			return
		}
		n.operator()
	default:
		n.operator()
	}
}

// block are what stands before the bracket of a block, in contrast to an object.
var block = set("", ")", "=>", ";", "{", "}", "else", "do", "try", "finally")

// heads are words whose parentheses are followed by a statement.
var heads = set("if", "switch", "for", "while", "with", "await")

// continues are words that may follow an operand within one statement.
var continues = set("in", "instanceof", "of", "as", "satisfies", "else", "while", "catch", "finally", "extends", "is", "keyof", "async")

// chaining are words after which the parser goes one level deeper.
var chaining = set("typeof", "void", "delete", "await", "yield", "new", "if", "else", "for", "while", "do", "with",
	"keyof", "infer", "readonly", "unique", "asserts", "extends", "async", "label")

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
