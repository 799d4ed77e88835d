// Package rules is about recovery: what audit does to the world, and the
// journal of everything it ever did. Detection is called a check and lives in
// audit; nothing here judges.
package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// An Entry is one line of the journal: who did what, with which result. It
// never holds a secret. Prev chains it to the entry before.
type Entry struct {
	Seq     uint64            `json:"seq"` // 1, 2, 3 … without gaps
	At      time.Time         `json:"at"`
	Actor   Actor             `json:"actor"`
	Tool    string            `json:"tool"`    // version of audit
	Command string            `json:"command"` // "restore", "store create"
	Phase   string            `json:"phase"`   // done, failed, rolled_back; of recovery also intent, under way, executed, resumed, given up
	Item    string            `json:"item,omitempty"`
	What    string            `json:"what"` // one sentence for a person
	Data    map[string]string `json:"data,omitempty"`
	Prev    string            `json:"prev"` // sha256 in hex of the raw bytes of the entry before; empty in the first
}

// An Actor is who ran audit.
type Actor struct {
	UID  int    `json:"uid"`
	User string `json:"user,omitempty"`
	Host string `json:"host,omitempty"`
	Via  string `json:"via"` // cron, github-actions, terminal or other
}

// A ChainError says where the journal is not what was written.
type ChainError struct {
	Seq  uint64
	What string
}

func (e *ChainError) Error() string { return fmt.Sprintf("journal entry %d: %s", e.Seq, e.What) }

// Hash returns the name of an entry in the chain.
func Hash(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

// Chain completes e as the entry after the one of that number and hash (0 and ""
// for the first) and returns its raw bytes, which are what the journal keeps and
// hashes.
func Chain(seq uint64, hash string, e Entry) ([]byte, error) {
	e.Seq, e.Prev, e.At = seq+1, hash, e.At.UTC()
	return json.Marshal(e)
}

// A Verifier checks a journal entry by entry, from the first on. The zero value
// is ready to use.
type Verifier struct {
	Count uint64
	Head  string // hash of the last entry that was added
}

// Add checks the next entry. An error is always a *ChainError.
func (v *Verifier) Add(raw []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, &ChainError{v.Count + 1, "not readable: " + err.Error()}
	}
	if e.Seq != v.Count+1 {
		return e, &ChainError{v.Count + 1, fmt.Sprintf("is missing: the next one is number %d", e.Seq)}
	}
	if e.Prev != v.Head {
		return e, &ChainError{e.Seq, "does not continue the chain: the entry before it was changed, or this one was"}
	}
	v.Count, v.Head = e.Seq, Hash(raw)
	return e, nil
}

// End checks that the journal ends where its head says.
func (v *Verifier) End(seq uint64, hash string) error {
	if v.Count != seq || v.Head != hash {
		return &ChainError{seq, fmt.Sprintf("the head says %d entries ending in %.12s, the journal has %d ending in %.12s: entries were cut off or replaced", seq, hash, v.Count, v.Head)}
	}
	return nil
}
