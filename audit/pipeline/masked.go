package pipeline

import (
	"regexp"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// What the last two parts of a fact's name look like. They are anchored at both
// ends: a search through ten thousand names takes longer than all else here.
var (
	envFact  = lazyregexp.New(`^env\w*\.([^.\[\]]+)$`)
	argsFact = lazyregexp.New(`^(\w*args)\.hash$`)
	withFact = lazyregexp.New(`^(?i:with)\.([^.\[\]]*(?i:token|secret|pass|key|auth|cred)[^.\[\]]*)$`)
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
	dot := strings.LastIndexByte(fact, '.')
	if dot < 0 {
		return nil
	}
	start := strings.LastIndexByte(fact[:dot], '.') + 1
	within, tail := fact[start:dot], fact[start:]
	try := func(may bool, kind func() *regexp.Regexp) {
		if may {
			if m := kind().FindStringSubmatch(tail); m != nil {
				out = append(out, m[1])
			}
		}
	}
	try(strings.HasPrefix(within, "env"), envFact)
	try(strings.HasSuffix(tail, "args.hash"), argsFact)
	try(start > 0 && strings.EqualFold(within, "with"), withFact)
	if i := strings.LastIndex("."+fact, ".env."); i >= 0 && dot > i+len("env.") { // a name with a dot
		if name := fact[i+len("env."):]; !strings.ContainsAny(name, "[]") {
			out = append(out, name)
		}
	}
	return out
}
