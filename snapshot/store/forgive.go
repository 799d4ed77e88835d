package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
)

// A pardon is what a transaction that forgives has met.
type pardon struct {
	mu    sync.Mutex
	lost  []Place
	index *versionIndex // made at the first damaged version
}

// Forgive makes a read transaction go on where single rows are damaged: Scan,
// Changed, History, Headers and Heads leave out what is lost and note it, and so
// does Meta. At, Text, Obs and Header still return the error: Bear says whether
// it may be borne. An older value never stands for a lost one. Damaged pages end
// the reading as ever.
func (tx *Tx) Forgive() { tx.pardon = &pardon{} }

// Exactly runs fn without forgiving. Damage that is else kept for the end of the
// transaction, as that which Meta meets, is an error of Exactly.
func (tx *Tx) Exactly(fn func() error) (err error) {
	was := tx.pardon
	if was == nil {
		return fn()
	}
	tx.pardon = nil
	kept := tx.damage.Swap(nil)
	defer func() {
		tx.pardon = was
		if met := tx.damage.Swap(kept); err == nil && met != nil {
			err = met
		}
	}()
	return fn()
}

// Lost returns what was left out so far, each once, in order: several may read at
// once. Of a table, Seq is the snapshot that was asked for, or the one of the version.
func (tx *Tx) Lost() []Place {
	if tx.pardon == nil {
		return nil
	}
	tx.pardon.mu.Lock()
	defer tx.pardon.mu.Unlock()
	slices.SortFunc(tx.pardon.lost, func(a, b Place) int {
		return cmp.Or(strings.Compare(a.Bucket, b.Bucket), strings.Compare(a.Table, b.Table), strings.Compare(a.ID, b.ID),
			cmp.Compare(a.Seq, b.Seq), strings.Compare(a.Name, b.Name), strings.Compare(a.Blob, b.Blob))
	})
	return slices.Clone(tx.pardon.lost)
}

// Bear reports whether the transaction forgives and err is the damage of one row,
// which it then notes.
func (tx *Tx) Bear(err error) bool {
	row := tx.pardonable(err)
	if row != nil {
		tx.lose(*row)
	}
	return row != nil
}

// Bears reports whether Bear would, and notes nothing.
func (tx *Tx) Bears(err error) bool { return tx.pardonable(err) != nil }

func (tx *Tx) pardonable(err error) *Place {
	var c *CorruptError
	if tx.pardon == nil || !errors.As(err, &c) {
		return nil
	}
	return c.row
}

func (tx *Tx) lose(at Place) {
	tx.pardon.mu.Lock()
	defer tx.pardon.mu.Unlock()
	if !slices.Contains(tx.pardon.lost, at) {
		tx.pardon.lost = append(tx.pardon.lost, at)
	}
}

// A versionIndex knows from rows that are whole which versions there are: every
// one stands in its table and in the index of changes, so that one damaged row
// hides none of them, nor passes under another key.
type versionIndex struct {
	seqs map[string][]uint64 // table 0 id → snapshots, ascending
	sure bool                // not both of the places have damaged rows
}

func (tx *Tx) versionIndex() (*versionIndex, error) {
	tx.pardon.mu.Lock()
	defer tx.pardon.mu.Unlock()
	if tx.pardon.index != nil {
		return tx.pardon.index, nil
	}
	x := &versionIndex{seqs: map[string][]uint64{}}
	add := func(id []byte, seq uint64) { x.seqs[string(id)] = append(x.seqs[string(id)], seq) }
	changes, err := tx.whole(bChg, func(key, _ []byte) { add(key[min(8, len(key)):], numberAt(key)) })
	if err != nil {
		return nil, err
	}
	current, err := tx.whole(bCur, func(key, value []byte) { add(key, numberAt(value)) })
	if err != nil {
		return nil, err
	}
	older, err := tx.whole(bVer, func(key, _ []byte) {
		if n := len(key) - 9; n > 0 {
			add(key[:n], ^binary.BigEndian.Uint64(key[n+1:]))
		}
	})
	if err != nil {
		return nil, err
	}
	for id, seqs := range x.seqs {
		slices.Sort(seqs)
		x.seqs[id] = slices.Compact(seqs)
	}
	x.sure = changes == 0 || current+older == 0
	tx.pardon.index = x
	return x, nil
}

