package function

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// Limits finds functions that are larger than Netlify accepts.
var Limits = &audit.Check{
	ID:       "function-too-large",
	System:   snapshot.Functions,
	Title:    "larger than Netlify accepts",
	Severity: audit.High,
	Doc: "A function may be deployed as an archive of at most 50 MB, and be at most 250 MB when it is unpacked. A ready .zip above the first, or a folder above the " +
		"second, fails the deploy with a message that does not say so.",
	Hint:          "Leave out what it does not need (external_node_modules, a smaller package), or split it.",
	Discriminator: "none",
	Source:        "docs.netlify.com/build/functions/configuration; docs.aws.amazon.com/lambda: quotas; netlify/build#3554",
	Limits: []audit.Limit{{Name: "archive", Default: 50, Unit: "MB", Doc: "a ready .zip of this size is accepted"},
		{Name: "unpacked", Default: 250, Unit: "MB", Doc: "the files of a function may be as large together"}},
	Still: true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if it.Kind != kindFunction {
				continue
			}
			runtime, _ := it.Fact("runtime")
			what, limit := "its files are", p.Limit("unpacked")
			if runtime.Str() == netlify.Zip {
				what, limit = "its archive is", p.Limit("archive")
			}
			total := int64(0)
			for _, f := range it.Files {
				total += f.Size
			}
			if mb := float64(total) / (1 << 20); mb > limit {
				p.Report(audit.Report{Item: it.Key, At: audit.Location{Path: it.Path},
					Message: fmt.Sprintf("%s is larger than Netlify accepts: %s %.0f MB, at most %.0f", it.Name, what, mb, limit)})
			}
		}
	},
}
