// Package audit judges: it says what a check, a finding and a severity are,
// runs checks over a snapshot, follows findings over time, and turns them into
// levels, scores and regressions.
//
// It is pure: no I/O, no clock. A check sees one snapshot, its past and its
// changes, so today's checks run on yesterday's snapshots as well.
package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// A Severity says how much a finding hurts. Higher is worse.
type Severity int

const (
	Info Severity = iota + 1
	Low
	Medium
	High
	Critical
)

// Severities lists them worst first, the order of every report.
var Severities = []Severity{Critical, High, Medium, Low, Info}

var severityNames = map[Severity]string{Info: "info", Low: "low", Medium: "medium", High: "high", Critical: "critical"}

func (s Severity) String() string { return severityNames[s] }

// ParseSeverity returns the severity of that name.
func ParseSeverity(name string) (Severity, error) {
	for s, n := range severityNames {
		if n == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q (one of critical, high, medium, low, info)", name)
}

func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
func (s *Severity) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSeverity(string(b))
	return err
}

// A Confidence says how sure a finding is.
type Confidence string

const (
	Certain Confidence = "high"
	Likely  Confidence = "medium"
	Guess   Confidence = "low"
)

// A Location is a place in a file of the project. Line and Column are at least 1.
type Location struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Evidence is one named value that a finding rests on. It never holds a secret.
type Evidence struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Check is one rule: a value that carries its own documentation. The
// framework stamps id, severity and title on what Judge reports.
type Check struct {
	ID         string            // kebab-case, "<system>-…", "cross-…" or "audit-…"; never renamed or reused
	System     snapshot.System   // whose items it judges; empty for cross and audit checks
	Needs      []snapshot.System // systems that must have been listed for its silence to prove anything; empty: that of the item
	Title      string            // the finding in at most six words, without the item: "crash loop"
	Severity   Severity
	Confidence Confidence // empty means Certain
	Version    int        // raised when the rule finds other things than before; 0 is 1

	Doc           string  // why it matters, for a person who never heard of it
	Hint          string  // what to do next, one or two sentences
	Discriminator string  // what tells two findings of one item apart: "job and step key and target"
	Source        string  // where the rule comes from: URL, specification, facts
	Limits        []Limit // thresholds a user may change

	Trend bool // it judges numbers over time: what it finds is regression R5

	Later bool // it runs after those that look for themselves, and sees by Found what they found
	Last  bool // it runs after all others, and sees by Covered what they found
	// Still says that Judge reads nothing that moves by itself: it is given the still
	// snapshot (see snapshot.Snapshot.Still), limits and analyses, and nothing else of
	// the World. In an equal one it finds the same and need not look.
	Still bool
	// Judge reports what is wrong. It reads only the Pass.
	Judge func(*Pass)
}

// A Limit is a threshold of a check with its default and unit.
type Limit struct {
	Name    string
	Default float64
	Unit    string
	Doc     string
}

// A Report is what a check found on one item.
type Report struct {
	Item          snapshot.Key
	Discriminator string // see Check.Discriminator; never wording, line, value or severity
	Title         string // empty: the check's
	Message       string // one sentence for a person: what is wrong, with the names; the full stop is added
	Hint          string // empty: the check's
	At            Location
	Evidence      []Evidence
	Severity      Severity   // 0: the check's
	Confidence    Confidence // empty: the check's
	Wide          bool       // it is about other files as well as that of At, each by itself: a waiver in one of them does not accept it
}

// A Finding is a Report with its identity and its stamps.
type Finding struct {
	ID            string          `json:"id"`
	Check         string          `json:"check"`
	Severity      Severity        `json:"severity"`
	Confidence    Confidence      `json:"confidence"`
	System        snapshot.System `json:"system"`
	Item          snapshot.Key    `json:"item"`
	Discriminator string          `json:"discriminator,omitempty"`
	Title         string          `json:"title"`
	Message       string          `json:"message"`
	Hint          string          `json:"hint,omitempty"`
	At            Location        `json:"at"`
	Evidence      []Evidence      `json:"evidence,omitempty"`
	Wide          bool            `json:"wide,omitempty"`
	Waived        *Waived         `json:"waived,omitempty"` // nil: it counts
	CheckVersion  int             `json:"check_version"`
}

// FindingID returns the identity of a finding: the sha256, in full hex, of
// system, item, check and discriminator separated by NUL.
func FindingID(sys snapshot.System, item snapshot.Key, check, discriminator string) string {
	h := sha256.Sum256([]byte(strings.Join([]string{string(sys), string(item), check, discriminator}, "\x00")))
	return hex.EncodeToString(h[:])
}

