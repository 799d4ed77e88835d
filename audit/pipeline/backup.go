package pipeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// When archives are made in a run.
const (
	WhenAuto   = "auto"   // when what an archive would hold is not what the last one holds
	WhenAlways = "always" // in every run
	WhenNever  = "never"
)

// Backups is the configuration of archives. The zero value makes none.
type Backups struct {
	Dir        string // absolute
	CopyTo     string // a second folder for each archive, absolute; empty: none
	When       string
	Recipients string // file of public keys, absolute; empty: archives are not encrypted
	Keep       archive.Keep
	DrillEvery time.Duration
	Configured bool           // the configuration says something of archives
	At         audit.Location // where it does
}

// A backupState is what the store remembers of archives.
type backupState struct {
	First   time.Time   `json:"first"`             // when the first archive was made
	Last    *madeState  `json:"last,omitempty"`    // the newest that was made
	Drilled *time.Time  `json:"drilled,omitempty"` // when a drill last succeeded
	Sums    []madeState `json:"sums,omitempty"`    // of the archives that are kept, to verify them without a key
}

// A madeState is what is remembered of one archive.
type madeState struct {
	File    string    `json:"file"`
	At      time.Time `json:"at"`
	SHA256  string    `json:"sha256"`
	Content string    `json:"content,omitempty"` // keyed digest of what is in it
	Lacks   int       `json:"lacks,omitempty"`   // captured files of which the store had no bytes any more
}

// metaBackups is where the store keeps that.
const metaBackups = "backups"

func readBackups(tx *store.Tx) (b backupState, err error) {
	if raw := tx.Meta(metaBackups); raw != nil {
		err = json.Unmarshal(raw, &b)
	}
	return b, err
}

func writeBackups(tx *store.Tx, b backupState) error {
	raw, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return tx.PutMeta(metaBackups, raw)
}

// ArchiveSums returns the digests of the archives that this store made and has
// not removed, by the names of their files.
func ArchiveSums(tx *store.Tx) (map[string]string, error) {
	b, err := readBackups(tx)
	out := map[string]string{}
	for _, m := range b.Sums {
		out[m.File] = m.SHA256
	}
	return out, err
}

// maxAbsent is how many digests are kept of archives that are in neither folder: one of
// these may not be mounted.
const maxAbsent = 50

// made notes a new archive, and forgets those that go, and of those that are in none of
// these folders all but the newest.
func (b *backupState) made(m madeState, drop []archive.Drop, dirs ...string) {
	if b.First.IsZero() {
		b.First = m.At
	}
	gone := map[string]bool{m.File: true}
	for _, d := range drop {
		gone[d.File] = true
	}
	var sums []madeState
	absent := 0
	for _, s := range slices.Backward(b.Sums) {
		if gone[s.File] {
			continue
		}
		if !lies(s.File, dirs) {
			if absent++; absent > maxAbsent {
				continue
			}
		}
		sums = append(sums, s)
	}
	slices.Reverse(sums)
	sum := m
	sum.Content, sum.Lacks = "", 0
	b.Last, b.Sums = &m, append(sums, sum)
}

// lies reports whether a file is in one of these folders.
func lies(file string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		_, err := os.Lstat(filepath.Join(dir, file))
		return err == nil
	})
}

// world is what checks see of the archives.
func (b *backupState) world(c *Backups) *audit.Backups {
	w := &audit.Backups{At: c.At, Configured: c.Configured, First: b.First, Every: c.DrillEvery}
	if b.Drilled != nil {
		w.Drilled = *b.Drilled
	}
	return w
}

// shown is a path as a report shows it: relative where it lies in the root.
func shown(root, path string) string {
	if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) && !strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(rel)
	}
	return path
}

// seen is what checks see of the archives. Before one is made, none has failed.
func (s *session) seen() *audit.Backups {
	w := s.backups.world(&s.Config.Backups)
	w.Tried = s.wanted()
	if s.unmade != nil {
		w.Failed, w.Hint = s.unmade.Err.Error(), s.unmade.Hint()
	}
	return w
}

// wanted reports whether this run looks after archives.
func (s *session) wanted() bool {
	c := &s.Config.Backups
	return !s.Ephemeral && s.lost == nil && c.Dir != "" && c.When != WhenNever && c.When != ""
}
