package audit

import (
	"slices"
	"testing"
	"time"

	"healthaudit/snapshot"
)

// hours is a history of one item, one snapshot an hour: number 1 is the oldest.
type hours []string

func (h hours) Marks(since time.Time, least int) (out []Mark) {
	for i := len(h); i > 0; i-- {
		at := noon.Add(-time.Duration(len(h)-i+1) * time.Hour)
		if at.Before(since) && len(out) >= least {
			break
		}
		out = append(out, Mark{Seq: uint64(i), At: at})
	}
	return out
}

func (h hours) Metric(seq uint64, _ snapshot.Key, _ string) (snapshot.Metric, bool) {
	life := h[seq-1]
	return snapshot.Metric{Name: "memory", Value: float64(seq), Incarnation: life}, life != ""
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestSeries(t *testing.T) {
	it := &snapshot.Item{Key: "pm2/api", Metrics: []snapshot.Metric{{Name: "memory", Value: 99, Incarnation: "b"}}}
	p := &Pass{World: &World{Now: &snapshot.Snapshot{At: noon}, History: hours{"a", "a", "a", "", "b", "b", "b", "b"}}}
	ago := func(n int) time.Time { return noon.Add(-time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		w    Window
		life bool
		want []uint64
	}{
		"since_a_time":               {Window{Since: ago(2), Most: 9}, false, []uint64{7, 8, 0}},
		"at_least_so_many":           {Window{Since: ago(2), Least: 4, Most: 9}, false, []uint64{5, 6, 7, 8, 0}},
		"but_not_before_a_time":      {Window{Since: ago(2), Least: 4, Begin: ago(3), Most: 9}, false, []uint64{6, 7, 8, 0}},
		"what_it_had_not_is_out":     {Window{Since: ago(8), Most: 9}, false, []uint64{1, 2, 3, 5, 6, 7, 8, 0}},
		"spread_with_both_ends":      {Window{Since: ago(8), Most: 4}, false, []uint64{1, 5, 8, 0}},
		"one_life":                   {Window{Since: ago(8), Most: 9}, true, []uint64{5, 6, 7, 8, 0}},
		"this_snapshot_at_the_least": {Window{Since: ago(8), Most: 1}, false, []uint64{0}},
		"none":                       {Window{Since: ago(8)}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := p.Series(it, "memory", c.w)
			if c.life {
				s = Life(s)
			}
			var got []uint64
			for _, x := range s {
				got = append(got, x.Seq)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	if s := p.Series(it, "nothing", Window{Most: 9}); s != nil {
		t.Errorf("%v", s)
	}
	p.History = nil
	if s := p.Series(it, "memory", Window{Most: 9}); len(s) != 1 || s[0].Metric.Value != 99 {
		t.Errorf("%v", s)
	}
}
