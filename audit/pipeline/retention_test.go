package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func fatesAt(times ...string) (out []Fate) {
	for i, s := range times {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		out = append(out, Fate{Seq: uint64(i + 1), At: t})
	}
	return out
}

func reasons(fates []Fate) (out []string) {
	for _, f := range fates {
		out = append(out, strings.Join(f.Reasons, ", "))
	}
	return out
}

func TestRetention(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		r    Retention
		now  time.Time
		at   []string
		want []string
	}{
		"the newest of each day": {Retention{Daily: 2}, now,
			[]string{"2026-11-27T08:00:00Z", "2026-11-27T20:00:00Z", "2026-11-28T01:00:00Z", "2026-11-28T23:59:59Z", "2026-11-29T00:00:00Z"},
			[]string{"", "", "", "daily", "daily"}},
		"only days that have a snapshot count": {Retention{Daily: 3}, now,
			[]string{"2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z", "2026-11-01T00:00:00Z", "2026-11-29T00:00:00Z"},
			[]string{"", "daily", "daily", "daily"}},
		"any rule is enough": {Retention{Last: 1, Monthly: 2}, now,
			[]string{"2026-09-30T00:00:00Z", "2026-10-30T00:00:00Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"},
			[]string{"", "monthly", "", "last, monthly"}},
		"the oldest where a rule is not filled": {Retention{Daily: 5}, now,
			[]string{"2026-11-28T01:00:00Z", "2026-11-28T02:00:00Z", "2026-11-29T00:00:00Z"},
			[]string{"oldest daily", "daily", "daily"}},
		"weeks begin on Monday": {Retention{Weekly: 2}, now,
			[]string{"2026-11-15T12:00:00Z", "2026-11-16T00:00:00Z", "2026-11-22T23:00:00Z", "2026-11-23T00:00:00Z"},
			[]string{"", "", "weekly", "weekly"}},
		"the week of the new year": {Retention{Weekly: 2}, now,
			[]string{"2025-12-28T00:00:00Z", "2025-12-29T00:00:00Z", "2026-01-04T00:00:00Z"},
			[]string{"weekly", "", "weekly"}},
		"the future is kept and counts for none": {Retention{Last: 1}, now,
			[]string{"2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z", "2027-01-01T00:00:00Z"},
			[]string{"", "last", "in the future"}},
		"days are local": {Retention{Daily: 1, Hourly: 1}, now.In(time.FixedZone("+05:30", 5*3600+1800)),
			[]string{"2026-11-28T18:00:00Z", "2026-11-28T18:29:00Z", "2026-11-28T18:31:00Z"},
			[]string{"", "", "hourly, daily"}},
		"a clock that went back": {Retention{Last: 2}, now,
			[]string{"2026-11-28T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"},
			[]string{"last", "", "last"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := fatesAt(c.at...)
			c.r.Judge(f, c.now)
			if got := reasons(f); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestRetentionSettles: what was pruned once keeps all its snapshots when it is
// judged again, and no rule keeps more than it says.
func TestRetentionSettles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for range 50 {
		rule := Retention{Last: r.IntN(4), Hourly: r.IntN(6), Daily: r.IntN(6), Weekly: r.IntN(4), Monthly: r.IntN(4)}
		var f []Fate
		at := now.AddDate(-1, 0, 0)
		for i := range 300 {
			at = at.Add(time.Duration(r.IntN(48)) * time.Hour / 2)
			f = append(f, Fate{Seq: uint64(i + 1), At: at})
		}
		rule.Judge(f, now)
		var kept []Fate
		for _, x := range f {
			if x.Kept() {
				kept = append(kept, Fate{Seq: x.Seq, At: x.At})
			}
		}
		rule.Judge(kept, now)
		if n := dropped(kept); n > 0 {
			t.Errorf("%+v: %d more go the second time", rule, n)
		}
		if most := rule.Last + rule.Hourly + rule.Daily + rule.Weekly + rule.Monthly; len(kept) > most {
			t.Errorf("%+v keeps %d", rule, len(kept))
		}
	}
}

func ExampleRetention_Judge() {
	f := fatesAt("2026-11-27T23:00:00Z", "2026-11-28T23:00:00Z", "2026-11-29T10:00:00Z", "2026-11-29T11:00:00Z")
	Retention{Last: 1, Daily: 2}.Judge(f, time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC))
	for _, x := range f {
		fmt.Println(x.Seq, x.Kept(), x.Reasons)
	}
	// Output:
	// 1 false []
	// 2 true [daily]
	// 3 false []
	// 4 true [last daily]
}
