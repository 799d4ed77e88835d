package plainyaml

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// plain are texts that must not be left to the library: what people write.
var plain = []string{
	"name: CI\non: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v4\n    - run: npm ci\n",
	"# a comment\n\n---\n# another\na: 1\n",
	"on:\n  push:\n    branches: [main, 'release/**', \"v*\"]\n  pull_request:\n  schedule:\n    - cron: '0 3 * * *' # nightly\n",
	"a: {b: 1, c: [x, y], d: {}}\ne: []\n",
	"run: |\n  one\n    two\n\n  three\nnext: >-\n  folded\n  text\n\n  more\n    indented\n  back\nkeep: |+\n  kept\n\n\nstrip: |-\n  stripped\n\nend: |\n  last",
	"if: a &&\n  b ||\n\n  c\nthen: d\n",
	"a:\n- b\n- c:\n  - d\n  -\n    e: f\n- - g\n  - h\n-\n",
	"é: ü\nö: [ä, ß]  # ñ\n\"🚀\": x\n",
	"yes: no\nt: true\nn: ~\nnull: null\ni: 12\nf: 1.5\nd: 2026-11-30\nh: 0x1f\nm: -1\nu: 1_000\np: .5\ne: 1e3\ny: y\no: off\n",
	"'it': 'is'\n\"so\": \"yes\"\nurl: http://x/y#z\ntime: 12:30\n-x: -y\n${{ a }}: ${{ b }}\n",
	"a:   \n  b:   c   \n",
	"a: |\n\n   x\n  \n   y\n \n# out\nb: 1\n",
}

// foreign are texts that are the library's: not plain, not valid, or neither.
var foreign = []string{
	"", "\n", "# only\n", "a", "a: b: c\n", "a:\n\t- b\n", "a: \"b\\n\"\n", "a: 'b''c'\n", "a: &x b\nc: *x\n", "a: !!str b\n", "? a\n: b\n", "<<: a\n", "a: <<\n",
	"a: 1\n---\nb: 2\n", "a: 1\n...\n", "--- a: b\n", "%YAML 1.1\n---\na: b\n", "a: [b,\n  c]\n", "a: \"b\n  c\"\n", "a: |2\n   b\n", "a: |\n", "a: |\n\t b\n", "a: |\n    \n  b\n",
	"a: b\n  c: d\n", "a:\n    b: c\n  d: e\n", "  a: b\nc: d\n", "a: b\r\n", "a: b\x00\n", "a: \u0085\n", "\ufeffa: b\n", "a: [b c: d]\n", "a: [b]: c\n", "a: 'b' c\n", "a: b\n- c\n",
	"- a\n", "- a: b\n  - c\n", "a: # b\n c\n", "a: b # c\n  d\n", "a:b\n", ": a\n", "a: [b, ]\n", "a: {b}\n", "a: [b,, c]\n", "a: - b\n", "a: @b\n", "a: `b`\n", "a: ]\n", strings.Repeat("a: {", 80),
	strings.Repeat("k", 1100) + ": v\n", "a: {\"" + strings.Repeat("k", 1100) + "\": v}\n", "a: {k" + strings.Repeat(" ", 1100) + ": v}\n", "a: b\xff\n",
}

func TestParse(t *testing.T) {
	for _, s := range plain {
		if Parse([]byte(s)) == nil {
			t.Errorf("left to the library:\n%s", s)
		}
	}
	for _, s := range foreign {
		if Parse([]byte(s)) != nil {
			t.Errorf("read as plain:\n%q", s)
		}
	}
	for _, s := range append(plain, foreign...) {
		compare(t, []byte(s))
	}
}

// CORPUS names a folder whose YAML files are compared, all that are in it.
func TestParse_corpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS names no folder with YAML files")
	}
	files, read := 0, 0
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".yml") && !strings.HasSuffix(path, ".yaml") {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) > 1<<20 {
			return nil
		}
		files++
		if compare(t, b) {
			read++
		} else if testing.Verbose() {
			t.Log("left to the library:", path)
		}
		return nil
	})
	t.Logf("%d files, %d plain", files, read)
}

func FuzzParse(f *testing.F) {
	for _, s := range append(plain, foreign...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { compare(t, b) })
}

// compare fails where a plain text becomes other nodes than the library's, and
// reports whether it is plain.
func compare(t *testing.T, src []byte) bool {
	t.Helper()
	got := Parse(src)
	if got == nil {
		return false
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	var want, more yaml.Node
	if err := d.Decode(&want); err != nil {
		t.Fatalf("the library says %v of\n%q", err, src)
	}
	if diff := differ(got, &want); diff != "" {
		t.Fatalf("%s in\n%q", diff, src)
	}
	if err := d.Decode(&more); err == nil {
		t.Fatalf("a second document in\n%q", src)
	}
	return true
}

func differ(got, want *yaml.Node) string {
	show := func(n *yaml.Node) string {
		return fmt.Sprintf("%d:%d kind %d style %d %s %q anchor %q, %d children", n.Line, n.Column, n.Kind, n.Style, n.Tag, n.Value, n.Anchor, len(n.Content))
	}
	if g, w := show(got), show(want); g != w || got.Alias != nil {
		return fmt.Sprintf("\ngot  %s\nwant %s", g, w)
	}
	for i := range got.Content {
		if s := differ(got.Content[i], want.Content[i]); s != "" {
			return s
		}
	}
	return ""
}

func BenchmarkParse(b *testing.B) {
	src := []byte(plain[0] + plain[4][:strings.LastIndex(plain[4], "end")] + plain[2])
	src = bytes.ReplaceAll(src, []byte("on: push"), []byte("off: push"))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if Parse(src) == nil {
			b.Fatal("not plain")
		}
	}
}
