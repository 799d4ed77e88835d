package workflow

import (
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
		f.Add(snapshot.Set, "on", snapshot.SetOf("push", "schedule"))
		f.below = "jobs.build"
		f.Add(snapshot.Semantic, ".name", snapshot.Text("Build"))
		f.Add(snapshot.Semantic, ".timeout", snapshot.Number(5))
		f.end()
		return it
	}
	a, b := make().Facts.All(), make().Facts.All()
	if len(a) != 3 || cap(a) != 3 || a[1].Name != "jobs.build.name" || a[1].Value.Str() != "Build" || a[1].Class != "" {
		t.Fatalf("facts %+v, room for %d", a, cap(a))
	}
	for i, f := range a {
		g := b[i]
		if !f.Value.Equal(g.Value) || unsafe.StringData(f.Name) != unsafe.StringData(g.Name) {
			t.Errorf("%+v and %+v are not one", f, g)
		}
	}
	if &a[0].Value.Strings()[0] != &b[0].Value.Strings()[0] {
		t.Error("equal lists are kept twice")
	}
}

// Values that look alike are not equal.
func TestSharedApart(t *testing.T) {
	var same shared
	for _, v := range []snapshot.Value{snapshot.Text(""), snapshot.List(), snapshot.List(""), snapshot.List("", ""), snapshot.Text("a"), snapshot.List("a"), snapshot.List("a\x00b"),
		snapshot.List("a", "b"), snapshot.List("\x01a"), snapshot.Text("\x01a"), snapshot.Number(1), snapshot.Text("1"), snapshot.Bool(true), snapshot.Text("true")} {
		if _, got := same.fact("", "x", v); !got.Equal(v) {
			t.Errorf("%#v became %#v", v.Any(), got.Any())
		}
	}
}
