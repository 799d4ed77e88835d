package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// A Value is what a fact holds: text, a number, a truth value or a list of
// texts. The zero Value is the empty text. Texts and lists are kept by pointer:
// those of a stored item stand in a row, and need no place of their own.
type Value struct{ v any } // *string, float64, bool or *[]string

// Text returns a text value. "\r\n" is normalised to "\n" and invalid UTF-8 replaced.
func Text(s string) Value {
	return text(strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\ufffd"))
}

func text(s string) Value { return Value{&s} }

// Number returns a number value; NaN and infinities become 0, which JSON can hold.
func Number[N ~int | ~int64 | ~uint64 | ~float64](n N) Value {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	return Value{f}
}

// Bool returns a truth value.
func Bool(b bool) Value { return Value{b} }

// List returns an ordered list of texts; a nil list is the empty one.
func List(s ...string) Value {
	l := make([]string, len(s))
	for i := range s {
		l[i] = Text(s[i]).Str()
	}
	return Value{&l}
}

// SetOf returns a list in canonical order without repetitions, for facts of class Set.
func SetOf(s ...string) Value {
	l := List(s...).Strings()
	sort.Strings(l)
	l = slices.Compact(l)
	return Value{&l}
}

// Any returns the value as string, float64, bool or []string.
func (v Value) Any() any {
	switch x := v.v.(type) {
	case nil:
		return ""
	case *string:
		return *x
	case *[]string:
		return *x
	}
	return v.v
}

// Str returns the text of the value: the text itself, a number in its shortest
// form, "true" or "false", or a list joined by ", ".
func (v Value) Str() string {
	switch x := v.v.(type) {
	case *string:
		return *x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(x)
	case *[]string:
		return strings.Join(*x, ", ")
	}
	return ""
}

// Num returns the number of the value; ok is false for every other kind.
func (v Value) Num() (n float64, ok bool) { n, ok = v.v.(float64); return }

// IsTrue reports whether the value is the truth value true.
func (v Value) IsTrue() bool { b, _ := v.v.(bool); return b }

// Strings returns the elements of a list, the text as the only element, or nil.
func (v Value) Strings() []string {
	switch x := v.v.(type) {
	case *[]string:
		return *x
	case *string:
		if *x != "" {
			return []string{*x}
		}
	}
	return nil
}

// Equal reports whether two values have the same kind and content.
func (v Value) Equal(w Value) bool {
	if s, ok := v.text(); ok {
		other, ok := w.text()
		return ok && s == other
	}
	if l, ok := v.v.(*[]string); ok {
		other, ok := w.v.(*[]string)
		return ok && slices.Equal(*l, *other)
	}
	return v.v == w.v
}

func (v Value) text() (s string, ok bool) {
	if v.v == nil {
		return "", true
	}
	p, ok := v.v.(*string)
	if ok {
		s = *p
	}
	return s, ok
}

// MarshalJSON writes the value as a JSON string, number, boolean or array.
func (v Value) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v.Any()); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// UnmarshalJSON reads what MarshalJSON writes; null is the empty text, any
// other shape an error.
func (v *Value) UnmarshalJSON(b []byte) error {
	var x any
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	switch x := x.(type) {
	case nil:
		*v = text("")
	case string:
		*v = text(x)
	case float64, bool:
		*v = Value{x}
	case []any:
		l := make([]string, len(x))
		for i, e := range x {
			s, ok := e.(string)
			if !ok {
				return fmt.Errorf("fact value: element %d is %T, want a string", i, e)
			}
			l[i] = s
		}
		*v = Value{&l}
	default:
		return fmt.Errorf("fact value: %T is not a string, number, boolean or list of strings", x)
	}
	return nil
}
