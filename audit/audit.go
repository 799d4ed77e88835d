// Package audit judges: it says what a check, a finding and a severity are,
// runs checks over a snapshot, follows findings over time, and turns them into
// levels, scores and regressions.
//
// It is pure: no I/O, no clock. A check sees one snapshot, its past and its
// changes, so today's checks run on yesterday's snapshots as well.
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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

// UnmarshalText reads what MarshalText wrote: nothing is the severity of what has none.
func (s *Severity) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*s = 0
		return nil
	}
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
	// Address fits the words of a finding to where its item is; nil leaves them as they are.
	Address func(*Pass, *Finding)
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
