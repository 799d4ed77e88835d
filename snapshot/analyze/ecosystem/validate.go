package ecosystem

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var typeNames = map[byte]string{'a': "a list", 'b': "true or false", 'd': "a date", 'n': "a number", 'o': "an object", 's': "a text", '0': "null"}

// refuses returns why PM2 refuses a value, and with it the whole file
// (lib/tools/Config.js _valid), or "".
func (r rule) refuses(v any) string {
	kind := kindOf(v)
	if r.key == "instances" && kind == 's' { // read with parseInt before it is validated
		return ""
	}
	number, isNumber := numeric(v)
	if kind != 'b' && strings.Contains(r.types, "n") && isNumber {
		kind = 'n'
	}
	switch {
	case !strings.ContainsRune(r.types, rune(kind)):
		want := make([]string, len(r.types))
		for i := range r.types {
			want[i] = typeNames[r.types[i]]
		}
		return fmt.Sprintf("%s is %s where PM2 wants %s; for that it refuses the whole file", r.key, typeNames[kind], strings.Join(want, " or "))
	case kind == 's' && r.pattern != nil && !r.pattern().MatchString(v.(string)):
		return fmt.Sprintf("%s is not %s; for that PM2 refuses the whole file", r.key, r.accepts)
	case kind == 'n' && number < r.min && (r.min > 0 || r.key == "max_restarts"):
		return fmt.Sprintf("%s is less than %v%s; for that PM2 refuses the whole file", r.key, r.min, r.unit)
	}
	return ""
}

func kindOf(v any) byte {
	switch v.(type) {
	case []any:
		return 'a'
	case bool:
		return 'b'
	case float64:
		return 'n'
	case map[string]any:
		return 'o'
	case date:
		return 'd'
	case nil:
		return '0'
	}
	return 's'
}

var otherBase = regexp.MustCompile(`^0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$`)

// numeric reports what JavaScript's isNaN would not refuse, as the number that
// its parseFloat makes of it: 0 of "0x10".
func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case []any:
		switch len(v) {
		case 0:
			return 0, true
		case 1:
			return numeric(v[0])
		}
	case string:
		v = strings.TrimSpace(v)
		if v == "" || otherBase.MatchString(v) {
			return 0, true
		}
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && !strings.ContainsAny(v, "_pPxXiI")
	}
	return 0, false
}
