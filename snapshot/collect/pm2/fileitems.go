package pm2

import (
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
)

// fileItems returns an item for every process file.
func (b *builder) fileItems() []*snapshot.Item {
	var out []*snapshot.Item
	for i := range b.decls {
		d := &b.decls[i]
		it := &snapshot.Item{
			Key: snapshot.NewKey(snapshot.PM2, "file:"+snapshot.Escape(d.path)), Name: d.path, Kind: "file", Path: d.path,
			Source: "declared", State: d.state(), Files: []snapshot.File{d.file},
		}
		for _, f := range d.deps {
			f.Role = snapshot.Shared
			it.Files = append(it.Files, f)
		}
		switch {
		case d.err != nil:
			it.Add(snapshot.Semantic, "reason", snapshot.Text(reason(d.err)))
		case d.what.Status == ecosystem.NeedsNode:
			it.Unknown = d.what.Reason
			fallthrough
		case d.what.Status != ecosystem.OK:
			it.Line = d.what.Line
			it.Add(snapshot.Semantic, "reason", snapshot.Text(d.what.Reason))
		default:
			it.Add(snapshot.Set, "apps", snapshot.SetOf(appNames(d.what.Apps)...))
		}
		if len(d.what.EnvRead) > 0 {
			it.Add(snapshot.Set, "reads", snapshot.SetOf(d.what.EnvRead...))
		}
		for _, p := range d.what.Problems {
			name := "refused." + p.App + "." + p.Key
			if !slices.ContainsFunc(it.Facts.All(), func(f snapshot.Fact) bool { return f.Name == name }) {
				it.Add(snapshot.Semantic, name, snapshot.Text(p.Message))
			}
		}
		out = append(out, it)
	}
	return out
}

func appNames(apps []ecosystem.App) []string {
	var names []string
	for _, a := range apps {
		if a.Namespace != "default" {
			names = append(names, a.Namespace+":"+a.Name)
			continue
		}
		names = append(names, a.Name)
	}
	return names
}
