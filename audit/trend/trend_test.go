package trend

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s = %.4f, want %.4f", what, got, want)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 5}, 5}} {
		near(t, "median", Median(c.in), c.want, 0)
	}
	in := []float64{3, 1, 2}
	Median(in)
	if in[0] != 3 {
		t.Error("the values were put in order in place")
	}
}

func TestStepped(t *testing.T) {
	hist := []float64{61, 58, 64, 60, 59, 180, 62}
	near(t, "median", Median(hist), 61, 0)
	near(t, "MAD", MAD(hist, 61), 2, 0)
	flat := []float64{40, 40, 40, 40, 40}
	for _, c := range []struct {
		name    string
		history []float64
		value   float64
		z       float64
		fires   bool
	}{
		{"unusual_but_less_than_a_quarter", hist, 75, 4.59, false},
		{"a_step", hist, 95, 11.15, true},
		{"constant_and_one_more", flat, 41, 0.5, false},
		{"too_few", flat, 4000, 1980, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			near(t, "z", NewStep(c.history, c.value, 1).Z, c.z, .005)
			if _, fires := Stepped(append(c.history[:len(c.history):len(c.history)], c.value), 1); fires != c.fires {
				t.Errorf("fires %v", fires)
			}
		})
	}
	_, s := Spread(hist, 1)
	near(t, "spread", s, 3.05, 1e-9)
	_, s = Spread(flat, 1)
	near(t, "spread of constants", s, 2, 1e-9)
}

func TestFell(t *testing.T) {
	hist := []float64{96, 95, 96, 94, 96, 95, 96}
	for value, want := range map[float64]bool{93: false, 86: false, 84: true} {
		usual, fell := Fell(hist, value, 10)
		near(t, "usual", usual, 96, 0)
		if fell != want {
			t.Errorf("%v: %v", value, fell)
		}
	}
	if _, fell := Fell(hist[:4], 0, 10); fell {
		t.Error("four values are a history")
	}
	if _, fell := Fell([]float64{60, 96, 70, 90, 80, 96, 60}, 62, 10); fell {
		t.Error("a score that always goes up and down fell")
	}
}

func TestGrowth(t *testing.T) {
	at := func(ts, ys []float64) (p []Point) {
		for i, y := range ys {
			p = append(p, Point{ts[i], y})
		}
		return p
	}
	hours := []float64{0, 6, 13, 18, 30, 36, 49, 54}
	t.Run("a_leak_with_a_spike", func(t *testing.T) {
		g := NewGrowth(at(hours, []float64{210, 216, 221, 600, 241, 246, 260, 264}))
		near(t, "slope", g.Slope, 1, 1e-3)
		near(t, "intercept", g.Intercept, 210, .1)
		near(t, "S", float64(g.S), 20, 0)
		near(t, "Var", g.Var, 65.33, .005)
		near(t, "Z", g.Z, 2.3506, 5e-5)
		near(t, "p", g.P, .0094, 5e-5)
		if !g.Grows(6) || g.Grows(55) {
			t.Errorf("grows in 6 hours: %v, in 55 hours: %v", g.Grows(6), g.Grows(55))
		}
		in, ok := g.Until(300, 54)
		near(t, "hours until 300 MB", in, 36, .2)
		if past, ok2 := g.Until(100, 54); !ok || !ok2 || past != 0 {
			t.Errorf("until: %v %v %v", ok, ok2, past)
		}
	})
	t.Run("noise", func(t *testing.T) {
		g := NewGrowth(at(hours, []float64{210, 214, 207, 215, 209, 213, 208, 212}))
		near(t, "slope", g.Slope, -.033, 5e-4)
		near(t, "S", float64(g.S), -2, 0)
		near(t, "p", g.P, .549, 5e-4)
		if _, ok := g.Until(1000, 54); ok || g.Grows(6) {
			t.Error("noise grows")
		}
	})
	t.Run("ties", func(t *testing.T) {
		g := NewGrowth(at(hours, []float64{5, 5, 6, 6, 6, 7, 7, 8}))
		near(t, "S", float64(g.S), 23, 0)
		near(t, "Var", g.Var, 59.667, 5e-4)
		near(t, "Z", g.Z, 2.848, 5e-4)
	})
	t.Run("constant", func(t *testing.T) {
		if g := NewGrowth(at(hours, []float64{5, 5, 5, 5, 5, 5, 5, 5})); g.P != 1 || g.Grows(0) {
			t.Errorf("%+v grows", g)
		}
	})
	t.Run("degenerate", func(t *testing.T) {
		for _, p := range [][]Point{nil, {{1, 1}}, {{1, 1}, {1, 2}, {1, 3}}} {
			if g := NewGrowth(p); g.Grows(0) || math.IsNaN(g.Slope+g.Z+g.P) {
				t.Errorf("%v: %+v", p, g)
			}
		}
	})
	t.Run("sure_but_too_small", func(t *testing.T) {
		var p []Point
		for i := range 20 {
			p = append(p, Point{float64(i), 1000 + float64(i)})
		}
		if g := NewGrowth(p); !g.Rises() || g.Grows(6) {
			t.Errorf("rises %v, grows %v", g.Rises(), g.Grows(6))
		}
	})
}

