package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
)

// Files are read in groups; what one of them is says nothing of another.
func TestCollect_manyScripts(t *testing.T) {
	var project strings.Builder
	texts := []string{"const a = require('./x.js');\n", "const a = ;\n", "export const a = <b/>;\n", "a(\n", "// nothing\n"}
	for i := range 50 {
		fmt.Fprintf(&project, "-- scripts/%02d.js --\n%s-- scripts/%02d.sh --\necho %d\n", i, texts[i%len(texts)], i, i)
	}
	snap := collecttest.Snapshot(t, session(t, project.String()), Collector)
	for i := range 50 {
		v, _ := snap.Item(snapshot.Key(fmt.Sprintf("scripts/scripts/%02d.js", i))).Fact("syntax")
		if want := []string{"ok", syntaxBroken, "ok", syntaxBroken, "ok"}[i%len(texts)]; v.Str() != want {
			t.Errorf("%02d.js is %q, want %q", i, v.Str(), want)
		}
	}
}

// What is read ahead is JavaScript, and not known yet.
func TestReader_ahead(t *testing.T) {
	s := session(t, "-- a.js --\n1\n-- b.js --\n2\n-- c.sh --\n:\n-- d.ts --\n3\n-- e.mjs --\n4 4\n-- f.cjs --\n5\n")
	s.Derived = &snapshot.Derived{Memo: newMemo()}
	r := reader{s: s}
	for _, p := range []string{"a.js", "b.js", "c.sh", "d.ts", "e.mjs", "f.cjs"} {
		f, err := s.Files.File(p, snapshot.Own)
		if err != nil {
			t.Fatal(err)
		}
		r.files = append(r.files, f)
	}
	known := reader{s: s, files: r.files[:2]}
	known.analyse(1)
	s.Derived = &snapshot.Derived{Memo: s.Derived.Memo} // the next run
	r.analyse(0)
	if diff := cmp.Diff(map[int]bool{0: true, 4: false, 5: true}, r.sound); diff != "" {
		t.Error(diff)
	}
	if left := slices.Sorted(maps.Keys(r.texts)); !slices.Equal(left, []int{4, 5}) {
		t.Errorf("texts of %v are kept", left)
	}
}
