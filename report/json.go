package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// SchemaJSON is the JSON Schema (draft 2020-12) of a Document;
// docs/report.schema.json is a copy.
//
//go:embed schema.json
var SchemaJSON []byte

// JSON writes the Document itself.
var JSON = &Renderer{
	Name: "json",
	Doc:  "the whole report for a machine, schema " + Schema,
	Render: func(w io.Writer, d *Document, o Options) error {
		if o.New {
			d = d.OnlyNew()
		}
		return WriteJSON(w, d)
	},
}

// WriteJSON writes v indented by two spaces and ended by a line feed. Lists and
// maps are never null. Characters that could drive a terminal or cannot be seen
// are escaped, which changes nothing for a reader of JSON.
func WriteJSON[T any](w io.Writer, v T) error {
	var b bytes.Buffer
	err := encode(&b, v)
	if errors.Is(err, jsontext.ErrDuplicateName) { // two names that differ in what is no UTF-8
		b.Reset()
		err = encode(&b, rewritten(v, func(s string) string { return string([]rune(s)) }))
	}
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	b.WriteByte('\n')
	_, err = w.Write(escapeInvisible(b.Bytes()))
	return err
}

func encode(b *bytes.Buffer, v any) error {
	return json.MarshalWrite(b, v, jsonv1.OmitEmptyWithLegacySemantics(true), jsontext.AllowInvalidUTF8(true), jsontext.EscapeForJS(true), json.Deterministic(true), jsontext.WithIndent("  "))
}

// escapeInvisible replaces what shows nothing by its \u form. In JSON such
// characters stand only inside strings.
func escapeInvisible(b []byte) []byte {
	var out []byte
	from := 0
	for i := 0; i < len(b); {
		if b[i] < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			out = append(out, b[from:i]...)
			if r > 0xffff {
				r -= 0x10000
				out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			} else {
				out = fmt.Appendf(out, `\u%04x`, r)
			}
			from = i + n
		}
		i += n
	}
	if from == 0 {
		return b
	}
	return append(out, b[from:]...)
}
