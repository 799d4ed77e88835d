package ecosystem

import (
	"net/url"
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var (
	longOption  = lazyregexp.New(`^--?([A-Za-z][A-Za-z0-9_.-]{0,40})(=.*)?$`)
	shortOption = lazyregexp.New(`^-[A-Za-z]$`)
	smallNumber = lazyregexp.New(`^[0-9]{1,6}(\.[0-9]{1,3})?$`)
	plainValue  = lazyregexp.New(`^(true|false|yes|no|on|off)$`)
	secretName  = lazyregexp.New(`(?i)(token|secret|pass|pwd|key|auth|cred|pin|otp)`)
	plainPath   = lazyregexp.New(`^(\.{0,2}/)?[\w.@-]+(/[\w.@-]+)*\.(c|m)?(js|ts|json|ya?ml|toml|ini|conf|sh|py|rb)$`)
)

// masked stands for what is not shown.
const masked = "***"

// MaskArgs returns arguments without their values: names of options stay, of
// values only small numbers, truth values and names of script and
// configuration files, and none at all after an option whose name sounds like
// a secret. What is left out still shows as a change through its keyed hash.
func MaskArgs(args []string) []string {
	out := make([]string, len(args))
	secret := false
	for i, a := range args {
		out[i], secret = maskArg(a, secret)
	}
	return out
}

func maskArg(a string, secret bool) (shown string, nextSecret bool) {
	if shortOption().MatchString(a) {
		return a, a == "-p"
	}
	if m := longOption().FindStringSubmatch(a); m != nil && (strings.HasPrefix(a, "--") || m[2] != "") {
		name, value, has := strings.Cut(a, "=")
		if !has {
			return name, secretName().MatchString(m[1])
		}
		if secretName().MatchString(m[1]) {
			return name + "=" + masked, false
		}
		return name + "=" + maskValue(value), false
	}
	if secret {
		return masked, false
	}
	return maskValue(a), false
}

func maskValue(v string) string {
	if v == "" || v == "--" || smallNumber().MatchString(v) || plainValue().MatchString(v) || plainPath().MatchString(v) {
		return v
	}
	return masked
}

// MaskText hides user, password and query of a URL in a setting.
func MaskText(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return masked
	case u.User != nil:
		return u.Scheme + "://" + masked + "@" + u.Host + u.EscapedPath()
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

var shellWord = lazyregexp.New(`^[\w./@-]+$`)

// program returns the program of a shell command line, without its arguments
// and without assignments in front of it.
func program(cmd string) string {
	for _, w := range strings.Fields(cmd) {
		if name, _, ok := strings.Cut(w, "="); ok && name != "" {
			continue
		}
		if shellWord().MatchString(w) {
			return w
		}
		break
	}
	return masked
}
