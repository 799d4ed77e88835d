package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, c := range []struct{ last, part, in string }{
		{"ci.yml", "ci.yml", "ci.yml"},
		{"a/b:c", "a%2Fb%3Ac", "a/b:c"},
		{"50%25%23", "50%25%23", "50%#"},
		{"a%0Ab%1B[0m", "a%0Ab%1B[0m", "a\nb\x1b[0m"},
		{"größe", "größe", "größe"},
		{"%FF%E2%80%AE", "%FF%E2%80%AE", "\xff\u202e"},
	} {
		if got := Escape(c.in); got != c.last {
			t.Errorf("Escape(%q) = %q, want %q", c.in, got, c.last)
		}
		if got := EscapePart(c.in); got != c.part {
			t.Errorf("EscapePart(%q) = %q, want %q", c.in, got, c.part)
		}
	}
	for in, want := range map[string]string{".": "", "": "", "web": "web/", "apps/a:b/": "apps/a%3Ab/"} {
		if got := EscapeDir(in); got != want {
			t.Errorf("EscapeDir(%q) = %q, want %q", in, got, want)
		}
	}
}

// Escaping loses nothing: two names never share a key, and no key can drive a terminal.
func FuzzEscape(f *testing.F) {
	f.Add("a%0Ab", "a\nb")
	f.Add("x:y", "x%3Ay")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, esc := range []func(string) string{Escape, EscapePart} {
			if a != b && esc(a) == esc(b) {
				t.Fatalf("%q and %q share the key %q", a, b, esc(a))
			}
			if strings.ContainsFunc(esc(a), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
				t.Fatalf("%q has control characters", esc(a))
			}
		}
	})
}

func TestValue(t *testing.T) {
	for _, v := range []Value{{}, Text("a\r\nb"), Number(3), Number(-0.5), Bool(true), List(), List("b", "a"), SetOf("b", "a", "b"), Text("<&>")} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w Value
		if err := json.Unmarshal(b, &w); err != nil || !w.Equal(v) {
			t.Errorf("%s came back as %v (%v)", b, w.Any(), err)
		}
	}
	if List("a", "b").Equal(List("b", "a")) || !SetOf("a", "b").Equal(SetOf("b", "a", "a")) {
		t.Error("lists have an order, sets have none")
	}
	if Text("3").Equal(Number(3)) || Text("").Equal(List()) {
		t.Error("values of different kinds are equal")
	}
	for _, bad := range []string{`{"a":1}`, `[1]`, `[["a"]]`} {
		if json.Unmarshal([]byte(bad), &Value{}) == nil {
			t.Errorf("%s is a value", bad)
		}
	}
}

func item(key Key, facts ...Fact) *Item {
	it := &Item{Key: key, Name: key.Name(), Facts: PartsOf(facts...)}
	it.Sort()
	return it
}

