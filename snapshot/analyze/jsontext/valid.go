package jsontext

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
)

// maxOpen is up to how many brackets a text may have to be checked by recursion,
// which takes some hundred bytes of stack for each that is open.
const maxOpen = 100_000

// Valid reports whether a text is valid JSON, as encoding/json does, in a third
// of the time and without a copy.
func Valid(text string) bool {
	if strings.Count(text, "[")+strings.Count(text, "{") > maxOpen {
		return json.Valid([]byte(text))
	}
	return gjson.Valid(text)
}
