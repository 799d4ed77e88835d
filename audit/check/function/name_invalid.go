package function

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// NameInvalid finds functions whose name makes Netlify refuse the whole deploy.
var NameInvalid = &audit.Check{
	ID:         "function-name-invalid",
	System:     snapshot.Functions,
	Title:      "name refuses the whole deploy",
	Severity:   audit.High,
	Confidence: audit.Likely,
	Doc: "A function may be called by letters, digits, - and _ only. Netlify's build packs any other name without a word, and then the deploy is refused " +
		"as a whole (422), with every function in it. Mostly such a file was never meant to be a function: a test, a type declaration, a backup, a copy " +
		"that lies directly in the functions folder. An underscore in front does not keep a file from being a function.",
	Hint:          "Rename the function, or move a file that is no function out of the functions folder.",
	Discriminator: "the site",
	Source:        "hasValidName of netlify-cli; netlify/cli#2494, netlify/zip-it-and-ship-it#550; discovery measured with 16.2",
	Still:         true,
	Judge: func(p *audit.Pass) {
		sites := map[string][]*snapshot.Item{}
		for _, it := range p.Items() {
			if it.Kind == kindFunction && !netlify.ValidName(it.Name) {
				sites[it.Source] = append(sites[it.Source], it)
			}
		}
		for _, s := range sorted(sites) {
			p.Report(invalidNames(s, sites[s]))
		}
	},
}

func invalidNames(site string, items []*snapshot.Item) audit.Report {
	slices.SortFunc(items, func(a, b *snapshot.Item) int { return strings.Compare(a.Path, b.Path) })
	r := audit.Report{Item: snapshot.Pseudo(snapshot.Functions), Discriminator: site, At: audit.Location{Path: items[0].Path}, Wide: len(items) > 1}
	if len(items) == 1 {
		it := items[0]
		r.Message = fmt.Sprintf("the function %q has a name that Netlify does not accept: the whole deploy is refused", it.Name)
		if what := isNoFunction(it.Path); what != "" {
			r.Message = fmt.Sprintf("%s is %s and is deployed as the function %q, a name that Netlify does not accept: the whole deploy is refused", path.Base(it.Path), what, it.Name)
		}
		return r
	}
	var all []string
	for _, it := range items {
		all = append(all, it.Name)
	}
	r.Message = fmt.Sprintf("%d functions have names that Netlify does not accept, so the whole deploy is refused: %s", len(items), some(all))
	r.Evidence = []audit.Evidence{{Name: "functions", Value: list(items, 20)}}
	return r
}
