package custom

import (
	"cmp"
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// A Find is one thing that a plugin may find, as the configuration declares it.
// Its id is known before the program was ever started, so that it can be listed,
// explained, switched off and waived.
type Find struct {
	Plugin   string
	ID       string          // without the plugin
	System   snapshot.System // of findings that are on no item; empty: there are none
	Title    string
	Severity audit.Severity
	Doc      string
	Hint     string
	At       audit.Location // where it is declared
}

// PluginPrefix begins the ids of checks that plugins make: no check of audit ever
// takes such a name.
const PluginPrefix = "plugin-"

// CheckID is the id of a check that a plugin makes.
func CheckID(plugin, id string) string { return PluginPrefix + plugin + "-" + id }

// Check makes the check: it reports what the program answered, and doubts all
// when it did not.
func (f *Find) Check() *audit.Check {
	id := CheckID(f.Plugin, f.ID)
	return &audit.Check{
		ID: id, System: f.System, Title: cmp.Or(f.Title, strings.ReplaceAll(f.ID, "-", " ")), Severity: f.Severity,
		Doc:           strings.TrimSpace(f.Doc + fmt.Sprintf("\n\nFound by the plugin %s (%s:%d). When that does not answer, what it found before stays.", f.Plugin, f.At.Path, f.At.Line)),
		Hint:          cmp.Or(f.Hint, fmt.Sprintf("Mend what the message says; whoever keeps the plugin %s knows more.", f.Plugin)),
		Discriminator: "what the plugin says", Source: "plugins.checks of audit.yaml",
		Judge: func(p *audit.Pass) {
			if p.Foreign == nil {
				p.DoubtEverything()
				return
			}
			a, ok := p.Foreign.Answered[id]
			if !ok {
				p.DoubtEverything()
				return
			}
			for _, key := range a.Unlooked {
				p.DoubtAll(key)
			}
			for _, r := range a.Reports {
				if r.At.Path == "" {
					r.At = place(p.Now.Item(r.Item), f.At)
				}
				p.Report(r)
			}
		},
	}
}
