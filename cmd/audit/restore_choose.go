package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// choose returns the own files of the items that were asked for, by key, by a
// glob over keys or by the path of a file. An app of PM2 has no file of its own:
// asking for it brings back the file that declares it, and says how it was defined.
func (b *bringing) choose() (out []archive.Wanted, err error) {
	used := make([]bool, len(b.Items))
	for _, it := range b.from.snap.Items {
		all, paths := b.asked(it, used)
		if !all && len(paths) == 0 {
			continue
		}
		if pipeline.IsLost(it) {
			b.damaged.Store(true)
			b.from.missing = append(b.from.missing, report.RestoreFile{Path: it.Name, Item: string(it.Key), Action: string(archive.Missing), Reason: it.Unknown + ": audit store verify names all that is"})
			continue
		}
		taken, err := b.take(it, all, paths)
		if err != nil {
			return nil, err
		}
		out = append(out, taken...)
	}
	for _, w := range b.from.extra {
		ok := b.askedExtra(w, used)
		if ok && w.Item == pm2Home && b.Target == "" {
			return nil, &usageError{string(pm2Home) + " is restored into a folder of its own, not into PM2's", "--target DIR names it"}
		}
		if ok {
			out = append(out, w)
		}
	}
	var names []string
	for i, ok := range used {
		if !ok {
			names = append(names, b.Items[i])
		}
	}
	gone, err := b.gone(names)
	return append(out, gone...), err
}

// take returns the own files of an item, all of them or those with some paths; of
// an app of PM2 that is named the file that declares it, and says how it was defined.
func (b *bringing) take(it *snapshot.Item, all bool, paths []string) (out []archive.Wanted, err error) {
	item, at := it, uint64(0)
	if b.LastGood {
		if item, at, err = b.good(it); err != nil || item == nil {
			return nil, err
		}
	}
	for _, f := range item.Files {
		if f.Role != snapshot.Shared && (all || slices.Contains(paths, f.Path)) {
			out = append(out, b.from.want(it.Key, f, at))
		}
	}
	for _, p := range paths {
		if !all && !slices.ContainsFunc(out, func(w archive.Wanted) bool { return w.File.Path == p }) {
			b.from.missing = append(b.from.missing, report.RestoreFile{Path: p, Item: string(it.Key), Action: string(archive.Missing),
				Reason: fmt.Sprintf("%s was last good in #%d, which does not have this file", it.Key, at)})
		}
	}
	if len(out) > 0 || !slices.Contains(b.Items, string(it.Key)) {
		return out, nil
	}
	if it.System() != snapshot.PM2 || it.Kind != "app" && it.Kind != "module" {
		return nil, noFile(it)
	}
	f, ok, err := b.declaring(item, at)
	if err != nil {
		return nil, err
	}
	if ok {
		out = append(out, b.from.want(it.Key, f, at))
	}
	b.process(item)
	return out, nil
}

// want makes a file wanted and notes the snapshot it is of, unless that is the one
// that was asked for.
func (s *source) want(key snapshot.Key, f snapshot.File, at uint64) archive.Wanted {
	if at != 0 {
		if s.of == nil {
			s.of = map[string]string{}
		}
		s.of[f.Path] = fmt.Sprintf("#%d", at)
	}
	return archive.Wanted{Item: key, File: f}
}

// asked reports whether an item was asked for as a whole, or which of its files.
func (b *bringing) asked(it *snapshot.Item, used []bool) (all bool, paths []string) {
	all = len(b.Items) == 0
	for i, pattern := range b.Items {
		if ok, _ := doublestar.Match(pattern, string(it.Key)); ok || pattern == string(it.Key) {
			all, used[i] = true, true
		} else if slices.ContainsFunc(it.Files, func(f snapshot.File) bool { return f.Path == pattern && f.Role != snapshot.Shared }) {
			paths, used[i] = append(paths, pattern), true
		}
	}
	return all, paths
}

// askedExtra is asked for what no snapshot has. What PM2 keeps comes back only
// when it is named.
func (b *bringing) askedExtra(w archive.Wanted, used []bool) (yes bool) {
	if len(b.Items) == 0 {
		return w.Item == secretFiles
	}
	for i, pattern := range b.Items {
		ok, _ := doublestar.Match(pattern, w.File.Path)
		if pattern == string(w.Item) || w.Item == secretFiles && (ok || pattern == w.File.Path) {
			used[i], yes = true, true
		}
	}
	return yes
}

