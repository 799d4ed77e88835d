package trend

// The usual parameters of a cumulated sum, in spreads: it finds a lasting shift
// of one spread in about ten values, and is wrong about once in 930 (Montgomery,
// Introduction to Statistical Quality Control, table 9.3, one-sided).
const (
	driftSlack = 0.5
	driftLeast = 8 // values of the reference
)

// Drift is the usual alarm of Drifts.
const Drift = 5

// Drifts cumulates by how much values are above a reference that stays where it
// is, which finds a slow drift of which no single value is unusual. It returns
// the sum after every value, and the indices at which it reached the alarm and
// began again at 0. With a reference of fewer than 8 values there is none.
func Drifts(reference, values []float64, floor, alarm float64) (sums []float64, alarms []int) {
	if len(reference) < driftLeast {
		return nil, nil
	}
	m, s := Spread(reference, floor)
	if s <= 0 {
		return nil, nil
	}
	c := 0.0
	for i, v := range values {
		c = max(0, c+(v-m)/s-driftSlack)
		sums = append(sums, c)
		if c >= alarm {
			alarms = append(alarms, i)
			c = 0
		}
	}
	return sums, alarms
}
