package pipeline

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"healthaudit/audit"
	"healthaudit/snapshot/store"
)

// A Brief is what a list of snapshots shows of one. It stands in the header by
// itself, in few bytes: ten thousand bodies take a second to read.
type Brief struct {
	Passed      bool
	Exit        int
	Regressions int
	Open        map[string]int // severity → open findings
	Commit      string         // of git, in hex; empty without
	Delta       *float64       // of the score; nil when it cannot be compared
	Systems     []SystemBrief  // those that were not read whole
}

// A SystemBrief says of a system that it was not read whole.
type SystemBrief struct{ System, Status string }

// Brief returns what a list shows of the run.
func (i *Info) Brief() Brief {
	b := Brief{Passed: i.Passed, Exit: i.Exit, Regressions: i.Regressions, Open: i.Open, Delta: i.Delta}
	if i.Git != nil {
		b.Commit = i.Git.Commit
	}
	for _, st := range i.Systems {
		switch st.Status {
		case "error", "partial", "skipped":
			b.Systems = append(b.Systems, SystemBrief{string(st.System), string(st.Status)})
		}
	}
	return b
}

var severities = []audit.Severity{audit.Critical, audit.High, audit.Medium, audit.Low, audit.Info}

// briefForm is the first byte of an encoded brief.
const briefForm = 1

func (b Brief) encode() []byte {
	passed := uint64(0)
	if b.Passed {
		passed = 1
	}
	out := []byte{briefForm}
	for _, n := range []uint64{passed, uint64(b.Exit), uint64(b.Regressions)} {
		out = binary.AppendUvarint(out, n)
	}
	for _, s := range severities {
		out = binary.AppendUvarint(out, uint64(b.Open[s.String()]))
	}
	commit, _ := hex.DecodeString(b.Commit)
	out = appendBytes(out, commit)
	delta := []byte{}
	if b.Delta != nil {
		delta = binary.BigEndian.AppendUint64(nil, math.Float64bits(*b.Delta))
	}
	out = binary.AppendUvarint(appendBytes(out, delta), uint64(len(b.Systems)))
	for _, s := range b.Systems {
		out = appendBytes(appendBytes(out, []byte(s.System)), []byte(s.Status))
	}
	return out
}

func appendBytes(to, b []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(b))), b...)
}

// decodeBrief reads what encode wrote.
func decodeBrief(in []byte) (b Brief, err error) {
	r := briefReader{in: in}
	if r.number() != briefForm {
		return b, errors.New("a brief of an unknown form")
	}
	b = Brief{Passed: r.number() == 1, Exit: int(r.number()), Regressions: int(r.number()), Open: make(map[string]int, len(severities))}
	for _, s := range severities {
		b.Open[s.String()] = int(r.number())
	}
	b.Commit = hex.EncodeToString([]byte(r.text()))
	if delta := r.text(); len(delta) == 8 {
		d := math.Float64frombits(binary.BigEndian.Uint64([]byte(delta)))
		b.Delta = &d
	}
	for n := r.number(); n > 0 && !r.bad; n-- {
		b.Systems = append(b.Systems, SystemBrief{r.text(), r.text()})
	}
	if r.bad || len(r.in) > 0 {
		return b, errors.New("a brief that is cut off")
	}
	return b, nil
}

type briefReader struct {
	in  []byte
	bad bool
}

func (r *briefReader) number() uint64 {
	n, used := binary.Uvarint(r.in)
	if r.bad = r.bad || used <= 0; r.bad {
		return 0
	}
	r.in = r.in[used:]
	return n
}

func (r *briefReader) text() string {
	n := r.number()
	if r.bad = r.bad || n > uint64(len(r.in)); r.bad {
		return ""
	}
	s := string(r.in[:n])
	r.in = r.in[n:]
	return s
}

// Briefs calls fn for every snapshot, the newest first.
func Briefs(tx *store.Tx, fn func(seq uint64, h store.Header, b Brief) (more bool)) error {
	var bad error
	err := tx.Heads(0, true, func(seq uint64, h store.Header) bool {
		var b Brief
		if h.Brief != nil {
			b, bad = decodeBrief(h.Brief)
		} else {
			b, bad = briefOf(tx, seq)
		}
		if bad != nil {
			bad = fmt.Errorf("snapshot #%d: %w", seq, bad)
			return false
		}
		return fn(seq, h, b)
	})
	return cmp.Or(err, bad)
}

// briefOf reads a header that has no brief: one of schema 1.
func briefOf(tx *store.Tx, seq uint64) (Brief, error) {
	h, _, err := tx.Header(seq)
	if err != nil {
		return Brief{}, err
	}
	var i Info
	if err := json.Unmarshal(h.Body, &i); err != nil {
		return Brief{}, err
	}
	return i.Brief(), nil
}
