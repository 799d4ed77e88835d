// Package workflow reads GitHub workflow files and composite actions: a thin
// model with exact positions, what makes GitHub refuse the file, and what
// actionlint says of the rest.
//
// Invariants:
//   - Nothing is executed, resolved or looked up; no disk, no network.
//   - Models and verdicts hold no value of env or with and no command text in
//     clear, so they may be cached: a value appears only through the mask.
//   - Time and memory are bounded by MaxSize, MaxNodes and MaxDepth, whatever
//     the bytes are. A panic in a library is a problem of that one file.
//   - Equal bytes give equal output, positions and order included.
//
// It does not say how bad anything is: checks do.
package workflow

import (
	"path"
	"strings"

	"healthaudit/snapshot"
)

// Version is raised when Parse finds other things than before in equal bytes.
const Version = 14

// Bounds of what is parsed.
const (
	MaxSize  = 1 << 20 // bytes of a file
	MaxNodes = 250_000 // values after all aliases are expanded; the largest real file seen has 20,000
	MaxDepth = 100     // nesting; GitHub itself allows 50
	maxText  = 4 << 20 // bytes of text after all aliases are expanded
)

// A Kind says what a file is.
type Kind string

const (
	Workflow Kind = "workflow"
	Action   Kind = "action" // action.yml or action.yaml
)

// KindOf returns what GitHub takes the file at that path for.
func KindOf(p string) Kind {
	if b := path.Base(p); (b == "action.yml" || b == "action.yaml") && path.Dir(p) != ".github/workflows" {
		return Action
	}
	return Workflow
}

// A Pos is a place in the file, both 1-based; the zero Pos is unknown.
type Pos struct {
	Line   int `json:"y,omitempty"`
	Column int `json:"x,omitempty"`
}

// A Value is a named value of which only the keyed hash is known.
type Value struct {
	Name  string `json:"n"`
	Hash  string `json:"h,omitempty"`
	Shown string `json:"s,omitempty"` // instead of the hash: a version, which is no secret
}

// A Model is what one file says. Lists are in the order of the file.
type Model struct {
	Kind        Kind           `json:"kind"`
	Name        string         `json:"name,omitempty"`
	Broken      bool           `json:"broken,omitempty"` // not parsable; what is here was salvaged line by line
	Triggers    []Trigger      `json:"on,omitempty"`
	Schedules   []Schedule     `json:"schedules,omitempty"`
	Permissions *Permissions   `json:"permissions,omitempty"`
	Concurrency *Concurrency   `json:"concurrency,omitempty"`
	Env         []Value        `json:"env,omitempty"`
	Defaults    Defaults       `json:"defaults,omitzero"`
	Jobs        []Job          `json:"jobs,omitempty"`    // a composite action has one job without a name
	Secrets     []string       `json:"secrets,omitempty"` // names used, upper case, sorted; "*" is all of them
	Vars        []string       `json:"vars,omitempty"`
	Uses        []string       `json:"uses,omitempty"`   // of a broken file
	Using       string         `json:"using,omitempty"`  // of an action: composite, node20, docker …
	Inputs      []string       `json:"inputs,omitempty"` // of an action: names, with "!" behind required ones
	Refs        []snapshot.Ref `json:"refs,omitempty"`   // what the file starts, in its order
}

// A Trigger is one event with its filters.
type Trigger struct {
	Event   string   `json:"event"`
	Filters []Filter `json:"filters,omitempty"`
	Pos     Pos      `json:"pos"`
}

// A Filter is one list below an event: branches, paths, types, inputs.
type Filter struct {
	Name   string   `json:"n"`
	Values []string `json:"v,omitempty"`
}

// A Schedule is one cron line.
type Schedule struct {
	Cron     string `json:"cron"`
	Timezone string `json:"tz,omitempty"`
	Pos      Pos    `json:"pos"`
}

// Permissions is a permissions key: one level for all scopes, or a list.
type Permissions struct {
	All    string   `json:"all,omitempty"`    // read-all or write-all
	Scopes []string `json:"scopes,omitempty"` // "contents: read", sorted; none with an empty All is no permission at all
}

// Concurrency is a concurrency key.
type Concurrency struct {
	Group  string `json:"group"`
	Cancel string `json:"cancel,omitempty"` // cancel-in-progress as it stands: true, false or an expression
	Queue  string `json:"queue,omitempty"`  // how many runs may wait: single (the default), max or an expression
	Pos    Pos    `json:"pos"`
}

