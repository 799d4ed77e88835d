//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"healthaudit/report"
	"healthaudit/report/reporttest"
	"healthaudit/snapshot/collect/collecttest"
)

// rowsOf returns the keys of a bucket that contain a text.
func rowsOf(t *testing.T, path, bucket, text string) (keys [][]byte) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucket)).ForEach(func(k, _ []byte) error {
			if bytes.Contains(k, []byte(text)) {
				keys = append(keys, bytes.Clone(k))
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// damageRow changes one bit of the check of a row.
func damageRow(t *testing.T, path, bucket string, key []byte) {
	t.Helper()
	if n, err := damageRows(path, bucket, func(k []byte) bool { return bytes.Equal(k, key) }); n != 1 || err != nil {
		t.Fatalf("%d rows: %v", n, err)
	}
}

// TestDamagedRow: whichever single row is damaged, a report shows everything else,
// says what is missing and exits 4: no item reads as removed, none as unchanged of
// which that is not known, no finding as resolved, and the score is the one that the run kept.
func TestDamagedRow(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	dir := site(t)
	for i := range 3 {
		collecttest.WriteFile(t, dir, "scripts/new.sh", fmt.Appendf(nil, "#!/bin/sh\nset -eu\necho %d\n", i))
		document(t, dir, nil)
	}
	path := filepath.Join(dir, ".audit", "audit.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	saved := func(seq int) (*report.Document, run) {
		t.Helper()
		d, r := &report.Document{}, invoke(t, dir, nil, "--root", dir, "report", fmt.Sprint("#", seq), "--format", "json")
		if err := json.Unmarshal([]byte(r.out), d); err != nil {
			t.Fatalf("exit %d: %v: %s", r.code, err, r.err)
		}
		if err := reporttest.Validate([]byte(r.out)); err != nil {
			t.Error(err)
		}
		return d, r
	}
	table := invoke(t, dir, nil, "--root", dir, "report", "#3").out
	if !strings.Contains(table, "in run #2, ") {
		t.Error(table)
	}
	sound := map[int]*report.Document{}
	for seq := 1; seq <= 3; seq++ {
		sound[seq], _ = saved(seq)
	}
	for _, c := range []struct {
		bucket, text string
		every        int // which of the rows are damaged, one at a time
		seq          int // the snapshot that shows them
		says         string
	}{
		{"cur", "item\x00", 25, 3, "item "}, {"cur", "item\x00", 40, 1, "item "}, {"ver", "item\x00", 1, 2, "item "}, {"cur", "finding\x00", 6, 3, "finding "},
		{"ver", "finding\x00", 1, 1, "finding "}, {"cur", "state\x00context", 1, 2, "(context)"}, {"cur", "state\x00tree", 1, 3, "(tree)"},
		{"obs", "pm2", 1, 3, "measured of pm2"}, {"journal", "", 1, 3, "of the journal"}, {"snap", "\x02", 1, 3, "header of snapshot #2"}, {"snap", "\x03", 1, 2, ""},
		{"chg", "item\x00", 40, 3, ""}, {"snapid", "", 1, 3, ""},
	} {
		for i, key := range rowsOf(t, path, c.bucket, c.text) {
			if i%c.every > 0 {
				continue
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			damageRow(t, path, c.bucket, key)
			got, r := saved(c.seq)
			name := fmt.Sprintf("%s %.60q in #%d", c.bucket, key, c.seq)
			holdsAgainst(t, name, got, sound[c.seq])
			switch told := slices.ContainsFunc(got.Errors, func(e report.Error) bool { return e.Source == "store" && strings.Contains(e.Message, c.says) }); {
			case r.code == exitOK && reflect.DeepEqual(got, sound[c.seq]): // it needs none of that row
			case r.code != exitDamaged || !told || !strings.Contains(r.err, "audit store verify --repair"):
				t.Errorf("%s: exit %d, told: %v\n%s", name, r.code, told, r.err)
			}
		}
	}
}

// changeOf is the change that a report must show of an item whose sound one is given:
// unknown where it says that a state of it, or the snapshot before, is lost.
func changeOf(sound report.Item, got *report.Document) string {
	for _, e := range got.Errors {
		if strings.HasPrefix(e.Message, "item "+sound.Key+" of ") || strings.HasPrefix(e.Message, fmt.Sprintf("the header of snapshot #%d is", got.Run.Seq-1)) {
			return "unknown"
		}
	}
	return sound.Change
}

// holdsAgainst compares what a damaged store shows with what the sound one did.
func holdsAgainst(t *testing.T, name string, got, want *report.Document) {
	t.Helper()
	if !reflect.DeepEqual(got.Score.Value, want.Score.Value) {
		t.Errorf("%s: its score is another one", name)
	}
	compared := want.Score.ComparedTo
	if slices.ContainsFunc(got.Errors, func(e report.Error) bool {
		return strings.HasPrefix(e.Message, fmt.Sprintf("the header of snapshot #%d is", got.Run.Seq-1))
	}) {
		compared = nil
	}
	if !reflect.DeepEqual(got.Score.ComparedTo, compared) {
		t.Errorf("%s: its score is compared to %v, want %v", name, got.Score.ComparedTo, compared)
	}
	items, unknown := map[string]report.Item{}, 0
	for _, it := range got.Items {
		items[it.Key] = it
	}
	for _, it := range want.Items {
		switch now, ok := items[it.Key]; {
		case !ok:
			t.Errorf("%s: item %s is gone", name, it.Key)
		case now.Change != changeOf(it, got):
			t.Errorf("%s: item %s is %s, want %s", name, it.Key, now.Change, changeOf(it, got))
		case now.Level == "unknown" && it.Level != "unknown":
			unknown++
		case now.State != it.State || now.Path != it.Path && now.Unknown == "":
			t.Errorf("%s: item %s is another one", name, it.Key)
		}
	}
	findings := map[string]report.Finding{}
	for _, f := range got.Findings {
		findings[f.ID] = f
	}
	less := 0
	for _, f := range want.Findings {
		now, ok := findings[f.ID]
		if !ok {
			less++
		} else if now.Status != f.Status {
			t.Errorf("%s: finding %s is %s, and was %s", name, f.Check, now.Status, f.Status)
		}
	}
	if unknown > 1 || less > 1 || len(got.Items) != len(want.Items) || len(got.Findings) != len(want.Findings)-less {
		t.Errorf("%s: %d items are unknown, %d findings missing; %d items, %d findings", name, unknown, less, len(got.Items), len(got.Findings))
	}
	for _, c := range got.Changes {
		if !slices.ContainsFunc(want.Changes, func(w report.Change) bool { return reflect.DeepEqual(c, w) }) {
			t.Errorf("%s: %s reads as %s", name, c.Item, c.Op)
		}
	}
}
