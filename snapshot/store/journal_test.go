package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

const anEntry = `{"seq":21,"at":"2026-11-30T03:43:28.681552236Z","actor":{"uid":0,"host":"vm","via":"cron"},"tool":"1.2.3","command":"archive create","phase":"done","what":"slim archive of snapshot #14: vm.shop.82a54434.20261130T034323Z.000014.slim.tar.zst","data":{"plain":"861afe8c53097fbdaafbb71497faca13c882cace202446e0a445d4d67c46c731","sha256":"861afe8c53097fbdaafbb71497faca13c882cace202446e0a445d4d67c46c731"},"prev":"eb126ef9baa5e370491ec3fd64ed71a32c128ab07009b3137942623d8a57f328"}`

// TestJournalRows: entries come out as they were put in, also those of schema 2, and what
// is said in every entry takes no room.
func TestJournalRows(t *testing.T) {
	s := create(t)
	entries := []string{anEntry, "", "{}", "\x00", "\x06 begins as a codec", string(bytes.Repeat([]byte("long "), 9000))}
	update(t, s, func(tx *Tx) error {
		err := errors.Join(tx.put(bJournal, be64(1), []byte("{as schema 2 kept it}")), tx.put(bJournal, be64(2), nil))
		for _, e := range entries {
			_, e := tx.AppendJournal([]byte(e), 0)
			err = errors.Join(err, e)
		}
		return err
	})
	view(t, s, func(tx *Tx) error {
		want := append([]string{"{as schema 2 kept it}", ""}, entries...)
		return tx.Journal(1, func(n uint64, raw []byte) bool {
			if string(raw) != want[n-1] {
				t.Errorf("entry %d is %.80q, want %.80q", n, raw, want[n-1])
			}
			return true
		})
	})
	verified(t, s)
	row, err := packEntry([]byte(anEntry))
	if err != nil || len(row) > len(anEntry)/2 {
		t.Errorf("an entry of %d bytes takes %d, %v", len(anEntry), len(row), err)
	}
	for name, row := range map[string][]byte{"an unknown codec": {9, 1}, "a frame of nothing": {codecWords}} {
		s := create(t)
		update(t, s, func(tx *Tx) error { return tx.put(bJournal, be64(1), row) })
		var c *CorruptError
		if err := s.View(func(tx *Tx) error { return tx.Journal(1, func(uint64, []byte) bool { return true }) }); !errors.As(err, &c) {
			t.Errorf("%s: %v", name, err)
		}
		if found, _ := s.Verify(t.Context(), false); len(found) == 0 {
			t.Errorf("%s: verify finds nothing", name)
		}
	}
}

// TestEntryWords: the words are part of the format. Where this fails they were changed, and
// no journal that exists can be read any more.
func TestEntryWords(t *testing.T) {
	kept, err := hex.DecodeString(keptEntry)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := unpackEntry(kept)
	if err != nil || string(raw) != anEntry {
		t.Errorf("an entry of schema 3 reads %q, %v", raw, err)
	}
	if t.Failed() {
		row, _ := packEntry([]byte(anEntry))
		t.Logf("%x", row)
	}
}

const keptEntry = "0628b52ffd410001db006d0500d20c231a80076c007943660d6d4494720876c53a490a91162219b6cd937307007b4f4a78cf2f0f8bde6e4a9596e13deb3b9b1e8479d21b59c1d223c26c4a427966905d3bb1350f1e82c88512f1ea5073df6edfb8396941536312f331494b9df4a2c4968b565535047ec7175137cbab1b7844c2b7a38060c0601405c2801f37ac28e4ef08b1cdb1371c8717510f30bb09009cbb819f9000e05ace8c6371cd73439fdbc006db30b8bf38c23f1340"
