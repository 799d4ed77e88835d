// Package report turns a saved run into what a person or a machine reads.
//
// Document is the JSON contract (schema audit.report/v1, docs/report.schema.json):
// v1 gains fields, never loses or renames one. Every format is rendered from a
// Document alone; a renderer neither sorts, judges nor chooses an exit code.
package report

import (
	"time"
)

// Schema is the value of Document.Schema.
const Schema = "audit.report/v1"

// A Document is one run, complete. Times are UTC; scores are floored to 0.1.
type Document struct {
	Schema      string       `json:"schema"`
	Tool        Tool         `json:"tool"`
	Run         Run          `json:"run"`
	Gate        Gate         `json:"gate"`
	Score       Score        `json:"score"`
	Systems     []System     `json:"systems"`
	Items       []Item       `json:"items"`
	Findings    []Finding    `json:"findings"`
	Checks      []Check      `json:"checks"`
	Changes     []Change     `json:"changes"`
	Regressions []Regression `json:"regressions"`
	Recovery    Recovery     `json:"recovery"`
	Schedules   []Schedule   `json:"schedules"`
	Archive     *Archive     `json:"archive"`
	JournalHead *Head        `json:"journal_head"`
	Errors      []Error      `json:"errors"`
	Suppressed  Suppressed   `json:"suppressed"`
	Baseline    *SnapshotRef `json:"baseline"`  // what was pinned; null without
	Rechecked   *Rechecked   `json:"rechecked"` // null: it is judged as it was then

	Mended  []Mended     `json:"recently_resolved"` // since the oldest score of the history and before this run, newest first, 500 at most
	Week    *Week        `json:"week"`              // what starts in the week of the run, in UTC; null when nothing does
	Journal []JournalRow `json:"journal"`           // the newest 20 entries up to journal_head, oldest first
}

type Tool struct {
	Version string `json:"version"`
}

// Run is the run itself. Seq is 0 for an ephemeral one.
type Run struct {
	ID         string    `json:"id"` // ULID
	Seq        uint64    `json:"seq"`
	Started    time.Time `json:"started"`
	Finished   time.Time `json:"finished"`
	DurationMS int64     `json:"duration_ms"`
	Host       string    `json:"host"`
	Root       string    `json:"root"`
	Git        *Git      `json:"git"`
	Past       string    `json:"past"` // what there was to compare with: first (nothing yet), known, or lost (it is not there any more, or cannot be read)
}

type Git struct {
	Commit string `json:"commit"`
	Branch string `json:"branch"` // empty when detached
	Dirty  bool   `json:"dirty"`
}

// ExitDamaged is the exit code (see audit --help) of a run or a report to which the
// store could not give everything.
const ExitDamaged = 4

type Gate struct {
	FailOn    []string `json:"fail_on"`
	FailUnder *float64 `json:"fail_under"`
	Passed    bool     `json:"passed"`
	Why       []string `json:"why"`
	Exit      int      `json:"exit"`
}

type Score struct {
	Value            *float64     `json:"value"`
	Grade            *string      `json:"grade"`
	Delta            *float64     `json:"delta"`
	DeltaLikeForLike *float64     `json:"delta_like_for_like"`
	WithoutWaivers   *float64     `json:"without_waivers"`
	ComparedTo       *SnapshotRef `json:"compared_to"` // the run that both deltas are from; null without deltas, and where it is no longer known
	Coverage         float64      `json:"coverage"`    // judged items ÷ known items
	History          []ScorePoint `json:"history"`     // oldest first, this run last
}

