package store

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// entryWords is what entries of the journal say over and over: text of the program
// alone, nothing of a project. It is the raw dictionary of that number, in which
// entries are kept: neither may ever change. Better words get another number, and
// the decoder keeps these.
const (
	entryWordsID = 1
	entryWords   = `{"seq":1,"at":"2026-01-02T15:04:05.123456789Z","actor":{"uid":1000,"user":"root","host":"","via":"github-actions"},"tool":"","command":"recover apply","phase":"rolled_back","item":"","what":"was accepted until ","data":{"id":"","rule":"","action":"","target":"","from":"","was":""},"prev":"` +
		`{"actor":{"uid":0,"user":"","host":"","via":"terminal"},"tool":"","command":"restore","phase":"failed","item":"","what":"files","data":{"` +
		`{"actor":{"uid":0,"host":"","via":"cron"},"tool":"","command":"store prune","phase":"intent","what":"by the retention, after a run: 8 snapshots pruned, 16 versions and 2 blobs with them (4096 bytes)","data":{"` +
		`{"actor":{"uid":0,"host":"","via":"other"},"tool":"","command":"archive retention","phase":"done","what":"1 removed from archives: .full.tar.zst.age (no rule of archive.keep wants it)","prev":"` +
		`Z","actor":{"uid":0,"host":"","via":"cron"},"tool":"","command":"archive create","phase":"done","what":"slim archive of snapshot #1: .slim.tar.zst","data":{"plain":"","sha256":""},"prev":"`
)

var entryEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, append(encoderOptions(), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderDictRaw(entryWordsID, []byte(entryWords)))...)
})

var entryDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxValue), zstd.WithDecoderConcurrency(1), zstd.WithDecoderDictRaw(entryWordsID, []byte(entryWords)))
})

// packEntry returns a raw entry as it is kept. Up to schema 2 that was the entry itself,
// which as text begins with no codec.
func packEntry(raw []byte) ([]byte, error) {
	e, err := entryEncoder()
	if err != nil {
		return nil, err
	}
	if z := e.EncodeAll(raw, []byte{codecWords}); len(z) < len(raw) {
		return z, nil
	}
	return append([]byte{codecRaw}, raw...), nil
}

// unpackEntry returns the raw entry, as a copy.
func unpackEntry(v []byte) ([]byte, error) {
	switch {
	case len(v) == 0 || v[0] >= ' ':
		return append([]byte{}, v...), nil
	case v[0] == codecRaw:
		return append([]byte{}, v[1:]...), nil
	case v[0] == codecWords && len(v) > 1:
		d, err := entryDecoder()
		if err != nil {
			return nil, err
		}
		return d.DecodeAll(v[1:], []byte{})
	}
	return nil, fmt.Errorf("its codec %d is unknown", v[0])
}

// AppendJournal keeps a raw entry and returns its number: one more than the last,
// or than after, where the caller knows of more entries than there are.
func (tx *Tx) AppendJournal(raw []byte, after uint64) (n uint64, err error) {
	if n, err = tx.lastN(bJournal); err != nil {
		return 0, err
	}
	n = max(n, after)
	if len(raw) > maxValue {
		return 0, fmt.Errorf("journal entry of %d bytes is over the limit of %d", len(raw), maxValue)
	}
	packed, err := packEntry(raw)
	if err != nil {
		return 0, err
	}
	return n + 1, tx.put(bJournal, be64(n+1), packed)
}

// Journal calls fn for every entry from a number on.
func (tx *Tx) Journal(from uint64, fn func(n uint64, raw []byte) (more bool)) error {
	return tx.walk(bJournal, be64(from), nil, func(k, v []byte) (bool, error) {
		if len(k) != 8 {
			return false, tx.corrupt(bJournal, k, "its key is no number")
		}
		raw, err := unpackEntry(v)
		if err != nil {
			return false, tx.corrupt(bJournal, k, err)
		}
		return fn(binary.BigEndian.Uint64(k), raw), nil
	})
}

// JournalHead returns the number of the newest entry; 0 when there is none.
func (tx *Tx) JournalHead() uint64 {
	n, err := tx.lastN(bJournal)
	tx.note(err)
	return n
}
