package snapshot

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
)

func decoded(t *testing.T, it *Item) *Item {
	t.Helper()
	back, err := DecodeItem(string(it.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// A fact that is looked for in the bytes is the one that stands in the list,
// however often it was asked for, and whoever else asks.
func TestParts_fact(t *testing.T) {
	it := fullItem()
	names := []string{"", "a", "zz"}
	for _, f := range it.Facts.All() {
		names = append(names, f.Name, f.Name+"x")
	}
	back := decoded(t, it)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, name := range names {
				v, ok := back.Fact(name)
				if want, is := it.Fact(name); ok != is || !v.Equal(want) {
					t.Errorf("%q is %v, %v; want %v, %v", name, v.Any(), ok, want.Any(), is)
				}
			}
			if facts, again := back.Facts.All(), back.Facts.All(); &facts[0] != &again[0] || back.Refs.All()[0] != it.Refs.All()[0] {
				t.Error("facts are made twice, or refs are others")
			}
		})
	}
	wg.Wait()
}

// Few facts are looked for in the bytes, all are made when more are asked for.
func TestParts_few(t *testing.T) {
	it := decoded(t, fullItem())
	for range few {
		it.Fact("text")
	}
	if it.Facts.stored.made.Load() != nil {
		t.Error("all facts were made for a few")
	}
	if it.Fact("text"); it.Facts.stored.made.Load() == nil {
		t.Error("not made for more")
	}
}

// What is added to a copy of a stored item is not added to the item, nor to what
// is stored of it.
func TestParts_add(t *testing.T) {
	it := fullItem()
	it.Torn, it.Unknown = false, "" // else a fact that is missing may be there
	it = decoded(t, it)
	was, n := string(it.Encode()), it.Facts.Len()
	other := *it
	other.Facts.Add()
	other.Refs.Add()
	if other.Facts.stored == nil || other.Refs.stored == nil {
		t.Error("made to add nothing")
	}
	other.Add(Semantic, "b", Text("new"))
	other.Refs.Add(Ref{Kind: RefFile, Path: "new"})
	other.Sort()
	if v, ok := other.Fact("b"); !ok || v.Str() != "new" || other.Facts.Len() != n+1 || other.Refs.Len() != 3 {
		t.Errorf("the copy has %+v", other.Facts.All())
	}
	if _, ok := it.Fact("b"); ok || string(it.Encode()) != was || it.Facts.Len() != n {
		t.Errorf("the item has %+v", it.Facts.All())
	}
	if c := Compare(it, &other, true, nil); c == nil || len(c.Facts) != 1 || c.Facts[0].Name != "b" {
		t.Errorf("compared: %+v", c)
	}
	if c := Compare(it, decoded(t, it), true, nil); c != nil {
		t.Errorf("compared with itself: %+v", c)
	}
}

func TestParts_json(t *testing.T) {
	it := fullItem()
	want, err := json.Marshal(it)
	if err != nil {
		t.Fatal(err)
	}
	back := decoded(t, it)
	got, err := json.Marshal(back)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s (%v), want %s", got, err, want)
	}
	var again Item
	if err := json.Unmarshal(got, &again); err != nil || !reflect.DeepEqual(&again, it) {
		t.Errorf("%+v (%v)", again, err)
	}
	if b, err := json.Marshal(&Item{Key: "a/b"}); err != nil || string(b) != `{"key":"a/b","name":"","kind":"","source":""}` {
		t.Errorf("%s (%v)", b, err)
	}
}

// Nothing is an encoded item that Encode does not write: what is kept encoded is
// written again as it was.
func TestDecodeItem_canonical(t *testing.T) {
	it := &Item{Key: "a/b"}
	it.Add(Semantic, "f", Text("v"))
	good := string(it.Encode())
	at := len(good) - len("\x02\x01f\x00s\x01v") - len("\x00\x00\x00") // the number of facts
	for name, bad := range map[string]string{
		"a number in two bytes for one": good[:at] + "\x82\x00" + good[at+1:],
		"a volatile fact":               good[:at+3] + "\x03" + good[at+4:],
		"a class that is none":          good[:at+3] + "\x05" + good[at+4:],
		"a kind of value that is none":  good[:at+4] + "x" + good[at+5:],
	} {
		if it, err := DecodeItem(bad); !errors.Is(err, ErrItem) {
			t.Errorf("%s: %+v, %v", name, it, err)
		}
	}
}

// One pass over stored parts keeps none of them, and ends when it is told to.
func TestParts_each(t *testing.T) {
	it, full := decoded(t, fullItem()), fullItem()
	var names []string
	for f := range it.Facts.Each() {
		v, _ := full.Fact(f.Name)
		if names = append(names, f.Name); !f.Value.Equal(v) {
			t.Errorf("%s is %v", f.Name, f.Value.Any())
		}
	}
	if len(names) != full.Facts.Len() || it.Facts.stored.made.Load() != nil {
		t.Errorf("%q, and all were made", names)
	}
	for r := range it.Refs.Each() {
		if r != full.Refs.All()[0] {
			t.Errorf("the first ref is %+v", r)
		}
		break
	}
	it.Refs.All()
	if all := slices.Collect(it.Refs.Each()); !slices.Equal(all, full.Refs.All()) {
		t.Errorf("refs that were made: %+v", all)
	}
}
