package audit

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"healthaudit/snapshot"
)

// A Crash is a check that could not be run to its end.
type Crash struct {
	Check string
	Item  snapshot.Key `json:",omitempty"` // the item at fault, of which nothing is known; empty: of no item
	What  string       // what went wrong and where, without a value of the project
}

// maxTries bounds how often a check is run to find the items at fault.
const maxTries = 200

// run runs a check. One that panics is run again without the items at fault, so
// that it loses what it says of them and nothing else; without a pass it panics
// whatever it is given.
func run(c *Check, w *World, made pile) (*Pass, []Crash) {
	p, what := try(c, w, made, nil)
	if what == "" {
		return p, nil
	}
	whole := []Crash{{Check: c.ID, What: what}}
	tries := 0
	var crashes []Crash
	hidden := map[snapshot.Key]bool{}
	var search func(items []*snapshot.Item)
	search = func(items []*snapshot.Item) {
		if tries++; tries > maxTries || len(items) == 0 {
			return
		}
		only := make(map[snapshot.Key]bool, len(items))
		for _, it := range items {
			only[it.Key] = true
		}
		_, what := try(c, w, made, func(k snapshot.Key) bool { return !only[k] })
		switch half := len(items) / 2; {
		case what == "":
		case half == 0:
			hidden[items[0].Key] = true
			crashes = append(crashes, Crash{c.ID, items[0].Key, what})
		default:
			search(items[:half])
			search(items[half:])
		}
	}
	search((&Pass{World: w, check: c}).Items())
	if p, what = try(c, w, made, func(k snapshot.Key) bool { return hidden[k] }); what != "" || tries > maxTries {
		return nil, whole
	}
	for _, x := range crashes {
		p.DoubtAll(x.Item)
	}
	return p, crashes
}

// try runs a check on the items that are not hidden. What is not empty when it panicked.
func try(c *Check, w *World, made pile, hidden func(snapshot.Key) bool) (p *Pass, what string) {
	p = &Pass{World: w, check: c, made: made, hidden: hidden}
	defer func() {
		if r := recover(); r != nil {
			what = describe(r)
		}
	}()
	c.Judge(p)
	return p, ""
}

// describe says what a panic is about. Only the text of a runtime error is
// known to hold no value of the project.
func describe(r any) string {
	what := fmt.Sprintf("panic with a value of type %T", r)
	if err, ok := r.(runtime.Error); ok {
		what = err.Error()
	}
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s at %s:%d", what, path.Join(path.Base(path.Dir(f.File)), path.Base(f.File)), f.Line)
		}
		if !more {
			return what
		}
	}
}

// Crashed returns the checks that crashed so far: what a check that runs Last asks.
func (p *Pass) Crashed() []Crash { return p.crashed }
