package cron

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Counting without walking gives what walking gives.
func TestDaysAreCounted(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 4))
	pick := func(forms ...string) string { return forms[r.IntN(len(forms))] }
	for range 400 {
		e := strings.Join([]string{"0", "0", pick("*", "1", "31", "29-31", "*/7", "L"), pick("*", "2", "1-6", "2,4"), pick("*", "1", "1-5", "0,6", "*/2")}, " ")
		for _, d := range []Dialect{Crontab, GitHub, Netlify, PM2} {
			s, err := Parse(d, e)
			if err != nil {
				continue
			}
			if got, want := s.days(), s.walkDays(); got != want {
				t.Errorf("%s %q: %d days, walked %d", d, e, got, want)
			}
		}
	}
}
