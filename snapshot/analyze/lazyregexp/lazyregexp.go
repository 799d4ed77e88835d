// Package lazyregexp makes regular expressions when they are first asked for.
// A command uses few of them, and to make all of them takes longer than it does.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns what compiles the pattern once, at its first call. A pattern that
// is not valid panics then; a test of the repository compiles them all.
func New(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
