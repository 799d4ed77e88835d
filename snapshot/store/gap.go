package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// A Gap is a row of entries that the journal lacks, as a repair noted it: what is
// lost stays lost, and is told for ever, but it is no new damage.
type Gap struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	Next string `json:"next"` // sha256 in hex of the entry after it: another one is damage
	Told uint64 `json:"told"` // number of the entry that says so
}

func (g Gap) String() string {
	if g.From == g.To {
		return fmt.Sprintf("entry %d of the journal", g.From)
	}
	return fmt.Sprintf("entries %d to %d of the journal", g.From, g.To)
}

var gapsKey = []byte("gaps")

// KnownGaps returns the gaps that were noted, in order.
func (tx *Tx) KnownGaps() (gaps []Gap, err error) {
	b, ok, err := tx.get(bMeta, gapsKey)
	if err != nil || !ok {
		return nil, err
	}
	if err := json.Unmarshal(b, &gaps); err != nil {
		return nil, tx.corrupt(bMeta, gapsKey, err)
	}
	return gaps, nil
}

// NoteGaps notes all that the journal lacks before its last entry, which is the one
// that tells of it.
func (tx *Tx) NoteGaps() error {
	known, err := tx.KnownGaps()
	if err != nil {
		return err
	}
	told := tx.JournalHead()
	var gaps []Gap
	err = tx.gaps(func(g Gap) {
		if i := slices.IndexFunc(known, g.same); i >= 0 {
			g = known[i]
		} else {
			g.Told = told
		}
		gaps = append(gaps, g)
	})
	if err != nil || slices.Equal(gaps, known) {
		return err
	}
	b, err := json.Marshal(gaps)
	if err != nil {
		return err
	}
	return tx.put(bMeta, gapsKey, b)
}

// same reports whether two gaps are one, whoever tells of it.
func (g Gap) same(o Gap) bool { return g.From == o.From && g.To == o.To && g.Next == o.Next }

// gaps calls fn for everything that the journal lacks before its last entry.
func (tx *Tx) gaps(fn func(Gap)) error {
	last := uint64(0)
	return tx.Journal(1, func(n uint64, raw []byte) bool {
		if n > last+1 {
			fn(Gap{From: last + 1, To: n - 1, Next: sumOf(raw)})
		}
		last = n
		return true
	})
}

// isKnown reports whether what the journal lacks before an entry was noted.
func (tx *Tx) isKnown(from, next uint64) bool {
	known, err := tx.KnownGaps()
	if err != nil || len(known) == 0 {
		return false
	}
	found := false
	err = tx.Journal(next, func(n uint64, raw []byte) bool {
		found = n == next && slices.ContainsFunc(known, Gap{From: from, To: next - 1, Next: sumOf(raw)}.same)
		return false
	})
	return err == nil && found
}

func sumOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// journal tells of entries that are missing, and of which neither an earlier repair
// told nor this one already does.
func (m *mender) journal() error {
	known, err := m.tx.KnownGaps()
	if err != nil {
		return err
	}
	told := map[uint64]bool{}
	for _, p := range *m.lost {
		if p.bucket == bJournal && len(p.key) == 8 {
			told[numberAt(p.key)] = true
		}
	}
	return m.tx.gaps(func(g Gap) {
		if n := g.From; !slices.ContainsFunc(known, g.same) {
			for n <= g.To && told[n] {
				n++
			}
			if n <= g.To {
				m.add(bJournal, be64(g.To+1), fmt.Sprintf("numbers %d to %d are missing before it", g.From, g.To))
			}
		}
	})
}
