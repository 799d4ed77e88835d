package workflow

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// A place is a hit in the file of an item.
type place struct {
	model.Hit
	it *snapshot.Item
}

// hitsOf is the key under which the hits of one snapshot are shared by the checks.
type hitsOf struct{ now *snapshot.Snapshot }

// hits returns the places of one rule, in the order of items and positions.
func hits(p *audit.Pass, rule model.Rule) []place {
	return snapshot.Once(p.Derived, hitsOf{p.Now}, func() map[model.Rule][]place {
		j := newJudge(p)
		all := map[model.Rule][]place{}
		for _, it := range files(p) {
			for _, h := range j.verdict(it).Security {
				all[h.Rule] = append(all[h.Rule], place{h, it})
			}
		}
		return all
	})[rule]
}

// at returns the report on one place, told apart by job and step and, where
// there may be several in one step, by more.
func (p place) at(more, message string) audit.Report {
	r := audit.Report{Item: p.it.Key, Discriminator: p.Where, At: locate(p.it, p.Pos), Message: fmt.Sprintf("%s: %s", short(p.it), message)}
	if more != "" {
		r.Discriminator += " " + more
	}
	if p.Where != "" {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "step", Value: p.Where})
	}
	return r
}

// once reports each place of a rule, the first of those that are told apart by nothing.
func once(p *audit.Pass, list []place, make func(place) audit.Report) {
	told := map[[2]string]bool{}
	for _, pl := range list {
		r := make(pl)
		if key := [2]string{string(r.Item), r.Discriminator}; !told[key] {
			told[key] = true
			p.Report(r)
		}
	}
}

// shown is how many places a sum names.
const shown = 5

// sum reports many places of one habit as one finding on the system, at the
// first of them. The message begins with the verb, of which the number of
// places and files is the subject.
func sum(p *audit.Pass, list []place, discriminator, message string, sev audit.Severity) {
	if len(list) == 0 {
		if len(broken(p)) > 0 { // the habit may be in there
			p.Doubt(snapshot.Pseudo(snapshot.Workflows), discriminator)
		}
		return
	}
	n, paths := 0, map[string]bool{}
	var ev []audit.Evidence
	for _, pl := range list {
		n += max(pl.Count, 1)
		if !paths[pl.it.Path] && len(paths) < shown {
			v := fmt.Sprintf("%s:%d", pl.it.Path, pl.Line)
			if pl.Detail != "" {
				v += " " + pl.Detail
			}
			ev = append(ev, audit.Evidence{Name: "place", Value: v})
		}
		paths[pl.it.Path] = true
	}
	if verb, rest, _ := strings.Cut(message, " "); n == 1 {
		message = verb + "s " + rest
	}
	p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: discriminator, At: locate(list[0].it, list[0].Pos), Severity: sev, Wide: len(paths) > 1,
		Message: fmt.Sprintf("%s in %s %s", plural(n, "place"), plural(len(paths), "file"), message), Evidence: ev})
}

// ofKind returns the places of one kind.
func ofKind(list []place, kinds ...string) []place {
	var out []place
	for _, p := range list {
		for _, k := range kinds {
			if p.Kind == k {
				out = append(out, p)
			}
		}
	}
	return out
}
