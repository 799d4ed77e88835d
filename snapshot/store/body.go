package store

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// bodyRun is the number of snapshots of which, as soon as they are there, the newest body
// is what the others are kept as differences from: each says much the same as the one
// before. So none needs an older one.
const bodyRun = 16

// A bodyBase is a body that others are kept as differences from: the number of its
// snapshot and the sum of it stand before them, then zstd with it as raw dictionary. It
// is kept whole itself.
type bodyBase struct {
	seq  uint64
	body []byte
	open *zstd.Decoder
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
	if at <= seq || at-seq >= bodyRun {
		return nil, errBase
	}
	base := tx.base.Load()
	if base == nil || base.seq != at {
		if base, err = tx.bodyBase(at); err != nil {
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

// bodyBase returns the body of a snapshot, ready to be what others are differences from.
func (tx *Tx) bodyBase(seq uint64) (*bodyBase, error) {
	v, ok, err := tx.get(bSnap, be64(seq))
	if err != nil && !ofOneRow(err) {
		return nil, err
	}
	if !ok {
		return nil, errBase
	}
	_, packed, err := decodeHead(v)
	if err != nil {
		return nil, errBase
	}
	body, err := unpack(packed) // which is none of a difference
	if err != nil || len(body) < 8 {
		return nil, errBase
	}
	open, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(1, body), zstd.WithDecoderMaxMemory(maxValue),
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	return &bodyBase{seq, body, open}, err
}

// leanBodies keeps the bodies of the snapshots before one as differences from its own,
// each where that takes less than half.
func (tx *Tx) leanBodies(seq uint64, body []byte) error {
	if seq%bodyRun != 0 || len(body) < coldMin || len(body) > maxDelta {
		return nil
	}
	e, err := zstd.NewWriter(nil, append(encoderOptions(), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderDictRaw(1, body))...)
	if err != nil {
		return err
	}
	defer e.Close()
	rows := map[uint64][]byte{}
	err = tx.walk(bSnap, be64(seq-bodyRun+1), nil, func(key, v []byte) (bool, error) {
		at := numberAt(key)
		_, packed, err := decodeHead(v)
		if err != nil || isDelta(packed) || at >= seq {
			return at < seq, nil
		}
		own, err := unpack(packed)
		if err != nil || len(own) > maxDelta {
			return true, nil
		}
		row := bytes.Clone(v[:len(v)-len(packed)])
		row = binary.AppendUvarint(append(row, codecDelta), seq)
		row = e.EncodeAll(own, binary.BigEndian.AppendUint64(row, xxhash.Sum64(body)))
		if 2*(len(row)-len(v)+len(packed)) < len(packed) {
			rows[at] = row
		}
		return true, nil
	})
	if err != nil && !ofOneRow(err) { // beside a damaged row all stays as it is
		return err
	}
	for at, row := range rows {
		if err := tx.put(bSnap, be64(at), row); err != nil {
			return err
		}
	}
	return nil
}

// freeBodies makes the bodies whole that are differences from that of a snapshot.
func (tx *Tx) freeBodies(seq uint64) error {
	rows := map[uint64][]byte{}
	err := tx.walk(bSnap, be64(seq-min(seq, bodyRun-1)), nil, func(key, v []byte) (bool, error) {
		at := numberAt(key)
		_, packed, err := decodeHead(v)
		if err != nil || !isDelta(packed) || at >= seq {
			return at < seq, nil
		}
		if base, _, _, err := baseOf(packed); err != nil || base != seq {
			return true, nil
		}
		body, err := tx.body(at, packed)
		if err != nil {
			return false, tx.corrupt(bSnap, key, err)
		}
		whole, err := pack(body, coldMin)
		rows[at] = append(bytes.Clone(v[:len(v)-len(packed)]), whole...)
		return true, err
	})
	if err != nil {
		return err
	}
	for at, row := range rows {
		if err := tx.put(bSnap, be64(at), row); err != nil {
			return err
		}
	}
	return nil
}
