// Package collecttest gives tests a session on a real folder and snapshots
// made by real collectors.
package collecttest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// Now is the clock of every session.
var Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Write writes the files of a txtar archive below dir. A file whose name ends
// in "*" is written executable, without the star.
func Write(t testing.TB, dir, archive string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		WriteFile(t, dir, f.Name, f.Data)
	}
}

// WriteFile writes one file below dir; see Write.
func WriteFile(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	mode := os.FileMode(0o644)
	if n := len(name) - 1; name[n] == '*' {
		name, mode = name[:n], 0o755
	}
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, data, mode); err != nil {
		t.Fatal(err)
	}
}

// Session returns a session on dir: the real host, but with a clock at Now, a
// PM2_HOME and HOME that do not exist, and bytes kept in memory.
func Session(t testing.TB, dir string) *collect.Session {
	t.Helper()
	env := func(k string) string {
		switch k {
		case "PATH":
			return os.Getenv("PATH")
		case "HOME":
			return filepath.Join(dir, ".no-home")
		}
		return ""
	}
	h, err := host.New(dir, env, func() time.Time { return Now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	tree, repo, _, err := collect.ReadTree(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return &collect.Session{
		Host: machine{h, t}, Tree: tree, Repository: repo, Derived: &snapshot.Derived{}, Previous: snapshot.Nothing,
		Cursors: func(snapshot.System, string) json.RawMessage { return nil },
		Secret: func(clear string) string {
			m := hmac.New(sha256.New, []byte("test key"))
			m.Write([]byte(clear))
			return "hmac:" + hex.EncodeToString(m.Sum(nil)[:8])
		},
		Config: collect.Config{HomeFolder: filepath.Join(dir, ".no-home")},
		Files:  &collect.Capture{Host: h},
	}
}

// Content returns the bytes the session captured, read again from the folder.
func Content(s *collect.Session) snapshot.Content { return &content{s: s} }

type content struct {
	s    *collect.Session
	once sync.Once
	file map[string]snapshot.File
}

func (c *content) Bytes(sum string) ([]byte, error) {
	c.once.Do(func() {
		c.file = map[string]snapshot.File{}
		for _, e := range c.s.Tree.All() {
			if f, err := c.s.Files.File(e.Path, snapshot.Own); err == nil {
				c.file[f.SHA256] = f
			}
		}
	})
	f, ok := c.file[sum]
	if !ok {
		return nil, fmt.Errorf("no file with digest %s", sum)
	}
	return c.s.Files.Bytes(f)
}

// Snapshot runs the collectors, and then their Follow, and returns what they saw.
func Snapshot(t testing.TB, s *collect.Session, collectors ...*collect.Collector) *snapshot.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	snap := &snapshot.Snapshot{At: Now, Tree: s.Tree, Content: Content(s), Context: collect.Context(s)}
	for _, c := range collectors {
		res, err := c.Collect(ctx, s)
		st := snapshot.SystemState{System: c.System, Status: snapshot.StatusOK, Epoch: c.Epoch, Reason: res.Reason, Sources: res.Sources}
		switch {
		case err != nil:
			st.Status, st.Reason = snapshot.StatusError, err.Error()
		case res.Absent:
			st.Status = snapshot.StatusAbsent
		case len(st.Failed()) > 0:
			st.Status = snapshot.StatusPartial
		}
		snap.Systems = append(snap.Systems, st)
		snap.Items = append(snap.Items, res.Items...)
		snap.Context = append(snap.Context, res.Context...)
	}
	targets := collect.Unowned(snap.Items)
	for _, c := range collectors {
		if c.Follow == nil {
			continue
		}
		more, err := c.Follow(ctx, s, targets)
		if err != nil {
			t.Fatal(err)
		}
		snap.Items = append(snap.Items, more...)
	}
	for _, it := range snap.Items {
		it.Sort()
	}
	snap.Sort()
	return snap
}
