package audit

import (
	"math"
	"slices"

	"healthaudit/snapshot"
)

// Penalty is the share of an item's points that one finding takes.
var Penalty = map[Severity]float64{Critical: .60, High: .30, Medium: .12, Low: .04, Info: 0}

// capOf is the highest score a system can have with a finding of that severity
// open. The cap scales the score instead of clipping it, so that the score still
// moves when 300 problems become one.
func capOf(worst Severity) float64 {
	switch worst {
	case Critical:
		return 69
	case High:
		return 89
	case Medium:
		return 99
	}
	return 100
}

// A Weighting says how much items and systems count.
type Weighting struct {
	Items   func(snapshot.Key) float64  // low .5, normal 1, high 3; nil: 1
	Systems map[snapshot.System]float64 // missing: 1
	Skip    func(snapshot.System) bool  // systems that are left out of the overall score; nil: none
}

// A Score is a number with its explanation. A nil Value means that there is
// nothing to judge.
type Score struct {
	Value   *float64
	Raw     float64 // before the cap
	Cap     float64
	Systems map[snapshot.System]*SystemScore
	Items   map[snapshot.Key]float64 // of every item with open findings; the others that were judged have 100
	Loss    map[string]float64       // finding ID → points of the overall score; they sum to 100 − Value
}

// A SystemScore is the score of one system.
type SystemScore struct {
	Value, Raw, Cap float64
	Loss            map[string]float64 // finding ID → points of this system's score
}

type scored struct {
	key      snapshot.Key
	weight   float64
	value    float64
	findings []*Record
}

// Evaluate computes the score of a snapshot from its items and open findings:
//
//	item    S_i = 100 · Π (1 − penalty)
//	system  R_k = Σ w_i S_i / Σ w_i,  S_k = R_k · cap_k / 100
//	overall S   = (Σ W_k R_k / Σ W_k) · cap / 100
//
// In the sum are the items that were judged, and everything else that has an
// open finding: carried items, vanished ones, the pseudo-items. An item that
// could not be judged and has no finding is in no sum: unknown is not healthy.
func Evaluate(items []*snapshot.Item, findings []Tracked, w Weighting) Score {
	open := map[snapshot.Key][]*Record{}
	for _, t := range findings {
		if t.Counts() {
			open[t.Item] = append(open[t.Item], t.Record)
		}
	}
	count := map[snapshot.System]int{}
	for _, it := range items {
		count[it.System()]++
	}
	parts := map[snapshot.System][]scored{}
	for sys, n := range count {
		parts[sys] = make([]scored, 0, n)
	}
	put := func(k snapshot.Key, fs []*Record) {
		s := scored{key: k, weight: 1, value: 100, findings: fs}
		if w.Items != nil {
			s.weight = w.Items(k)
		}
		for _, f := range fs {
			s.value *= 1 - Penalty[f.Severity]
		}
		parts[k.System()] = append(parts[k.System()], s)
	}
	for _, it := range items {
		fs := open[it.Key]
		delete(open, it.Key)
		if len(fs) > 0 || !it.Carried && it.Unknown == "" {
			put(it.Key, fs)
		}
	}
	rest := make([]snapshot.Key, 0, len(open))
	for k := range open {
		rest = append(rest, k)
	}
	slices.Sort(rest)
	for _, k := range rest {
		put(k, open[k])
	}
	return sum(parts, w)
}

func sum(parts map[snapshot.System][]scored, w Weighting) Score {
	sc := Score{Systems: map[snapshot.System]*SystemScore{}, Items: map[snapshot.Key]float64{}, Loss: map[string]float64{}, Cap: 100}
	var total, weights float64
	n := 0
	for _, list := range parts {
		n += len(list)
	}
	all := make([]scored, 0, n) // with weights as shares of the overall score
	for _, sys := range snapshot.Systems {
		list := parts[sys]
		if len(list) == 0 {
			continue
		}
		s, worst := sumSystem(list)
		sc.Systems[sys] = s
		for _, p := range list {
			if len(p.findings) > 0 {
				sc.Items[p.key] = p.value
			}
		}
		if w.Skip != nil && w.Skip(sys) {
			continue
		}
		W := 1.0
		if v, ok := w.Systems[sys]; ok {
			W = v
		}
		if W == 0 {
			continue
		}
		sc.Cap = min(sc.Cap, capOf(worst))
		total += W * s.Raw
		weights += W
		of := weightOf(list)
		for _, p := range list {
			p.weight = W * p.weight / of
			all = append(all, p)
		}
	}
	if weights == 0 {
		return sc
	}
	sc.Raw = total / weights
	v := sc.Raw * sc.Cap / 100
	sc.Value = &v
	share(all, sc.Cap, sc.Loss)
	return sc
}

func sumSystem(list []scored) (*SystemScore, Severity) {
	s := &SystemScore{Loss: map[string]float64{}}
	worst := Info
	of := weightOf(list)
	for _, p := range list {
		s.Raw += p.weight / of * p.value
		for _, f := range p.findings {
			worst = max(worst, f.Severity)
		}
	}
	s.Cap = capOf(worst)
	s.Value = s.Raw * s.Cap / 100
	share(list, s.Cap, s.Loss)
	return s, worst
}

func weightOf(list []scored) (w float64) {
	for _, p := range list {
		w += p.weight
	}
	return w
}

// share splits 100 − score among the findings: what an item lost by −ln(1−p),
// what the cap took among the findings of the capping severity by item weight.
func share(list []scored, limit float64, loss map[string]float64) {
	of := weightOf(list)
	var capped float64
	capping := func(f *Record) bool { return limit < 100 && capOf(f.Severity) == limit }
	for _, p := range list {
		for _, f := range p.findings {
			if capping(f) {
				capped += p.weight
			}
		}
	}
	for _, p := range list {
		var logs float64
		for _, f := range p.findings {
			logs -= math.Log(1 - Penalty[f.Severity])
		}
		for _, f := range p.findings {
			if logs > 0 {
				loss[f.ID] += p.weight / of * (100 - p.value) * limit / 100 * -math.Log(1-Penalty[f.Severity]) / logs
			}
			if capping(f) {
				loss[f.ID] += (100 - limit) * p.weight / capped
			}
		}
	}
}

// Grade returns the letter for a score that was floored to 0.1.
func Grade(v float64) string {
	switch v = Floor(v); {
	case v >= 90:
		return "A"
	case v >= 80:
		return "B"
	case v >= 70:
		return "C"
	case v >= 60:
		return "D"
	}
	return "F"
}

// Floor floors a score to 0.1, forgiving the last bits of floating point.
func Floor(v float64) float64 { return math.Floor(v*10+1e-6) / 10 }

// ItemScores returns the score of every item that has open findings.
func ItemScores(findings []Tracked) map[snapshot.Key]float64 {
	m := map[snapshot.Key]float64{}
	for _, t := range findings {
		if !t.Counts() {
			continue
		}
		if _, ok := m[t.Item]; !ok {
			m[t.Item] = 100
		}
		m[t.Item] *= 1 - Penalty[t.Severity]
	}
	return m
}