// Defaults is what defaults.run says.
type Defaults struct {
	Shell string `json:"shell,omitempty"`
	Dir   string `json:"dir,omitempty"`
}

// A Job is one job.
type Job struct {
	ID          string       `json:"id"`
	Name        string       `json:"name,omitempty"`
	Pos         Pos          `json:"pos"`
	Needs       []string     `json:"needs,omitempty"`
	RunsOn      []string     `json:"runs_on,omitempty"`
	If          string       `json:"if,omitempty"`
	Timeout     string       `json:"timeout,omitempty"` // minutes, or an expression
	Continue    string       `json:"continue,omitempty"`
	Environment string       `json:"environment,omitempty"`
	Permissions *Permissions `json:"permissions,omitempty"`
	Concurrency *Concurrency `json:"concurrency,omitempty"`
	Matrix      []Row        `json:"matrix,omitempty"`
	Container   string       `json:"container,omitempty"`
	Services    []string     `json:"services,omitempty"` // "name: image", sorted
	Env         []Value      `json:"env,omitempty"`
	Defaults    Defaults     `json:"defaults,omitzero"`
	Uses        string       `json:"uses,omitempty"` // reusable workflow
	UsesPos     Pos          `json:"uses_pos,omitzero"`
	With        []Value      `json:"with,omitempty"`
	Secrets     []string     `json:"secrets,omitempty"` // passed on: names, or "inherit"
	Steps       []Step       `json:"steps,omitempty"`
	Runs        []string     `json:"runs,omitempty"`   // programs and real actions, sorted
	Hollow      bool         `json:"hollow,omitempty"` // its steps only say something: no program or action does any work

	locks  []Message // steps that need a lockfile: for the notes of a verdict, never kept
	runner runner
}

// A Row is one key of a matrix. Values that are not plain versions or runner
// labels are hashed.
type Row struct {
	Name   string   `json:"n"`
	Values []string `json:"v,omitempty"`
	Hash   string   `json:"h,omitempty"`
}

// A Step is one step. Its key is stable under reordering and edits: the id,
// else the name, else what it uses, else the first program it runs.
type Step struct {
	Key      string   `json:"key"`
	Pos      Pos      `json:"pos"`
	Uses     string   `json:"uses,omitempty"`
	UsesPos  Pos      `json:"uses_pos,omitzero"`
	If       string   `json:"if,omitempty"`
	Run      string   `json:"run,omitempty"`      // keyed hash of the text
	RunPos   Pos      `json:"run_pos,omitzero"`   // of the first line of the text itself
	Programs []string `json:"programs,omitempty"` // that the text runs, sorted
	Masked   int      `json:"masked,omitempty"`   // commands whose failure is swallowed by || true
	Shell    string   `json:"shell,omitempty"`
	Dir      string   `json:"dir,omitempty"`
	Timeout  string   `json:"timeout,omitempty"`
	Continue string   `json:"continue,omitempty"`
	With     []Value  `json:"with,omitempty"`
	Env      []Value  `json:"env,omitempty"`

	run    string  // the text: for what is derived from it within Model, never kept
	script *script // run, read; only until then
	writes []string
	with   map[string]string
	traits *traits
}

// Local reports whether a uses value names something of the same repository,
// and its path relative to the root. "$/" is GitHub's newer spelling of "./".
func Local(uses string) (string, bool) {
	for _, p := range []string{"./", "$/"} {
		if rest, ok := strings.CutPrefix(uses, p); ok && !strings.Contains(rest, "${{") {
			return path.Clean(rest), true
		}
	}
	return "", false
}

// ActionOf splits a uses value into owner/repository (with its path) and ref.
// Local and docker uses have no ref.
func ActionOf(uses string) (action, ref string) {
	if strings.HasPrefix(uses, "docker://") {
		return uses, ""
	}
	action, ref, _ = strings.Cut(uses, "@")
	return action, ref
}

// Analyze returns the model of a file. The mask makes a keyed hash of a value
// whose change must show; nil leaves those hashes out.
func Analyze(p string, src []byte, mask func(string) string) Model {
	return Parse(p, src).Model(mask)
}
