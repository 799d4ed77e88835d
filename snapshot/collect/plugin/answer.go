package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"healthaudit/snapshot/analyze/mask"
)

// An answer is what a plugin prints.
type answer struct {
	Schema   string         `json:"schema"`
	Items    *[]answerItem  `json:"items"`
	Findings *[]answerFound `json:"findings"`
	Unknown  []answerUnseen `json:"unknown"`
}

type answerItem struct {
	ID       string                     `json:"id"`
	Name     string                     `json:"name"`
	Path     string                     `json:"path"`
	Line     int                        `json:"line"`
	State    string                     `json:"state"`
	Unknown  string                     `json:"unknown"`
	Facts    map[string]json.RawMessage `json:"facts"`
	Volatile map[string]json.RawMessage `json:"volatile"`
	Metrics  map[string]float64         `json:"metrics"`
}

type answerFound struct {
	Check         string            `json:"check"`
	Item          string            `json:"item"`
	Discriminator string            `json:"discriminator"`
	Message       string            `json:"message"`
	Hint          string            `json:"hint"`
	Location      *answerPlace      `json:"location"`
	Evidence      map[string]string `json:"evidence"`
}

type answerPlace struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

type answerUnseen struct {
	Item string `json:"item"`
}

// A reader makes of an answer what its plugin may say.
type reader struct {
	*Plugin
	secrets []string // values that may stand nowhere
	hash    func(string) string
}

// text is one that a person reads: in one line, masked, bounded. It is masked as it
// will stand there: what is taken out of it before may have split a secret.
func (r *reader) text(s string) string {
	return shorten(mask.Text(strings.Join(strings.Fields(clean(s)), " "), r.secrets), maxText)
}

// A refused says what is wrong with an answer.
type refused string

func (r refused) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refused(fmt.Sprintf(format, args...)) }

// maxOpen bounds the brackets that are open at once: an answer has five.
const maxOpen = 20

// decode reads one answer, strictly. An error shows nothing of what it read but
// the name of a key, masked.
func decode(out []byte, secrets []string) (*answer, error) {
	if len(bytes.TrimSpace(out)) == 0 {
		return nil, refuse("it printed nothing")
	}
	if !utf8.Valid(out) {
		return nil, refuse("it is not UTF-8")
	}
	if tooDeep(out) {
		return nil, refuse("it is nested deeper than %d levels", maxOpen)
	}
	var version struct {
		Schema any `json:"schema"`
	}
	if err := json.Unmarshal(out, &version); err != nil {
		return nil, explain(err, secrets)
	}
	if version.Schema != Schema {
		return nil, refuse("its schema is not %q, which this version of audit reads", Schema)
	}
	a := &answer{}
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(a); err != nil {
		return nil, explain(err, secrets)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse("something stands behind its end")
	}
	return a, nil
}

// explain says what is wrong with JSON without its values.
func explain(err error, secrets []string) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && strings.Contains(syntax.Error(), "unexpected end"):
		return refuse("it is JSON that ends in the middle")
	case errors.As(err, &syntax):
		return refuse("it is no JSON, from byte %d on", syntax.Offset)
	case errors.As(err, &kind) && kind.Field == "":
		return refuse("it is no JSON object")
	case errors.As(err, &kind):
		return refuse("%s is of another type than the schema says", kind.Field)
	}
	if _, key, ok := strings.Cut(err.Error(), "unknown field "); ok {
		key = strings.Trim(key, `"`)
		return refuse("it has a key that the schema does not know: %s", shorten(mask.Text(clean(key), secrets), 40))
	}
	return refuse("it is no JSON of the schema")
}

func tooDeep(b []byte) bool {
	open, text := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if open++; open > maxOpen {
				return true
			}
		case c == '}' || c == ']':
			open--
		}
	}
	return false
}

func shorten(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// name checks a text that identifies something: it is taken as it stands, or not
// at all.
func (r *reader) name(what, s string) error {
	switch {
	case s == "":
		return refuse("%s is missing", what)
	case len(s) > maxName:
		return refuse("%s is longer than %d bytes", what, maxName)
	case clean(s) != s || strings.TrimSpace(s) != s:
		return refuse("%s holds characters that nobody can read", what)
	case mask.Text(s, r.secrets) != s:
		return refuse("%s looks like a secret, and would stand in every report", what)
	}
	return nil
}

// local checks a path of the project.
func (r *reader) local(what, p string) error {
	if p == "" {
		return nil
	}
	if err := r.name(what, p); err != nil {
		return err
	}
	if path.IsAbs(p) || path.Clean(p) != p || p == "." || p == ".." || strings.HasPrefix(p, "../") || strings.Contains(p, "\\") {
		return refuse("%s is no path below the root such as tools/sync.sh", what)
	}
	return nil
}

// value is the text of a name: of one that sounds secret nothing.
func (r *reader) value(name, s string) string {
	if mask.Secretive(name) {
		return mask.NotShown
	}
	return r.text(s)
}