func TestCompare(t *testing.T) {
	base := item("workflows/ci.yml", Fact{Name: "on", Class: Set, Value: SetOf("push")}, Fact{Name: "env.TOKEN", Class: Secret, Value: Text("hmac:1")}, Fact{Name: "next", Class: Volatile, Value: Text("now")}, Fact{Name: "problems", Class: Detail, Value: List("3:1:lost:x")})
	with := func(change func(*Item)) *Item {
		c := *base
		c.Facts = PartsOf(slices.Clone(base.Facts.All())...)
		change(&c)
		c.Sort()
		return &c
	}
	set := func(name string, v Value) func(*Item) {
		return func(it *Item) {
			for i, f := range it.Facts.All() {
				if f.Name == name {
					it.Facts.list[i].Value = v
				}
			}
		}
	}
	for name, c := range map[string]struct {
		old, new *Item
		epoch    bool
		want     string
	}{
		"same":               {base, with(func(*Item) {}), true, "<nil>"},
		"a place":            {base, with(set("problems", List("4:1:lost:x"))), true, "<nil>"},
		"volatile":           {base, with(set("next", Text("later"))), true, "<nil>"},
		"file_only":          {base, with(func(it *Item) { it.Files = []File{{Path: "x", SHA256: "1"}} }), true, "<nil>"},
		"set_order":          {base, with(set("on", SetOf("push", "push"))), true, "<nil>"},
		"set":                {base, with(set("on", SetOf("push", "schedule"))), true, "changed on=push>push, schedule"},
		"secret_shows_none":  {base, with(set("env.TOKEN", Text("hmac:2"))), true, "changed env.TOKEN=(secret)>(another secret)"},
		"state":              {base, with(func(it *Item) { it.State = "errored" }), true, "changed state=>errored"},
		"fact_appears":       {base, with(func(it *Item) { it.Add(Semantic, "tz", Text("UTC")) }), true, "changed tz=-UTC"},
		"other_epoch_rebase": {base, with(set("on", SetOf())), false, "rebased"},
		"added":              {nil, base, true, "added"},
		"removed":            {base, nil, true, "removed"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := describe(Compare(c.old, c.new, c.epoch, nil)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func describe(c *Change) string {
	if c == nil {
		return "<nil>"
	}
	s := string(c.Op)
	for _, f := range c.Facts {
		s += " " + f.Name + "="
		if f.Old != nil {
			s += f.Old.Str() + ">"
		} else {
			s += "-"
		}
		if f.New != nil {
			s += f.New.Str()
		}
	}
	return s
}

func TestDiff(t *testing.T) {
	ok := func(sys System, items ...*Item) *Snapshot {
		s := &Snapshot{Items: items, Systems: []SystemState{{System: sys, Status: StatusOK}}}
		s.Sort()
		return s
	}
	a, b := item("pm2/a"), item("pm2/b")
	t.Run("removed_needs_a_listed_system", func(t *testing.T) {
		old := ok(PM2, a, b)
		if got := len(Diff(old, ok(PM2, a), nil)); got != 1 {
			t.Errorf("%d changes, want 1", got)
		}
		for _, st := range []Status{StatusError, StatusSkipped} {
			now := ok(PM2, a)
			now.Systems[0].Status = st
			if got := Diff(old, now, nil); got != nil {
				t.Errorf("status %s: %v", st, got)
			}
		}
	})
	t.Run("carried_is_no_change", func(t *testing.T) {
		c := *b
		c.Carried, c.State = true, "other"
		if got := Diff(ok(PM2, a, b), ok(PM2, a, &c), nil); got != nil {
			t.Errorf("%v", got)
		}
	})
	t.Run("with_itself_is_empty", func(t *testing.T) {
		c, d := *a, *b
		if got := Diff(ok(PM2, a, b), ok(PM2, &c, &d), nil); got != nil {
			t.Errorf("%v", got)
		}
	})
}

// Applying the difference of two snapshots to the first gives the second.
func TestDiffIsComplete(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	random := func() *Snapshot {
		s := &Snapshot{Systems: []SystemState{{System: PM2, Status: StatusOK}, {System: Scripts, Status: StatusOK}}}
		for _, k := range []Key{"pm2/a", "pm2/b", "scripts/a", "scripts/b/c", "scripts/d"} {
			if r.IntN(3) == 0 {
				continue
			}
			it := item(k)
			for _, n := range []string{"x", "y", "z"} {
				if r.IntN(2) == 0 {
					it.Add(Semantic, n, Number(r.IntN(3)))
				}
			}
			it.Sort()
			s.Items = append(s.Items, it)
		}
		s.Sort()
		return s
	}
	for range 2000 {
		a, b := random(), random()
		got := map[Key]map[string]Value{}
		facts := func(it *Item) map[string]Value {
			m := map[string]Value{}
			for _, f := range it.Facts.All() {
				m[f.Name] = f.Value
			}
			return m
		}
		for _, it := range a.Items {
			got[it.Key] = facts(it)
		}
		for _, c := range Diff(a, b, nil) {
			switch c.Op {
			case OpAdded:
				got[c.Item] = facts(b.Item(c.Item))
			case OpRemoved:
				delete(got, c.Item)
			case OpChanged:
				for _, f := range c.Facts {
					if f.New == nil {
						delete(got[c.Item], f.Name)
					} else {
						got[c.Item][f.Name] = *f.New
					}
				}
			}
		}
		if len(got) != len(b.Items) {
			t.Fatalf("%d items, want %d", len(got), len(b.Items))
		}
		for _, it := range b.Items {
			if fmt.Sprint(got[it.Key]) != fmt.Sprint(facts(it)) {
				t.Fatalf("%s: %v, want %v", it.Key, got[it.Key], facts(it))
			}
		}
	}
}

func TestTree(t *testing.T) {
	tree := NewTree(true, []TreePath{
		{"src/a.sh", PathExec, Tracked}, {"src/a.sh", PathMissing, Tracked}, {"src/B.js", PathFile, Tracked},
		{"dist", PathDir, Ignored}, {"new.txt", PathFile, Untracked}, {"src-2/x", PathFile, Tracked}, {"sub", PathModule, Tracked},
		{"to", PathLink, Tracked}, {"shut", PathDir, Unread},
	})
	for p, want := range map[string]bool{"src/B.js": true, "src/b.js": false, "src/a.sh": false, "dist": false, "new.txt": true} {
		if got := tree.HasFile(p); got != want {
			t.Errorf("HasFile(%q) = %v", p, got)
		}
	}
	for p, want := range map[string]bool{"src": true, ".": true, "dist": true, "sub": true, "src/a.sh": false, "none": false} {
		if got := tree.HasDir(p); got != want {
			t.Errorf("HasDir(%q) = %v", p, got)
		}
	}
	for p, want := range map[string]bool{"dist/x/y.js": true, "sub/x": true, "src/zzz": false, "to": false, "to/x": true, "shut": true} {
		if got := tree.InIgnored(p); got != want {
			t.Errorf("InIgnored(%q) = %v", p, got)
		}
	}
	for p, want := range map[string]bool{"to": false, "to/x": true, "to/x/y": true, "shut": true, "shut/x": true, "dist/x": false, "src/a.sh": false, ".": false, "": false} {
		if why, got := tree.Hidden(p); got != want || got == (why == "") {
			t.Errorf("Hidden(%q) = %q, %v", p, why, got)
		}
	}
	if p, ok := tree.OtherCase("SRC/b.JS"); !ok || p != "src/B.js" {
		t.Errorf("OtherCase found %q", p)
	}
	if got := len(tree.Under("src")); got != 2 {
		t.Errorf("%d paths under src, want 2: src-2 is another folder", got)
	}
	back, err := DecodeTree(tree.Encode())
	if err != nil || !slices.Equal(back.All(), tree.All()) || !back.Git {
		t.Errorf("came back as %v (%v)", back.All(), err)
	}
}

func FuzzDecodeTree(f *testing.F) {
	f.Add(NewTree(true, []TreePath{{"a", PathFile, Tracked}, {"b\n", PathExec, Untracked}}).Encode())
	f.Add([]byte("audit.tree/1 git\nft\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, err := DecodeTree(b)
		if err == nil && !bytes.Equal(tree.Encode(), b) && bytes.HasPrefix(b, []byte(treeMagic+"git\n")) {
			t.Fatalf("%q came back as %q", b, tree.Encode())
		}
	})
}

func TestDerive(t *testing.T) {
	m := memo{}
	n := 0
	compute := func() []string { n++; return []string{"x"} }
	for range 2 {
		d := &Derived{Memo: m}
		for range 2 {
			if got := Derive(d, "a", 1, []string{"in"}, compute); len(got) != 1 || got[0] != "x" {
				t.Fatalf("got %v", got)
			}
		}
	}
	if n != 1 {
		t.Errorf("computed %d times over two runs, want once", n)
	}
	d := &Derived{Memo: m}
	Derive(d, "a", 2, []string{"in"}, compute)
	Derive(d, "a", 1, []string{"i", "n"}, compute)
	Derive(d, "b", 1, []string{"in"}, compute)
	if n != 4 {
		t.Errorf("computed %d times, want 4: version, inputs and name are part of the key", n)
	}
}

// What JSON cannot hold must not differ between the run that computes it and the
// one that reads it back.
func TestDerive_isAsItIsReadBack(t *testing.T) {
	m := memo{}
	compute := func() string { return "caf\xe9" }
	first := Derive(&Derived{Memo: m}, "a", 1, nil, compute)
	if again := Derive(&Derived{Memo: m}, "a", 1, nil, compute); again != first {
		t.Errorf("%q, then %q", first, again)
	}
}

func TestNewKey_isBounded(t *testing.T) {
	long := strings.Repeat("é", 20_000)
	a, b := NewKey(Scripts, "npm:"+long), NewKey(Scripts, "npm:"+long+"x")
	if len(a) > 1100 || a == b || !utf8.ValidString(string(a)) {
		t.Errorf("%d bytes, equal %v", len(a), a == b)
	}
	if k := NewKey(Scripts, strings.Repeat("x", maxName)); len(k) != len("scripts/")+maxName {
		t.Errorf("one that is not too long is %d bytes", len(k))
	}
}

type memo map[string][]byte

func (m memo) Get(k string) []byte    { return m[k] }
func (m memo) Put(k string, v []byte) { m[k] = v }

func fullItem() *Item {
	it := &Item{Key: "workflows/ci.yml", Name: "ci.yml", Kind: "workflow", Path: ".github/workflows/ci.yml", Line: 3, Source: "files", State: "active", Unknown: "why", Torn: true,
		Files:     []File{{Path: "a", Mode: 0o755, Size: 1 << 40, SHA256: Sum([]byte("a"))}, {Path: "l", Mode: fs.ModeSymlink | 0o777, Link: "t", SHA256: Sum([]byte("t")), Role: Shared}, {Path: "none"}},
		Refs:      PartsOf(Ref{Kind: RefNPM, Dir: ".", Name: "build", Line: 7, Column: 9, Direct: true, Args: true, Guarded: true, File: "f", Where: "w"}, Ref{Kind: RefFile, Path: "x"}),
		Schedules: []Schedule{{Dialect: "github", Expression: "* * * * *", Timezone: "UTC", Effective: true, Why: "", Path: "p", Line: 1, Column: 2}}}
	it.Add(Semantic, "text", Text("a\x00b"))
	it.Add(Set, "set", SetOf("b", "a"))
	it.Add(Secret, "secret", Text("hmac:1"))
	it.Add(Semantic, "number", Number(-1.5))
	it.Add(Semantic, "yes", Bool(true))
	it.Add(Semantic, "none", List())
	it.Add(Detail, "problems", List("3:1:lost:x"))
	it.Sort()
	return it
}

func TestItemCodec(t *testing.T) {
	it := fullItem()
	volatile := *it
	volatile.Facts.Add(Fact{Name: "pid", Class: Volatile, Value: Number(1)})
	volatile.Metrics = []Metric{{Name: "memory", Value: 3}}
	if !bytes.Equal(volatile.Encode(), it.Encode()) {
		t.Error("what is volatile makes another version")
	}
	back, err := DecodeItem(string(it.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if made(back); !reflect.DeepEqual(back, it) {
		t.Errorf("came back as %+v, was %+v", back, it)
	}
	for n := range it.Encode() {
		if _, err := DecodeItem(string(it.Encode()[:n])); !errors.Is(err, ErrItem) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

// made makes all parts of an item.
func made(it *Item) {
	it.Facts, it.Refs = PartsOf(it.Facts.All()...), PartsOf(it.Refs.All()...)
}

func FuzzDecodeItem(f *testing.F) {
	f.Add(fullItem().Encode())
	f.Add((&Item{Key: "a/b"}).Encode())
	f.Add((&Item{Key: "a/b", Facts: PartsOf(Fact{Name: "n", Value: Number(math.NaN())})}).Encode()) // which is not equal to itself
	f.Fuzz(func(t *testing.T, b []byte) {
		it, err := DecodeItem(string(b))
		if err != nil {
			return
		}
		again, err := DecodeItem(string(it.Encode()))
		if err != nil || !bytes.Equal(it.Encode(), again.Encode()) {
			t.Fatalf("%+v came back as %+v (%v)", it, again, err)
		}
		if made(again); !bytes.Equal(it.Encode(), again.Encode()) {
			t.Fatalf("%q, with its parts made, is %q", it.Encode(), again.Encode())
		}
	})
}
