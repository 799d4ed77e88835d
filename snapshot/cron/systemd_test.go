package cron

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestParseSystemd(t *testing.T) {
	from := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC) // a Wednesday
	for expr, want := range map[string]string{
		"daily":                      "2026-11-26 00:00:00",
		"Weekly":                     "2026-11-30 00:00:00",
		"quarterly":                  "2027-01-01 00:00:00",
		"*:0/15":                     "2026-11-25 12:15:00",
		"*-*-* 02:30:00":             "2026-11-26 02:30:00",
		"02:30":                      "2026-11-26 02:30:00",
		"Mon..Fri 02:30":             "2026-11-26 02:30:00",
		"Sat,Sun *-*-* 04:05:06":     "2026-11-28 04:05:06",
		"Saturday..Monday 04:00":     "error",
		"*-*-01 00:00":               "2026-12-01 00:00:00",
		"12-24 18:00":                "2026-12-24 18:00:00",
		"*-02-29":                    "2028-02-29 00:00:00",
		"Fri *-*-13":                 "2027-08-13 00:00:00",
		"*-*-* 00/6:00:00":           "2026-11-25 18:00:00",
		"*-*-* 08..18/2:00:30":       "2026-11-25 12:00:30",
		"*-01,07-01..07 03:00":       "2027-01-01 03:00:00",
		"Mon *-*-* 00:00:00,30":      "2026-11-30 00:00:00",
		"2026-12-01 00:00":           "error",
		"*-*~01":                     "error",
		"25:00":                      "error",
		"Moon 02:00":                 "error",
		"0 2 * * *":                  "error",
		"*-*-* 02:00:00 Europe/Rome": "error",
		"*-13-01":                    "error",
		"a,":                         "error",
		"*:50/15":                    "error",
		"*:*/5":                      "error",
		"*:0/0":                      "error",
		"*-*-05..03":                 "error",
		"*-10/2-28 02:30":            "2026-12-28 02:30:00",
	} {
		s, err := Parse(Systemd, expr)
		if got := "error"; err != nil {
			if got != want {
				t.Errorf("%q: %v", expr, err)
			}
			continue
		}
		next, _ := s.Next(from)
		if got := next.Format(time.DateTime); got != want {
			t.Errorf("%q: %s, want %s", expr, got, want)
		}
	}
}

func TestSystemdZone(t *testing.T) {
	for expr, want := range map[string]string{
		"daily": "daily|", "*-*-* 02:00:00 Europe/Rome": "*-*-* 02:00:00|Europe/Rome", "Mon 02:00 UTC": "Mon 02:00|UTC", "*-*-* 00/6:00": "*-*-* 00/6:00|", "": "|",
	} {
		if rest, zone := SystemdZone(expr); rest+"|"+zone != want {
			t.Errorf("%q: %q %q", expr, rest, zone)
		}
	}
}

// systemd itself says when its timers elapse.
func TestAgainstSystemd(t *testing.T) {
	bin, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze on PATH")
	}
	const runs = 5
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York"} {
		t.Run(strings.ReplaceAll(name, "/", "_"), func(t *testing.T) {
			r := seed(t)
			loc := zone(t, name)
			from := time.Date(2026, time.March, 1+r.IntN(40), r.IntN(24), r.IntN(60), 0, 0, time.UTC)
			for range 40 {
				expr := randomCalendar(r)
				said, ok := ask(t, bin, name, expr, from, runs)
				if !ok {
					continue
				}
				s := mustParse(t, Systemd, expr)
				at := from.In(loc)
				var got []string
				for len(got) < runs {
					var ok bool
					if at, ok = s.Next(at); !ok {
						break
					}
					got = append(got, at.UTC().Format(time.DateTime))
				}
				if strings.Join(got, " ") != strings.Join(said, " ") {
					t.Errorf("%q from %s:\nours    %v\nsystemd %v", expr, from, got, said)
				}
			}
		})
	}
}

// ask returns when systemd says a timer elapses. It does not always know: in the
// night of a clock change it gives some steps of hours up.
func ask(t *testing.T, bin, zone, expr string, from time.Time, runs int) (said []string, ok bool) {
	cmd := exec.Command(bin, "calendar", fmt.Sprintf("--iterations=%d", runs), "--base-time="+from.Format("2006-01-02 15:04:05 UTC"), expr)
	cmd.Env = []string{"TZ=:" + zone, "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	switch {
	case strings.Contains(string(out), "base-time"):
		t.Skip("this systemd-analyze knows no --base-time")
	case strings.Contains(string(out), "Infinite loop"):
		return nil, false
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	}
	all := elapses(string(out))
	if len(all) != 1 {
		t.Fatalf("%q: %d answers:\n%s", expr, len(all), out)
	}
	return all[0], true
}

// elapses reads the times that systemd-analyze prints, in UTC, by expression.
func elapses(out string) (all [][]string) {
	for block := range strings.SplitSeq(out, "Normalized form:") {
		var list []string
		last := ""
		for line := range strings.Lines(block) {
			name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
			switch {
			case !ok:
			case name == "(in UTC)":
				last = value
				list[len(list)-1] = value
			case name == "Next elapse" || strings.HasPrefix(name, "Iter. #"):
				last = value
				list = append(list, last)
			}
		}
		for i, v := range list { // "Mon 2026-11-30 02:30:00 UTC"
			if f := strings.Fields(v); len(f) > 2 {
				list[i] = f[1] + " " + f[2]
			}
		}
		all = append(all, list)
	}
	return all[1:]
}

func randomCalendar(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	n := func(lo, hi int) string { return fmt.Sprintf("%02d", lo+r.IntN(hi-lo+1)) }
	days := pick("", "", "Mon ", "Mon..Fri ", "Sat,Sun ", "Fri..Sun ")
	date := pick("", "", "*-*-* ", "*-*-"+n(1, 28)+" ", "*-"+n(1, 12)+"-* ", "*-*-01..07 ", "*-"+n(1, 9)+"/2-"+n(1, 28)+" ")
	clock := pick(n(0, 23)+":"+n(0, 59), "*:"+n(0, 59), "*:00/"+pick("5", "15", "20"), n(0, 11)+"/6:"+n(0, 59)+":"+n(0, 59), n(0, 10)+".."+n(11, 23)+":30", "02:30", "*:*:0/30")
	return days + date + clock
}
