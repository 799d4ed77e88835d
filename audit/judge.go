package audit

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"healthaudit/snapshot"
)

// A Judgement is what all checks found in one snapshot.
type Judgement struct {
	Findings []Finding       // severity, then item, then check, then discriminator; no two with one ID
	Crashed  []Crash         // checks that panicked: their earlier findings are carried
	Doubts   map[string]bool // IDs of findings that could not be looked for: those that were open are carried
	Blind    map[Sight]bool  // where a check could not look at all

	Still map[string]Found // what each check that is Still found and did not crash
}

// A Sight is one check's look at one item.
type Sight struct {
	Check string
	Item  snapshot.Key
}

// Doubted reports whether nobody looked for a finding.
func (j *Judgement) Doubted(r *Record) bool {
	return j.Doubts[r.ID] || j.Blind[Sight{r.Check, r.Item}]
}

// workers is how many checks run at once. Their results are put in the checks'
// order, so that nothing depends on who ends first.
const workers = 2

// Judge runs the checks. A check that panics loses its findings and nothing else.
func Judge(checks []*Check, w *World) Judgement {
	w.Now.Sort() // the index of items is made before anyone asks for it
	j := Judgement{Doubts: map[string]bool{}, Blind: map[Sight]bool{}, Still: map[string]Found{}}
	early, later, last := make([]*Check, 0, len(checks)), []*Check(nil), []*Check(nil)
	for _, c := range checks {
		switch {
		case c.Last:
			last = append(last, c)
		case c.Later:
			later = append(later, c)
		default:
			early = append(early, c)
		}
	}
	j.add(early, w, pile{})
	if len(later) > 0 {
		so := j
		w.crashed, w.doubts = j.Crashed, &so
		j.Doubts, j.Blind = maps.Clone(j.Doubts), maps.Clone(j.Blind)
		j.add(later, w, piled(so.Findings))
	}
	made := piled(j.Findings)
	w.waive(made)
	if len(last) > 0 {
		w.crashed = j.Crashed
		j.add(last, w, made)
	}
	SortFindings(j.Findings)
	return j
}

// add runs checks side by side and takes what they found.
func (j *Judgement) add(checks []*Check, w *World, made pile) {
	type result struct {
		pass    *Pass
		crashes []Crash
	}
	results := make([]result, len(checks))
	still := sync.OnceValue(w.still)
	order := largestFirst(checks, w.Now)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(order)); n = next.Add(1) - 1 {
				i := order[n]
				c, world := checks[i], w
				if c.Still {
					if found, ok := w.Known[c.ID]; ok {
						results[i].pass = found.pass(c)
						continue
					}
					world = still()
				}
				results[i].pass, results[i].crashes = run(c, world, made)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for i, r := range results {
		if j.Crashed = append(j.Crashed, r.crashes...); r.pass == nil {
			continue
		}
		if checks[i].Still && len(r.crashes) == 0 {
			j.Still[checks[i].ID] = Found{r.pass.out, r.pass.doubt, r.pass.blind}
		}
		for _, id := range r.pass.doubt {
			j.Doubts[id] = true
		}
		for _, item := range r.pass.blind {
			j.Blind[Sight{checks[i].ID, item}] = true
		}
		for _, f := range r.pass.out {
			if it := w.Now.Item(f.Item); it != nil && it.Carried || seen[f.ID] {
				continue
			}
			seen[f.ID] = true
			if s, ok := w.Severity[f.Check]; ok {
				f.Severity = s
			}
			j.Findings = append(j.Findings, f)
		}
	}
}

// largestFirst orders checks by how much they look at, so that none is left over
// for one core while the other has nothing to do.
func largestFirst(checks []*Check, now *snapshot.Snapshot) []int {
	size := func(i int) int {
		if checks[i].System == "" {
			return len(now.Items)
		}
		return len(now.Of(checks[i].System))
	}
	order := make([]int, len(checks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return size(j) - size(i) })
	return order
}

// SortFindings brings findings into report order: worst severity first, then
// item, check, discriminator.
func SortFindings(f []Finding) {
	slices.SortFunc(f, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return int(b.Severity - a.Severity)
		}
		if c := strings.Compare(string(a.Item), string(b.Item)); c != 0 {
			return c
		}
		if c := strings.Compare(a.Check, b.Check); c != 0 {
			return c
		}
		return strings.Compare(a.Discriminator, b.Discriminator)
	})
}

// blind reports whether an item could not be judged as a whole: it could not
// be read, or it is missing without explanation.
func (w *World) blind(k snapshot.Key) bool {
	if it := w.Now.Item(k); it != nil {
		return it.Unknown != ""
	}
	return slices.ContainsFunc(w.Gone, func(g Gone) bool { return g.Item == k })
}

// proven reports whether the silence of a check proves that its finding is gone.
// It does not on an item that can no longer be judged, nor on one that is
// missing without explanation: nobody mends a score by deleting.
func (w *World) proven(c *Check, r *Record) bool {
	if r.Item.IsPseudo() && !slices.Contains(c.Needs, snapshot.Auditor) && !w.whole(r.System) {
		return false // what it stands for may be what could not be read
	}
	return w.conclusive(c, r.Item) && (r.Blind || !w.blind(r.Item))
}

// whole reports whether all of a system was read.
func (w *World) whole(sys snapshot.System) bool {
	return len(w.Now.System(sys).Failed()) == 0 && !slices.ContainsFunc(w.Now.Of(sys), func(it *snapshot.Item) bool { return it.Carried })
}

// conclusive reports whether the silence of a check on an item proves that its
// finding is gone: the item was read (or is gone from a source that was), and
// so was every system the check needs.
func (w *World) conclusive(c *Check, item snapshot.Key) bool {
	needs := c.Needs
	if len(needs) == 0 {
		needs = []snapshot.System{item.System()}
	}
	for _, sys := range needs {
		if sys != snapshot.Auditor && !w.Now.System(sys).Status.Listed() {
			return false
		}
	}
	it := w.Now.Item(item)
	return it == nil || !it.Carried
}
