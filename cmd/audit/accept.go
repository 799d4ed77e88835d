package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/store"
)

type acceptCmd struct {
	Finding  []string `arg:"" help:"The letters that reports show behind the check of a finding (8 or more of its id), or CHECK ITEM; with --removed the keys of items."`
	Reason   string   `help:"Why, for everybody who reads a report." placeholder:"TEXT"`
	Until    string   `help:"The last day it holds, at most 180 days away." placeholder:"DATE"`
	Withdraw bool     `help:"Take an acceptance back: the finding counts again."`
	Removed  bool     `help:"The item was removed for good: from the next run on its absence is no finding."`
}

// maxReason bounds what is shown in every report, in bytes.
const maxReason = 500

var idForm = lazyregexp.New(`^[0-9a-fA-F]{8,64}$`)

func (c *acceptCmd) Run(a *App) error {
	said, err := c.accept(a)
	if err != nil || a.Quiet {
		return err
	}
	_, err = fmt.Fprint(a.Stdout, said)
	return err
}

// accept does it, and returns what to say.
func (c *acceptCmd) accept(a *App) (said string, err error) {
	switch {
	case c.Removed && c.Withdraw:
		return "", &usageError{"--removed and --withdraw: one of them", "an item that comes back counts again by itself"}
	case c.Removed:
		return c.removed(a)
	}
	id, check, item, err := c.names(a)
	if err != nil {
		return "", err
	}
	if c.Withdraw {
		return c.withdraw(a, id, check, item)
	}
	if len(c.Reason) > maxReason {
		return "", &usageError{fmt.Sprintf("--reason has %d bytes, at most %d are kept", len(c.Reason), maxReason), "every report shows it: say it shortly"}
	}
	w := audit.Waiver{Checks: []string{"x"}, Reason: strings.TrimSpace(c.Reason), Until: c.Until}
	if p := w.Problem(a.Now()); p != "" {
		return "", &usageError{"accept: " + p, fmt.Sprintf("--reason WHY --until DATE, the last day of it: %s at the latest", lastDay(a.Now()))}
	}
	if w.Over(a.Now()) {
		return "", &usageError{fmt.Sprintf("--until %s is past", c.Until), "name a day to come"}
	}
	var b strings.Builder
	err = a.changing(func(tx *store.Tx, by rules.Actor) ([]rules.Entry, error) {
		found, err := c.find(tx, id, check, item)
		if err != nil {
			return nil, err
		}
		entries, list := []rules.Entry{}, []pipeline.Acceptance{}
		for _, f := range found {
			list = append(list, pipeline.Acceptance{ID: f.ID, Check: f.Check, Item: f.Item, Severity: f.Severity, Reason: w.Reason, Until: w.Until, By: who(by, "accept"), At: a.Now().UTC()})
			entries = append(entries, rules.Entry{Command: "accept", Item: string(f.Item), Data: map[string]string{"finding": f.ID},
				What: fmt.Sprintf("%s %s was accepted until %s: %s", f.Check, shortID(f.ID), w.Until, w.Reason)})
			fmt.Fprintf(&b, "accepted until %s: %s on %s %s\n", w.Until, f.Check, report.Clean(string(f.Item)), shortID(f.ID))
		}
		return entries, pipeline.Accept(tx, list)
	})
	return b.String() + "From the next run on it is shown and not counted, unless it becomes worse.\n", err
}

// names reads what finding is meant: an id, or a check and an item.
func (c *acceptCmd) names(a *App) (id, name string, item snapshot.Key, err error) {
	switch {
	case len(c.Finding) == 1 && idForm().MatchString(c.Finding[0]):
		return strings.ToLower(c.Finding[0]), "", "", nil
	case len(c.Finding) == 2:
		name, item = strings.Trim(c.Finding[0], "[]"), snapshot.Key(c.Finding[1])
		checks, err := a.catalogue()
		if err != nil {
			return "", "", "", err
		}
		if ids := idsOf(checks); !slices.Contains(ids, name) {
			hint := "audit check list has the names"
			if near := nearestName(name, ids); near != "" {
				hint = "did you mean " + near + "?"
			}
			return "", "", "", &usageError{fmt.Sprintf("there is no check %q", name), hint}
		}
		return "", name, item, nil
	}
	return "", "", "", &usageError{fmt.Sprintf("%q is no finding", strings.Join(c.Finding, " ")),
		"audit accept ID, the eight letters beside it in the report; or audit accept CHECK ITEM; or audit accept ITEM --removed"}
}

