package workflow

import (
	"slices"
	"testing"
	"unsafe"

	"healthaudit/snapshot"
)

func TestFacts(t *testing.T) {
	var same shared
	make := func() *snapshot.Item {
		it := &snapshot.Item{}
		f := &facts{Item: it, same: &same}
		f.begin()
		f.strings(snapshot.Set, []string{"schedule", "push"}, "on")
		f.below = "jobs.build"
		f.Add(snapshot.Semantic, ".timeout", snapshot.Number(5))
		f.text(snapshot.Semantic, "Build", ".na", "m", "e")
		f.end()
		return it
	}
	a, b := make(), make()
	if len(a.Facts) != 3 || cap(a.Facts) != 3 || a.Facts[0].Name != "jobs.build.name" || a.Facts[0].Value.Str() != "Build" || a.Facts[0].Class != "" || a.Facts[2].Value.Str() != "push, schedule" {
		t.Fatalf("facts %+v, room for %d", a.Facts, cap(a.Facts))
	}
	for i, f := range a.Facts {
		g := b.Facts[i]
		if !f.Value.Equal(g.Value) || unsafe.StringData(f.Name) != unsafe.StringData(g.Name) {
			t.Errorf("%+v and %+v are not one", f, g)
		}
	}
	if &a.Facts[2].Value.Strings()[0] != &b.Facts[2].Value.Strings()[0] {
		t.Error("equal lists are kept twice")
	}
}

// Values that look alike are not equal.
func TestSharedApart(t *testing.T) {
	var same shared
	for _, list := range [][]string{{}, {""}, {"", ""}, {"a"}, {"a\x00b"}, {"b", "a"}, {"a", "b"}, {"\x01a"}, {"b", "a", "b"}} {
		if l, s := same.strings(list, false), same.strings(list, true); !l.Equal(snapshot.List(list...)) || !s.Equal(snapshot.SetOf(list...)) {
			t.Errorf("%q became %q, and %q as a set", list, l.Any(), s.Any())
		}
	}
	for _, text := range []string{"", "a", "\x01a", "true", "a\r\nb", "a\nb", "\xff"} {
		if v := same.text(text); !v.Equal(snapshot.Text(text)) {
			t.Errorf("%q became %q", text, v.Any())
		}
	}
}

// Facts of one name stay in the order in which they were added.
func TestFactsStable(t *testing.T) {
	it := &snapshot.Item{}
	f := &facts{Item: it, same: &shared{}}
	f.begin()
	for i := range 40 {
		f.Add(snapshot.Semantic, string(rune('a'+i%3)), snapshot.Number(i))
	}
	f.end()
	want := &snapshot.Item{Facts: slices.Clone(it.Facts)}
	slices.SortStableFunc(want.Facts, func(a, b snapshot.Fact) int {
		m, _ := a.Value.Num()
		n, _ := b.Value.Num()
		return int(m - n)
	})
	want.Sort()
	for i := range want.Facts {
		if it.Facts[i].Name != want.Facts[i].Name || !it.Facts[i].Value.Equal(want.Facts[i].Value) {
			t.Fatalf("fact %d is %v, want %v", i, it.Facts[i], want.Facts[i])
		}
	}
}
