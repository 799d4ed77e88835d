package action

import (
	"errors"
	"fmt"
	"slices"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// ManifestRegenerate writes a list of functions anew from the functions there are.
var ManifestRegenerate = &rules.Action{
	ID:      "manifest.regenerate",
	Title:   "write a list of functions anew",
	Systems: []snapshot.System{snapshot.Functions},
	Class:   rules.Idempotent,
	Doc: "The list names exactly the functions that are there; entries that stay keep their text, and so does everything beside the list. " +
		"It is refused when the functions are fewer than half of what the last good list held (their folder is more likely broken than small), for the " +
		"manifest of a build, for a list that cannot be parsed, and for a list that git tracks: commit a new one instead, the plan has the difference.",
	Prepare: func(p *rules.Preparation) (rules.Effect, error) {
		it := p.Item
		now, ok := it.OwnFile()
		folder, ours := it.Fact("folder")
		if !ok || !ours || now.SHA256 == "" || now.Link != "" {
			return rules.Effect{}, &rules.Refusal{Why: "it is no list of functions that can be read"}
		}
		if st := p.Snapshot.System(snapshot.Functions); st.Status != snapshot.StatusOK {
			return rules.Effect{}, &rules.Refusal{Why: "not every function could be read: a list made now might leave some out"}
		}
		old, err := p.Sources.Bytes(now.SHA256)
		if err != nil {
			return rules.Effect{}, err
		}
		there, err := handlers(p, it)
		if err != nil {
			return rules.Effect{}, err
		}
		good, _ := it.Fact("count.good")
		count, _ := good.Num()
		names := listable(netlify.ParseManifest(old), there, int(count))
		b, err := netlify.Regenerate(old, names, int(count))
		switch {
		case errors.Is(err, netlify.ErrCollapse):
			return rules.Effect{}, &rules.Refusal{Why: fmt.Sprintf("only %d functions in %s, and the last good list held %d", len(names), folder.Str(), int(count)), Hint: "look where the functions went"}
		case err != nil:
			return rules.Effect{}, &rules.Refusal{Why: err.Error()}
		case snapshot.Sum(b) == now.SHA256:
			return rules.Effect{}, &rules.Refusal{Why: "it lists exactly the functions there are", Hint: "what else is wrong with it a person must decide"}
		}
		e := rules.Effect{Target: "file " + it.Path, What: fmt.Sprintf("write %s with the %d functions in %s", it.Path, len(names), folder.Str()),
			Writes: []rules.Write{{Path: it.Path, Was: now.SHA256, Sum: snapshot.Sum(b), Mode: now.Mode.Perm(), Old: now.Mode.Perm(), New: b}}}
		return e, p.Sources.Free(it.Path, now.SHA256, snapshot.Sum(b))
	},
}

// handlers returns the functions beside a list: of each, whether it has a handler.
func handlers(p *rules.Preparation, list *snapshot.Item) (map[string]bool, error) {
	there := map[string]bool{}
	for _, f := range p.Snapshot.Of(snapshot.Functions) {
		if f.Kind != "function" || f.Source != list.Source {
			continue
		}
		if f.Carried || f.Unknown != "" || f.Torn {
			return nil, &rules.Refusal{Why: "the function " + f.Name + " could not be read whole: a list made now might be wrong"}
		}
		_, has := f.Fact("handler")
		there[f.Name] = there[f.Name] || has
	}
	return there, nil
}

// listable returns what a list is to name: what it names already and is there,
// and every function with a handler. A list that names the smaller part of the
// functions, and did not collapse, is a selection: nothing is added to it.
func listable(m netlify.Manifest, there map[string]bool, good int) []string {
	var kept, added []string
	for _, n := range m.Names() {
		if _, ok := there[n]; ok {
			kept = append(kept, n)
		}
	}
	for n, handler := range there {
		if handler && !slices.Contains(kept, n) {
			added = append(added, n)
		}
	}
	fallen := 2*len(m.Entries) < min(good, len(kept)+len(added))
	if len(added) > len(kept) && len(m.Entries) > 0 && !fallen {
		return kept
	}
	return append(kept, added...)
}
