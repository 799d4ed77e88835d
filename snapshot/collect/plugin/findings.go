package plugin

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// A givenItem is an item as a check is given it.
type givenItem struct {
	Key     string             `json:"key"`
	System  string             `json:"system"`
	Name    string             `json:"name"`
	Kind    string             `json:"kind"`
	Path    string             `json:"path"`
	State   string             `json:"state"`
	Facts   map[string]any     `json:"facts"`
	Metrics map[string]float64 `json:"metrics"`
}

// A Found is one finding of a plugin.
type Found struct {
	Check         string       // one of Plugin.Finds
	Item          snapshot.Key // one of those given, or the pseudo-item of Plugin.System
	Discriminator string
	Message, Hint string
	Path          string // empty: that of the item
	Line, Column  int
	Evidence      [][2]string // name and value
}

// Findings are what a check answers.
type Findings struct {
	Found    []Found
	Unlooked []snapshot.Key // items that it could not look at
}

// Check gives a check the items, and asks what it finds. Carried items are not
// among them: nobody knows how they are.
func (p *Plugin) Check(ctx context.Context, h host.Host, at time.Time, items []*snapshot.Item) (*Findings, *Failure) {
	given := map[snapshot.Key]bool{}
	req := request{Schema: Schema, Ask: "findings", Plugin: p.Name, Root: h.Root(), At: at.UTC().Truncate(time.Second), Items: []givenItem{}}
	for _, it := range items {
		if it.Carried || it.Unknown != "" || !p.covers(it.Key) {
			continue
		}
		given[it.Key] = true
		req.Items = append(req.Items, give(it))
	}
	in, err := json.Marshal(req)
	if err != nil {
		return nil, &Failure{"could not be asked: " + err.Error(), ""}
	}
	out, bad := p.Run(ctx, h, in)
	if bad != nil {
		return nil, bad
	}
	found, err := p.readFindings(out, p.secrets(h), given)
	if err != nil {
		return nil, unusable(err)
	}
	return found, nil
}

func (p *Plugin) covers(key snapshot.Key) bool {
	return len(p.Match) == 0 || slices.ContainsFunc(p.Match, func(g string) bool {
		ok, _ := doublestar.Match(g, string(key))
		return ok || g == string(key)
	})
}

// give is an item without what is nobody's business: no hash of a secret, no
// process number.
func give(it *snapshot.Item) givenItem {
	g := givenItem{Key: string(it.Key), System: string(it.System()), Name: it.Name, Kind: it.Kind, Path: it.Path, State: it.State,
		Facts: map[string]any{}, Metrics: map[string]float64{}}
	for _, f := range it.Facts.All() {
		if f.Class != snapshot.Secret && f.Class != snapshot.Detail {
			g.Facts[f.Name] = f.Value.Any()
		}
	}
	for _, m := range it.Metrics {
		g.Metrics[m.Name] = m.Value
	}
	return g
}

func (p *Plugin) readFindings(out []byte, secrets []string, given map[snapshot.Key]bool) (*Findings, error) {
	a, err := decode(out, secrets)
	switch {
	case err != nil:
		return nil, err
	case a.Findings == nil || a.Items != nil:
		return nil, refuse("a check answers with findings, an empty list where there are none, and with no items")
	case len(*a.Findings) > maxFindings || len(a.Unknown) > maxItems:
		return nil, refuse("it has more than %d findings", maxFindings)
	}
	r := &reader{Plugin: p, secrets: secrets}
	f := &Findings{}
	type identity struct {
		check, discriminator string
		item                 snapshot.Key
	}
	seen := map[identity]bool{}
	for i := range *a.Findings {
		one, err := r.found(&(*a.Findings)[i], given)
		if err != nil {
			return nil, refuse("finding %d: %v", i+1, err)
		}
		id := identity{one.Check, one.Discriminator, one.Item}
		if seen[id] {
			return nil, refuse("finding %d: it is there twice; a discriminator tells two of one check on one item apart", i+1)
		}
		seen[id] = true
		f.Found = append(f.Found, *one)
	}
	for _, u := range a.Unknown {
		if !given[snapshot.Key(u.Item)] {
			return nil, refuse("unknown names an item that it was not given")
		}
		f.Unlooked = append(f.Unlooked, snapshot.Key(u.Item))
	}
	return f, nil
}

func (r *reader) found(a *answerFound, given map[snapshot.Key]bool) (*Found, error) {
	if !slices.Contains(r.Finds, a.Check) {
		return nil, refuse("the configuration declares no check %s below finds", shorten(r.text(a.Check), 40))
	}
	f := &Found{Check: a.Check, Item: snapshot.Key(a.Item), Message: r.text(a.Message), Hint: r.text(a.Hint)}
	switch {
	case a.Item == "" && r.System == "":
		return nil, refuse("it names no item; findings that are on none need a system in the configuration")
	case a.Item == "":
		f.Item = snapshot.Pseudo(r.System)
	case !given[f.Item]:
		return nil, refuse("it names an item that it was not given")
	}
	if strings.TrimSpace(f.Message) == "" {
		return nil, refuse("it has no message")
	}
	if a.Discriminator != "" {
		if err := r.name("discriminator", a.Discriminator); err != nil {
			return nil, err
		}
		f.Discriminator = a.Discriminator
	}
	if l := a.Location; l != nil {
		if err := r.local("location.path", l.Path); err != nil {
			return nil, err
		}
		if l.Path == "" || l.Line < 0 || l.Column < 0 {
			return nil, refuse("location wants a path, and a line and a column from 1 on")
		}
		f.Path, f.Line, f.Column = l.Path, l.Line, l.Column
	}
	if len(a.Evidence) > maxFacts {
		return nil, refuse("it has more than %d pieces of evidence", maxFacts)
	}
	for _, n := range slices.Sorted(maps.Keys(a.Evidence)) {
		if err := r.name("the name of an evidence", n); err != nil {
			return nil, err
		}
		f.Evidence = append(f.Evidence, [2]string{n, r.value(n, a.Evidence[n])})
	}
	return f, nil
}
