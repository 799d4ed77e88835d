package trend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// chance is a source of random numbers that prints its seed; AUDIT_TEST_SEED gives it back.
func chance(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	if s := os.Getenv("AUDIT_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("AUDIT_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// share holds a count of successes against an expected share, in percent. The
// slack is five standard errors of both counts, plus what the published figure
// was rounded to: a wrong alarm of this test is rarer than one in a million.
func share(t *testing.T, what string, hits, of int, want float64, published int, rounded float64) {
	t.Helper()
	p := math.Max(want, .5) / 100
	se := math.Sqrt(p * (1 - p) * (1/float64(of) + 1/float64(published)))
	got := 100 * float64(hits) / float64(of)
	t.Logf("%s: %.2f %%, published %.2f %%", what, got, want)
	if math.Abs(got-want) > 500*se+rounded {
		t.Errorf("%s: %.2f %%, want %.2f ± %.2f %%", what, got, want, 500*se+rounded)
	}
}

// 10 % log-normal noise, one value of the history in twenty three times as large.
func TestStepSimulation(t *testing.T) {
	r := chance(t)
	runs := 20_000
	if testing.Short() {
		runs = 4_000
	}
	for _, c := range []struct {
		n            int
		false_, hits float64
	}{{3, 2.3, 84}, {5, 1.3, 85}, {7, 1.0, 86}, {10, .65, 87}, {20, .5, 89}} {
		wrong, right := 0, 0
		for range runs {
			hist := make([]float64, c.n)
			for i := range hist {
				hist[i] = 100 * math.Exp(.1*r.NormFloat64())
				if r.Float64() < .05 {
					hist[i] *= 3
				}
			}
			fires := func(x float64) bool {
				s := NewStep(hist, x, 1)
				if _, is := Stepped(append(hist[:c.n:c.n], x), 1); is != (c.n >= stepLeast && s.Z > Unusual && x > stepRatio*s.Median) {
					t.Fatalf("%v, %v: stepped %v", hist, x, is)
				}
				return s.Z > Unusual && x > stepRatio*s.Median
			}
			x := 100 * math.Exp(.1*r.NormFloat64())
			if fires(x) {
				wrong++
			}
			if fires(1.6 * x) {
				right++
			}
		}
		share(t, fmt.Sprintf("n=%d false alarms", c.n), wrong, runs, c.false_, 20_000, .1)
		share(t, fmt.Sprintf("n=%d power", c.n), right, runs, c.hits, 20_000, .6)
	}
}

// leak makes n readings of a memory of 200 MB at irregular times: 4 % noise of
// which each value depends on the one before by rho, one value in twenty three
// times as large, and by the end more of it by the given share. The noise is what
// reproduces the published table; its page does not tell it.
func leak(r *rand.Rand, n int, rho, more float64) []Point {
	p := make([]Point, n)
	t, e := 0.0, 0.0
	for i := range p {
		t += .5 + r.Float64()
		e = rho*e + math.Sqrt(1-rho*rho)*r.NormFloat64()
		p[i] = Point{t, 200 * math.Exp(.04*e)}
	}
	first, span := p[0].T, t-p[0].T
	for i := range p {
		p[i].Y += 200 * more * (p[i].T - first) / span
		if r.Float64() < .05 {
			p[i].Y *= 3
		}
	}
	return p
}

// Why growth needs an effect size: Mann and Kendall alone are wrong up to a
// quarter of the time where a value depends on the one before.
func TestGrowthSimulation(t *testing.T) {
	r := chance(t)
	runs := 4_000
	if testing.Short() {
		runs = 1_000
	}
	for _, c := range []struct {
		n                  int
		rho                float64
		wrong, alone, hits float64
		grows              bool // enough points for Grows
	}{
		{6, 0, .03, 2.9, 30, false}, {6, .8, .20, 8.7, 70, false}, {8, 0, .5, 3.4, 76, true}, {8, .8, 1.1, 11.6, 83, true},
		{14, 0, .3, 4.1, 95, true}, {14, .8, 3.0, 17.8, 98, true}, {20, 0, .05, 4.8, 99, true}, {20, .8, 3.6, 23.1, 99.7, true},
	} {
		var wrong, alone, right, strict, found int
		for range runs {
			quiet, growing := NewGrowth(leak(r, c.n, c.rho, 0)), NewGrowth(leak(r, c.n, c.rho, .3))
			is := func(g Growth) bool { return g.P <= growthP && g.Slope*g.span >= growthShare*g.median }
			count(&wrong, is(quiet))
			count(&alone, quiet.P <= .05)
			count(&right, is(growing))
			count(&strict, quiet.Grows(1))
			count(&found, growing.Grows(1))
		}
		what := fmt.Sprintf("n=%d rho=%v ", c.n, c.rho)
		share(t, what+"false alarms", wrong, runs, c.wrong, 4_000, .1)
		share(t, what+"Mann-Kendall at 5 % alone", alone, runs, c.alone, 4_000, .5)
		share(t, what+"power", right, runs, c.hits, 4_000, 1)
		if !c.grows && found > 0 {
			t.Errorf("%d points grow", c.n)
		}
		if c.grows { // the exact table differs from the approximation by a step of S at most
			share(t, what+"false alarms by the exact table", strict, runs, c.wrong, 4_000, .3)
			share(t, what+"power by the exact table", found, runs, c.hits, 4_000, 2)
		}
	}
}

func count(n *int, is bool) {
	if is {
		*n++
	}
}

// What flips at random with a chance per run reaches 30 % so often.
func TestFlapsSimulation(t *testing.T) {
	r := chance(t)
	for _, c := range []struct{ p, want, rounded float64 }{{.05, .03, .1}, {.1, .8, .1}, {.2, 14, .6}, {.35, 68, .6}} {
		const runs = 20_000
		flapping := 0
		for range runs {
			states := make([]bool, Window)
			for i := 1; i < Window; i++ {
				states[i] = states[i-1] != (r.Float64() < c.p)
			}
			count(&flapping, Flapping(Flaps(states), false))
		}
		share(t, fmt.Sprintf("p=%v", c.p), flapping, runs, c.want, runs, c.rounded)
	}
}

// One wild value in a history of any length neither steps nor grows.
func TestOneSpikeIsNothing(t *testing.T) {
	r := chance(t)
	for range 2_000 {
		n := 8 + r.IntN(13)
		values, points := make([]float64, n), make([]Point, n)
		for i := range values {
			values[i] = 100
			points[i] = Point{float64(i), 100}
		}
		at := r.IntN(n)
		points[at].Y = 1e6 * r.Float64()
		values[at] = points[at].Y
		if NewGrowth(points).Grows(0) {
			t.Fatalf("%v grows", points)
		}
		if _, steps := Stepped(append(values, 100), 1); steps {
			t.Fatalf("%v steps back to 100", values)
		}
	}
}
