package pipeline

import (
	"fmt"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// Definition returns how the app of an item is started, by the names of its
// facts: what is secret is told by its name alone.
func Definition(it *snapshot.Item) map[string]string {
	out := map[string]string{}
	for f := range definition(it) {
		if f.Class == snapshot.Secret {
			out[f.Name] = "(not shown)"
			continue
		}
		out[f.Name] = fmt.Sprint(f.Value.Any())
	}
	return out
}

// DeclaringFile returns the file that declares an app of PM2, by its path, as a
// stored snapshot has it; ok is false where it has none.
func DeclaringFile(tx *store.Tx, path string, seq uint64) (f snapshot.File, ok bool, err error) {
	text, ok, err := tx.Table(tableItem).Text(seq, string(snapshot.NewKey(snapshot.PM2, "file:"+snapshot.Escape(path))))
	if err != nil || !ok {
		return f, false, err
	}
	it, err := snapshot.DecodeItem(text)
	if err != nil {
		return f, false, err
	}
	i := slices.IndexFunc(it.Files, func(f snapshot.File) bool { return f.Path == path })
	if i < 0 {
		return f, false, nil
	}
	f = it.Files[i]
	f.Role = snapshot.Own
	return f, true, nil
}

// DefinedOtherwise returns the names of what two versions of an app start otherwise.
func DefinedOtherwise(a, b *snapshot.Item) []string {
	out := []string{}
	if b == nil {
		return out
	}
	if c := snapshot.Compare(a, b, true, nil); c != nil {
		for _, f := range c.Facts {
			if !doing[f.Name] && f.Name != "state" {
				out = append(out, f.Name)
			}
		}
	}
	return out
}
