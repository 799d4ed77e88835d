package trend

import "math"

// A Point is one value at a time. What the time counts, the slope is per.
type Point struct{ T, Y float64 }

// The bounds of Growth.Grows.
const (
	growthLeast = 8    // points
	growthShare = 0.10 // of the median, over the span
	growthP     = 0.01
)

// leastS is, by the number of points, the least S of Mann and Kendall whose
// chance is at most 1 % when there is no trend: exact, from the number of
// permutations with so many inversions (OEIS A008302). The normal approximation
// is off for so few: with 5 points it never gets there.
var leastS = [...]int{5: 10, 6: 13, 7: 17, 8: 20, 9: 24, 10: 27, 11: 31, 12: 36, 13: 40, 14: 43}

// A Growth is the straight line that fits points best, whatever a minority of
// them does, and how sure it is that they rise at all.
type Growth struct {
	Slope     float64 // median over all pairs (Theil and Sen), per unit of time
	Intercept float64 // median of y − slope·t: the line at time 0
	S         int     // pairs that rise less pairs that fall (Mann and Kendall)
	Var       float64 // of S without a trend, ties taken off
	Z         float64 // S as a standard normal value, with a continuity correction
	P         float64 // the chance of such an S or more without a trend, one-sided

	n            int
	first, last  float64 // times
	median, span float64
}

// NewGrowth fits the points, which are in order of time. Points of one time
// have no slope between them, and count in S.
func NewGrowth(points []Point) Growth {
	n := len(points)
	if n < 2 {
		return Growth{P: 1, n: n}
	}
	g := Growth{n: n, first: points[0].T, last: points[n-1].T}
	g.span = g.last - g.first
	slopes := make([]float64, 0, n*(n-1)/2)
	ys := make([]float64, n)
	ties := map[float64]int{}
	for i, p := range points {
		ys[i] = p.Y
		ties[p.Y]++
		for _, q := range points[i+1:] {
			switch {
			case q.Y > p.Y:
				g.S++
			case q.Y < p.Y:
				g.S--
			}
			if q.T != p.T {
				slopes = append(slopes, (q.Y-p.Y)/(q.T-p.T))
			}
		}
	}
	g.median, g.Slope = Median(ys), Median(slopes)
	for i, p := range points {
		ys[i] = p.Y - g.Slope*p.T
	}
	g.Intercept = Median(ys)
	g.Var = variance(n, ties)
	g.Z, g.P = normal(g.S, g.Var)
	return g
}

// variance is that of S for n points with ties (Kendall 1975).
func variance(n int, ties map[float64]int) float64 {
	of := func(t int) int { return t * (t - 1) * (2*t + 5) }
	v := of(n)
	for _, t := range ties {
		v -= of(t)
	}
	return float64(v) / 18
}

func normal(s int, variance float64) (z, p float64) {
	switch {
	case variance <= 0:
		return 0, 1
	case s > 0:
		z = float64(s-1) / math.Sqrt(variance)
	case s < 0:
		z = float64(s+1) / math.Sqrt(variance)
	}
	return z, math.Erfc(z/math.Sqrt2) / 2
}

// Rises reports whether the points rise by more than chance, at one in a
// hundred, however little. Without Grows it is no reason for an alarm: one value
// that depends on the one before fires it up to a quarter of the time.
func (g Growth) Rises() bool {
	if g.n < len(leastS) {
		return g.n >= 5 && g.S >= leastS[g.n]
	}
	return g.P <= growthP
}

// Grows reports whether the points rise by more than chance and by a tenth of
// their median at least, in no less than the given span of time.
func (g Growth) Grows(span float64) bool {
	return g.n >= growthLeast && g.span >= span && g.Slope > 0 && g.Rises() && g.Slope*g.span >= growthShare*math.Abs(g.median)
}

// At returns the line at a time.
func (g Growth) At(t float64) float64 { return g.Intercept + g.Slope*t }

// Until returns in how much time from t on the line reaches a limit: 0 when it is
// past it; ok is false when it never does.
func (g Growth) Until(limit, t float64) (in float64, ok bool) {
	if g.Slope <= 0 {
		return 0, g.At(t) >= limit
	}
	return math.Max((limit-g.At(t))/g.Slope, 0), true
}
