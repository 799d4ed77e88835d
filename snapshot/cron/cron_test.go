package cron

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	robfig "github.com/robfig/cron/v3"
)

func mustParse(t testing.TB, d Dialect, expr string) *Schedule {
	t.Helper()
	s, err := Parse(d, expr)
	if err != nil {
		t.Fatalf("Parse(%s, %q): %v", d, expr, err)
	}
	return s
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// seed returns the seed of a random test: a new one each time, printed, or the
// one of AUDIT_TEST_SEED.
func seed(t *testing.T) *rand.Rand {
	n := rand.Uint64()
	if v, err := strconv.ParseUint(os.Getenv("AUDIT_TEST_SEED"), 10, 64); err == nil {
		n = v
	}
	t.Logf("AUDIT_TEST_SEED=%d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// TestParse has the expressions on which libraries and platforms disagree.
func TestParse(t *testing.T) {
	all := []Dialect{Crontab, GitHub, Netlify, PM2}
	for _, tt := range []struct {
		expr string
		in   []Dialect // the dialects that take it
	}{
		{"*/5 * * * *", all},
		{"0 0 * * 7", []Dialect{Crontab, Netlify, PM2}},
		{"0 0 * * MON-fri", all},
		{"0 0 1 jan,Dec *", all},
		{"0 22-2 * * *", nil},
		{"0 0 * * fri-sun", nil},
		{"5/10 * * * *", []Dialect{GitHub, Netlify, PM2}},
		{"0 */24 * * *", all},
		{"0 */25 * * *", []Dialect{Crontab, GitHub, Netlify}},
		{"*/0 * * * *", nil},
		{"1, * * * *", []Dialect{PM2}},
		{", * * * *", nil},
		{"1,*/10 * * * *", []Dialect{Crontab, GitHub, Netlify}},
		{"1-5,9 * * * *", []Dialect{Crontab, GitHub, Netlify}},
		{"*-5 * * * *", nil},
		{"0 0 L * *", []Dialect{PM2}},
		{"0 0 * * 5L", nil},
		{"0 0 15W * *", nil},
		{"0 0 * * 1#2", nil},
		{"0 0 ? * *", nil},
		{"H * * * *", nil},
		{"0 0 * * monday", nil},
		{"0 0 * * * *", []Dialect{PM2}},
		{"0 0 * * * * 2026", nil},
		{"* * * *", nil},
		{"", nil},
		{"60 * * * *", nil},
		{"* 24 * * *", nil},
		{"0 0 0 * *", nil},
		{"0 0 32 * *", nil},
		{"0 0 * 13 *", nil},
		{"0 0 * * 8", nil},
		{"-1 * * * *", nil},
		{"+1 * * * *", nil},
		{"1.5 * * * *", nil},
		{"99999999999999999999 * * * *", nil},
		{"@hourly", []Dialect{Crontab, Netlify}},
		{"@yearly", []Dialect{Crontab, Netlify}},
		{"@midnight", []Dialect{Crontab}},
		{"@reboot", []Dialect{Crontab}},
		{"@every 5m", nil},
		{"@Hourly", nil},
		{"TZ=UTC 0 0 * * *", nil},
		{"every day", nil},
		{" 0\t0  *\t* * ", all},
		{"0 0 31 2 *", all},
	} {
		for _, d := range all {
			want := false
			for _, in := range tt.in {
				want = want || in == d
			}
			_, err := Parse(d, tt.expr)
			if (err == nil) != want {
				t.Errorf("Parse(%s, %q): error %v, want accepted: %v", d, tt.expr, err, want)
			}
			if se := (*SyntaxError)(nil); err != nil && !errors.As(err, &se) {
				t.Errorf("Parse(%s, %q): %T, want a *SyntaxError", d, tt.expr, err)
			}
		}
	}
	_, err := Parse(Crontab, "0 24 * * *")
	if se := (*SyntaxError)(nil); !errors.As(err, &se) || se.Field != "hour" || !strings.Contains(err.Error(), "24 is not in 0-23") {
		t.Errorf("the error %v does not name the field and the range", err)
	}
}

// TestNext pins the meaning of each dialect in UTC. The PM2 rows were taken
// from croner 4.1.97 itself.
func TestNext(t *testing.T) {
	for _, tt := range []struct {
		name string
		d    Dialect
		expr string
		from string
		want []string
	}{
		{"day of month or day of week", Crontab, "0 0 1 * 1", "2026-01-01 00:00:00", []string{"2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-01"}},
		{"day of month or day of week", GitHub, "0 0 1 * 1", "2026-01-26 00:00:00", []string{"2026-02-01", "2026-02-02"}},
		{"PM2 wants both", PM2, "0 0 1 * 1", "2026-01-01 00:00:00", []string{"2026-06-01", "2027-02-01", "2027-03-01"}},
		{"a first byte * is a star to cron(8)", Crontab, "0 0 */15 * 1", "2026-01-01 00:00:00", []string{"2026-02-16", "2026-03-16", "2026-06-01", "2026-08-31"}},
		{"a stepped * is a restriction to POSIX", GitHub, "0 0 */15 * 1", "2026-01-01 00:00:00", []string{"2026-01-05", "2026-01-12", "2026-01-16", "2026-01-19"}},
		{"Sunday is 7 too", Crontab, "0 0 * * 5-7", "2026-01-01 00:00:00", []string{"2026-01-02", "2026-01-03", "2026-01-04", "2026-01-09"}},
		{"leap day", Crontab, "0 0 29 2 *", "2026-01-01 00:00:00", []string{"2028-02-29", "2032-02-29"}},
		{"leap day over a century", GitHub, "0 0 29 2 *", "2096-03-01 00:00:00", []string{"2104-02-29"}},
		{"leap day on a Monday", PM2, "0 0 29 2 1", "2072-03-01 00:00:00", []string{"2112-02-29"}},
		{"the last of the month", PM2, "0 0 L * *", "2026-01-01 00:00:00", []string{"2026-01-31", "2026-02-28", "2026-03-31"}},
		{"croner's days start one later", PM2, "0 0 5/10 * *", "2026-01-01 00:00:00", []string{"2026-01-06", "2026-01-16", "2026-01-26"}},
		{"croner's months start one later", PM2, "0 0 1 2/3 *", "2026-01-01 00:00:00", []string{"2026-03-01", "2026-06-01", "2026-09-01", "2026-12-01"}},
		{"step from a number", GitHub, "0 0 5/10 * *", "2026-01-01 00:00:00", []string{"2026-01-05", "2026-01-15", "2026-01-25"}},
		{"a step beyond the range is the first value", Crontab, "0 */24 * * *", "2026-01-01 00:00:00", []string{"2026-01-02", "2026-01-03"}},
		{"macro", Netlify, "@weekly", "2026-01-01 00:00:00", []string{"2026-01-04", "2026-01-11"}},
		{"never", Crontab, "0 0 31 2 *", "2026-01-01 00:00:00", nil},
		{"never for PM2", PM2, "0 0 31 4,6,9,11 *", "2026-01-01 00:00:00", nil},
		{"reboot has no times", Crontab, "@reboot", "2026-01-01 00:00:00", nil},
	} {
		t.Run(fmt.Sprintf("%s/%s", tt.d, tt.name), func(t *testing.T) {
			s := mustParse(t, tt.d, tt.expr)
			now := at(t, tt.from)
			for _, want := range tt.want {
				next, ok := s.Next(now)
				if got := next.Format(time.DateOnly); !ok || got != want {
					t.Fatalf("%q after %v: %v, want %s", tt.expr, now, next, want)
				}
				now = next
			}
			if next, ok := s.Next(now); tt.want == nil && ok {
				t.Errorf("%q fires at %v, want never", tt.expr, next)
			}
			if prev, ok := s.Prev(now); tt.want == nil && ok {
				t.Errorf("%q fired at %v, want never", tt.expr, prev)
			}
		})
	}
}

func TestNextSeconds(t *testing.T) {
	s := mustParse(t, PM2, "*/20 59 23 * * *")
	var got []string
	for _, v := range s.Between(at(t, "2026-05-01 23:59:00"), at(t, "2026-05-03 00:00:00"), 5) {
		got = append(got, v.Format("02 15:04:05"))
	}
	want := "01 23:59:00,01 23:59:20,01 23:59:40,02 23:59:00,02 23:59:20"
	if strings.Join(got, ",") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestAgainstRobfig compares with robfig/cron/v3 on the subset both read alike.
func TestAgainstRobfig(t *testing.T) {
	r := seed(t)
	for range 10_000 {
		expr := randomExpr(r)
		ref, err := robfig.ParseStandard(expr)
		if err != nil {
			t.Fatalf("robfig rejects %q: %v", expr, err)
		}
		now := time.Unix(r.Int64N(4e9), 0).UTC()
		for _, d := range []Dialect{Crontab, GitHub, Netlify} {
			s := mustParse(t, d, expr)
			u := now
			for range 5 {
				want := ref.Next(u)
				got, ok := s.Next(u)
				if want.IsZero() { // robfig looks five years ahead, we 41
					if ok && got.Before(u.AddDate(5, 0, 0)) {
						t.Fatalf("%s %q after %v: got %v, robfig none", d, expr, u, got)
					}
					break
				}
				if !ok || !got.Equal(want) {
					t.Fatalf("%s %q after %v: got %v, robfig %v", d, expr, u, got, want)
				}
				if back, ok := s.Prev(got); ok && back.After(u) {
					t.Fatalf("%s %q: Prev(%v) = %v, but Next(%v) skipped it", d, expr, got, back, u)
				}
				u = got
			}
		}
	}
}

func randomExpr(r *rand.Rand) string {
	spec := func(lo, hi int, starStep bool) string {
		one := func() string { return strconv.Itoa(lo + r.IntN(hi-lo+1)) }
		span := func() string {
			a, b := lo+r.IntN(hi-lo+1), lo+r.IntN(hi-lo+1)
			return fmt.Sprintf("%d-%d", min(a, b), max(a, b))
		}
		switch k := r.IntN(8); {
		case k < 3:
			return "*"
		case k == 3 && starStep:
			return fmt.Sprintf("*/%d", 2+r.IntN(hi))
		case k == 4:
			return span()
		case k == 5:
			return fmt.Sprintf("%s/%d", span(), 1+r.IntN(9))
		case k == 6:
			return one() + "," + span() + "," + one()
		}
		return one()
	}
	return strings.Join([]string{spec(0, 59, true), spec(0, 23, true), spec(1, 31, false), spec(1, 12, true), spec(0, 6, false)}, " ")
}

func TestPrev(t *testing.T) {
	s := mustParse(t, Crontab, "30 4 * * 1-5")
	for from, want := range map[string]string{
		"2026-11-23 04:30:00": "2026-11-20 04:30:00", // Monday: strictly before
		"2026-11-23 04:30:01": "2026-11-23 04:30:00",
		"2026-11-22 12:00:00": "2026-11-20 04:30:00",
	} {
		if got, ok := s.Prev(at(t, from)); !ok || !got.Equal(at(t, want)) {
			t.Errorf("Prev(%s) = %v, want %s", from, got, want)
		}
	}
	if got, _ := s.Prev(at(t, "2026-11-23 04:30:00").Add(1)); !got.Equal(at(t, "2026-11-23 04:30:00")) {
		t.Errorf("Prev a nanosecond later = %v", got)
	}
}

func TestBetween(t *testing.T) {
	s := mustParse(t, GitHub, "0 * * * *")
	from, to := at(t, "2026-01-01 00:00:00"), at(t, "2026-01-01 03:00:00")
	if got := s.Between(from, to, 99); len(got) != 3 || !got[0].Equal(from) {
		t.Errorf("Between = %v, want the hours 0, 1 and 2", got)
	}
	if got := s.Between(from, to, 2); len(got) != 2 {
		t.Errorf("Between with max 2 = %v", got)
	}
	if got := s.Between(to, from, 2); got != nil {
		t.Errorf("Between backwards = %v", got)
	}
}

func TestStatistics(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct {
		d              Dialect
		expr           string
		perDay         float64
		small, largest time.Duration
	}{
		{Crontab, "* * * * *", 1440, time.Minute, time.Minute},
		{Crontab, "*/15 * * * *", 96, 15 * time.Minute, 15 * time.Minute},
		{Crontab, "*/7 * * * *", 24 * 9, 4 * time.Minute, 7 * time.Minute},
		{GitHub, "0 9-17 * * 1-5", 9 * 5. / 7, time.Hour, 64 * time.Hour},
		{GitHub, "0 0 * * 1", 1. / 7, 7 * 24 * time.Hour, 7 * 24 * time.Hour},
		{Netlify, "@monthly", 12 * 28. / 10227, 28 * 24 * time.Hour, 31 * 24 * time.Hour},
		{Crontab, "0 0 29 2 *", 7. / 10227, 1461 * 24 * time.Hour, 1461 * 24 * time.Hour},
		{Crontab, "0 0 31 2 *", 0, 0, 0},
		{Crontab, "@reboot", 0, 0, 0},
		{PM2, "*/30 0 12 * * *", 2, 30 * time.Second, 24*time.Hour - 30*time.Second},
	} {
		s := mustParse(t, tt.d, tt.expr)
		if got := s.PerDay(); got < tt.perDay-1e-9 || got > tt.perDay+1e-9 {
			t.Errorf("%q: PerDay = %v, want %v", tt.expr, got, tt.perDay)
		}
		if got := s.SmallestGap(); got != tt.small {
			t.Errorf("%q: SmallestGap = %v, want %v", tt.expr, got, tt.small)
		}
		if got := s.LargestGap(at(t, "2026-03-10 10:20:30"), year); got != tt.largest {
			t.Errorf("%q: LargestGap = %v, want %v", tt.expr, got, tt.largest)
		}
	}
}

func BenchmarkParseNext(b *testing.B) {
	now := at(b, "2026-11-23 12:00:00")
	for b.Loop() {
		s, _ := Parse(GitHub, "17 4 * * 1-5")
		s.Next(now)
	}
}

func BenchmarkNever(b *testing.B) {
	now := at(b, "2026-11-23 12:00:00")
	s := mustParse(b, GitHub, "0 0 31 2 *")
	for b.Loop() {
		s.Next(now)
	}
}

func FuzzSchedule(f *testing.F) {
	for i, e := range []string{"*/5 * * * *", "0 0 1,15 * 0", "@reboot", "0 0 L * *", "5/10 4 * * mon-fri", "1, * * * * *", "0 0 31 2 *"} {
		for _, d := range []Dialect{Crontab, GitHub, Netlify, PM2} {
			f.Add(string(d), e, int64(1_790_000_000+i), i)
		}
	}
	zones := []string{"UTC", "Europe/Berlin", "Europe/Lisbon", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"}
	f.Fuzz(func(t *testing.T, d, expr string, unix int64, zone int) {
		s, err := Parse(Dialect(d), expr)
		if err != nil {
			return
		}
		again, err := Parse(Dialect(d), s.String())
		if err != nil || *again != *s {
			t.Fatalf("Parse(%q) gives %+v, its String %+v (%v)", expr, s, again, err)
		}
		loc, err := time.LoadLocation(zones[uint(zone)%uint(len(zones))])
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(unix, 0).In(loc)
		next, ok := s.Next(now)
		if !ok {
			return
		}
		if !next.After(now) {
			t.Fatalf("Next(%v) = %v", now, next)
		}
		prev, ok := s.Prev(next.Add(time.Second))
		if !ok || !prev.Equal(next) {
			t.Fatalf("Next(%v) = %v, but the last before its end is %v", now, next, prev)
		}
		if prev, ok = s.Prev(next); ok && prev.After(now) {
			t.Fatalf("Next(%v) = %v skips %v", now, next, prev)
		}
	})
}
