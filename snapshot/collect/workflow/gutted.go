package workflow

import (
	"slices"
	"sort"
	"strings"

	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// guttedFrom is the fact that remembers what a job once did. It is carried from
// snapshot to snapshot until real work comes back, because a comparison with
// the last snapshot alone would forget the damage one run later.
// It says of a hollow job what it ran when it still worked.
const guttedFrom = ".gutted-from"

// carryGutted compares the jobs with what they ran in the snapshot before. A
// job is gutted when it did work, and now only says something. A hollow job
// that is new replaces those that went away, when nothing else in the file
// works any more.
func carryGutted(it, old *snapshot.Item) {
	if old == nil || old.Kind != it.Kind {
		return
	}
	before := worked(old)
	now := map[string]bool{}
	works := false
	var hollow []string
	for _, f := range it.Facts.All() {
		id, what, ok := jobFact(f.Name)
		if !ok {
			continue
		}
		now[id] = true
		switch what {
		case ".hollow":
			hollow = append(hollow, id)
		case ".runs":
			works = works || len(real(f.Value.Strings())) > 0
		case ".uses":
			works = true
		}
	}
	var lost []string
	for id, did := range before {
		if !now[id] {
			lost = append(lost, did...)
		}
	}
	for id, did := range before {
		if emptied(it, id, did) && !elsewhere(it, old, id, did) {
			it.Add(snapshot.Set, id+guttedFrom, snapshot.SetOf(did...))
		}
	}
	for _, id := range hollow {
		did := before[id]
		if len(did) == 0 && !works {
			did = lost
		}
		if len(did) > 0 {
			it.Add(snapshot.Set, id+guttedFrom, snapshot.SetOf(did...))
		}
	}
}

// emptied reports whether a job that still has actions has lost every command that
// did work, and says something in their place: no action has come that could do it.
func emptied(it *snapshot.Item, id string, did []string) bool {
	if h, _ := it.Fact(id + ".hollow"); h.IsTrue() || !slices.ContainsFunc(did, command) {
		return false
	}
	v, _ := it.Fact(id + ".runs")
	does := real(v.Strings())
	return len(does) > 0 && slices.ContainsFunc(v.Strings(), model.Hollow) &&
		!slices.ContainsFunc(does, func(name string) bool { return command(name) || !slices.Contains(did, name) })
}

// elsewhere reports whether other jobs do now all that a job did by commands: each is run
// by one that did not run it before, or whose commands were changed in that moment.
func elsewhere(it, old *snapshot.Item, id string, did []string) bool {
	_, long := old.Fact(id + guttedFrom)
	before := worked(old)
	var taken []string
	for _, f := range it.Facts.All() {
		other, what, ok := jobFact(f.Name)
		if !ok || what != ".runs" || other == id {
			continue
		}
		edited := !long && !slices.Equal(commands(old, other), commands(it, other))
		for _, name := range f.Value.Strings() {
			if edited || !slices.Contains(before[other], name) {
				taken = append(taken, name)
			}
		}
	}
	return !slices.ContainsFunc(did, func(name string) bool { return command(name) && !slices.Contains(taken, name) })
}

// commands returns the digests of what the steps of a job run.
func commands(it *snapshot.Item, id string) (out []string) {
	for _, f := range it.Facts.All() {
		if strings.HasPrefix(f.Name, id+".step[") && strings.HasSuffix(f.Name, "].run") {
			out = append(out, f.Value.Str())
		}
	}
	return out
}

func command(name string) bool { return !strings.HasPrefix(name, "uses:") }

// worked returns the work of each job of an item: what it runs, or what it ran
// before it was gutted.
func worked(it *snapshot.Item) map[string][]string {
	out := map[string][]string{}
	for _, f := range it.Facts.All() {
		id, what, ok := jobFact(f.Name)
		if !ok {
			continue
		}
		switch what {
		case ".runs":
			if r := real(f.Value.Strings()); len(r) > 0 {
				out[id] = append(out[id], r...)
			}
		case ".uses":
			a, _ := model.ActionOf(f.Value.Str())
			out[id] = append(out[id], "uses:"+a)
		case guttedFrom:
			out[id] = f.Value.Strings()
		}
	}
	for id := range out {
		sort.Strings(out[id])
	}
	return out
}

// real returns the entries of a runs fact that are work.
func real(runs []string) []string {
	var out []string
	for _, r := range runs {
		if model.Works(r) {
			out = append(out, r)
		}
	}
	return slices.Clip(out)
}

// jobFact splits the name of a job's own fact: "jobs.build" and ".runs". Facts
// of steps are none, and neither are nested names.
func jobFact(name string) (id, what string, ok bool) {
	rest, ok := strings.CutPrefix(name, "jobs.")
	if !ok || strings.Contains(rest, "[") {
		return "", "", false
	}
	i := strings.IndexByte(rest, '.')
	if i < 0 || strings.Contains(rest[i+1:], ".") {
		return "", "", false
	}
	return "jobs." + rest[:i], rest[i:], true
}
