package pipeline

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"unicode/utf8"

	"healthaudit/snapshot"
)

// What is kept is what json.Marshal makes of readings, and what is read back is
// what json.Unmarshal makes of that.
func FuzzReadings(f *testing.F) {
	f.Add("pm2/app-001", "memory", "1f@2.3", 1234.0, "x < y & \"z\" \\ \u2028 \x7f\xff\n")
	f.Add("pm2/\xff{", "", "", -0.5, "")
	f.Add("", "[{", ",", 1e300, "\r\n")
	f.Add("pm2/a", "b", "c", math.Copysign(0, -1), "d")
	f.Add("\xe7", "", "\xed", -0.5, "\xed")
	f.Fuzz(func(t *testing.T, key, name, text string, n float64, value string) {
		raw, _ := json.Marshal(value)
		var v snapshot.Value
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		all := map[snapshot.Key]readings{
			snapshot.Key(key): {Metrics: []snapshot.Metric{{Name: name, Value: n, Counter: true, Incarnation: text}, {Name: text, Value: 1}}},
			"z": {Facts: []snapshot.Fact{
				{Name: name, Class: snapshot.Volatile, Value: v}, {Name: text, Value: snapshot.Number(n)}, {Value: snapshot.Bool(true)},
				{Name: "l", Value: snapshot.List(value, text)}, {Name: "e", Value: snapshot.List()},
			}},
			"zz": {Metrics: []snapshot.Metric{{Name: "one"}}, Facts: []snapshot.Fact{{Name: "two"}}},
		}
		want, wantErr := json.Marshal(all)
		got, err := encodeReadings(all)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if string(got) != string(want) {
			t.Fatalf("wrote\n%s, want\n%s", got, want)
		}
		var read map[snapshot.Key]readings
		if err := json.Unmarshal(got, &read); err != nil {
			t.Fatal(err)
		}
		o, err := splitReadings(got)
		if err != nil || len(o) != len(read) {
			t.Fatalf("%d items, want %d: %v", len(o), len(read), err)
		}
		for k, r := range read {
			if again, err := o.of(k); err != nil || !reflect.DeepEqual(again, r) {
				t.Fatalf("%q: read %+v, want %+v: %v", k, again, r, err)
			}
			it := snapshot.Item{Metrics: r.Metrics}
			for _, name := range []string{name, text, "one", "none"} {
				if !utf8.ValidString(name) { // JSON writes it as another, and nothing is called so
					continue
				}
				m, ok := o.metric(k, name)
				if want, there := it.Metric(name); m != want || ok != there {
					t.Fatalf("%q: metric %q is %+v, want %+v", k, name, m, want)
				}
			}
		}
	})
}

func TestSplitReadings_damaged(t *testing.T) {
	for _, s := range []string{"", "null", "[]", "{", `{"a":}`, `{"a":1}x`} {
		if o, err := splitReadings([]byte(s)); err == nil {
			t.Errorf("%q reads as %v", s, o)
		}
	}
	o, err := splitReadings([]byte(`{"a":1,"b":{"m":2,"v":[3,{"v":{}}]},"c":{"m":[{"n":5,"v":"x"},[]]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []snapshot.Key{"a", "c", "absent"} { // of another shape: nothing, and no panic
		if r, err := o.of(k); err != nil || len(r.Facts) > 0 {
			t.Errorf("%s: %+v, %v", k, r, err)
		}
		if m, ok := o.metric(k, "x"); ok {
			t.Errorf("%s: %+v", k, m)
		}
	}
	if _, err := o.of("b"); err == nil {
		t.Error("an object is a value")
	}
}
