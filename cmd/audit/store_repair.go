package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/store"
)

// maxRefill bounds a file of the working tree that is read to put its bytes back.
const maxRefill = 64 << 20

// repair makes a sound store of what is whole, and says what was lost.
func (c *storeVerifyCmd) repair(a *App) error {
	return a.maintaining(func(ch *change) error {
		rep, err := store.Salvage(a.Store, a.Now(), ch.host.Name())
		if err != nil {
			return err
		}
		var lost []string
		if err := rep.Store.View(func(tx *store.Tx) error { lost = pipeline.Words(tx, rep.Lost); return nil }); err != nil {
			return errors.Join(err, rep.Discard())
		}
		found, missing, err := a.refill(ch, rep.Store)
		if err != nil {
			return errors.Join(err, rep.Discard())
		}
		say := func(lines []string) {
			for _, s := range lines {
				fmt.Fprintln(a.Stdout, report.Clean(s))
			}
		}
		if len(lost)+len(found) == 0 {
			if err := rep.Discard(); err != nil || a.Quiet {
				return err
			}
			say(missing)
			_, err = fmt.Fprintln(a.Stdout, "store: sound: there is nothing to repair")
			return err
		}
		say(lost)
		for _, f := range found {
			fmt.Fprintf(a.Stdout, "brought back from %s: %s\n", f.From, report.Clean(f.Path))
		}
		say(missing)
		aside := a.damagedName()
		stats, err := rep.Store.Stats()
		if err != nil {
			return errors.Join(err, rep.Discard())
		}
		what := fmt.Sprintf("%s lost or made anew, bytes of %s brought back; the damaged store was set aside as %s", counted(len(lost), "thing"), counted(len(found), "file"), filepath.Base(aside))
		err = rep.Store.Update(func(tx *store.Tx) error {
			return errors.Join(pipeline.Append(tx, ch.entry(a, "store repair", what)), pipeline.NoteLost(tx))
		})
		if err != nil {
			return errors.Join(err, rep.Discard())
		}
		if err := errors.Join(rep.Place(aside), pipeline.Kept(a.Store)); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.Stdout, "store: repaired: it has %s and %s; the damaged one is kept as %s\n", counted(stats.Snapshots, "snapshot"), counted(stats.Items, "item"), aside)
		return err
	})
}

// damagedName is a name for the damaged store that is free.
func (a *App) damagedName() string {
	name := a.Store + ".damaged-" + a.Now().UTC().Format("20060102T150405Z")
	for n, free := 2, name; ; n++ {
		if _, err := os.Lstat(free); errors.Is(err, fs.ErrNotExist) {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// workingTree has the bytes of files as they are now.
func workingTree(root string) pipeline.Source {
	return pipeline.Source{Name: "the working tree", Find: func(missing map[string]string, have func(string, []byte) error) error {
		r, err := os.OpenRoot(root)
		if err != nil {
			return nil
		}
		defer r.Close()
		for _, sha := range slices.Sorted(maps.Keys(missing)) {
			if err := have(sha, asItIs(r, missing[sha])); err != nil {
				return err
			}
		}
		return nil
	}}
}

// asItIs are the bytes of a file as it is now, nil where it cannot be read.
func asItIs(r *os.Root, path string) []byte {
	st, err := r.Lstat(filepath.FromSlash(path))
	if err != nil || st.Mode()&fs.ModeType != 0 || st.Size() > maxRefill {
		return nil
	}
	f, err := r.Open(filepath.FromSlash(path))
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRefill))
	if err != nil {
		return nil
	}
	return b
}
