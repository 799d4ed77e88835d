package store

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// bodyRun is for how many snapshots one body serves as what those after it are
// differences from: each says much the same as the one before.
const bodyRun = 32

// A bodyBase is a body that others are kept as differences from: the number of its
// snapshot, which is older, and the sum of it stand before them, then zstd with it as
// raw dictionary. It is kept whole itself.
type bodyBase struct {
	seq  uint64
	body []byte
	open *zstd.Decoder // made when it is needed
}

// baseOf splits a difference.
func baseOf(packed []byte) (seq, sum uint64, frame []byte, err error) {
	if len(packed) > 1 && packed[0] == codecDelta {
		seq, n := binary.Uvarint(packed[1:])
		if rest := packed[1+max(n, 0):]; n > 0 && len(rest) >= sumLen {
			return seq, binary.BigEndian.Uint64(rest), rest[sumLen:], nil
		}
	}
	return 0, 0, nil, errors.New("its body is cut off")
}

func isDelta(packed []byte) bool { return len(packed) > 0 && packed[0] == codecDelta }

// packBody returns a body as it is kept: as a difference from base where that takes less
// than half; base may be nil.
func packBody(body []byte, base *bodyBase) ([]byte, error) {
	whole, err := pack(body, coldMin)
	if err != nil || base == nil || len(body) < coldMin || len(body) > maxDelta || len(base.body) > maxDelta || len(base.body) < 8 {
		return whole, err
	}
	e, err := zstd.NewWriter(nil, append(encoderOptions(), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderDictRaw(1, base.body))...)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	out := binary.AppendUvarint([]byte{codecDelta}, base.seq)
	out = e.EncodeAll(body, binary.BigEndian.AppendUint64(out, xxhash.Sum64(base.body)))
	if 2*len(out) < len(whole) {
		return out, nil
	}
	return whole, nil
}

// body returns the body of a snapshot as it was before it was packed; a short one
// aliases it.
func (tx *Tx) body(seq uint64, packed []byte) ([]byte, error) {
	if !isDelta(packed) {
		return unpack(packed)
	}
	at, sum, frame, err := baseOf(packed)
	if err != nil {
		return nil, err
	}
	base := tx.base.Load()
	if base == nil || base.seq != at || base.open == nil {
		if base, err = tx.bodyBase(at, seq); err != nil {
			return nil, err
		}
		if base == nil || len(base.body) < 8 {
			return nil, errBase
		}
		base.open, err = zstd.NewReader(nil, zstd.WithDecoderDictRaw(1, base.body), zstd.WithDecoderMaxMemory(maxValue),
			zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		if !tx.tx.Writable() {
			tx.base.Store(base)
		}
	}
	if xxhash.Sum64(base.body) != sum {
		return nil, errBase
	}
	return base.open.DecodeAll(frame, nil)
}

// bodyBase returns the body of a snapshot that is older than another; nil where it is
// not there, or no whole one.
func (tx *Tx) bodyBase(seq, before uint64) (*bodyBase, error) {
	if seq >= before {
		return nil, nil
	}
	v, ok, err := tx.get(bSnap, be64(seq))
	if err != nil && !ofOneRow(err) || !ok {
		return nil, err
	}
	_, packed, err := decodeHead(v)
	if err != nil {
		return nil, nil
	}
	body, err := unpack(packed) // which is none of a difference
	if err != nil {
		return nil, nil
	}
	return &bodyBase{seq: seq, body: body}, nil
}

// nextBase returns what the body of the snapshot after one may be a difference from;
// nil where it is to be kept whole.
func (tx *Tx) nextBase(last uint64) (*bodyBase, error) {
	v, ok, err := tx.get(bSnap, be64(last))
	if err != nil && !ofOneRow(err) || !ok {
		return nil, err
	}
	_, packed, err := decodeHead(v)
	at := last
	if err == nil && isDelta(packed) {
		at, _, _, err = baseOf(packed)
	}
	if err != nil || at > last || last-at >= bodyRun-1 {
		return nil, nil
	}
	return tx.bodyBase(at, last+1)
}

// An heir is a snapshot whose body is a difference from that of another.
type heir struct {
	seq        uint64
	head, body []byte
}

// heirs returns the snapshots whose bodies are differences from that of one.
func (tx *Tx) heirs(seq uint64) (all []heir, err error) {
	err = tx.walk(bSnap, be64(seq+1), nil, func(key, v []byte) (bool, error) {
		if len(key) != 8 || numberAt(key)-seq >= bodyRun {
			return false, nil
		}
		_, packed, err := decodeHead(v)
		if err != nil || !isDelta(packed) {
			return true, nil
		}
		at, _, _, err := baseOf(packed)
		if err != nil || at != seq {
			return true, nil
		}
		body, err := tx.body(numberAt(key), packed)
		if err != nil {
			return false, tx.corrupt(bSnap, key, err)
		}
		all = append(all, heir{numberAt(key), bytes.Clone(v[:len(v)-len(packed)]), body})
		return true, nil
	})
	return all, err
}

// inherit keeps the first of some bodies whole, and the others as differences from that.
func (tx *Tx) inherit(all []heir) error {
	var base *bodyBase
	for _, h := range all {
		packed, err := packBody(h.body, base)
		if err == nil {
			err = tx.put(bSnap, be64(h.seq), append(h.head, packed...))
		}
		if err != nil {
			return err
		}
		if !isDelta(packed) {
			base = &bodyBase{seq: h.seq, body: h.body}
		}
	}
	return nil
}
