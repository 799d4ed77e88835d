package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// fileCollector has one item for every file of a project.
var fileCollector = &collect.Collector{System: snapshot.Scripts, Collect: func(_ context.Context, s *collect.Session) (r collect.Result, err error) {
	for _, e := range s.Tree.All() {
		if e.Kind != snapshot.PathFile || filepath.Ext(e.Path) != ".txt" {
			continue
		}
		it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, e.Path), Name: e.Path, Path: e.Path, Kind: "script", State: "there"}
		f, err := s.Files.File(e.Path, snapshot.Own)
		if err != nil {
			return r, err
		}
		it.Files = []snapshot.File{f}
		it.Add(snapshot.Semantic, "size", snapshot.Number(f.Size))
		r.Items = append(r.Items, it)
	}
	return r, nil
}}

// bulkyWorld has files of more bytes than a first run keeps in one transaction.
func bulkyWorld(t *testing.T) (*world, []string) {
	w := newWorld(t)
	w.now = time.Now().Add(time.Hour) // the files are no longer new
	w.cfg.Backups = Backups{Dir: filepath.Join(w.root, ".audit", "archives"), When: WhenAuto}
	var sums []string
	for i := range 5 {
		text := bytes.Repeat(fmt.Appendf(nil, "%d of a text that is long\n", i), bulk/100)
		if err := os.WriteFile(filepath.Join(w.root, fmt.Sprintf("%d.txt", i)), text, 0o644); err != nil {
			t.Fatal(err)
		}
		sums = append(sums, snapshot.Sum(text))
	}
	return w, sums
}

func (w *world) fileRunner() *Runner {
	r := w.runner()
	r.Collectors = []*collect.Collector{fileCollector}
	return r
}

// keepAhead is a first run up to where its archive is written.
func (w *world) keepAhead() (*session, *View, *store.RunLock) {
	w.t.Helper()
	r := w.fileRunner()
	lock, err := r.lock()
	if err == nil {
		err = r.prepare(w.t.Context())
	}
	s := &session{Runner: r, started: r.Host.Now().UTC()}
	s.list(w.t.Context())
	var v *View
	for _, step := range []func() error{s.open, func() error { return s.look(w.t.Context()) }, s.remember, func() (err error) { v, err = s.judge(); return err }, s.keepAhead} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return s, v, lock
}

// A first run that ends after it kept what is known by its content, and before it is
// kept itself, leaves no snapshot. The next one finds the bytes of files that it need
// not read again.
func TestFirstRun_that_was_cut_short(t *testing.T) {
	w, sums := bulkyWorld(t)
	s, v, lock := w.keepAhead()
	if s.keeping == nil || len(v.Snapshot.Items) != len(sums) {
		t.Fatalf("nothing is kept ahead of %d items", len(v.Snapshot.Items))
	}
	s.close()
	lock.Unlock()
	w.view(func(tx *store.Tx) error {
		if tx.Seq() != 0 || slices.ContainsFunc(sums, func(sum string) bool { return !tx.HasBlob(sum) }) {
			t.Errorf("snapshot %d; the bytes are not there", tx.Seq())
		}
		return nil
	})
	doc, err := w.fileRunner().Run(t.Context())
	if err != nil || doc.Run.Seq != 1 || len(doc.Items) != len(sums) || doc.Archive == nil {
		t.Fatalf("%v: %+v", err, doc)
	}
	found := 0
	_, err = archive.ReadFile(t.Context(), filepath.Join(w.root, filepath.FromSlash(doc.Archive.Path)), nil, func(_ *archive.Manifest, e archive.Entry, in io.Reader) error {
		if slices.Contains(sums, e.SHA256) {
			found++
		}
		return nil
	})
	if err != nil || found != len(sums) {
		t.Errorf("the archive holds %d of %d files: %v", found, len(sums), err)
	}
}

