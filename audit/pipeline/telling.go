package pipeline

import (
	"bytes"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// tellingWords are what a name is called that is given a secret.
var tellingWords = [][]byte{[]byte("token"), []byte("secret"), []byte("pass"), []byte("pwd"), []byte("credential"), []byte("key"), []byte("auth"), []byte("bearer")}

// tellingPairs has a bit for every two letters with which one of them begins: a text
// is gone through once, not once for each.
var tellingPairs = func() (bits [1 << 16 / 64]uint64) {
	for _, word := range tellingWords {
		pair := uint16(word[0])<<8 | uint16(word[1])
		bits[pair/64] |= 1 << (pair % 64)
	}
	return bits
}()

var (
	// literal is a value behind a telling name that is no reference and no word of
	// a program: at least six characters, with a digit.
	literal = lazyregexp.New(`^[\w-]*\\?["']?(?:\s*[:=]+>?\s*|\s+)(?:(?:bearer|basic)\s+)?\\?["']?([a-z0-9+/_.=!#%&*@~-]{6,})`)
	// userInfo is an address with a password in it.
	userInfo = lazyregexp.New(`://[^/\s:@"'$]*:[^/\s@"'$]{3,}@`)
	pemKey   = []byte("-----begin")
)

// tellsSecret reports whether a secret seems to stand in the text of a file, in
// so many letters. Facts have no values of scripts to mask, so their text is
// looked at; one file too many stays out of an archive rather than one too few.
func tellsSecret(b []byte) bool {
	low := bytes.ToLower(b)
	if bytes.Contains(low, pemKey) {
		return true
	}
	if bytes.Contains(low, []byte("://")) && userInfo().Match(low) {
		return true
	}
	return looksRandom(b) || namesSecret(low)
}

// namesSecret reports whether a telling word stands in a text of small letters with a
// value behind it.
func namesSecret(low []byte) bool {
	var pair uint16
	for i, c := range low {
		if pair = pair<<8 | uint16(c); tellingPairs[pair/64]>>(pair%64)&1 == 0 || i == 0 {
			continue
		}
		for _, word := range tellingWords {
			rest, ok := bytes.CutPrefix(low[i-1:], word)
			if !ok {
				continue
			}
			if m := literal().FindSubmatch(rest[:min(200, len(rest))]); m != nil && bytes.ContainsAny(m[1], "0123456789") && !member(m[1]) {
				return true
			}
		}
	}
	return false
}

// randomLeast is how many characters a word has at least that looks random.
const randomLeast = 20

// looksRandom reports whether there is a word that nobody would make up: twenty
// characters or more with capitals, small letters and four digits, or 32 hex
// digits. Digests (longer, or behind @ or a name) and paths are none.
func looksRandom(b []byte) bool {
	for i := 0; i+randomLeast <= len(b); {
		// A word of that length that begins in the next bytes has the last of them.
		last := i + randomLeast - 1
		if !inWord(b[last]) {
			i = last + 1
			continue
		}
		start, end := last, last+1
		for start > i && inWord(b[start-1]) {
			start--
		}
		for end < len(b) && inWord(b[end]) {
			end++
		}
		if isRandom(b, start, end) {
			return true
		}
		i = end + 1
	}
	return false
}

func inWord(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '+'
}

// isRandom reports whether the word b[start:end] looks random.
func isRandom(b []byte, start, end int) bool {
	n := end - start
	if n < randomLeast {
		return false
	}
	var lower, upper, digits, hex int
	for _, c := range b[start:end] {
		switch {
		case c >= '0' && c <= '9':
			digits, hex = digits+1, hex+1
		case c >= 'a' && c <= 'z':
			lower++
			if c <= 'f' {
				hex++
			}
		case c >= 'A' && c <= 'Z':
			upper++
		}
	}
	digest := start > 0 && (b[start-1] == '@' || b[start-1] == '-' || b[start-1] == ':' || b[start-1] == '#')
	return lower > 0 && upper > 0 && digits >= 4 && !(digest && b[start-1] == '-' && n > 40) || n == 32 && hex == n && digits >= 4 && !digest
}

// member reports whether a value names a member of something, as programs do.
func member(v []byte) bool {
	for _, prefix := range []string{"process.env", "env.", "secrets.", "config.", "this.", "req.", "event.", "github.", "import.meta"} {
		if bytes.HasPrefix(v, []byte(prefix)) {
			return true
		}
	}
	return false
}