// good returns the newest version of an item that was good, nil
// where there is none, which is told.
func (b *bringing) good(it *snapshot.Item) (*snapshot.Item, uint64, error) {
	good, at, err := b.from.good(it.Key, b.seq)
	if err == nil && good == nil {
		never := report.RestoreFile{Path: it.Name, Item: string(it.Key), Action: string(archive.Missing), Reason: errNoGood.Error()}
		if !slices.ContainsFunc(it.Files, func(f snapshot.File) bool { return f.Role != snapshot.Shared }) {
			b.from.missing = append(b.from.missing, never)
		}
		for _, f := range it.Files {
			if f.Role != snapshot.Shared {
				never.Path, never.Bytes = f.Path, f.Size
				b.from.missing = append(b.from.missing, never)
			}
		}
	}
	return good, at, err
}

// gone is asked for what the snapshot does not have. With --last-good it returns
// what was good of it before; otherwise the error says where it is.
func (b *bringing) gone(names []string) (out []archive.Wanted, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	if b.Archive != "" {
		return nil, unknownItem(names[0], b.from.snap)
	}
	var seen map[string]pipeline.Seen
	err = b.st.View(func(tx *store.Tx) (err error) {
		tx.Forgive()
		seen, err = pipeline.LastSeen(tx, names, b.seq)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		s, ok := seen[name]
		switch {
		case !ok:
			return nil, unknownItem(name, b.from.snap)
		case s.In.Seq > b.seq || !b.LastGood:
			return nil, elsewhere(name, b.seq, s.In)
		}
		taken, err := b.take(s.Item, name == string(s.Item.Key), []string{name})
		if err != nil {
			return nil, err
		}
		out = append(out, taken...)
	}
	return out, nil
}

// elsewhere says which snapshot has what another one lacks.
func elsewhere(name string, seq uint64, has pipeline.Fate) error {
	when := "it was last in"
	if has.Seq > seq {
		when = "it came later, and is in"
	}
	return &usageError{fmt.Sprintf("snapshot #%d has no item %q", seq, name),
		fmt.Sprintf("%s #%d (%s UTC): audit restore '#%d' %s", when, has.Seq, has.At.UTC().Format("2006-01-02 15:04"), has.Seq, snapshot.ShellWord(name))}
}

func noFile(it *snapshot.Item) error {
	hint := "it is in no file of the project"
	if it.Path != "" {
		hint = "it is declared in " + it.Path + ": restore that path"
	}
	return &usageError{fmt.Sprintf("%s has no file of its own", it.Key), hint}
}

// declaring returns the file that declares an app, as the snapshot at has it or, for
// 0, the one that was asked for.
func (b *bringing) declaring(it *snapshot.Item, at uint64) (f snapshot.File, ok bool, err error) {
	if it.Path == "" {
		return f, false, nil
	}
	if at != 0 {
		err = b.st.View(func(tx *store.Tx) (err error) {
			tx.Forgive()
			f, ok, err = pipeline.DeclaringFile(tx, it.Path, at)
			return err
		})
		return f, ok, err
	}
	for _, other := range b.from.snap.Items {
		for _, f := range other.Files {
			if f.Path == it.Path {
				f.Role = ""
				return f, true, nil
			}
		}
	}
	return f, false, nil
}

// process says how an app was defined.
func (b *bringing) process(it *snapshot.Item) {
	p := report.RestoreProcess{Item: string(it.Key), File: it.Path, Definition: pipeline.Definition(it)}
	p.Differs = pipeline.DefinedOtherwise(it, b.from.latest.Item(it.Key))
	name := it.Name[strings.LastIndexByte(it.Name, ':')+1:]
	switch {
	case it.Path != "":
		p.Next = fmt.Sprintf("Nothing was done to the process itself. To apply it: pm2 startOrReload %s --only %s", snapshot.ShellWord(it.Path), snapshot.ShellWord(name))
	default:
		p.Next = "No file declares it: its definition is in the dump of PM2, which encrypted archives hold (audit restore latest 'pm2/(home)' --archive FILE --target DIR)."
	}
	b.view.Processes = append(b.view.Processes, p)
}

func unknownItem(name string, s *snapshot.Snapshot) error {
	keys := make([]string, len(s.Items))
	for i, it := range s.Items {
		keys[i] = string(it.Key)
		if strings.HasSuffix(keys[i], "/"+name) {
			return &usageError{fmt.Sprintf("that snapshot has no item %q", name), "did you mean " + keys[i] + "?"}
		}
	}
	hint := "audit report --items lists them"
	if near := nearestName(name, keys); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &usageError{fmt.Sprintf("that snapshot has no item %q", name), hint}
}