// A World is what all checks see.
type World struct {
	Now      *snapshot.Snapshot
	Before   snapshot.Past // the reference; never nil
	Changes  []snapshot.Change
	Gone     []Gone
	History  History                 // nil: there is none
	Expect   []Expected              // what the configuration expects to be there
	Failing  map[snapshot.System]int // in how many runs in a row, this one counted, the listing of a system failed
	Derived  *snapshot.Derived
	Limits   map[string]float64  // "check-id.limit" → value, from the configuration
	Severity map[string]Severity // check → severity, from the configuration
	Waivers  []Waiver            // of the snapshot's files, in order of place; then those of the configuration and of the store
	Ignores  []Ignore            // of the configuration
	Self     *Watch              // nil: not known, as of an old snapshot
	Foreign  *Foreign            // what programs of the configuration said; nil: none was asked, as of an old snapshot
	Backups  *Backups            // of this store; nil where nobody looked
	Recovery *Recovery           // what recovery cannot mend; nil where nobody looked
	Known    map[string]Found    // what checks that are Still found in an equal world, by check; nil: nothing is known
	All      []*Check            // every check there is, those that are off included
	Off      []string            // checks that are switched off: what they found before stays as it was, and is not shown

	crashed []Crash    // set before the checks that run Later and Last
	doubts  *Judgement // what nobody could look for, set before the checks that run Later
}

// An Expected is an item that must be there, and where the configuration says so.
type Expected struct {
	Item snapshot.Key
	At   Location
}

// Expected reports whether the configuration expects an item to be there.
func (w *World) Expected(k snapshot.Key) bool {
	return slices.ContainsFunc(w.Expect, func(e Expected) bool { return e.Item == k })
}

// Gone is an item that is no longer there although its source was read, and
// whose absence nothing explains.
type Gone struct {
	Item  snapshot.Key
	Name  string
	Path  string
	Level Level  // what it was when it was last seen
	Since uint64 `json:",omitempty"` // the number of the snapshot that missed it first
}

// A Pass is what one check sees, and where it reports.
type Pass struct {
	*World
	check  *Check
	out    []Finding
	made   pile                    // by the checks before, for one that runs Later or Last
	hidden func(snapshot.Key) bool // items that Items leaves out; nil: none
	doubt  []string                // IDs of findings whose absence proves nothing
	blind  []snapshot.Key          // items of which no absence proves anything
}

// Items returns the judgeable items of the check's system (or of all systems,
// for a check without one): those not carried from an earlier snapshot.
func (p *Pass) Items() []*snapshot.Item {
	all := p.Now.Items
	if p.check.System != "" {
		all = p.Now.Of(p.check.System)
	}
	out := make([]*snapshot.Item, 0, len(all))
	for _, it := range all {
		if !it.Carried && (p.hidden == nil || !p.hidden(it.Key)) {
			out = append(out, it)
		}
	}
	return out
}

// Bytes returns the captured bytes of a file, or nil when they were not kept.
func (p *Pass) Bytes(f snapshot.File) []byte {
	if f.SHA256 == "" || p.Now.Content == nil {
		return nil
	}
	b, err := p.Now.Content.Bytes(f.SHA256)
	if err != nil {
		return nil
	}
	return b
}

// Limit returns the value of one of the check's limits.
func (p *Pass) Limit(name string) float64 { return p.LimitOf(p.check, name) }

// LimitOf returns the value of a limit of another check, whose verdict decides
// which of the two tells something.
func (p *Pass) LimitOf(c *Check, name string) float64 {
	if v, ok := p.Limits[c.ID+"."+name]; ok {
		return v
	}
	for _, l := range c.Limits {
		if l.Name == name {
			return l.Default
		}
	}
	panic("check " + c.ID + " has no limit " + name)
}

// Doubt notes that the check could not look for one finding, because something
// it needs could not be read this time: if it was open, it stays.
func (p *Pass) Doubt(item snapshot.Key, discriminator string) {
	p.doubt = append(p.doubt, FindingID(item.System(), item, p.check.ID, discriminator))
}

// DoubtAll notes that the check could not look at an item at all: what was open
// of it stays.
func (p *Pass) DoubtAll(item snapshot.Key) { p.blind = append(p.blind, item) }

// maxMessage bounds a message in bytes: names in it may be as long as their file.
const maxMessage = 2000

// sentence ends a message with a full stop, unless it ends with a mark of its own.
func sentence(s string) string {
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}

// Report records a finding.
func (p *Pass) Report(r Report) {
	f := Finding{
		Check: p.check.ID, System: r.Item.System(), Item: r.Item, Discriminator: r.Discriminator,
		Severity: r.Severity, Confidence: r.Confidence, Title: cmp.Or(r.Title, p.check.Title), Message: sentence(r.Message), Hint: r.Hint,
		At: r.At, Wide: r.Wide, CheckVersion: max(p.check.Version, 1),
	}
	if f.Severity == 0 {
		f.Severity = p.check.Severity
	}
	if f.Confidence == "" {
		f.Confidence = p.check.Confidence
	}
	if f.Confidence == "" {
		f.Confidence = Certain
	}
	if f.Hint == "" {
		f.Hint = p.check.Hint
	}
	for _, e := range r.Evidence {
		if len(e.Value) > maxMessage {
			e.Value = strings.ToValidUTF8(e.Value[:maxMessage], "") + "…"
		}
		f.Evidence = append(f.Evidence, e)
	}
	if f.At.Path != "" {
		f.At.Line, f.At.Column = max(f.At.Line, 1), max(f.At.Column, 1)
	}
	f.ID = FindingID(f.System, f.Item, f.Check, f.Discriminator)
	p.out = append(p.out, f)
}
