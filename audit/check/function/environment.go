package function

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Environment finds variables that functions read and that never reach them.
var Environment = &audit.Check{
	ID:         "function-environment",
	System:     snapshot.Functions,
	Title:      "variable never reaches the function",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "A function reads an environment variable that netlify.toml sets. What is set there exists while the site is built, and not when a function runs: " +
		"process.env.NAME is undefined, unless the same variable is set in Netlify's user interface as well, which audit cannot see.",
	Hint:          "Set the variable in Netlify's user interface or with netlify env:set, with functions in its scope.",
	Discriminator: "name of the variable",
	Source:        "docs.netlify.com/build/functions/environment-variables",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if c, ok := config(p, it); ok && !c.Broken {
				unreached(p, it)
			}
		}
	},
}

// provided are variables that Netlify or Node itself sets for functions.
var provided = []string{"NODE_ENV", "NODE_VERSION", "NODE_OPTIONS", "PATH", "URL", "SITE_ID", "SITE_NAME", "CONTEXT", "TZ", "AWS_LAMBDA_JS_RUNTIME"}

func unreached(p *audit.Pass, it *snapshot.Item) {
	functions, ok := beside(p, it)
	set := map[string]bool{}
	for _, f := range it.Facts.All() {
		if name, is := strings.CutPrefix(f.Name, "build.env."); is && !slices.Contains(provided, name) {
			set[name] = true
		}
	}
	if !ok || len(set) == 0 {
		return
	}
	readers := map[string][]*snapshot.Item{}
	for _, n := range sorted(functions) {
		f := functions[n]
		said, _ := closure(p, f)
		seen := map[string]bool{}
		for _, src := range said {
			for _, name := range src.Env {
				if set[name] && !seen[name] {
					seen[name] = true
					readers[name] = append(readers[name], f)
				}
			}
		}
	}
	for _, name := range sorted(readers) {
		p.Report(audit.Report{Item: it.Key, Discriminator: name, At: audit.Location{Path: it.Path, Line: envLine(p, it, name), Column: 1},
			Message:  fmt.Sprintf("%s is set in %s, which functions never see, and %s reads it", name, it.Path, names(readers[name])),
			Evidence: []audit.Evidence{{Name: "functions", Value: list(readers[name], 20)}}})
	}
}

// envLine returns the line that sets a variable.
func envLine(p *audit.Pass, it *snapshot.Item, name string) int {
	f, _ := it.OwnFile()
	n := 0
	for line := range strings.Lines(string(p.Bytes(f))) {
		n++
		key, _, ok := strings.Cut(line, "=")
		if ok && strings.Trim(strings.TrimSpace(key), `"'`) == name {
			return n
		}
	}
	return 1
}
