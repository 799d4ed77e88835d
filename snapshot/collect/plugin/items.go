package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/mask"
	"healthaudit/snapshot/host"
)

// A request is what a plugin is given.
type request struct {
	Schema string      `json:"schema"`
	Ask    string      `json:"ask"` // items or findings
	Plugin string      `json:"plugin"`
	Root   string      `json:"root"`
	At     time.Time   `json:"at"`
	Items  []givenItem `json:"items,omitempty"`
}

// Collect asks a collector for its items. Hash is the keyed hash of what may be
// secret.
func (p *Plugin) Collect(ctx context.Context, h host.Host, at time.Time, hash func(string) string) ([]*snapshot.Item, *Failure) {
	in, err := json.Marshal(request{Schema: Schema, Ask: "items", Plugin: p.Name, Root: h.Root(), At: at.UTC().Truncate(time.Second)})
	if err != nil {
		return nil, &Failure{"could not be asked: " + err.Error(), ""}
	}
	out, bad := p.Run(ctx, h, in)
	if bad != nil {
		return nil, bad
	}
	items, err := p.readItems(out, p.secrets(h), hash)
	if err != nil {
		return nil, unusable(err)
	}
	return items, nil
}

func unusable(err error) *Failure {
	return &Failure{"gave an answer that is of no use: " + err.Error(), "docs/plugins.md and docs/plugin.schema.json say what an answer looks like; nothing of this one was used."}
}

func (p *Plugin) readItems(out []byte, secrets []string, hash func(string) string) ([]*snapshot.Item, error) {
	a, err := decode(out, secrets)
	switch {
	case err != nil:
		return nil, err
	case a.Items == nil || a.Findings != nil || a.Unknown != nil:
		return nil, refuse("a collector answers with items, an empty list where there are none, and nothing else")
	case len(*a.Items) > maxItems:
		return nil, refuse("it has more than %d items", maxItems)
	}
	r := &reader{Plugin: p, secrets: secrets, hash: hash}
	seen := map[snapshot.Key]bool{}
	items := make([]*snapshot.Item, 0, len(*a.Items))
	for i := range *a.Items {
		it, err := r.item(&(*a.Items)[i])
		if err != nil {
			return nil, refuse("item %d: %v", i+1, err)
		}
		if seen[it.Key] {
			return nil, refuse("item %d: its id is there twice", i+1)
		}
		seen[it.Key] = true
		items = append(items, it)
	}
	return items, nil
}

func (r *reader) item(a *answerItem) (*snapshot.Item, error) {
	if err := r.name("id", a.ID); err != nil {
		return nil, err
	}
	if err := r.local("path", a.Path); err != nil {
		return nil, err
	}
	if a.Line < 0 || a.Line > 0 && a.Path == "" {
		return nil, refuse("line is that of a path, from 1 on")
	}
	it := &snapshot.Item{Key: Key(r.System, r.Plugin.Name, a.ID), Name: r.text(a.Name), Kind: "plugin", Path: a.Path, Line: a.Line,
		Source: Source(r.Plugin.Name), State: r.text(a.State), Unknown: r.text(a.Unknown)}
	if it.Name == "" {
		it.Name = a.ID
	}
	if len(a.Facts)+len(a.Volatile) > maxFacts || len(a.Metrics) > maxFacts {
		return nil, refuse("it has more than %d facts or metrics", maxFacts)
	}
	if err := r.facts(it, snapshot.Semantic, a.Facts); err != nil {
		return nil, err
	}
	for n := range a.Facts {
		if _, twice := a.Volatile[n]; twice {
			return nil, refuse("the fact %s is there twice", n)
		}
	}
	if err := r.facts(it, snapshot.Volatile, a.Volatile); err != nil {
		return nil, err
	}
	for _, n := range slices.Sorted(maps.Keys(a.Metrics)) {
		if !slices.Contains(r.Metrics, n) {
			return nil, refuse("it has a metric that the configuration does not declare: %s", shorten(r.text(n), 40))
		}
		it.Metrics = append(it.Metrics, snapshot.Metric{Name: n, Value: a.Metrics[n]})
	}
	it.Sort()
	return it, nil
}

// FactName is the form of names of facts and of metrics.
var FactName = lazyregexp.New(`^[a-z][a-z0-9_.-]{0,63}$`)

func (r *reader) facts(it *snapshot.Item, class snapshot.Class, facts map[string]json.RawMessage) error {
	for _, n := range slices.Sorted(maps.Keys(facts)) {
		if !FactName().MatchString(n) || mask.Text(n, r.secrets) != n {
			return refuse("%s is no name of a fact such as age_hours", shorten(r.text(n), 40))
		}
		var v snapshot.Value
		if bytes.Equal(bytes.TrimSpace(facts[n]), []byte("null")) || json.Unmarshal(facts[n], &v) != nil {
			return refuse("the fact %s is no text, number, truth value or list of texts", n)
		}
		class := class
		switch x := v.Any().(type) {
		case string:
			if mask.Secretive(n) {
				v, class = snapshot.Text(r.hash(x)), snapshot.Secret
			} else {
				v = snapshot.Text(r.text(x))
			}
		case []string:
			if len(x) > maxFacts {
				return refuse("the fact %s is a list of more than %d texts", n, maxFacts)
			}
			for i := range x {
				if x[i] = r.text(x[i]); mask.Secretive(n) {
					x[i] = mask.NotShown
				}
			}
			if v = snapshot.SetOf(x...); class == snapshot.Semantic {
				class = snapshot.Set
			}
		case float64:
			if mask.Secretive(n) {
				v, class = snapshot.Text(r.hash(v.Str())), snapshot.Secret
			}
		}
		it.Add(class, n, v)
	}
	return nil
}
