package pipeline

import (
	"math"
	"testing"
)

func TestSignificant(t *testing.T) {
	for loss, want := range map[float64]float64{0: 0, 51.7049: 51.7, 5.128: 5.13, .7142: .714, .0601: .0601, .002157: .00216, 1e-12: 0} {
		if got := significant(loss); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v is %v, want %v", loss, got, want)
		}
	}
	sum := 0.0
	for range 2604 {
		sum += significant(5.61 / 2604)
	}
	if math.Abs(sum-5.61) > .05 {
		t.Errorf("2,604 findings that cost 5.61 points together sum to %v", sum)
	}
}
