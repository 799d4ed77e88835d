// Package plugin asks programs that the configuration names for items and for
// findings: JSON in, JSON out, by a schema with a version.
//
// What a plugin answers is foreign text. It is bounded, parsed strictly, checked
// as a whole and masked; one fault anywhere and nothing of it is used. A plugin
// that does not answer well fails by itself, with a reason that holds no secret
// and no argument: never the run.
package plugin

import (
	_ "embed"
	"time"

	"healthaudit/snapshot"
)

// Schema is the version that both sides of the conversation carry.
const Schema = "audit.plugin/v1"

// SchemaJSON is the JSON Schema of requests and answers, docs/plugin.schema.json.
//
//go:embed schema.json
var SchemaJSON []byte

// Bounds of one conversation.
const (
	DefaultTimeout = 10 * time.Second
	MaxTimeout     = 2 * time.Minute
	maxOutput      = 4 << 20 // bytes of an answer
	maxItems       = 2000
	maxFindings    = 1000
	maxFacts       = 50   // facts, and metrics, of one item
	maxName        = 200  // bytes of an id, a name, a path
	maxText        = 1000 // bytes of any other text
)

// A Program is what is started.
type Program struct {
	Command  []string // the program, then its arguments; no shell
	Relative string   // the folder that Command[0] may not leave by a link; empty where it was named absolutely
	Timeout  time.Duration
	Env      []string // names of further variables that it is given
}

// A Plugin is one program that collects or checks.
type Plugin struct {
	Program
	Name    string          // kebab-case
	System  snapshot.System // of its items; of findings that are on none
	Metrics []string        // a collector's: names of all metrics that its items may have
	Match   []string        // a check's: globs over keys of the items that it is given; empty is all
	Finds   []string        // a check's: ids of all that it may find
}

// A Failure says why a plugin has no answer. Neither text holds what the plugin
// was given, nor what it printed unmasked.
type Failure struct {
	What string // "did not end within 10s"
	Hint string
}

func (f *Failure) Error() string { return f.What }

// Source is the source of the items of a collector.
func Source(name string) string { return snapshot.PluginSource + name }

// Key is the key of an item of a collector.
func Key(sys snapshot.System, name, id string) snapshot.Key {
	return snapshot.NewKey(sys, "plugin:"+name+"/"+snapshot.Escape(id))
}
