package audit

import (
	"slices"
	"time"

	"healthaudit/snapshot"
)

// A History is what earlier snapshots measured. It may be asked concurrently;
// what cannot be read is not there, and its maker tells why.
type History interface {
	// Marks returns the snapshots, newest first: all since a time, and at least so
	// many, as far as they are kept and as the history goes back at all.
	Marks(since time.Time, least int) []Mark
	// Metric returns what an item measured in one of them.
	Metric(seq uint64, k snapshot.Key, name string) (snapshot.Metric, bool)
}

// A Sample is one measurement. That of this snapshot has the number 0.
type Sample struct {
	Seq    uint64
	At     time.Time
	Metric snapshot.Metric
}

// A Window says which snapshots make a series: those since a time and the newest
// so many, but none from before it began, and of these so many, spread evenly.
type Window struct {
	Since time.Time
	Least int
	Begin time.Time // zero: there is no bound
	Most  int       // this snapshot counted
}

// Series returns the samples of a metric of an item, oldest first, the one of
// this snapshot last. Snapshots in which the item had no such metric are left
// out, as is what a clock that went backwards says.
func (p *Pass) Series(it *snapshot.Item, name string, w Window) []Sample {
	now, ok := it.Metric(name)
	if !ok || w.Most < 1 {
		return nil
	}
	out := []Sample{{0, p.Now.At, now}}
	if p.History == nil {
		return out
	}
	marks := p.History.Marks(w.Since, w.Least)
	if i := slices.IndexFunc(marks, func(m Mark) bool { return m.At.Before(w.Begin) }); i >= 0 {
		marks = marks[:i]
	}
	for _, m := range spread(marks, w.Most-1) {
		v, ok := p.History.Metric(m.Seq, it.Key, name)
		if ok && m.At.Before(out[len(out)-1].At) {
			out = append(out, Sample{m.Seq, m.At, v})
		}
	}
	slices.Reverse(out)
	return out
}

// Life returns the newest samples that are of one incarnation.
func Life(samples []Sample) []Sample {
	for i := len(samples) - 2; i >= 0; i-- {
		if samples[i].Metric.Incarnation != samples[len(samples)-1].Metric.Incarnation {
			return samples[i+1:]
		}
	}
	return samples
}

// spread picks n of some marks evenly, the first and the last among them.
func spread(marks []Mark, n int) []Mark {
	if len(marks) <= n || n < 2 {
		return marks[:min(len(marks), max(n, 0))]
	}
	out := make([]Mark, n)
	for i := range out {
		out[i] = marks[i*(len(marks)-1)/(n-1)]
	}
	return out
}