// find returns the open findings that are meant: of an id exactly one.
func (c *acceptCmd) find(tx *store.Tx, id, name string, item snapshot.Key) ([]*audit.Record, error) {
	found, err := pipeline.OpenFindings(tx, id, name, item)
	if errors.Is(err, pipeline.ErrNoFinding) {
		return nil, &usageError{fmt.Sprintf("the newest run has no open finding %q", strings.Join(c.Finding, " ")), "audit report shows them, each with the letters to name it by"}
	}
	if err != nil {
		return nil, err
	}
	if id != "" && len(found) > 1 {
		return nil, &usageError{fmt.Sprintf("%s begins the id of %d findings", id, len(found)), "give more letters: " + ids(found, len(id)+4)}
	}
	for _, k := range check.All() {
		if k.ID == found[0].Check && k.Last {
			return nil, &usageError{k.ID + " is about waivers itself and cannot be accepted", found[0].Hint}
		}
	}
	return found, nil
}

func ids(found []*audit.Record, n int) string {
	var out []string
	for _, f := range found {
		out = append(out, f.ID[:min(n, len(f.ID))])
	}
	return strings.Join(out, ", ")
}

func shortID(id string) string { return id[:min(8, len(id))] }

// who names a person in a report, and the command by which that person decided.
func who(by rules.Actor, command string) string {
	user := by.User
	if user == "" {
		user = fmt.Sprintf("uid %d", by.UID)
	}
	return user + ", audit " + command
}

func (c *acceptCmd) withdraw(a *App, id, name string, item snapshot.Key) (said string, err error) {
	if c.Until != "" {
		return "", &usageError{"--withdraw and --until: one of them", ""}
	}
	var b strings.Builder
	err = a.changing(func(tx *store.Tx, _ rules.Actor) ([]rules.Entry, error) {
		gone, err := pipeline.Withdraw(tx, id, name, item)
		if errors.Is(err, pipeline.ErrNoFinding) {
			return nil, &usageError{fmt.Sprintf("nobody accepted %q by audit accept", strings.Join(c.Finding, " ")), "what a comment in a file or audit.yaml accepts ends where it is written"}
		}
		if err != nil {
			return nil, err
		}
		if id != "" && len(gone) > 1 {
			return nil, &usageError{fmt.Sprintf("%s begins the id of %d findings", id, len(gone)), "give more letters"}
		}
		entries := []rules.Entry{}
		for _, g := range gone {
			what := fmt.Sprintf("the acceptance of %s %s was taken back", g.Check, shortID(g.ID))
			if c.Reason != "" {
				what += ": " + c.Reason
			}
			entries = append(entries, rules.Entry{Command: "accept", Item: string(g.Item), Data: map[string]string{"finding": g.ID}, What: what})
			fmt.Fprintf(&b, "taken back: %s on %s %s\n", g.Check, report.Clean(string(g.Item)), shortID(g.ID))
		}
		return entries, nil
	})
	return b.String() + "From the next run on it counts again.\n", err
}

func (c *acceptCmd) removed(a *App) (said string, err error) {
	if c.Until != "" {
		return "", &usageError{"--removed takes no end", "what is gone for good is gone for good"}
	}
	var b strings.Builder
	err = a.changing(func(tx *store.Tx, _ rules.Actor) (entries []rules.Entry, err error) {
		what := "its removal was accepted"
		if c.Reason != "" {
			what += ": " + c.Reason
		}
		for _, key := range c.Finding {
			if err := pipeline.AcceptRemoval(tx, snapshot.Key(key)); err != nil {
				return nil, &usageError{err.Error(), "audit report names the items that vanished, and those behind a link"}
			}
			entries = append(entries, rules.Entry{Command: "accept", Item: key, What: what})
			fmt.Fprintf(&b, "accepted: %s is gone for good; the next run says so\n", report.Clean(key))
		}
		return entries, nil
	})
	return b.String(), err
}
