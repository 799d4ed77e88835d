package js

// suspect counts what strict code forbids. esbuild names the reason, which is
// anywhere in the file.
func (n *names) suspect() { n.strict += len(n.src) / 2 }

// reserved are names that strict code forbids.
var reserved = set("implements", "interface", "let", "package", "private", "protected", "public", "static", "yield")

// forbidden looks for what strict code forbids.
func (n *names) forbidden(f *frame, closed frame, prev, k token) {
	assigned := k.text == "=" || k.text == "++" || k.text == "--" || k.kind == tokPunct && k.end < len(n.src) && k.end == k.start+1 && n.src[k.end] == '='
	name := prev.text
	switch {
	case n.before.text == "delete" && prev.kind == tokWord && k.text != "." && k.text != "[" && k.text != "(" && k.text != "?",
		prev.text == "delete" && k.text == "(" && !n.beforeMember && !n.method(f),
		k.kind == tokWord && prev.text != "." && octal(k.text) && !exponent(n.before.text),
		k.kind == tokString && octalEscape(n.src[k.start:k.end]),
		k.text == "function" && (prev.text == ")" && closed.control || prev.text == "else" || prev.text == ":" && !f.list && f.chain == 1),
		k.text == "in" && f.control && f.assigns:
		n.suspect()
	case prev.kind != tokWord || n.beforeMember || k.text == "(" && n.method(f):
	case name == "with" && k.text == "(":
		n.suspect()
	case (name == "eval" || name == "arguments") && (assigned || n.before.text == "++" || n.before.text == "--"):
		n.suspect()
	case reserved[name] && k.kind != tokWord && k.text != "{" && k.text != "[" && k.text != "*" && k.text != "@" && (k.text != ":" || !f.list):
		if name != "yield" || k.kind != tokOpen && k.kind != tokString {
			n.suspect()
		}
	case name == "using" && k.kind == tokWord && !continues[k.text] && f.scope.up == nil:
		n.using = true
	}
}

// method reports whether the previous token names a method of an object or class.
func (n *names) method(f *frame) bool {
	switch n.before.text {
	case "{", "*", "static", "async", "get", "set":
		return f.list || f.class
	case ",":
		return f.list
	case ";", "}":
		return f.class
	}
	return false
}

func octal(word string) bool {
	return len(word) > 1 && word[0] == '0' && word[1] >= '0' && word[1] <= '9'
}

// exponent reports whether a word is a number that its exponent ends.
func exponent(word string) bool {
	return word != "" && word[0] >= '0' && word[0] <= '9' && word[len(word)-1]|0x20 == 'e'
}

// octalEscape reports whether a string has an escape like \01.
func octalEscape(s []byte) bool {
	if len(s) == 0 || s[0] != '"' && s[0] != '\'' {
		return false
	}
	for i := 1; i+1 < len(s); i++ {
		if s[i] == '\\' {
			if i++; s[i] > '0' && s[i] <= '9' || s[i] == '0' && s[i+1] >= '0' && s[i+1] <= '9' {
				return true
			}
		}
	}
	return false
}
