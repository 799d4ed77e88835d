package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"
)

// A bucket is one of the buckets of the file. Its number goes into every row's
// check: new ones are added at the end.
type bucket int

const (
	bMeta    bucket = iota // name → what the store says of itself; "user/"+name → Meta
	bSnap                  // seq → fixed prefix, id, body
	bSnapID                // id → seq
	bCur                   // table 0 id → since, newest value
	bVer                   // table 0 id 0 ^seq → older value or tombstone
	bChg                   // seq table 0 id → nothing: what changed
	bObs                   // seq name → volatile reading
	bBlob                  // sha256 → bytes
	bCache                 // key → derived bytes
	bStat                  // path → stat shortcut
	bJournal               // n → raw entry
	buckets
)

var names = [buckets]string{"meta", "snap", "snapid", "cur", "ver", "chg", "obs", "blob", "cache", "stat", "journal"}

// appended are the buckets whose keys only grow: full pages cost nothing there.
var appended = [buckets]bool{bSnap: true, bSnapID: true, bChg: true, bObs: true, bJournal: true}

const (
	checkLen = 8
	// maxValue bounds every value, so that a decoder cannot be made to fill the memory.
	maxValue = 64 << 20
	// packMin is the length from which a value is worth compressing where it is read often.
	packMin = 64 << 10
	// coldMin is the same where it is seldom read.
	coldMin = 64
)

const (
	codecRaw   = 0
	codecZstd  = 1
	codecDelta = 2 // blobs only: base hash, then zstd with the base as raw dictionary
	tombstone  = 3 // versions only: the id was removed
	codecMade  = 4 // analyses only: number and beginnings of the digests it was made of, then another codec
)

var errBadRow = errors.New("its check does not match")

// checksum covers bucket, key and value, so that a row in another's place is
// found. xxHash64: https://github.com/Cyan4973/xxHash
func checksum(b bucket, key, value []byte) uint64 {
	var d xxhash.Digest
	var head [5]byte
	head[0] = byte(b)
	binary.BigEndian.PutUint32(head[1:], uint32(len(key)))
	d.Reset()
	d.Write(head[:])
	d.Write(key)
	d.Write(value)
	return d.Sum64()
}

// seal returns the row to keep under key: check, then value.
func seal(b bucket, key, value []byte) []byte {
	row := make([]byte, checkLen, checkLen+len(value))
	binary.BigEndian.PutUint64(row, checksum(b, key, checked(b, value)))
	return append(row, value...)
}

// unseal returns the value in a row, which aliases it.
func unseal(b bucket, key, row []byte) ([]byte, error) {
	if len(row) < checkLen {
		return nil, errBadRow
	}
	value := row[checkLen:]
	if binary.BigEndian.Uint64(row) != checksum(b, key, checked(b, value)) {
		return nil, errBadRow
	}
	return value, nil
}

// checked returns the part of a value that the row's check covers. The content
// of a blob is covered by its own sha256; its head is enough here.
func checked(b bucket, value []byte) []byte {
	if b != bBlob {
		return value
	}
	n := 1
	if len(value) > 0 && value[0] == codecDelta {
		n += sha256.Size
	}
	return value[:min(n, len(value))]
}

// The fastest level makes files 3 % larger than the default one (3.70 against
// 3.82 times smaller, measured), and has tables of a fifth: a short run spends more
// time on touching those of the other than on all else that it stores. Two may pack
// at once, as two collect.
var zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, append(encoderOptions(), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))...)
})

var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxValue), zstd.WithDecoderConcurrency(2))
})

func encoderOptions() []zstd.EOption {
	return []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1 << 20), zstd.WithEncoderCRC(false)}
}

// pack returns codec and data of a value; shorter ones than from stay raw, and
// so does what does not shrink.
func pack(v []byte, from int) ([]byte, error) {
	if len(v) > maxValue {
		return nil, fmt.Errorf("value of %d bytes is over the limit of %d", len(v), maxValue)
	}
	if len(v) >= from {
		e, err := zstdEncoder()
		if err != nil {
			return nil, err
		}
		if z := e.EncodeAll(v, append(make([]byte, 0, len(v)/2+64), codecZstd)); len(z) < len(v) {
			return z, nil
		}
	}
	return append(append(make([]byte, 0, len(v)+1), codecRaw), v...), nil
}

// unpack returns the value that pack was given; a raw one aliases p.
func unpack(p []byte) ([]byte, error) {
	if len(p) > 0 && p[0] == codecRaw {
		return p[1:], nil
	}
	v, err := unpackTo(p, nil)
	if v == nil && err == nil {
		v = []byte{}
	}
	return v, err
}

// unpackTo appends the value that pack was given.
func unpackTo(p, to []byte) ([]byte, error) {
	if len(p) == 0 {
		return nil, errors.New("it has no codec")
	}
	switch p[0] {
	case codecRaw:
		return append(to, p[1:]...), nil
	case codecZstd:
		d, err := zstdDecoder()
		if err != nil {
			return nil, err
		}
		return d.DecodeAll(p[1:], to)
	}
	return nil, fmt.Errorf("its codec %d is unknown", p[0])
}

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
