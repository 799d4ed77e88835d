package workflow

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"

	"healthaudit/snapshot/analyze/refs"
)

func TestMemo(t *testing.T) {
	m := memo[int]{longest: 5, most: 2}
	reads := 0
	read := func(s string) int { reads++; return len(s) }
	for range 2 {
		for _, s := range []string{"a", "bb", "ccc", "longer"} {
			if got := m.get(s, read); got != len(s) {
				t.Errorf("%q is %d", s, got)
			}
		}
	}
	if reads != 6 || len(m.of) != 2 { // the third and the longest are read again
		t.Errorf("%d reads, %d kept", reads, len(m.of))
	}
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			if m.get(strings.Repeat("x", i), func(s string) int { return len(s) }) != i {
				t.Errorf("%d is another", i)
			}
		})
	}
	g.Wait()
}

// What is kept of a short text keeps no longer one.
func TestMemo_ownText(t *testing.T) {
	m := memo[string]{longest: 5, most: 2}
	file := strings.Repeat("x", 100)
	if got := m.get(file[10:15], func(s string) string { return s[1:] }); got != "xxxx" || unsafe.StringData(got) == unsafe.StringData(file[11:]) {
		t.Errorf("%q is a part of the file", got)
	}
}

// Where an expression ends does not depend on what follows it.
func TestParseHead(t *testing.T) {
	for _, body := range []string{" a.b }} }}", "a}}", " '}}' }} x", " 'it''s }}' == a }}", " ' }}", "'a'}} ' }}", " a", " a } }}", "}}", " a }}\x00", " a }}é", "fromJSON('{\"a\":{}}').a }} b"} {
		lex := actionlint.NewExprLexer(body)
		want, err := actionlint.NewExprParser().Parse(lex)
		length := lex.Offset()
		if err != nil {
			want, length = nil, 0
		}
		for range 2 { // the second time out of what was kept
			if got, n := parse(body); n != length || !cmp.Equal(fmt.Sprintf("%#v", tokens(want)), fmt.Sprintf("%#v", tokens(got))) {
				t.Errorf("%q: %d bytes, want %d", body, n, length)
			}
		}
	}
}

func tokens(e actionlint.ExprNode) (out []actionlint.Token) {
	if e != nil {
		visit(e, func(n, _ actionlint.ExprNode) { out = append(out, *n.Token()) })
	}
	return out
}

// A text that is walked once for all starts the same as one that is walked where it is.
func TestScriptWalk(t *testing.T) {
	for _, src := range []string{"npm ci", "npm run build && node a.js\n  python3 tools/b.py --x", "bash -c 'node c.js; ./d.sh'", "cd web && npm ci", "git clone https://x/y", "echo", "npm install\nnpm ci", "", "if true; then ./x.sh"} {
		for _, o := range []refs.Origin{{Dir: ".", Line: 7, Column: 11, Where: "job/step"}, {Dir: "web", Line: 3, Column: 2, Where: "a"}, {Dir: ".", Line: 1, Column: 1}} {
			s := readScript(src)
			for range 2 {
				starts, installs, fetched := s.walk(o)
				wantStarts, wantInstalls, wantFetched := refs.Walk(parseShell(src), o)
				if d := cmp.Diff(wantStarts, starts) + cmp.Diff(wantInstalls, installs) + cmp.Diff(wantFetched, fetched); d != "" {
					t.Errorf("%q at %+v: %s", src, o, d)
				}
			}
		}
	}
}
