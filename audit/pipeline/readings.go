package pipeline

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/jsontext"
)

// readings are the metrics and volatile facts of one item. A run reads those of
// its reference, and of some snapshots more a few metrics of each app: taking
// them apart by reflection took a fifth of an audit of a hundred apps.
type readings struct {
	Metrics []snapshot.Metric `json:"m,omitempty"`
	Facts   []snapshot.Fact   `json:"v,omitempty"`
}

// observed is what a system measured in a snapshot: the readings of each item as
// they are kept, which is as JSON.
type observed map[snapshot.Key]string

// errReadings says that what is kept is none of what encodeReadings writes.
var errReadings = errors.New("the readings of a system do not decode")

// splitReadings takes apart what encodeReadings wrote; nil is none.
func splitReadings(b []byte) (observed, error) {
	if b == nil {
		return nil, nil
	}
	text := string(b)
	all := gjson.Parse(text)
	if !jsontext.Valid(text) || !all.IsObject() {
		return nil, errReadings
	}
	o := make(observed, strings.Count(text, `":{`))
	all.ForEach(func(key, value gjson.Result) bool {
		o[snapshot.Key(key.Str)] = value.Raw
		return true
	})
	return o, nil
}

// metric returns one metric of an item. The name stands first in each, so that
// the others are passed over as they are.
func (o observed) metric(k snapshot.Key, name string) (m snapshot.Metric, ok bool) {
	begin := string(appendText([]byte(`{"n":`), name)) + ","
	gjson.Parse(o[k]).ForEach(func(part, list gjson.Result) bool {
		if part.Str != "m" {
			return true
		}
		list.ForEach(func(_, e gjson.Result) bool {
			if strings.HasPrefix(e.Raw, begin) {
				m, ok = metricOf(e), true
			}
			return !ok
		})
		return false
	})
	return m, ok
}

// of returns all readings of an item.
func (o observed) of(k snapshot.Key) (r readings, err error) {
	gjson.Parse(o[k]).ForEach(func(part, list gjson.Result) bool {
		list.ForEach(func(_, e gjson.Result) bool {
			switch part.Str {
			case "m":
				r.Metrics = append(r.Metrics, metricOf(e))
			case "v":
				var f snapshot.Fact
				f, err = factOf(e)
				r.Facts = append(r.Facts, f)
			}
			return err == nil
		})
		return err == nil
	})
	return r, err
}

func metricOf(e gjson.Result) (m snapshot.Metric) {
	e.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "n":
			m.Name = v.Str
		case "v":
			m.Value = v.Num
		case "k":
			m.Counter = v.Bool()
		case "i":
			m.Incarnation = v.Str
		}
		return true
	})
	return m
}

func factOf(e gjson.Result) (f snapshot.Fact, err error) {
	e.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "n":
			f.Name = v.Str
		case "c":
			f.Class = snapshot.Class(v.Str)
		case "v":
			f.Value, err = valueOf(v)
		}
		return true
	})
	return f, err
}

func valueOf(v gjson.Result) (value snapshot.Value, err error) {
	switch {
	case v.Type == gjson.String && !strings.Contains(v.Str, "\r"): // which Text changes
		return snapshot.Text(v.Str), nil
	case v.Type == gjson.Number:
		return snapshot.Number(v.Num), nil
	case v.IsBool():
		return snapshot.Bool(v.Bool()), nil
	}
	err = json.Unmarshal([]byte(v.Raw), &value)
	return value, err
}

// encodeReadings writes readings as json.Marshal does, without reflection. The
// only error is a number that JSON cannot hold.
func encodeReadings(all map[snapshot.Key]readings) (_ []byte, err error) {
	b := append(make([]byte, 0, 1024*len(all)), '{')
	list := func(name string, n int, element func(i int)) {
		if n == 0 {
			return
		}
		b = append(comma(b), name...)
		b = append(b, ":["...)
		for i := range n {
			b = append(comma(b), `{"n":`...)
			element(i)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		r := all[k]
		b = append(appendText(comma(b), string(k)), ":{"...)
		list(`"m"`, len(r.Metrics), func(i int) {
			m := &r.Metrics[i]
			var bad error
			b, bad = appendNumber(append(appendText(b, m.Name), `,"v":`...), m.Value)
			if err == nil {
				err = bad
			}
			if m.Counter {
				b = append(b, `,"k":true`...)
			}
			if m.Incarnation != "" {
				b = appendText(append(b, `,"i":`...), m.Incarnation)
			}
		})
		list(`"v"`, len(r.Facts), func(i int) {
			f := &r.Facts[i]
			b = appendText(b, f.Name)
			if f.Class != "" {
				b = appendText(append(b, `,"c":`...), string(f.Class))
			}
			b = appendValue(append(b, `,"v":`...), f.Value)
		})
		b = append(b, '}')
	}
	return append(b, '}'), err
}

// comma separates what follows from an element before it.
func comma(b []byte) []byte {
	if c := b[len(b)-1]; c == '{' || c == '[' {
		return b
	}
	return append(b, ',')
}

// appendText writes a JSON string as json.Marshal does.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // strings have no error
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendNumber(b []byte, n float64) ([]byte, error) {
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 && (n != 0 || !math.Signbit(n)) {
		return strconv.AppendInt(b, int64(n), 10), nil
	}
	text, err := json.Marshal(n)
	return append(b, text...), err
}

func appendValue(b []byte, v snapshot.Value) []byte {
	switch x := v.Any().(type) {
	case string:
		return appendText(b, x)
	case bool:
		return strconv.AppendBool(b, x)
	case float64:
		b, _ = appendNumber(b, x) // values hold no others
		return b
	case []string:
		b = append(b, '[')
		for _, s := range x {
			b = appendText(comma(b), s)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}
