package trend

import "math"

// The bounds of Stepped. Seven values keep the false alarms near 1 %, see its test.
const (
	stepLeast = 7
	stepRatio = 1.25
)

// A Step compares a value with those before it.
type Step struct {
	Median float64 // of the history
	Spread float64 // see Spread
	Z      float64 // by how many spreads the value is above the median; negative below
}

// NewStep compares a value with its history. Floor is the least spread, in the
// unit of the values, and above 0.
func NewStep(history []float64, value, floor float64) Step {
	m, s := Spread(history, floor)
	z := 0.0
	if s > 0 {
		z = (value - m) / s
	}
	return Step{Median: m, Spread: s, Z: z}
}

// Stepped reports whether the last of some values, oldest first, is a step up
// from those before it: unusual, and more than a quarter above their median. It
// is no confirmation: ask for the value before as well.
func Stepped(values []float64, floor float64) (Step, bool) {
	n := len(values) - 1
	if n < stepLeast {
		return Step{}, false
	}
	s := NewStep(values[:n], values[n], floor)
	return s, s.Z > Unusual && values[n] > stepRatio*s.Median
}

// Fell reports whether a value is below what is usual by more than chance: the
// median of a history of at least five, less three deviations and at least least.
func Fell(history []float64, value, least float64) (usual float64, fell bool) {
	if len(history) < 5 {
		return 0, false
	}
	m, sd := Deviation(history)
	return m, value < m-math.Max(least, 3*sd)
}
