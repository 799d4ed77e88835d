package action

import (
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var (
	// sounds matches a line in which something follows that sounds like a secret.
	sounds = lazyregexp.New(`(?i)(token|secret|pass|pwd|key|auth|cred|cookie|session|bearer|pin|otp)`)
	// plainWord is a word as people write them: letters, a small number, a name of
	// a file with an extension, with punctuation around it.
	plainWord = lazyregexp.New(`^[("'\[]?(?:[a-z]{1,20}|[A-Z]{1,12}|[A-Z][a-z]{1,20}|[0-9]{1,6}(?:\.[0-9]{1,3})?|(?:[\w-]{1,40}/){0,8}[\w-]{1,40}\.(?:c|m)?(?:js|ts|sh|py|rb|json|ya?ml|toml)|[-–=:/.]|)[)"'\],.:;!?%]{0,3}$`)
)

// hidden stands for a word that may be a secret.
const hidden = "***"

// printed is what a program printed, without what may be a secret: every word
// that is not plain, everything after a word that sounds like one, and whatever
// it was given as argument or environment.
func printed(text string, secrets []string) string {
	secrets = slices.Clone(secrets)
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	var out []string
	for line := range strings.Lines(strings.ToValidUTF8(text, "?")) {
		for _, s := range secrets {
			if len(s) >= 4 { // of a shorter one only whole words: it may be a letter
				line = strings.ReplaceAll(line, s, " "+hidden+" ")
			}
		}
		words := strings.Fields(line)
		telling := false
		for i, w := range words {
			if telling || slices.Contains(secrets, w) || !plainWord().MatchString(w) {
				words[i] = hidden
			}
			telling = telling || sounds().MatchString(w)
		}
		words = slices.CompactFunc(words, func(a, b string) bool { return a == hidden && b == hidden })
		if len(words) > 0 {
			out = append(out, strings.Join(words, " "))
		}
	}
	return strings.Join(out, "\n")
}
