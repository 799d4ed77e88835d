// Package trend tells what a history of numbers means: a step, a growth, a rate,
// a slow drift, a flapping. Every test is robust: one wild value neither fires it
// nor hides what it looks for, and each asks for an effect that matters as well
// as for one that is unlikely to be chance.
//
// It is pure and knows nobody: numbers in, a verdict out. Too few numbers are no
// verdict, never a wrong one. Not-a-number and infinite values are the caller's
// to keep out.
package trend

import (
	"math"
	"slices"
)

// consistent makes the median absolute deviation of normal values their standard
// deviation: 1/Φ⁻¹(3/4), Rousseeuw and Croux 1993,
// https://doi.org/10.1080/01621459.1993.10476408.
const consistent = 1.4826

// Unusual is the number of spreads from the median above which a value is
// unusual: Iglewicz and Hoaglin 1993, "How to detect and handle outliers".
const Unusual = 3.5

// Median returns the median, that of an even number of values being the mean of
// the middle two; 0 of none.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	s := slices.Clone(values)
	slices.Sort(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return s[n/2-1]/2 + s[n/2]/2
}

// MAD returns the median absolute deviation of values from m, in their unit.
func MAD(values []float64, m float64) float64 {
	d := make([]float64, len(values))
	for i, v := range values {
		d[i] = math.Abs(v - m)
	}
	return Median(d)
}

// Deviation returns the median of values and their standard deviation as the
// median absolute deviation estimates it.
func Deviation(values []float64) (median, sd float64) {
	m := Median(values)
	return m, consistent * MAD(values, m)
}

// Spread is Deviation with a floor, without which a constant series would find
// every change unusual: 5 % of the median, and at least floor, in their unit.
func Spread(values []float64, floor float64) (median, spread float64) {
	m, sd := Deviation(values)
	return m, max(sd, 0.05*math.Abs(m), floor)
}
