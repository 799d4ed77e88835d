package function

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// ConfigIgnored finds settings that are written down and never read.
var ConfigIgnored = &audit.Check{
	ID:       "function-config-ignored",
	Version:  2,
	System:   snapshot.Functions,
	Title:    "setting does not take effect",
	Severity: audit.Medium,
	Doc: "A setting stands where Netlify does not read it, and nobody is told: a key of config in a function with a handler export, in an object with satisfies " +
		"or as, or with a value that is no literal, or under a name that Netlify does not have (timezone, cron, methods); a key that [functions] in netlify.toml does not have; a netlify.toml whose build.base has one of its own, " +
		"which is taken instead. A path that does not take effect leaves the address without a function. Schedules have a check of their own.",
	Hint:          "Write the setting in a form that Netlify reads: a plain object, export const config: Config = {…}, beside a default export.",
	Discriminator: "of a function: config; of a netlify.toml: keys, or superseded",
	Source:        "@netlify/config 25 and @netlify/zip-it-and-ship-it 16, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if it.Kind == kindFunction {
				ignoredConfig(p, it)
			} else if c, ok := config(p, it); ok {
				ignoredKeys(p, it, c)
			}
		}
	},
}

func ignoredConfig(p *audit.Pass, it *snapshot.Item) {
	fn, ok := analysis(p, it)
	if !ok || len(fn.Unheeded) == 0 || fn.State != netlify.HandlerOK && fn.Unparsed == "" { // function-no-handler tells of the others
		return
	}
	main, _ := mainFile(it)
	first := fn.Unheeded[0]
	r := audit.Report{Item: it.Key, Discriminator: "config", At: audit.Location{Path: main.Path, Line: first.At.Line, Column: first.At.Column},
		Message: unheeded(it.Name, fn.Unheeded)}
	if netlify.Mistaken(first.Key) {
		r.Hint = "Write what Netlify reads (times in UTC), and delete the key."
	}
	if !slices.ContainsFunc(fn.Unheeded, func(u netlify.Unheeded) bool {
		return u.Key == "path" || u.Key == "background" || netlify.Mistaken(u.Key)
	}) {
		r.Severity = audit.Low
	}
	p.Report(r)
}

// unheeded says which keys of a function take no effect, those of one reason together.
func unheeded(name string, list []netlify.Unheeded) string {
	keys := map[string][]string{} // by reason
	var whys, parts []string
	for _, u := range list {
		if keys[u.Why] == nil {
			whys = append(whys, u.Why)
		}
		keys[u.Why] = append(keys[u.Why], "config."+u.Key)
	}
	for i, why := range whys {
		does, effect := "does", "either"
		if len(keys[why]) > 1 {
			does = "do"
		}
		subject := strings.Join(keys[why], ", ")
		if i == 0 {
			subject, effect = subject+" of "+name, "take effect"
		}
		parts = append(parts, fmt.Sprintf("%s %s not %s: %s", subject, does, effect, why))
	}
	return strings.Join(parts, "; ")
}

func ignoredKeys(p *audit.Pass, it *snapshot.Item, c *netlify.Config) {
	if inner, ok := it.Fact("superseded"); ok {
		p.Report(audit.Report{Item: it.Key, Discriminator: "superseded", At: audit.Location{Path: it.Path, Line: c.Places.Base.Line, Column: c.Places.Base.Column},
			Message: fmt.Sprintf("%s is passed over but for build.base: Netlify takes %s, which lies there", it.Path, inner.Str()),
			Hint:    "Move its settings into that file, or delete one of the two."})
		return
	}
	if len(c.Ignored) == 0 {
		return
	}
	var keys []string
	for _, k := range c.Ignored {
		keys = append(keys, k.Key)
	}
	msg := keys[0] + " is no key that Netlify reads"
	if len(keys) > 1 {
		msg = fmt.Sprintf("%d keys of [functions] are none that Netlify reads: %s", len(keys), some(keys))
	}
	p.Report(audit.Report{Item: it.Key, Discriminator: "keys", Message: msg, At: audit.Location{Path: it.Path, Line: c.Ignored[0].At.Line, Column: c.Ignored[0].At.Column},
		Hint: "Set it in the config of the function itself, beside a default export (background, path, timeout), or delete the line."})
}
