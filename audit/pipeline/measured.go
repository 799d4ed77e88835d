package pipeline

import (
	"sync"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// maxMarks bounds how many snapshots back a series goes: a month at one in a
// quarter of an hour.
const maxMarks = 3000

// measured is the history of metrics, read when it is asked for. The first thing
// that cannot be read is kept in err.
type measured struct {
	tx  *store.Tx
	seq uint64 // the newest snapshot it knows

	mu    sync.Mutex
	marks []audit.Mark // newest first, as far as they were read
	end   bool         // there are no more
	obs   map[reading]observed
	err   error
}

var _ audit.History = (*measured)(nil)

func newMeasured(tx *store.Tx, seq uint64) *measured {
	return &measured{tx: tx, seq: seq, obs: map[reading]observed{}}
}

func (m *measured) Marks(since time.Time, least int) []audit.Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	enough := func() bool {
		n := len(m.marks)
		return m.end || n >= maxMarks || n > least && m.marks[n-1].At.Before(since)
	}
	if !enough() {
		m.marks = nil
		m.note(m.tx.Heads(m.seq, true, func(seq uint64, h store.Header) bool {
			m.marks = append(m.marks, audit.Mark{Seq: seq, Run: h.ID, At: h.At})
			return !enough()
		}))
		m.end = m.end || !enough()
	}
	n := 0
	for n < len(m.marks) && (n < least || !m.marks[n].At.Before(since)) {
		n++
	}
	return m.marks[:n]
}

func (m *measured) Metric(seq uint64, k snapshot.Key, name string) (snapshot.Metric, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read(seq, k.System()).metric(k, name)
}

// read returns what a system measured in a snapshot.
func (m *measured) read(seq uint64, sys snapshot.System) observed {
	id := reading{seq, string(sys)}
	if o, ok := m.obs[id]; ok {
		return o
	}
	b, err := m.tx.Obs(seq, string(sys))
	var o observed
	if err == nil {
		o, err = splitReadings(b)
	}
	m.note(err)
	m.obs[id] = o
	return o
}

func (m *measured) note(err error) {
	if m.err == nil {
		m.err = err
	}
}