// as returns damage as that of another row, or, with nil, of more than one row,
// which nobody forgives.
func as(met error, row *Place) error {
	var c *CorruptError
	if !errors.As(met, &c) {
		return met
	}
	other := *c
	other.row = row
	return &other
}

// whole calls fn for the rows of a bucket that are, and counts the others.
func (tx *Tx) whole(b bucket, fn func(key, value []byte)) (torn int, err error) {
	defer guard(tx.s.path, &err)()
	r, err := tx.rows(b)
	if err != nil {
		return 0, err
	}
	r.lax = true
	for err = r.seek(nil); err == nil && r.key != nil; err = r.next() {
		if r.torn {
			torn++
		} else {
			fn(r.key, r.value)
		}
	}
	return torn, err
}

// recall returns the version of an id at a snapshot where rows are damaged; met
// is the damage, which it returns where that version is lost, or nobody can tell.
func (t Table) recall(id string, seq uint64, met error) (version, error) {
	x, err := t.tx.versionIndex()
	if err != nil {
		return version{}, err
	}
	if !x.sure {
		return version{}, as(met, nil)
	}
	seqs := x.seqs[string(t.curKey(id))]
	n, there := slices.BinarySearch(seqs, seq)
	if there {
		n++
	}
	if n == 0 {
		return version{}, nil
	}
	if n == len(seqs) {
		v, err := t.current(id)
		if err == nil && v.ok && v.seq == seqs[n-1] {
			return v, nil
		}
	}
	key := t.verKey(id, seqs[n-1])
	row, ok, err := t.tx.get(bVer, key)
	switch {
	case err == nil && ok:
		v, err := t.decodeVer(key, row)
		if err == nil {
			v, err = t.grounded(id, v, nil)
		}
		if t.tx.pardonable(err) == nil {
			return v, err
		}
	case err != nil && t.tx.pardonable(err) == nil:
		return version{}, err
	}
	return version{}, as(met, &Place{Bucket: names[bCur], Table: t.name, ID: id, Seq: seq})
}

// knownIDs returns the ids of the table that are meant, in order.
func (t Table) knownIDs(meant idRange) ([]string, error) {
	x, err := t.tx.versionIndex()
	if err != nil {
		return nil, err
	}
	var ids []string
	for key := range x.seqs {
		if id, ok := strings.CutPrefix(key, string(t.prefix())); ok && meant.has(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// scanOn gives what Scan did not come to since it met damage.
func (t Table) scanOn(seq uint64, rest idRange, met error, give func(string, version) error) error {
	x, err := t.tx.versionIndex()
	if err != nil || !x.sure {
		return cmp.Or(err, as(met, nil))
	}
	ids, err := t.knownIDs(rest)
	if err != nil {
		return err
	}
	for _, id := range ids {
		v, err := t.recall(id, seq, met)
		switch {
		case t.tx.Bear(err):
		case err != nil:
			return err
		case v.value != nil:
			if err := give(id, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// changedOf is Changed from all places in which a version stands.
func (t Table) changedOf(after, upto uint64, met error) ([]string, error) {
	x, err := t.tx.versionIndex()
	if err != nil || !x.sure {
		return nil, cmp.Or(err, as(met, nil))
	}
	ids, err := t.knownIDs(idRange{})
	return slices.DeleteFunc(ids, func(id string) bool {
		return !slices.ContainsFunc(x.seqs[string(t.curKey(id))], func(seq uint64) bool { return seq > after && seq <= upto })
	}), err
}

// historyOf is History from all places in which a version stands.
func (t Table) historyOf(id string, met error, fn func(seq uint64, value []byte) (more bool)) error {
	x, err := t.tx.versionIndex()
	if err != nil || !x.sure {
		return cmp.Or(err, as(met, nil))
	}
	for _, seq := range slices.Backward(x.seqs[string(t.curKey(id))]) {
		v, err := t.recall(id, seq, met)
		var value []byte
		if err == nil && v.value != nil {
			value, err = t.open(bVer, id, v)
		}
		switch {
		case t.tx.Bear(err):
			continue
		case err != nil:
			return err
		}
		if v.value != nil {
			value = append([]byte{}, value...)
		}
		if !fn(seq, value) {
			return nil
		}
	}
	return nil
}
