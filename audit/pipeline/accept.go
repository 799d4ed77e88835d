package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

const (
	tableAccepted = "accepted" // removals that a person accepted: key → number of the snapshot that missed it
	tableWaiver   = "waiver"   // findings that a person accepted: finding id → Acceptance
)

// An Acceptance is one finding that a person accepted for a while.
type Acceptance struct {
	ID       string         `json:"id"`
	Check    string         `json:"check"`
	Item     snapshot.Key   `json:"item"`
	Severity audit.Severity `json:"severity"` // of what was accepted
	Reason   string         `json:"reason"`
	Until    string         `json:"until"`
	By       string         `json:"by"`
	At       time.Time      `json:"at"`
}

func (a *Acceptance) waiver() audit.Waiver {
	return audit.Waiver{Checks: []string{a.Check}, Item: string(a.Item), Finding: a.ID, Reason: a.Reason, Until: a.Until, By: a.By, Severity: a.Severity}
}

// Acceptances returns the acceptances that stand as of a snapshot, by finding id.
func Acceptances(tx *store.Tx, seq uint64) (out []Acceptance, err error) {
	err = tx.Table(tableWaiver).Scan(seq, "", func(id string, value []byte, _ uint64) error {
		var a Acceptance
		if err := json.Unmarshal(value, &a); err != nil {
			return fmt.Errorf("acceptance of finding %.12s: %w", id, err)
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

// ErrNoFinding says that nothing of that name is open, or accepted.
var ErrNoFinding = errors.New("there is no such finding")

// OpenFindings returns the open findings of the newest snapshot that an id, or
// the start of one, names; or a check and the key of an item. A system stands
// for what belongs to none of its items. Errors: ErrNoFinding, or the store's.
func OpenFindings(tx *store.Tx, id, check string, item snapshot.Key) (out []*audit.Record, err error) {
	recs, err := records(tx, tx.Seq())
	if err != nil {
		return nil, err
	}
	for _, r := range recs {
		if r.Open() && named(r.ID, r.Check, r.Item, id, check, item) {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		err = ErrNoFinding
	}
	slices.SortFunc(out, func(a, b *audit.Record) int { return strings.Compare(a.ID, b.ID) })
	return out, err
}

// named reports whether words name a finding.
func named(fid, fcheck string, fitem snapshot.Key, id, check string, item snapshot.Key) bool {
	if id != "" {
		return strings.HasPrefix(fid, id)
	}
	return fcheck == check && (fitem == item || fitem.IsPseudo() && string(fitem) == string(item)+"/(system)")
}

// Accept keeps acceptances, from the next snapshot on.
func Accept(tx *store.Tx, list []Acceptance) error {
	for _, a := range list {
		b, err := json.Marshal(a)
		if err != nil {
			return err
		}
		if err := tx.Table(tableWaiver).Put(tx.Seq(), a.ID, b); err != nil {
			return err
		}
	}
	return nil
}

// Withdraw takes acceptances back, named as for OpenFindings, and returns them.
// Errors: ErrNoFinding, or the store's.
func Withdraw(tx *store.Tx, id, check string, item snapshot.Key) (out []Acceptance, err error) {
	list, err := Acceptances(tx, tx.Seq())
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if !named(a.ID, a.Check, a.Item, id, check, item) {
			continue
		}
		if err := tx.Table(tableWaiver).Delete(tx.Seq(), a.ID); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		err = ErrNoFinding
	}
	return out, err
}

// waivers are those of the files, then the configuration's, then the store's.
func waivers(files []audit.Waiver, cfg *Config, accepted []Acceptance) []audit.Waiver {
	out := append(files, cfg.Waivers...)
	for i := range accepted {
		out = append(out, accepted[i].waiver())
	}
	return out
}

func acceptedRemovals(tx *store.Tx, into map[snapshot.Key]uint64) error {
	return tx.Table(tableAccepted).Scan(tx.Seq(), "", func(id string, value []byte, _ uint64) (err error) {
		into[snapshot.Key(id)], err = strconv.ParseUint(string(value), 10, 64) // since when the row is so changes with pruning
		return err
	})
}

// AcceptRemoval notes that an item is gone for good. It is an error when the
// newest snapshot does not miss that item, nor carries it because a link stands
// in the way to it.
func AcceptRemoval(tx *store.Tx, k snapshot.Key) error {
	p, err := newPast(tx, tx.Seq())
	if err != nil {
		return err
	}
	missed := slices.ContainsFunc(p.info.Gone, func(g audit.Gone) bool { return g.Item == k })
	if _, kept := slices.BinarySearch(p.info.Kept, k); !missed && !kept {
		return fmt.Errorf("%s is not missing", k)
	}
	return tx.Table(tableAccepted).Put(tx.Seq(), string(k), strconv.AppendUint(nil, tx.Seq(), 10))
}
