package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
)

// Of an archive only what is missing is taken out: all of it may be more than the
// temporary folder holds.
func TestRefill_takes_what_is_missing(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	d := &archive.Draft{Dir: t.TempDir(), Name: archive.Name{Owner: archive.Owner("vm", "/srv/x"), At: at, Seq: 1, Kind: archive.Slim}}
	d.Manifest.Snapshot = archive.Ref{Seq: 1, ID: "01JD", At: at}
	for _, text := range []string{"lost", "there"} {
		d.Sources = append(d.Sources, archive.Bytes(archive.FilesFolder+text, 0o644, []byte(text)))
	}
	made, err := archive.Write(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Commit(); err != nil {
		t.Fatal(err)
	}
	x := &archived{a: &App{ctx: t.Context()}}
	missing, got := map[string]string{snapshot.Sum([]byte("lost")): "x.sh"}, ""
	err = x.take(made.Path(), nil, missing, func(_ string, b []byte) error { got += string(b); return nil })
	if err != nil || got != "lost" || len(x.unread) > 0 {
		t.Errorf("%q, %v, %v", got, err, x.unread)
	}
}

// An interrupt is no archive that cannot be read: it ends the repair.
func TestRefill_interrupted(t *testing.T) {
	why := errors.New("somebody pressed a key")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(why)
	x := &archived{a: &App{ctx: ctx}}
	err := x.take(filepath.Join(t.TempDir(), "none.slim.tar.zst"), nil, map[string]string{"00": "x.sh"}, nil)
	if !errors.Is(err, why) || len(x.unread) > 0 {
		t.Errorf("%v, %v", err, x.unread)
	}
}
