package js

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Parts of random code: X and Y stand for expressions, S and T for statements.
var (
	atoms = strings.Split("a|b|process|module|exports|code|x.status|undefined|NaN|null|this|import.meta|0|1|0x0|+0|1-1|1n|''|'s'|`t`|`t${a}`|/r/|[]|({})|(()=>1)|"+
		"process.env.A|process.env['B']|process.env[`C`]|process.env[('D')]|(process).env.E|require('./x')|(require)('./y')|require(`./${a}`)|exports.a|(module).exports|"+
		"console.log('x')|process.exit(code)|execSync('git add ' + a)|setInterval(f, 1)|function process() {}|class require {}|new X|Boolean(process.env.F)", "|")
	expressions = []string{"(X) && (Y)", "(X) || (Y)", "(X) ?? (Y)", "(X) ? (Y) : a", "!(X)", "typeof (X)", "void (X)", "-(X)", "+(X)", "(X) === (Y)", "(X) != (Y)", "(X) + (Y)",
		"(X)?.[Y]", "(X)?.p", "(X)?.(Y)", "(X)(Y)", "(X, Y)", "a = (X)", "(X)", "[X, Y]", "f(X, Y)", "((process) => (X))", "((q) => { return X })"}
	statements = []string{"{ S T }", "if (X) S else T", "while (X) { S }", "do { S } while (X)", "{ function process() { } S }", "function f(process) { S return X; }",
		"switch (X) { case 1: const process = Y; S }", "switch (X) { default: function exports() { } S }", "try { S } catch (code) { T }", "{ const require = a; S }",
		"{ class module {} S }", "l: for (let process of X) S", "use(class process { static { S } m(process) { T } p = X; });",
		"{ const v = process.env.V; S } { const v = 1; f(v) }", "var k = X; S", "S\nT", "S T"}
)

// grow returns a random expression or statement.
func grow(r *rand.Rand, kind rune, depth int) string {
	form := "(X);"
	switch {
	case kind == 'X' && (depth <= 0 || r.IntN(4) == 0):
		return atoms[r.IntN(len(atoms))]
	case kind == 'X':
		form = expressions[r.IntN(len(expressions))]
	case depth > 0:
		form = statements[r.IntN(len(statements))]
	}
	inner := depth - 1
	if kind == 'S' {
		inner = 3
	}
	var out strings.Builder
	for _, c := range form {
		switch c {
		case 'X', 'Y':
			out.WriteString(grow(r, 'X', inner))
		case 'S', 'T':
			out.WriteString(grow(r, 'S', depth-1))
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}

// Random code says the same however it is read. AUDIT_TEST_SEED gives the seed.
func TestOutlineOfRandomCode(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("AUDIT_TEST_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("AUDIT_TEST_SEED=%d", seed)
	r, asStands := rand.New(rand.NewPCG(seed, 0)), 0
	for range 100 {
		var texts [][]byte
		for i := range maxTexts {
			begin := []string{"", "require('child_process'); // git setInterval process.env\n"}[i%2]
			texts = append(texts, []byte(begin+grow(r, 'S', r.IntN(4))))
		}
		for i, sound := range Sound(texts) {
			if m := (&Module{}); !sound || !asItStands("a.js", texts[i]) || !m.plain("a.js", texts[i]) {
				continue
			}
			asStands++
			if diff := cmp.Diff(OutlineOf("a.js", texts[i], false), OutlineOf("a.js", texts[i], true)); diff != "" {
				t.Fatalf("%s\n- by esbuild, + as it stands:\n%s", texts[i], diff)
			}
		}
	}
	if asStands < 50 {
		t.Errorf("only %d texts were read as they stand", asStands)
	}
}
