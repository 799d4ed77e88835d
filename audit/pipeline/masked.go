package pipeline

import (
	"bytes"
	"regexp"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
)

var (
	envFact  = lazyregexp.New(`(?:^|\.)env\w*\.([^.\[\]]+)$`)
	argsFact = lazyregexp.New(`(?:^|\.)(\w*args)\.hash$`)
	withFact = lazyregexp.New(`(?i)\.with\.([^.\[\]]*(?:token|secret|pass|key|auth|cred)[^.\[\]]*)$`)
)

// Masked tells of every file the names whose values were masked in a fact: those
// of environment variables, arguments and inputs, which stand in no report.
func Masked(snaps ...*snapshot.Snapshot) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, s := range snaps {
		for _, it := range s.Items {
			for f := range it.Facts.Each() {
				if f.Class != snapshot.Secret {
					continue
				}
				for _, name := range maskedNames(f.Name) {
					if out[it.Path] == nil {
						out[it.Path] = map[string]bool{}
					}
					out[it.Path][name] = true
				}
			}
		}
	}
	return out
}

// maskedNames returns the names that a fact of class Secret masks the value of.
// What cannot match is not tried: a project has ten thousand such facts.
func maskedNames(fact string) (out []string) {
	try := func(may bool, kind func() *regexp.Regexp) {
		if may {
			if m := kind().FindStringSubmatch(fact); m != nil {
				out = append(out, m[1])
			}
		}
	}
	try(strings.Contains(fact, "env"), envFact)
	try(strings.HasSuffix(fact, "args.hash"), argsFact)
	try(strings.Contains(strings.ToLower(fact), ".with."), withFact)
	return out
}

// tellingWords are what a name is called that is given a secret.
var tellingWords = [][]byte{[]byte("token"), []byte("secret"), []byte("pass"), []byte("pwd"), []byte("credential"), []byte("key"), []byte("auth"), []byte("bearer")}

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
	if looksRandom(b) {
		return true
	}
	for _, word := range tellingWords {
		for at := 0; ; {
			i := bytes.Index(low[at:], word)
			if i < 0 {
				break
			}
			at += i + len(word)
			rest := low[at:min(at+200, len(low))]
			if m := literal().FindSubmatch(rest); m != nil && bytes.ContainsAny(m[1], "0123456789") && !member(m[1]) {
				return true
			}
		}
	}
	return false
}

// looksRandom reports whether there is a word that nobody would make up: twenty
// characters or more with capitals, small letters and four digits, or 32 hex
// digits. Digests (longer, or behind @ or a name) and paths are none.
func looksRandom(b []byte) bool {
	for i := 0; i < len(b); i++ {
		start := i
		var lower, upper, digits, hex int
		for ; i < len(b); i++ {
			c := b[i]
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
			case c != '_' && c != '+':
				goto end
			}
		}
	end:
		n := i - start
		digest := start > 0 && (b[start-1] == '@' || b[start-1] == '-' || b[start-1] == ':' || b[start-1] == '#')
		if n >= 20 && lower > 0 && upper > 0 && digits >= 4 && !(digest && b[start-1] == '-' && n > 40) || n == 32 && hex == n && digits >= 4 && !digest {
			return true
		}
	}
	return false
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
