package workflow

import (
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// hostedSystems begin the labels of GitHub's own runners.
// Source: https://docs.github.com/actions/reference/runners/github-hosted-runners
var hostedSystems = []string{"ubuntu", "windows", "macos"}

var hostedVersion = lazyregexp.New(`^(?:latest|\d\d(?:\.\d\d)?|20\d\d)$`)

// meant returns the label of GitHub's runners of which a label is a slip of the pen,
// "" where it may be one that somebody gave to a runner.
func meant(l string) string {
	system, rest, ok := strings.Cut(strings.ToLower(strings.ReplaceAll(l, "_", "-")), "-")
	if !ok {
		return ""
	}
	for _, s := range hostedSystems {
		switch {
		case system == s && (slip(rest, "latest") || rest == "latest" && strings.Contains(l, "_")):
			return s + "-latest"
		case slip(system, s) && hostedVersion().MatchString(rest):
			return s + "-" + rest
		}
	}
	return ""
}

// slip reports whether a word is another one with letters swapped, or with one letter
// too few, too many or wrong.
func slip(a, b string) bool {
	if a == b || a == "" || a[0] != b[0] || len(a) > len(b)+1 || len(a) < len(b)-1 {
		return false
	}
	letters := map[rune]int{}
	for _, r := range a {
		letters[r]++
	}
	for _, r := range b {
		letters[r]--
	}
	more, fewer := 0, 0
	for _, n := range letters {
		more, fewer = more+max(n, 0), fewer+max(-n, 0)
	}
	return more <= 1 && fewer <= 1
}
