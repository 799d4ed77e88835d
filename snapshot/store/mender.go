package store

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"
)

// A mender makes rows agree that refer to each other.
type mender struct {
	tx   *Tx
	lost *[]Problem
	seqs []uint64 // of the snapshots that are there
}

func (m *mender) add(b bucket, key []byte, what string) {
	if len(*m.lost) < maxProblems {
		*m.lost = append(*m.lost, Problem{Where: names[b] + " " + show(b, key), What: what, bucket: b, key: bytes.Clone(key)})
	}
}

func (m *mender) all(now time.Time, host string) error {
	for _, step := range []func() error{
		func() error { return m.about(now, host) }, m.undecodable, m.differences, m.snapshots, m.versions, m.changes, m.orphans, m.blobs, m.journal,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// about makes what the store says of itself anew where that is lost.
func (m *mender) about(now time.Time, host string) error {
	a, err := m.tx.about()
	if err != nil || a.Schema == 0 {
		m.add(bMeta, aboutKey, "made anew: what the store said of itself")
		say, err := json.Marshal(about{Schema: Schema, MinReader: Schema, ID: uuid(), Created: now.UTC(), Host: host})
		if err := errors.Join(err, m.tx.put(bMeta, aboutKey, say)); err != nil {
			return err
		}
	}
	if len(a.Key) != keyLen {
		if k, ok, err := m.tx.get(bMeta, hmacKey); err != nil || !ok || len(k) != keyLen {
			m.add(bMeta, hmacKey, "made anew: secrets will look as if they had changed, once")
			key := make([]byte, keyLen)
			rand.Read(key) // never fails: crypto/rand.Read
			return m.tx.put(bMeta, hmacKey, key)
		}
	}
	return nil
}

// undecodable drops rows whose check matches and that are no rows nevertheless.
func (m *mender) undecodable() error {
	v := &verifier{tx: m.tx}
	for b := range buckets {
		var bad [][]byte
		err := m.tx.walk(b, nil, nil, func(key, value []byte) (bool, error) {
			if err := v.alone(b, key, value); err != nil {
				m.add(b, key, plain(err))
				bad = append(bad, bytes.Clone(key))
			}
			return true, nil
		})
		if err := errors.Join(err, m.drop(b, bad)); err != nil {
			return err
		}
	}
	return nil
}

func (m *mender) drop(b bucket, keys [][]byte) (err error) {
	for _, key := range keys {
		err = errors.Join(err, m.tx.del(b, key))
	}
	return err
}

// snapshots makes headers and ids agree.
func (m *mender) snapshots() error {
	ids := map[string]bool{}
	err := m.tx.Heads(0, false, func(seq uint64, h Header) bool {
		m.seqs = append(m.seqs, seq)
		ids[h.ID+string(be64(seq))] = true
		return true
	})
	if err != nil {
		return err
	}
	var bad [][]byte
	err = m.tx.walk(bSnapID, nil, nil, func(key, v []byte) (bool, error) {
		if !ids[string(key)+string(v)] {
			m.add(bSnapID, key, "it leads to no snapshot")
			bad = append(bad, bytes.Clone(key))
		}
		return true, nil
	})
	if err := errors.Join(err, m.drop(bSnapID, bad)); err != nil {
		return err
	}
	for id := range ids {
		if err := m.tx.put(bSnapID, []byte(id[:len(id)-8]), []byte(id[len(id)-8:])); err != nil {
			return err
		}
	}
	return nil
}

// versions makes sure that an id whose newest state is lost has none, instead of
// the state before.
func (m *mender) versions() error {
	type gap struct {
		table, id string
		seq       uint64
	}
	var lost []gap
	err := m.tx.walk(bChg, nil, nil, func(key, _ []byte) (bool, error) {
		name, id, _ := bytes.Cut(key[8:], []byte{0})
		t, seq := m.tx.Table(string(name)), binary.BigEndian.Uint64(key)
		v, err := t.current(string(id))
		if err == nil && (!v.ok || v.seq != seq) {
			v, err = t.older(string(id), seq)
		}
		if err == nil && (!v.ok || v.seq != seq) {
			lost = append(lost, gap{t.name, string(id), seq})
		}
		return true, err
	})
	if err != nil {
		return err
	}
	last := map[[2]string]version{} // of every id, the newest in ver
	err = m.tx.walk(bVer, nil, nil, func(key, value []byte) (bool, error) {
		name, rest, _ := bytes.Cut(key, []byte{0})
		at := [2]string{string(name), string(rest[:len(rest)-9])}
		if _, ok := last[at]; ok {
			return true, nil
		}
		v, err := m.tx.Table(at[0]).decodeVer(key, value)
		last[at] = version{seq: v.seq, value: bytes.Clone(v.value)}
		return true, err
	})
	if err != nil {
		return err
	}
	for at, v := range last {
		if cur, err := m.tx.Table(at[0]).current(at[1]); err != nil {
			return err
		} else if !cur.ok && v.value != nil {
			lost = append(lost, gap{at[0], at[1], v.seq + 1})
		}
	}
	for _, g := range lost {
		t := m.tx.Table(g.table)
		key := t.verKey(g.id, g.seq)
		if _, ok, err := m.tx.get(bVer, key); err != nil || ok {
			if err != nil {
				return err
			}
			continue
		}
		m.add(bVer, key, StateLost)
		if err := errors.Join(t.part(g.id, g.seq), m.tx.put(bVer, key, []byte{tombstone}), m.tx.put(bChg, t.chgKey(g.id, g.seq), nil)); err != nil {
			return err
		}
	}
	return nil
}

// changes notes every version in the index of changes.
func (m *mender) changes() error {
	var missing [][]byte
	for _, b := range []bucket{bCur, bVer} {
		err := m.tx.walk(b, nil, nil, func(key, value []byte) (bool, error) {
			name, id, _ := bytes.Cut(key, []byte{0})
			t := m.tx.Table(string(name))
			decode := t.decodeCur
			if b == bVer {
				decode, id = t.decodeVer, id[:len(id)-9]
			}
			v, err := decode(key, value)
			missing = append(missing, t.chgKey(string(id), v.seq))
			return true, err
		})
		if err != nil {
			return err
		}
	}
	for _, key := range missing {
		if err := m.tx.put(bChg, key, nil); err != nil { // writes nothing where it is there
			return err
		}
	}
	return nil
}

// orphans moves what belongs to a snapshot whose header is lost to the next one,
// as if it had been pruned; what is later than all goes.
func (m *mender) orphans() error {
	there := map[uint64]bool{}
	for _, seq := range m.seqs {
		there[seq] = true
	}
	var seqs []uint64 // descending, so that each change moves once
	err := m.tx.walk(bChg, nil, nil, func(key, _ []byte) (bool, error) {
		if seq := binary.BigEndian.Uint64(key); !there[seq] && (len(seqs) == 0 || seqs[0] != seq) {
			seqs = append([]uint64{seq}, seqs...)
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		if err := m.orphan(seq); err != nil {
			return err
		}
	}
	var gone []bound
	err = m.tx.Readings(func(seq uint64, name string) {
		if len(m.seqs) == 0 || seq > m.seqs[len(m.seqs)-1] {
			gone = append(gone, bound{seq, name})
		}
	})
	for _, g := range gone {
		err = errors.Join(err, m.tx.DropReading(g.seq, g.name))
	}
	return err
}

type bound struct {
	seq  uint64
	name string
}

func (m *mender) orphan(seq uint64) error {
	m.add(bSnap, be64(seq), "its header is lost, or was by an earlier repair: what changed in it is shown by the next snapshot")
	ids, err := m.tx.changedAt(seq)
	if err != nil {
		return err
	}
	next := uint64(0)
	for _, s := range m.seqs {
		if s > seq && next == 0 {
			next = s
		}
	}
	for _, at := range ids {
		t := m.tx.Table(at[0])
		if next > 0 {
			_, err = t.shift(at[1], seq, next)
		} else {
			var v version
			if v, err = t.exactly(at[1], seq); err == nil {
				_, err = t.undo(at[1], v)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// blobs drops the contents that do not come out right.
func (m *mender) blobs() error {
	for again := true; again; { // what is a difference from a lost one is lost as well
		var bad [][]byte
		err := m.tx.walk(bBlob, nil, nil, func(key, value []byte) (bool, error) {
			if _, err := m.tx.decodeBlob(key, value); err != nil {
				m.add(bBlob, key, plain(err))
				bad = append(bad, bytes.Clone(key))
			}
			return true, nil
		})
		if err := errors.Join(err, m.drop(bBlob, bad)); err != nil {
			return err
		}
		again = len(bad) > 0
	}
	return nil
}
