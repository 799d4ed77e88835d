package pipeline

import "testing"

func TestAndAlso(t *testing.T) {
	for want, seqs := range map[string][]uint64{
		"":                        nil,
		" and #2":                 {2},
		", #2, #3 and #4":         {2, 3, 4},
		", #2, #3, #5 and #9":     {2, 3, 5, 9},
		", #2, #3, #5 and 2 more": {2, 3, 5, 9, 12},
	} {
		if got := andAlso(seqs); got != want {
			t.Errorf("%d: %q, want %q", seqs, got, want)
		}
	}
}
