package workflow

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rhysd/actionlint"
	"github.com/rogpeppe/go-internal/txtar"
)

// What actionlint makes of our tree is what it makes of the bytes, and our tree
// stays as it is.
func TestSyntax(t *testing.T) {
	texts := append(corpus(),
		[]byte("# first\n\non: push\njobs:\n  a:\n    steps:\n      - {}\n      - run: 1\n        run: 2\n  b: []\nx: y\n"),
		[]byte("on: push\nenv: &e {A: b}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: *e\n    steps: [{run: x}]\n"),
		[]byte("on: push\nenv: &e {A: b}\njobs: {}\n"), []byte("\n{}\n"))
	archives, err := filepath.Glob("../../../testdata/check/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(b).Files {
			if ext := filepath.Ext(f.Name); ext == ".yml" || ext == ".yaml" {
				texts = append(texts, f.Data)
			}
		}
	}
	if len(texts) < 200 {
		t.Fatalf("%d texts: the test looks at nothing", len(texts))
	}
	hidden := cmpopts.IgnoreUnexported(actionlint.RawYAMLArray{}, actionlint.RawYAMLObject{}, actionlint.RawYAMLString{})
	for _, src := range texts {
		d := Parse(".github/workflows/a.yml", src)
		if d.Broken() {
			continue
		}
		got, errs := d.syntax()
		want, wantErrs := actionlint.Parse(d.src)
		if diff := cmp.Diff(want, got, hidden) + cmp.Diff(wantErrs, errs); diff != "" {
			t.Errorf("%s\n%s", src, diff)
		}
		if _, aliases := oversized(d.tree); aliases != d.aliases {
			t.Errorf("our tree changed:\n%s", src)
		}
	}
}
