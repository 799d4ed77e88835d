package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"healthaudit/snapshot"
)

// maxDelta bounds both sides of a delta: they must fit the window.
const maxDelta = 512 << 10

// ErrNoBlob says that no bytes with that digest are kept.
var ErrNoBlob = errors.New("no such blob in the store")

func blobKey(sha string) ([]byte, error) {
	key, err := hex.DecodeString(sha)
	if err != nil || len(key) != sha256.Size {
		return nil, fmt.Errorf("blob name %.80q is no sha256 in hex", sha)
	}
	return key, nil
}

// HasBlob reports whether bytes with that sha256 (hex) are kept.
func (tx *Tx) HasBlob(sha string) bool {
	key, err := blobKey(sha)
	if err != nil {
		return false
	}
	_, ok, err := tx.get(bBlob, key)
	tx.note(err)
	return ok
}

// Blob returns the bytes with that sha256 (hex), verified. Errors: ErrNoBlob,
// *CorruptError.
func (tx *Tx) Blob(sha string) (content []byte, err error) {
	defer guard(tx.s.path, &err)()
	key, err := blobKey(sha)
	if err != nil {
		return nil, err
	}
	v, err := tx.blobRow(key)
	if err != nil {
		return nil, err
	}
	return tx.decodeBlob(key, v)
}

func (tx *Tx) blobRow(key []byte) ([]byte, error) {
	v, ok, err := tx.get(bBlob, key)
	if err == nil && !ok {
		err = fmt.Errorf("blob %x: %w", key, ErrNoBlob)
	}
	return v, err
}

func (tx *Tx) decodeBlob(key, v []byte) ([]byte, error) {
	out, err := tx.content(v)
	if err == nil && sha256.Sum256(out) != [sha256.Size]byte(key) {
		err = errors.New("its sha256 does not match")
	}
	if err != nil {
		return nil, &CorruptError{Path: tx.s.path, What: fmt.Sprintf("blob %x: %v", key, err), Hint: hint, row: &Place{Bucket: names[bBlob], Blob: hex.EncodeToString(key)}}
	}
	return out, nil
}

// content decodes a row's value without checking its digest.
func (tx *Tx) content(v []byte) ([]byte, error) {
	if len(v) == 0 || v[0] != codecDelta {
		out, err := unpack(v)
		return bytes.Clone(out), err
	}
	if len(v) < 1+sha256.Size {
		return nil, errors.New("it is cut off")
	}
	base, err := tx.blobRow(v[1 : 1+sha256.Size])
	if err != nil {
		return nil, err
	}
	if len(base) > 0 && base[0] == codecDelta {
		return nil, errors.New("its base is a delta")
	}
	dict, err := tx.decodeBlob(v[1:1+sha256.Size], base)
	if err != nil {
		return nil, err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(1, dict), zstd.WithDecoderMaxMemory(maxValue),
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(v[1+sha256.Size:], nil)
}

// PutBlob keeps b under its sha256 (hex). base may name an earlier version of
// the same file: then only the difference is kept where that takes less than
// half the room.
func (tx *Tx) PutBlob(sha string, b []byte, base string) error {
	if sha != snapshot.Sum(b) {
		return fmt.Errorf("blob %s: the bytes have another sha256", sha)
	}
	p, err := Pack(b)
	if err != nil {
		return fmt.Errorf("blob %s: %w", sha, err)
	}
	return tx.PutPacked(sha, p, base, b)
}

// Pack returns the bytes of a blob as they are kept: the part of PutBlob that needs no
// transaction, which is most of its work. It may be called by several at once.
func Pack(b []byte) ([]byte, error) { return pack(b, coldMin) }

// PutPacked is PutBlob for what Pack made of bytes with that sha256. Where base names
// bytes, plain is what was packed.
func (tx *Tx) PutPacked(sha string, packed []byte, base string, plain []byte) error {
	key, err := blobKey(sha)
	if err != nil {
		return err
	}
	if _, ok, err := tx.get(bBlob, key); err != nil || ok {
		return err
	}
	if base != "" && base != sha {
		if d := tx.delta(plain, base); d != nil && 2*len(d) < len(packed) {
			packed = d
		}
	}
	return tx.put(bBlob, key, packed)
}

// delta returns b as a difference from base, or from what base itself is a
// difference from; nil where that cannot be.
func (tx *Tx) delta(b []byte, base string) []byte {
	key, err := blobKey(base)
	if err != nil || len(b) > maxDelta {
		return nil
	}
	v, ok, err := tx.get(bBlob, key)
	if err != nil || !ok || len(v) == 0 {
		return nil
	}
	if v[0] == codecDelta && len(v) > sha256.Size {
		key = bytes.Clone(v[1 : 1+sha256.Size])
		if v, ok, err = tx.get(bBlob, key); err != nil || !ok {
			return nil
		}
	}
	dict, err := tx.decodeBlob(key, v)
	if err != nil || len(dict) > maxDelta || len(dict) < 8 {
		return nil
	}
	e, err := zstd.NewWriter(nil, append(encoderOptions(), zstd.WithEncoderDictRaw(1, dict))...)
	if err != nil {
		return nil
	}
	defer e.Close()
	out := append([]byte{codecDelta}, key...)
	return e.EncodeAll(b, out)
}
