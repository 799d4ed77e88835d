package trend

// Increase returns by how much a counter went up over readings, oldest first. A
// reading below the one before is a counter that began again at 0.
func Increase(readings []float64) (sum float64) {
	for i := 1; i < len(readings); i++ {
		if was, is := readings[i-1], readings[i]; is >= was {
			sum += is - was
		} else {
			sum += is
		}
	}
	return sum
}

// Rated reports whether a rate is unusual against those before it, each of one
// period: at least least, and more than Unusual spreads, of at least 1, above
// their median. It asks for three periods; before that nothing is usual.
func Rated(history []float64, rate, least float64) (Step, bool) {
	s := NewStep(history, rate, 1)
	return s, len(history) >= 3 && rate >= least && s.Z > Unusual
}
