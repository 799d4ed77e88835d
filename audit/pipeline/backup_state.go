package pipeline

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A savedState is everything that a store knows of one snapshot, without the
// bytes of its files: what a slim archive holds beside them.
type savedState struct {
	Format      string                                        `json:"format"`
	ID          string                                        `json:"id"`
	At          time.Time                                     `json:"at"`
	Score       int32                                         `json:"score"` // hundredths of a point; -1 none
	Info        *Info                                         `json:"info"`
	Items       [][]byte                                      `json:"items,omitempty"` // snapshot.Item.Encode; see encoder
	Readings    map[snapshot.System]map[snapshot.Key]readings `json:"readings"`
	Findings    []*audit.Record                               `json:"findings"` // open ones
	Regressions []*audit.Regression                           `json:"regressions"`
	Checks      map[string]string                             `json:"checks"`
	Context     []snapshot.File                               `json:"context"`
	Tree        []byte                                        `json:"tree"` // snapshot.Tree.Encode
}

const stateFormat = "audit.state/v1"

// A backed is a snapshot as it goes into an archive.
type backed struct {
	Seq         uint64
	Info        *Info
	Snapshot    *snapshot.Snapshot
	score       int32
	records     []*audit.Record
	regressions []*audit.Regression
	checks      map[string]string
	states      *states // of items that are encoded already; nil: of none
}

// backedView is a run that was judged and is not yet committed.
func backedView(v *View) *backed {
	b := &backed{Seq: v.Seq, Info: v.Info, Snapshot: v.Snapshot, score: v.hundredths(), regressions: v.Regressions, checks: v.checks}
	for _, t := range v.findings {
		b.records = append(b.records, t.Record)
	}
	return b
}

// loadBacked is a snapshot of the store. The transaction must outlive it.
func loadBacked(tx *store.Tx, seq uint64) (*backed, error) {
	s, info, err := LoadSnapshot(tx, seq)
	if err != nil {
		return nil, err
	}
	h, _, err := tx.Header(seq)
	if err != nil {
		return nil, err
	}
	b := &backed{Seq: seq, Info: info, Snapshot: s, score: h.Score}
	if b.records, err = records(tx, seq); err != nil {
		return nil, err
	}
	if b.regressions, err = regressions(tx, seq); err != nil {
		return nil, err
	}
	return b, row(tx, seq, rowChecks, &b.checks)
}

// encoder returns what writes the state. The same snapshot gives the same bytes, be
// it of a run or of the store. Items come last and one by one: all of them encoded
// would take more memory than all else that a run holds.
func (b *backed) encoder() (func(io.Writer) error, error) {
	head, err := b.head()
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		if err := b.items(w); err != nil {
			return err
		}
		_, err := io.WriteString(w, "}")
		return err
	}, nil
}

// items writes the items of a state.
func (b *backed) items(w io.Writer) error {
	if len(b.Snapshot.Items) == 0 {
		return nil
	}
	made := &stateReader{}
	if b.states != nil {
		var err error
		if made, err = b.states.read(); err != nil {
			return err
		}
	}
	sep := `,"items":["`
	var room, text []byte // one of each for all items: this is as much as the rest of a small run
	for _, it := range b.Snapshot.Items {
		item, err := made.state(it)
		if err != nil {
			return err
		}
		if item == nil {
			room = it.AppendEncode(room[:0])
			item = room
		}
		text = append(base64.StdEncoding.AppendEncode(append(text[:0], sep...), item), '"')
		if _, err := w.Write(text); err != nil {
			return err
		}
		sep = `,"`
	}
	_, err := io.WriteString(w, "]")
	return err
}

// head is all of the state but its items, and but for its end.
func (b *backed) head() ([]byte, error) {
	info := *b.Info
	info.Archive, info.ArchiveFailed = nil, ""
	s := savedState{Format: stateFormat, ID: info.ID, At: info.Started, Score: b.score, Info: &info, Readings: readingsIn(b.Snapshot),
		Checks: b.checks, Context: b.Snapshot.Context, Tree: b.Snapshot.Tree.Encode(), Regressions: slices.Clone(b.regressions)}
	for _, r := range b.records {
		if r.Open() {
			s.Findings = append(s.Findings, r)
		}
	}
	slices.SortFunc(s.Findings, func(a, b *audit.Record) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Regressions, func(a, b *audit.Regression) int { return strings.Compare(a.ID(), b.ID()) })
	head, err := json.Marshal(s)
	return bytes.TrimSuffix(head, []byte("}")), err
}

// decodeState reads what encoder's function wrote.
func decodeState(raw []byte) (*savedState, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	var s savedState
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("the state in it is not readable: %w", err)
	}
	if s.Format != stateFormat || s.Info == nil {
		return nil, fmt.Errorf("the state in it is of a format that this version of audit does not read: %.40q", s.Format)
	}
	return &s, nil
}

