package ecosystem

import (
	"fmt"
	"strconv"
	"strings"
)

var typeNames = map[byte]string{'a': "a list", 'b': "true or false", 'n': "a number", 'o': "an object", 's': "a text"}

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
	case kind == 's' && r.pattern != nil && !r.pattern.MatchString(v.(string)):
		return fmt.Sprintf("%s does not look like %s; for that PM2 refuses the whole file", r.key, r.pattern)
	case kind == 'n' && number < r.min && (r.min > 0 || r.key == "max_restarts"):
		return fmt.Sprintf("%s is less than %v; for that PM2 refuses the whole file", r.key, r.min)
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
	}
	return 's'
}

// numeric reports what JavaScript's isNaN would not refuse, as a number.
func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		if strings.TrimSpace(v) == "" {
			return 0, true
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil && !strings.ContainsAny(v, "_pPxXiI")
	}
	return 0, false
}
