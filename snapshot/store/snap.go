package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// A Header is what the store keeps of a snapshot itself.
type Header struct {
	ID       string    // ULID, or any other unique text of at most 255 bytes without NUL
	At       time.Time // kept to the millisecond, in UTC
	Score    int32     // hundredths of a point; -1 none
	Items    uint32
	Findings uint32
	Flags    uint32 // the caller's, but for the highest bit
	Brief    []byte // the caller's: what lists show, read without the body; nil in a header of schema 1
	Body     []byte // the caller's
}

// briefed is the flag of a header with a brief, which one of schema 1 has not.
const briefed = 1 << 31

// headFixed is the length of the binary prefix: time, score, items, findings,
// flags, length of the id.
const headFixed = 8 + 4 + 4 + 4 + 4 + 1

// encodeHeader returns the row of a header, with its body whole.
func encodeHeader(h Header) ([]byte, error) {
	if h.ID == "" || len(h.ID) > math.MaxUint8 || strings.ContainsRune(h.ID, 0) {
		return nil, fmt.Errorf("snapshot id %.40q: must be 1 to 255 bytes without NUL", h.ID)
	}
	if h.Flags&briefed != 0 {
		return nil, fmt.Errorf("snapshot %s: its flags have more than 31 bits", h.ID)
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(h.At.UnixMilli()))
	b = binary.BigEndian.AppendUint32(b, uint32(h.Score))
	for _, n := range []uint32{h.Items, h.Findings, h.Flags | briefed} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = append(append(b, byte(len(h.ID))), h.ID...)
	b = append(binary.AppendUvarint(b, uint64(len(h.Brief))), h.Brief...)
	body, err := pack(h.Body, coldMin)
	return append(b, body...), err
}

// decodeHeader reads the row of a header; a short body aliases v.
func (tx *Tx) decodeHeader(seq uint64, v []byte) (h Header, err error) {
	h, packed, err := decodeHead(v)
	if err == nil {
		h.Body, err = tx.body(seq, packed)
	}
	return h, err
}

// decodeHead reads all but the body, which it returns as it is packed. The brief aliases v.
func decodeHead(v []byte) (h Header, body []byte, err error) {
	if len(v) < headFixed || len(v) < headFixed+int(v[headFixed-1]) {
		return h, nil, errors.New("header is cut off")
	}
	h.At = time.UnixMilli(int64(binary.BigEndian.Uint64(v))).UTC()
	h.Score = int32(binary.BigEndian.Uint32(v[8:]))
	h.Items = binary.BigEndian.Uint32(v[12:])
	h.Findings = binary.BigEndian.Uint32(v[16:])
	h.Flags = binary.BigEndian.Uint32(v[20:])
	rest := v[headFixed:]
	h.ID, rest = string(rest[:v[headFixed-1]]), rest[v[headFixed-1]:]
	if h.Flags&briefed == 0 {
		return h, rest, nil
	}
	h.Flags &^= briefed
	n, used := binary.Uvarint(rest)
	if used <= 0 || n > uint64(len(rest)-used) {
		return h, nil, errors.New("header is cut off")
	}
	h.Brief = rest[used : used+int(n) : used+int(n)]
	return h, rest[used+int(n):], nil
}

// Seq returns the number of the newest snapshot; 0 when there is none.
func (tx *Tx) Seq() uint64 {
	n, err := tx.lastN(bSnap)
	tx.note(err)
	return n
}

// lastN returns the number that is the last key of a bucket.
func (tx *Tx) lastN(b bucket) (n uint64, err error) {
	defer guard(tx.s.path, &err)()
	r, err := tx.rows(b)
	if err == nil {
		err = r.last()
	}
	if err != nil || r.key == nil {
		return 0, err
	}
	if len(r.key) != 8 {
		return 0, tx.corrupt(b, r.key, "its key is no number")
	}
	return binary.BigEndian.Uint64(r.key), nil
}

