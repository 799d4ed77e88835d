package audit

import "healthaudit/audit/trend"

// A Trail is how an item was in the last snapshots that could judge it, oldest
// first, this one last.
type Trail struct {
	Levels []Level
	Scores []float64 // by one set of rules; none where the rules changed meanwhile
}

// TrailLength is how many snapshots a trail needs: what trend.Flaps looks at.
const TrailLength = trend.Window

// usualLength is how many scores before one tell what is usual.
const usualLength = 7

// Flaps returns how much the level goes to and fro, in percent.
func (t Trail) Flaps() float64 { return trend.Flaps(t.Levels) }

// Fell reports whether the score is far below what it usually is, and was in the
// snapshot before: below the median of the seven scores before it (five do) by
// Step and by three deviations. Usual is that median before the first fall.
func (t Trail) Fell() (usual float64, fell bool) {
	n := len(t.Scores)
	if n < 2 {
		return 0, false
	}
	for _, now := range []int{n - 1, n - 2} {
		if usual, fell = trend.Fell(t.Scores[max(now-usualLength, 0):now], t.Scores[now], Step); !fell {
			return 0, false
		}
	}
	return usual, true
}