// What a first run kept that was cut short is not trusted when its bytes were swept.
func TestFirstRun_that_was_cut_short_and_swept(t *testing.T) {
	w, sums := bulkyWorld(t)
	s, _, lock := w.keepAhead()
	s.close()
	lock.Unlock()
	kept := map[string][]byte{}
	w.view(func(tx *store.Tx) error {
		return tx.ScanStat(func(path string, v []byte) bool { kept[path] = slices.Clone(v); return true })
	})
	st, err := store.Open(w.store, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Sweep(t.Context(), st)
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	w.view(func(tx *store.Tx) error {
		return tx.ScanStat(func(path string, _ []byte) bool { t.Errorf("%s is known without its bytes", path); return true })
	})
	w.update(func(tx *store.Tx) (err error) { // as an older audit left them
		for path, v := range kept {
			err = errors.Join(err, tx.PutStat(path, v))
		}
		return err
	})
	if doc, err := w.fileRunner().Run(t.Context()); err != nil || doc.Run.Seq != 1 || len(kept) < len(sums) {
		t.Fatalf("%v: %+v", err, doc)
	}
	w.view(func(tx *store.Tx) error {
		if slices.ContainsFunc(sums, func(sum string) bool { return !tx.HasBlob(sum) }) {
			t.Error("the bytes are not there")
		}
		return nil
	})
}

// What a large first run keeps is what a small one would have, also where it is judged
// again because its archive failed.
func TestFirstRun_whose_archive_fails(t *testing.T) {
	w, sums := bulkyWorld(t)
	if err := os.WriteFile(filepath.Join(w.root, "no"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.cfg.Backups.CopyTo = filepath.Join(w.root, "no", "folder")
	doc, err := w.fileRunner().Run(t.Context())
	if err != nil || doc.Run.Seq != 1 || doc.Archive != nil || len(doc.Items) != len(sums) {
		t.Fatalf("%v: %+v", err, doc)
	}
	w.view(func(tx *store.Tx) error {
		told := 0
		for _, sum := range sums {
			if tx.HasBlob(sum) && len(tx.Cache(tellsKey+sum)) == 1 {
				told++
			}
		}
		if told != len(sums) || tx.Seq() != 1 {
			t.Errorf("snapshot %d, and what was found out is kept of %d of %d files", tx.Seq(), told, len(sums))
		}
		return nil
	})
	w.cfg.Backups.CopyTo = ""
	if doc, err = w.fileRunner().Run(t.Context()); err != nil || doc.Run.Seq != 2 || doc.Archive == nil {
		t.Fatalf("%v: %+v", err, doc)
	}
}

// What is found out after that is kept with the run.
func TestFirstRun_that_finds_out_more(t *testing.T) {
	w, _ := bulkyWorld(t)
	s, v, lock := w.keepAhead()
	if err := s.keeping(); err != nil {
		t.Fatal(err)
	}
	s.memo.Put("late", []byte("found"))
	if err := s.commit(v); err != nil {
		t.Fatal(err)
	}
	s.close()
	lock.Unlock()
	w.view(func(tx *store.Tx) error {
		if got := tx.Cache("late"); string(got) != "found" || tx.Seq() != 1 {
			t.Errorf("%q of snapshot %d", got, tx.Seq())
		}
		return nil
	})
}

func TestEncoder(t *testing.T) {
	var items []*snapshot.Item
	was := &past{items: map[snapshot.Key]*snapshot.Item{}}
	for i := range 2*encodedAhead + 3 {
		it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, fmt.Sprintf("%04d", i)), Path: strings.Repeat("x", i%7)}
		items = append(items, it)
		if i%5 == 0 {
			was.items[it.Key] = it
		}
	}
	e := &encoder{items: items, past: was}
	for i, it := range items {
		want := it.AppendEncode(nil)
		if i%5 == 0 {
			want = nil
		}
		if got := e.state(i); string(got) != string(want) || (got == nil) != (want == nil) {
			t.Fatalf("%s: %q, want %q", it.Key, got, want)
		}
	}
}

func TestStates(t *testing.T) {
	st, err := newStage(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	item := func(name string) *snapshot.Item { return &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, name)} }
	a, b, c, d, e := item("a"), item("b"), item("c"), item("d"), item("e")
	st.keep("x", []byte("before"))
	all := &states{stage: st}
	all.add(a, []byte("of a"))
	all.add(b, bytes.Repeat([]byte("b"), 3*maxTail))
	st.keep("y", []byte("between"))
	all.add(d, []byte("d"))
	all.add(e, nil)
	st.keep("z", []byte("behind"))
	for range 2 {
		r, err := all.read()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct {
			*snapshot.Item
			size int
		}{{item("a"), 0}, {b, 3 * maxTail}, {c, 0}, {d, 1}, {e, 0}} {
			got, err := r.state(want.Item)
			if err != nil || len(got) != want.size || want.size > 0 && string(got[0]) != want.Key.Name() {
				t.Errorf("%s: %d bytes, want %d: %v", want.Key, len(got), want.size, err)
			}
		}
	}
}
