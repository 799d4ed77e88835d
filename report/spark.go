package report

import (
	"slices"
	"strings"
	"time"
)

// A Point is a number in one snapshot; null where that cannot tell.
type Point struct {
	Seq   uint64    `json:"seq"`
	At    time.Time `json:"at"`
	Value *float64  `json:"value"`
}

// A Line is one number over time, oldest first.
type Line struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

var bars = []rune("▁▂▃▄▅▆▇█")

// spark draws numbers as bars between a lowest and a highest value; what is not
// known is a dot.
func spark(points []Point, lowest, highest float64) string {
	var b strings.Builder
	for _, p := range points {
		switch {
		case p.Value == nil:
			b.WriteRune('·')
		case highest <= lowest:
			b.WriteRune(bars[len(bars)/2])
		default:
			at := (*p.Value - lowest) / (highest - lowest) * float64(len(bars)-1)
			b.WriteRune(bars[min(max(int(at+.5), 0), len(bars)-1)])
		}
	}
	return b.String()
}

// newest returns the last n points.
func newest(points []Point, n int) []Point { return points[max(0, len(points)-n):] }

// known returns the values of points that have one.
func known(points []Point) (out []float64) {
	for _, p := range points {
		if p.Value != nil {
			out = append(out, *p.Value)
		}
	}
	return out
}

// extent says from what to what a number went, and how far in between.
func extent(points []Point, write func(float64) string) string {
	vs := known(points)
	if len(vs) == 0 {
		return "not known"
	}
	first, last := write(vs[0]), write(vs[len(vs)-1])
	s := last
	if first != last {
		s = first + " → " + last
	}
	if lo, hi := write(slices.Min(vs)), write(slices.Max(vs)); (lo != first && lo != last) || (hi != first && hi != last) {
		s += " (" + lo + " to " + hi + ")"
	}
	return s
}

// moves reports whether a number differs anywhere.
func moves(points []Point) bool {
	vs := known(points)
	return len(vs) > 1 && slices.Min(vs) != slices.Max(vs)
}