// snapshot makes the snapshot of a state; its content is the caller's.
func (s *savedState) snapshot() (*snapshot.Snapshot, error) {
	tree, err := snapshot.DecodeTree(s.Tree)
	if err != nil {
		return nil, err
	}
	out := &snapshot.Snapshot{ID: s.ID, At: s.At, Systems: s.Info.Systems, Tree: tree, Context: s.Context}
	for _, raw := range s.Items {
		it, err := snapshot.DecodeItem(string(raw))
		if err != nil {
			return nil, err
		}
		r := s.Readings[it.System()][it.Key]
		it.Metrics = r.Metrics
		it.Facts.Grow(len(r.Facts)) // an archive may come from anywhere: its items are brought into order
		it.Facts.Add(r.Facts...)
		it.Refs.Grow(0)
		it.Sort()
		out.Items = append(out.Items, it)
	}
	out.Sort()
	return out, nil
}

// insert keeps the state as the next snapshot of a store that has none after it.
func (s *savedState) insert(tx *store.Tx) (seq uint64, err error) {
	snap, err := s.snapshot()
	if err != nil {
		return 0, err
	}
	seq = tx.Seq() + 1
	renumber(s, seq)
	body, err := json.Marshal(s.Info)
	if err != nil {
		return 0, err
	}
	h := store.Header{ID: s.ID, At: s.At, Score: s.Score, Items: uint32(len(snap.Items)), Findings: uint32(len(s.Findings)), Brief: s.Info.Brief().encode(), Body: body}
	if _, err = tx.AppendSnapshot(h); err != nil {
		return 0, err
	}
	w := writer{tx: tx, seq: seq}
	if err := s.forget(tx, seq, snap); err != nil {
		return 0, err
	}
	for _, it := range snap.Items {
		w.put(tableItem, string(it.Key), it.Encode())
	}
	w.readings(snap)
	for _, r := range s.Findings {
		w.json(tableFinding, r.ID, r)
	}
	for _, r := range s.Regressions {
		w.json(tableRegression, r.ID(), r)
	}
	w.json(tableState, rowChecks, s.Checks)
	w.json(tableState, rowContext, s.Context)
	w.tree(snap.Tree.Encode(), "")
	return seq, w.err
}

// forget ends in a snapshot what the one before it has and it has not. What was
// resolved and closed before stays known.
func (s *savedState) forget(tx *store.Tx, seq uint64, snap *snapshot.Snapshot) error {
	open := map[string]bool{}
	for _, r := range s.Findings {
		open[r.ID] = true
	}
	for _, r := range s.Regressions {
		open[r.ID()] = true
	}
	var ended struct {
		Resolved, Closed *audit.Mark
	}
	over := func(id string, value []byte) bool {
		ended.Resolved, ended.Closed = nil, nil
		return !open[id] && (json.Unmarshal(value, &ended) != nil || ended.Resolved == nil && ended.Closed == nil)
	}
	for table, goes := range map[string]func(string, []byte) bool{
		tableItem:       func(id string, _ []byte) bool { return snap.Item(snapshot.Key(id)) == nil },
		tableFinding:    over,
		tableRegression: over,
	} {
		var gone []string
		err := tx.Table(table).Scan(seq, "", func(id string, value []byte, _ uint64) error {
			if goes(id, value) {
				gone = append(gone, id)
			}
			return nil
		})
		for _, id := range gone {
			if err == nil {
				err = tx.Table(table).Delete(seq, id)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// renumber makes the numbers of snapshots in a state those of the store that it
// goes into: what refers to one that is not there refers to this one.
func renumber(s *savedState, seq uint64) {
	own := audit.Mark{Seq: seq, Run: s.ID, At: s.At}
	for _, r := range s.Findings {
		r.First.Seq, r.Opened.Seq = seq, seq
		r.First.Run, r.Opened.Run = own.Run, own.Run
		if r.Updated != nil {
			u := own
			r.Updated = &u
		}
	}
	for _, r := range s.Regressions {
		r.Since, r.Reference = own, own
	}
	for sys := range s.Info.Reference {
		s.Info.Reference[sys] = seq
	}
	for key := range s.Info.Judged {
		s.Info.Judged[key] = seq
	}
	for i := range s.Info.Gone {
		s.Info.Gone[i].Since = seq
	}
	s.Info.JournalHead = (*report.Head)(nil)
	s.Info.Delta, s.Info.DeltaSame = nil, nil // from a run that is not there
}

// rebase makes the next run take the facts of a snapshot for another schema's:
// hashes with a key that is not there any more are like nothing.
func rebase(states []snapshot.SystemState) {
	for i := range states {
		states[i].Epoch = -1
	}
}
