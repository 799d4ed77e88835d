package python

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImports(t *testing.T) {
	src := "#!/usr/bin/env python3\n" +
		"\"\"\"doc\nimport not_this\n\"\"\"\n" +
		"import os, helpers.net as n  # import no\n" +
		"from lib.db import (\n    a,\n)\n" +
		"from . import sibling\n" +
		"x = 'it\\'s' + '''\nimport nor_this\n'''\n" +
		"if x:\n    import optional\n" +
		"import 9bad, \n" +
		"import last\r\n"
	want := []Import{{"os", 5}, {"helpers.net", 5}, {"lib.db", 6}, {"last", 16}}
	if d := cmp.Diff(want, Imports([]byte(src))); d != "" {
		t.Error(d)
	}
}

func TestSure(t *testing.T) {
	for message, want := range map[string]bool{
		"'(' was never closed": true, "unterminated string literal (detected at line 3)": true, "unexpected indent": true,
		"invalid syntax": false, "Missing parentheses in call to 'print'. Did you mean print(...)?": false,
	} {
		if Sure(message) != want {
			t.Errorf("Sure(%q) is %v", message, !want)
		}
	}
}

func FuzzImports(f *testing.F) {
	f.Add([]byte("'''\nimport a\n'''\nimport b, c.d\nfrom e.f import g\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		last := 0
		for _, i := range Imports(src) {
			if i.Line < last || i.Module == "" {
				t.Fatalf("out of order or empty: %+v", i)
			}
			last = i.Line
		}
	})
}
