package report

type Recovery struct {
	Mode    string         `json:"mode"`
	Rules   int            `json:"rules"` // how many there are
	Plan    string         `json:"plan"`  // sha256 over snapshot, rules and planned steps; empty without rules
	Steps   []Step         `json:"steps"`
	Totals  map[string]int `json:"totals"`  // status → steps
	Unknown []UntoldRule   `json:"unknown"` // rules whose condition could not be told of some items
}

// An UntoldRule is a rule that did nothing for some items because its condition
// was neither true nor false.
type UntoldRule struct {
	Rule  string `json:"rule"`
	Items int    `json:"items"`
	Item  string `json:"item"` // the first of them
	Why   string `json:"why"`
}

type Step struct {
	ID          string `json:"id"`
	Rule        string `json:"rule"`
	Action      string `json:"action"`
	Item        string `json:"item"`
	Target      string `json:"target"`
	Status      string `json:"status"`
	Reason      string `json:"reason"`
	Attempt     int    `json:"attempt"`
	MaxAttempts int    `json:"max_attempts"`

	Skip  string   `json:"skip"`  // why a skipped one is not carried out, in a word
	What  string   `json:"what"`  // what it does, one sentence
	Hint  string   `json:"hint"`  // what to do next
	Files []string `json:"files"` // what it writes
}
