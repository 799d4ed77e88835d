//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// goneStore makes the store of a folder in which an app of PM2 and a script are in
// the first snapshot only, whose tree is lost; the process file is in both.
func goneStore(t *testing.T, dir string) {
	t.Helper()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	st, err := store.Open(filepath.Join(dir, store.Folder, "audit.db"), store.Options{Create: true, Now: at})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	err = st.Update(func(tx *store.Tx) error {
		for i, text := range []string{"declares api\n", "declares nothing\n"} {
			info := pipeline.Info{ID: []string{"01GONE000001", "01GONE000002"}[i], Started: at, Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK}, {System: snapshot.Scripts, Status: snapshot.StatusOK}}}
			body, _ := json.Marshal(info)
			seq, err := tx.AppendSnapshot(store.Header{ID: info.ID, At: at, Body: body})
			own := func(name, text string) []snapshot.File {
				err = errors.Join(err, tx.PutBlob(snapshot.Sum([]byte(text)), []byte(text), ""))
				return []snapshot.File{{Path: name, Mode: 0o644, SHA256: snapshot.Sum([]byte(text)), Size: int64(len(text))}}
			}
			put := func(it *snapshot.Item) {
				err = errors.Join(err, tx.Table("item").Put(seq, string(it.Key), it.Encode()))
			}
			put(&snapshot.Item{Key: "pm2/file:ecosystem.config.js", Name: "ecosystem.config.js", Kind: "file", Path: "ecosystem.config.js", Files: own("ecosystem.config.js", text)})
			tree := `""`
			if i == 0 {
				tree = `"` + snapshot.Sum([]byte("lost")) + `"`
				put(&snapshot.Item{Key: "pm2/api", Name: "api", Kind: "app", Path: "ecosystem.config.js"})
				put(&snapshot.Item{Key: "scripts/x.sh", Name: "x.sh", Path: "x.sh", Files: own("x.sh", "echo x\n")})
			} else {
				err = errors.Join(err, tx.Table("item").Delete(seq, "pm2/api"), tx.Table("item").Delete(seq, "scripts/x.sh"))
			}
			if err = errors.Join(err, tx.Table("state").Put(seq, "tree", []byte(tree)), tx.PutObs(seq, "pm2", []byte("{}")), tx.PutObs(seq, "scripts", []byte("{}"))); err != nil {
				return err
			}
			at = at.Add(time.Hour)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An app that is gone comes back as the file that declared it when it was last
// good, beside all else that is asked for, though the tree of that snapshot is lost.
func TestRestore_last_good_of_what_is_gone(t *testing.T) {
	dir := t.TempDir()
	goneStore(t, dir)
	r := invoke(t, dir, nil, "--root", dir, "restore", "latest", "--last-good", "pm2/api", "scripts/x.sh")
	if r.code != exitOK {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	for name, want := range map[string]string{"ecosystem.config.js": "declares api\n", "x.sh": "echo x\n"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); string(b) != want {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	for _, want := range []string{"2 files written", "as in snapshot #1", "Definition of pm2/api", "--only api"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is not in:\n%s", want, r.out)
		}
	}
	if r := invoke(t, dir, nil, "--root", dir, "restore", "latest", "x.sh"); r.code != exitUsage || !strings.Contains(r.err, "it was last in #1 (2026-11-23 12:00 UTC)") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}