// The table is exact: the number of permutations of n with k inversions, added up.
func TestLeastS(t *testing.T) {
	count := []float64{1} // by inversions
	total := 1.0
	for n := 2; n < len(leastS); n++ {
		next := make([]float64, n*(n-1)/2+1)
		for k := range next {
			for j := max(0, k-n+1); j <= k && j < len(count); j++ {
				next[k] += count[j]
			}
		}
		count, total = next, total*float64(n)
		least, sum := 0, 0.0
		for k, c := range count { // S = pairs − 2·inversions
			if sum += c; sum/total > growthP {
				break
			}
			least = len(count) - 1 - 2*k
		}
		if n < 5 && least != 0 {
			t.Errorf("%d points can be sure at S %d", n, least)
		}
		if n >= 5 && least != leastS[n] {
			t.Errorf("%d points: least S %d, the table has %d", n, least, leastS[n])
		}
	}
	if (Growth{n: 20, P: .011}).Rises() || !(Growth{n: 20, P: .01}).Rises() {
		t.Error("of twenty points the normal approximation decides, at 1 %")
	}
	if g := (Growth{n: 4, S: 6, P: 0}); g.Rises() {
		t.Error("four points rise")
	}
}

func TestRate(t *testing.T) {
	near(t, "increase", Increase([]float64{3, 5, 1, 2, 2}), 4, 0)
	near(t, "increase of one", Increase([]float64{3}), 0, 0)
	hist := []float64{0, 1, 0, 0, 1, 0, 0}
	for rate, want := range map[float64]struct {
		z     float64
		fires bool
	}{2: {2, false}, 6: {6, true}} {
		s, fires := Rated(hist, rate, 3)
		near(t, "z", s.Z, want.z, 0)
		if fires != want.fires {
			t.Errorf("rate %v: fires %v", rate, fires)
		}
	}
	if _, fires := Rated(hist[:2], 60, 3); fires {
		t.Error("two periods are a history")
	}
}

func TestDrifts(t *testing.T) {
	ref := []float64{60, 61, 59, 60, 62, 58, 60, 61}
	m, s := Spread(ref, 1)
	near(t, "median", m, 60, 0)
	near(t, "spread", s, 3, 1e-9)
	values := []float64{63, 64, 63, 65, 64, 64, 65, 66}
	sums, alarms := Drifts(ref, values, 1, Drift)
	for i, want := range []float64{.5, 1.33, 1.83, 3, 3.83, 4.67, 5.83} {
		near(t, "sum", sums[i], want, .005)
	}
	if len(alarms) != 1 || alarms[0] != 6 {
		t.Errorf("alarms at %v, want the seventh", alarms)
	}
	near(t, "after the alarm it begins again", sums[7], 1.5, 1e-9)
	for _, v := range values {
		if z := NewStep(ref, v, 1).Z; z > Unusual {
			t.Errorf("%v alone is unusual", v)
		}
	}
	if sums, _ := Drifts(ref[:7], values, 1, Drift); sums != nil {
		t.Error("seven values are a reference")
	}
}

func TestFlaps(t *testing.T) {
	// at makes 21 states that change at these of the 20 transitions.
	at := func(changes ...int) (s []bool) {
		s = make([]bool, Window)
		for _, c := range changes {
			for i := c; i < Window; i++ {
				s[i] = !s[i]
			}
		}
		return s
	}
	var all []int
	for i := range Window - 1 {
		all = append(all, i+1)
	}
	for _, c := range []struct {
		name   string
		states []bool
		want   float64
	}{
		{"four_newest", at(17, 18, 19, 20), 24.21}, {"four_oldest", at(1, 2, 3, 4), 15.79}, {"five_newest", at(16, 17, 18, 19, 20), 29.93}, {"all", at(all...), 100},
		{"none", at(), 0}, {"one_change_of_three_is_padded", []bool{false, false, true}, 6.25}, {"nothing", nil, 0}, {"older_states_do_not_count", append(at(all...), make([]bool, Window)...), 0},
	} {
		t.Run(c.name, func(t *testing.T) { near(t, "percent", Flaps(c.states), c.want, .005) })
	}
	for _, c := range []struct {
		percent float64
		was     bool
		want    bool
	}{{30, false, true}, {29.9, false, false}, {29.9, true, true}, {20.1, true, true}, {20, true, false}} {
		if got := Flapping(c.percent, c.was); got != c.want {
			t.Errorf("%v%% after %v: %v", c.percent, c.was, got)
		}
	}
}
