package pm2

import (
	"encoding/json"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// cursorName keeps which apps each process file declared when it could last be
// read: a file that cannot be read today has not stopped declaring them.
const cursorName = "declared"

// declaredBy returns what the last run knew: path → keys of its apps.
func (b *builder) declaredBy() map[string][]snapshot.Key {
	if b.stated == nil {
		b.stated = map[string][]snapshot.Key{}
		if b.s.Cursors != nil {
			_ = json.Unmarshal(b.s.Cursors(snapshot.PM2, cursorName), &b.stated) // none, or of another version
		}
	}
	return b.stated
}

// declaredNow returns what the next run is to know.
func (b *builder) declaredNow() map[string][]snapshot.Key {
	before := b.declaredBy()
	now := map[string][]snapshot.Key{}
	for i := range b.decls {
		if d := &b.decls[i]; d.known() {
			now[d.path] = []snapshot.Key{}
		}
	}
	for _, p := range b.unread(before) {
		if keys := before[p]; len(keys) > 0 {
			now[p] = keys
		}
	}
	for _, a := range b.apps {
		if a.decl != nil {
			now[a.decl.path] = append(now[a.decl.path], b.key(a.home, a.ns, a.name))
		}
	}
	for _, keys := range now {
		slices.Sort(keys)
	}
	return now
}

// unread returns the files that cannot be read today, sorted: those that are
// there, and those of the last run that a symbolic link now stands in front of.
func (b *builder) unread(before map[string][]snapshot.Key) (out []string) {
	seen := map[string]bool{}
	for i := range b.decls {
		d := &b.decls[i]
		seen[d.path] = true
		if !d.known() {
			out = append(out, d.path)
		}
	}
	for p := range before {
		if _, behind := b.s.Tree.Behind(p); behind && !seen[p] {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// remember completes the items with what files that cannot be read today
// declared when they last could.
func (b *builder) remember(items []*snapshot.Item) []*snapshot.Item {
	before := b.declaredBy()
	byKey := map[snapshot.Key]*snapshot.Item{}
	for _, it := range items {
		byKey[it.Key] = it
	}
	for _, p := range b.unread(before) {
		for _, key := range before[p] {
			old := b.s.Previous.Item(key)
			if old == nil || old.Carried {
				continue
			}
			it := byKey[key]
			if it == nil {
				copied := *old
				copied.Metrics = nil
				copied.Unknown = p + " cannot be read, so nobody knows whether it still declares this app"
				items = append(items, &copied)
				byKey[key] = &copied
			} else if it.Path == "" {
				copyDeclared(it, old)
			}
		}
	}
	return items
}

func copyDeclared(to, from *snapshot.Item) {
	to.Path, to.Line, to.Refs = from.Path, from.Line, from.Refs
	for _, f := range from.Facts.All() {
		if strings.HasPrefix(f.Name, "declared.") {
			to.Facts.Add(f)
		}
	}
}
