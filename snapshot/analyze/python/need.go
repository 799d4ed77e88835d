package python

import (
	"bytes"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// A Need is one environment variable without which a script ends with a
// KeyError. Line and Column are 1-based.
type Need struct {
	Name         string
	Line, Column int
}

// maxNeeds bounds the variables of one script.
const maxNeeds = 50

var environ = lazyregexp.New(`\bos\.environ\[["']([A-Za-z_]\w*)["']\]`)

// Needs returns the variables that a script takes from os.environ by an index,
// in order, each once: without those that it gives a value, looks for ("NAME" in
// os.environ, get, setdefault) or catches the lack of.
func Needs(src []byte) (out []Need) {
	if !bytes.Contains(src, []byte("os.environ[")) || bytes.Contains(src, []byte("KeyError")) {
		return nil
	}
	given := map[string]bool{}
	number := 0
	for line := range bytes.Lines(src) {
		number++
		code, _, _ := bytes.Cut(line, []byte("#"))
		for _, m := range environ().FindAllSubmatchIndex(code, -1) {
			name, rest := string(code[m[2]:m[3]]), bytes.TrimLeft(code[m[1]:], " \t")
			if bytes.HasPrefix(rest, []byte("=")) && !bytes.HasPrefix(rest, []byte("==")) || bytes.HasPrefix(bytes.TrimSpace(code), []byte("del ")) {
				given[name] = true
			}
			if !given[name] && len(out) < maxNeeds {
				given[name] = true
				out = append(out, Need{name, number, m[0] + 1})
			}
		}
	}
	kept := out[:0]
	for _, n := range out {
		asked := false
		for _, form := range []string{`"%s" in`, `'%s' in`, `"%s" not in`, `'%s' not in`, `environ.get("%s"`, `environ.get('%s'`, `getenv("%s"`, `getenv('%s'`, `setdefault("%s"`, `setdefault('%s'`} {
			asked = asked || bytes.Contains(src, bytes.Replace([]byte(form), []byte("%s"), []byte(n.Name), 1))
		}
		if !asked {
			kept = append(kept, n)
		}
	}
	return kept
}