type ScorePoint struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`
	Value *float64  `json:"value"`
	Run   string    `json:"run"` // its id
}

type System struct {
	System     string      `json:"system"`
	Status     string      `json:"status"`
	Reason     string      `json:"reason"`
	ComparedTo *string     `json:"compared_to"` // run id of the reference
	Items      int         `json:"items"`
	Score      SystemScore `json:"score"`
	Counts     Counts      `json:"counts"` // open findings
	DurationMS int64       `json:"duration_ms"`
}

type SystemScore struct {
	Value *float64 `json:"value"`
	Grade *string  `json:"grade"`
}

type Counts struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Info     int `json:"info"`
}

type Item struct {
	Key       string             `json:"key"`
	System    string             `json:"system"`
	Name      string             `json:"name"`
	Path      string             `json:"path"`
	State     string             `json:"state"`
	Level     string             `json:"level"`
	Score     *float64           `json:"score"` // null when unknown
	Change    string             `json:"change"`
	Flapping  *float64           `json:"flapping"` // percent by which its level goes to and fro; null when it does not flap
	Facts     map[string]any     `json:"facts"`
	Metrics   map[string]float64 `json:"metrics"`
	Files     []File             `json:"files"`
	Starts    []string           `json:"starts"`
	StartedBy []string           `json:"started_by"`
	Unknown   string             `json:"unknown"` // why it was not judged; empty when it was
}

type File struct {
	Path   string `json:"path"`
	Mode   string `json:"mode"` // four octal digits
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // empty when the bytes were not read
	Role   string `json:"role"`
}

type Finding struct {
	ID         string     `json:"id"`
	Check      string     `json:"check"`
	Severity   string     `json:"severity"`
	Confidence string     `json:"confidence"`
	Status     string     `json:"status"` // new, persisting, resolved, reopened
	Carried    bool       `json:"carried"`
	Updated    bool       `json:"updated"`
	Regression bool       `json:"regression"`
	Item       string     `json:"item"`
	System     string     `json:"system"`
	Title      string     `json:"title"`
	Message    string     `json:"message"`
	Hint       string     `json:"hint"`
	Loss       float64    `json:"loss"` // points of the overall score, rounded to 0.01, and to three digits below 1
	Location   *Location  `json:"location"`
	Evidence   []Evidence `json:"evidence"`
	FirstSeen  Mark       `json:"first_seen"`
	Opened     Mark       `json:"opened"`        // when it last became open: first seen, or reopened
	Occurrence int        `json:"occurrence"`    // 1 at first; one more each time it came back after being away for 30 days
	Version    int        `json:"check_version"` // of the check that found it
	Waiver     *Waiver    `json:"waiver"`
	FailsGate  bool       `json:"fails_gate"`  // it is one of those that the gate fails on
	InBaseline bool       `json:"in_baseline"` // open in the baseline, and without a break since
}

// A Mended is a finding that an earlier run no longer found.
type Mended struct {
	ID       string `json:"id"`
	Check    string `json:"check"`
	Severity string `json:"severity"`
	Item     string `json:"item"`
	System   string `json:"system"`
	Title    string `json:"title"`
	Opened   Mark   `json:"opened"`
	Resolved Mark   `json:"resolved"`
}

type Location struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

type Evidence struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type Mark struct {
	Run string    `json:"run"`
	At  time.Time `json:"at"`
}

type Waiver struct {
	Reason string `json:"reason"`
	Until  string `json:"until"`
	By     string `json:"by"`
}

type Check struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Severity string `json:"severity"` // the worst of its findings here
	Help     string `json:"help"`     // what to do next

	Doc        string `json:"doc"`        // why it matters; empty when the check is no longer there
	Confidence string `json:"confidence"` // "" where it is not known
}

type Change struct {
	Item   string       `json:"item"`
	From   string       `json:"from"` // of "changed": the key the item had before it was renamed; else ""
	System string       `json:"system"`
	Op     string       `json:"op"`
	Facts  []FactChange `json:"facts"`
	Files  []string     `json:"files"`
	Commit string       `json:"commit"` // of "removed": the one that deleted its file; "" where none is known
}

type FactChange struct {
	Name string `json:"name"`
	Old  any    `json:"old"`
	New  any    `json:"new"`
	Risk string `json:"risk"`
}

type Regression struct {
	Item      string `json:"item"`
	Code      string `json:"code"`
	Was       string `json:"was"`
	Now       string `json:"now"`
	Reference Mark   `json:"reference"`
	Since     Mark   `json:"since"`
	FailsGate bool   `json:"fails_gate"`
}

type Schedule struct {
	Item       string      `json:"item"`
	System     string      `json:"system"`
	Dialect    string      `json:"dialect"`
	Expression string      `json:"expression"`
	Timezone   string      `json:"timezone"`
	Effective  bool        `json:"effective"`
	Why        string      `json:"why"`
	Next       []time.Time `json:"next"`
	PerDay     float64     `json:"per_day"`
	Location   *Location   `json:"location"`
}

type Archive struct {
	Path      string `json:"path"`
	SHA256    string `json:"sha256"`
	Bytes     int64  `json:"bytes"`
	Encrypted bool   `json:"encrypted"`
}

type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

type Error struct {
	System  string `json:"system"`
	Source  string `json:"source"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}
