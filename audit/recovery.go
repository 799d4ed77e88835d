package audit

import "time"

// A Recovery is what of recovery stands until a person looks, or time passes.
type Recovery struct {
	Path     string    // of the rules; empty: there are none
	GivenUp  []GivenUp // by rule and item
	Breakers []Breaker // by name and system
	Stuck    []Stuck   // by rule and item
}

// A GivenUp is an item on which a rule has no attempt left, although its
// condition still holds.
type GivenUp struct {
	Rule, Action, Item string
	Line               int // of the rule
	Attempts           int
	Again              time.Time // when one more attempt may be made; zero: not before a person says so
	Reset              time.Duration
}

// A Breaker is a bound on all rules together that is reached and that does not
// open again with the next run.
type Breaker struct {
	Name   string // unhealthy, failures or day
	System string // of unhealthy
	Why    string // a sentence
	Held   int    // how many actions it holds back in this run
}

// A Stuck is an action that did not help and that could not be taken back, or
// that was interrupted and is not carried on.
type Stuck struct {
	Rule, Item string
	Line       int
	Step       string // its id
	Why        string
	Cut        bool // it was interrupted
}