// AppendSnapshot keeps the header of a new snapshot and returns its number,
// one more than the last. An id that is there already is an error.
func (tx *Tx) AppendSnapshot(h Header) (seq uint64, err error) {
	v, err := encodeHeader(h)
	if err != nil {
		return 0, err
	}
	switch _, taken, err := tx.get(bSnapID, []byte(h.ID)); {
	case err != nil:
		return 0, err
	case taken:
		return 0, fmt.Errorf("snapshot id %s is taken", h.ID)
	}
	last, err := tx.lastN(bSnap)
	if err != nil {
		return 0, err
	}
	seq = last + 1
	if err := tx.put(bSnap, be64(seq), v); err != nil {
		return 0, err
	}
	if err := tx.leanBodies(seq, h.Body); err != nil {
		return 0, err
	}
	return seq, tx.put(bSnapID, []byte(h.ID), be64(seq))
}

// Header returns the header of a snapshot; false when there is no such snapshot.
func (tx *Tx) Header(seq uint64) (h Header, ok bool, err error) {
	defer guard(tx.s.path, &err)()
	v, ok, err := tx.get(bSnap, be64(seq))
	if err != nil || !ok {
		return Header{}, false, err
	}
	if h, err = tx.decodeHeader(seq, v); err != nil {
		return Header{}, false, tx.undecoded(be64(seq), err)
	}
	h.Body, h.Brief = bytes.Clone(h.Body), bytes.Clone(h.Brief)
	return h, true, nil
}

// undecoded says that a header is damaged, unless more is than its row.
func (tx *Tx) undecoded(key []byte, err error) error {
	var more *CorruptError
	if errors.As(err, &more) || errors.Is(err, errEnded) {
		return err
	}
	return tx.corrupt(bSnap, key, err)
}

// Headers calls fn for every snapshot from a number on, upwards, or downwards
// when desc is true; 0 is the first, or the newest. Brief and body are valid
// during the call only.
func (tx *Tx) Headers(from uint64, desc bool, fn func(seq uint64, h Header) (more bool)) (err error) {
	return tx.headers(from, desc, tx.decodeHeader, fn)
}

// Heads is Headers without the bodies, which take most of the time.
func (tx *Tx) Heads(from uint64, desc bool, fn func(seq uint64, h Header) (more bool)) (err error) {
	return tx.headers(from, desc, func(_ uint64, v []byte) (Header, error) {
		h, _, err := decodeHead(v)
		return h, err
	}, fn)
}

func (tx *Tx) headers(from uint64, desc bool, decode func(uint64, []byte) (Header, error), fn func(uint64, Header) bool) (err error) {
	defer guard(tx.s.path, &err)()
	r, err := tx.rows(bSnap)
	if err != nil {
		return err
	}
	r.lax = tx.pardon != nil
	step := r.next
	switch {
	case !desc:
		err = r.seek(be64(from))
	case from == 0 || from == math.MaxUint64:
		step, err = r.prev, r.last()
	default:
		step = r.prev
		if err = r.seek(be64(from + 1)); err == nil && r.key == nil {
			err = r.last()
		} else if err == nil {
			err = r.prev()
		}
	}
	for ; err == nil && r.key != nil; err = step() {
		if r.torn {
			tx.lose(Problem{bucket: bSnap, key: r.key}.Place())
			continue
		}
		seq := numberAt(r.key)
		h, err := decode(seq, r.value)
		if err == nil && len(r.key) != 8 {
			err = errors.New("its key is no number")
		}
		if err != nil {
			if err = tx.undecoded(r.key, err); tx.Bear(err) {
				continue
			}
			return err
		}
		if !fn(seq, h) {
			return nil
		}
	}
	return err
}

// ByID returns the numbers of the snapshots whose id starts with prefix, in id
// order. Ids are compared as they were given.
func (tx *Tx) ByID(prefix string) (seqs []uint64) {
	tx.note(tx.walk(bSnapID, []byte(prefix), []byte(prefix), func(k, v []byte) (bool, error) {
		if len(v) != 8 {
			return false, tx.corrupt(bSnapID, k, "it is no number")
		}
		seqs = append(seqs, binary.BigEndian.Uint64(v))
		return true, nil
	}))
	return seqs
}
