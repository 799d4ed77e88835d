package ecosystem

import (
	"bytes"
	"regexp"
)

// line returns the line on which a key has that value, counted from the n-th
// such place (0-based) for apps of one name; 0 when it is computed. It looks at
// the text, not at a syntax tree: PM2's four syntaxes write it alike.
func line(src []byte, keys, value string, n int) int {
	if value == "" {
		return 0
	}
	q := regexp.QuoteMeta(value)
	re, err := regexp.Compile("(?m)(?:^|[\\s{,\"'-])(?:" + keys + ")[\"']?\\s*:\\s*(?:\"" + q + "\"|'" + q + "'|`" + q + "`|" + q + "\\s*(?:#.*)?$)")
	if err != nil { // a value of many kilobytes
		return 0
	}
	at := re.FindAllIndex(src, n+1)
	if len(at) == 0 {
		return 0
	}
	hit := at[min(n, len(at)-1)]
	return 1 + bytes.Count(bytes.TrimRight(src[:hit[1]], "\r\n"), []byte("\n"))
}
