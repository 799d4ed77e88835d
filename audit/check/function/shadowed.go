package function

import (
	"fmt"
	"path"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Shadowed finds files that were meant to be functions and are passed over.
var Shadowed = &audit.Check{
	ID:       "function-shadowed",
	System:   snapshot.Functions,
	Title:    "hidden by another of its name",
	Severity: audit.Medium,
	Doc: "Two files make a function of the same name (hello.js and hello.ts, or hello/index.js): Netlify builds one of them and passes over the other " +
		"without a word. A folder wins over a file, Go over JavaScript, then .js over .zip, .mjs, .cjs, .ts, .tsx, .mts, .cts. Of edge functions, a file " +
		"with any other ending wins: hello.json beside hello.js makes the edge function vanish (high). Whoever edits the file that lost wonders why nothing changes.",
	Hint:          "Delete the one that is out of date, or rename it.",
	Discriminator: "none",
	Source:        "@netlify/zip-it-and-ship-it 16 and @netlify/edge-bundler 16, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if by, ok := it.Fact("lost"); ok && it.Kind == kindEdge {
				p.Report(audit.Report{Item: it.Key, Severity: audit.High, At: audit.Location{Path: it.Path},
					Message: fmt.Sprintf("the edge function %s is not deployed: %s has the same name, and Netlify takes that, which is no function", it.Name, path.Base(by.Str())),
					Hint:    fmt.Sprintf("Move %s out of the folder of edge functions, or give it another name.", by.Str())})
			}
			twins, ok := it.Fact("shadows")
			if !ok || it.Kind != kindFunction {
				continue
			}
			verb := "is"
			if len(twins.Strings()) > 1 {
				verb = "are"
			}
			p.Report(audit.Report{Item: it.Key, At: audit.Location{Path: twins.Strings()[0]},
				Message: fmt.Sprintf("%s %s passed over: Netlify builds %s of %s", strings.Join(twins.Strings(), " and "), verb, it.Name, it.Path)})
		}
	},
}
