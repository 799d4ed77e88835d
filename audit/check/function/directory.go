package function

import (
	"fmt"
	"path"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Directory finds configured folders of functions that are not there.
var Directory = &audit.Check{
	ID:       "function-directory",
	System:   snapshot.Functions,
	Title:    "folder of functions is not there",
	Severity: audit.High,
	Doc: "netlify.toml names a folder of functions that the project does not have. Netlify writes one line into the build log and deploys the site without any " +
		"function: every call answers 404. A file in its place, or a folder outside of the repository, fails the build. Folders that git ignores, that are called " +
		"like the output of a build, or that may be one because the site has a build command (medium), are not certain.",
	Hint:          "Correct functions.directory (it is relative to build.base), or restore the folder.",
	Discriminator: "directory, or outside and the key",
	Source:        "@netlify/config 25 and @netlify/build 37, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			c, ok := config(p, it)
			if _, passed := it.Fact("superseded"); !ok || c.Broken || passed {
				continue
			}
			base := path.Join(path.Dir(it.Path), c.Base)
			if c.Base != "" && p.Now.Tree.HasDir(c.Base) {
				base = c.Base
			}
			outside := c.Outside(base)
			for _, o := range outside {
				p.Report(audit.Report{Item: it.Key, Discriminator: "outside " + o.Message[:strings.IndexByte(o.Message, ' ')], Message: it.Path + ": " + o.Message, At: audit.Location{Path: it.Path, Line: o.Line, Column: o.Column}})
			}
			_, found := it.Fact("directory")
			dir := path.Join(base, c.Directory)
			if c.Directory == "" || len(outside) > 0 || found || it.Torn || claimed(p, dir) {
				continue
			}
			r := audit.Report{Item: it.Key, Discriminator: "directory", At: audit.Location{Path: it.Path, Line: c.Places.Directory.Line, Column: c.Places.Directory.Column},
				Message: fmt.Sprintf("the folder of functions, %s, is not there: the site is deployed without any function of its own", dir)}
			switch t := p.Now.Tree; {
			case t.HasFile(dir):
				r.Message = fmt.Sprintf("%s is a file, and netlify.toml names it as the folder of functions: Netlify's build fails", dir)
			case t.InIgnored(dir) || t.Product(dir+"/") || built(dir):
				continue
			default:
				if _, builds := it.Fact("build.command"); builds {
					r.Severity, r.Confidence = audit.Medium, audit.Likely
				}
			}
			p.Report(r)
		}
	},
}

// claimed reports whether another netlify.toml has the folder.
func claimed(p *audit.Pass, dir string) bool {
	for _, it := range p.Items() {
		if d, ok := it.Fact("directory"); ok && d.Str() == dir {
			return true
		}
	}
	return false
}

// built reports whether a folder is called like the output of a build.
func built(dir string) bool {
	for d := dir; d != "." && d != "/"; d = path.Dir(d) {
		switch path.Base(d) {
		case "dist", "build", "built", "out", "lib", "_site", "public", ".output", ".netlify", ".next", "functions-build", "functions-dist", "lambda", "generated":
			return true
		}
	}
	return false
}
