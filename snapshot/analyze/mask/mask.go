// Package mask takes what could be a secret out of texts that are shown. It knows
// the shapes of secrets, not their values; whoever knows some gives them along.
package mask

import (
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// NotShown stands for what was taken out.
const NotShown = "(not shown)"

// Telling matches a name that sounds like a secret and is given a value, in
// whatever kind of file, or an option of that name.
// An assignment in capitals is one to an environment variable.
var Telling = lazyregexp.New(`(?:^|[\s;&|("'])[A-Z][A-Z0-9_]*=|(?i:[\w-]*(?:token|secret|pass|pwd|auth|credential|\bkey|[_-]key)[\w-]*["']?(?:\s*[:=]|\s+["']?))`)

// UserInfo matches the user and password of an address, Query what follows its
// question mark; the first group stays.
var (
	UserInfo = lazyregexp.New(`(://)[^/\s@'"]*@`)
	Query    = lazyregexp.New(`(://[^\s?'"]*\?)[^\s'"]+`)
)

// credential matches what the big services hand out as keys.
// Source: the token formats documented by GitHub, GitLab, AWS, Google, Slack, Stripe, npm and RFC 7519.
var credential = lazyregexp.New(`gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|xox[abeprs]-[\w-]{8,}|[sr]k[-_](?:live|test|proj|ant)[-_][\w-]{10,}|npm_[A-Za-z0-9]{20,}|eyJ[\w-]{8,}\.[\w-]{4,}[\w.-]*`)

// hints are what the credentials hold, for a quick look.
var hints = []string{"gh", "glpat-", "AKIA", "AIza", "xox", "k-", "k_", "npm_", "eyJ"}

// Credentials takes the keys of the big services out of a text.
func Credentials(s string) string {
	if len(s) < 14 {
		return s
	}
	for _, h := range hints {
		if strings.Contains(s, h) {
			return credential().ReplaceAllString(s, NotShown)
		}
	}
	return s
}

// assigned matches a name that is given a value, as people and programs write it,
// and the value; spoken also where nothing but a space is between them.
var (
	assigned = lazyregexp.New(`((?:^|[\s;&|("'])[A-Z][A-Z0-9_]*=|(?i:[\w-]*(?:token|secret|passw|passphrase|pwd|credential|api_?key|[_-]key)[\w-]*["']?\s*(?:[:=]\s*|=>\s*)|--[\w-]*(?:token|secret|pass|pwd|auth|key)[\w-]*[ =]+|\b(?:bearer|basic)\s+|(?:token|secret|password|passphrase)\s+["']))("[^"]*"?|'[^']*'?|[^\s"',;)}\]]+)`)
	spoken   = lazyregexp.New(`(?i)(\b(?:token|secret|passwd|password|passphrase|pwd|key)\s+(?:is\s+|was\s+)?)([^\s"',;)}\]]+)`)
	word     = lazyregexp.New(`[A-Za-z0-9+_=-]{20,}`)
	names    = lazyregexp.New(`(?i)token|secret|passw|passphrase|pwd|credential|api_?key|private_?key|(?:^|[._-])(?:key|auth)$`)
)

// Secretive reports whether a name sounds like that of a secret.
func Secretive(name string) bool { return names().MatchString(name) }

// Text takes out of a text of another program what could be a secret: the values
// that are known to be some, what a telling name is given, users and queries of
// addresses, the keys of the big services, and long words that no person writes.
func Text(s string, values []string) string {
	if strings.Contains(s, "-----BEGIN ") {
		return NotShown
	}
	s = without(s, values)
	if strings.Contains(s, "://") {
		s = Query().ReplaceAllString(UserInfo().ReplaceAllString(s, "${1}"+NotShown+"@"), "${1}"+NotShown)
	}
	s = assigned().ReplaceAllString(Credentials(s), "${1}"+NotShown)
	return word().ReplaceAllStringFunc(s, func(w string) string {
		if drawn(w) {
			return NotShown
		}
		return w
	})
}

// Errors is Text for what a program says when it fails: it may well repeat what
// it was given.
func Errors(s string, values []string) string {
	return spoken().ReplaceAllString(Text(s, values), "${1}"+NotShown)
}

// leastValue is the shortest value that is looked for, in bytes: shorter ones
// stand in every text.
const leastValue = 5

// without takes values out, the longest first: one may begin with another.
func without(s string, values []string) string {
	values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return len(v) < leastValue || !strings.Contains(s, v) })
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, v := range values {
		s = strings.ReplaceAll(s, v, NotShown)
	}
	return s
}

// drawn reports whether a long word looks drawn at random: hexadecimal digits
// throughout, or letters and digits, or cases, that change all the time.
func drawn(w string) bool {
	const hexDigits = 32
	kinds, changes, last, hex := 0, 0, byte(0), true
	for i := range len(w) {
		kind := byte(0)
		switch c := w[i]; {
		case '0' <= c && c <= '9':
			kind = 1
		case 'a' <= c && c <= 'z':
			kind, hex = 2, hex && c <= 'f'
		case 'A' <= c && c <= 'Z':
			kind, hex = 4, hex && c <= 'F'
		default:
			hex = false
			continue
		}
		if last != 0 && kind != last {
			changes++
		}
		kinds, last = kinds|int(kind), kind
	}
	return hex && len(w) >= hexDigits || kinds == 7 && changes >= len(w)/5 || changes >= len(w)/3 && kinds != 6
}
