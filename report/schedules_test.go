package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// runsAt returns runs at the given hours after noon, on a clock that is so far ahead of UTC.
func runsAt(ahead time.Duration, hours ...int) (out []NextRun) {
	zone := time.FixedZone("", int(ahead/time.Second))
	for _, h := range hours {
		t := noon.Add(time.Duration(h) * time.Hour).Truncate(time.Minute)
		out = append(out, NextRun{t.In(zone), t})
	}
	return out
}

func schedulesView(ahead time.Duration) SchedulesView {
	zone := "UTC"
	if ahead != 0 {
		zone = "Asia/Kolkata"
	}
	rows := []ScheduleRow{
		{Item: "pm2/mailer", System: "pm2", Dialect: "pm2", Expression: "*/15 * * * *", Zone: zone, Why: "no PM2 home on this machine", PerDay: 96, Location: &Location{"ecosystem.config.js", 30, 1}},
		{Item: "workflows/deploy.yml", System: "workflows", Dialect: "github", Expression: "0 3 * * 1-5", Timezone: "Europe/Berlin", Zone: "Europe/Berlin", Effective: true, PerDay: 5 / 7., Next: runsAt(ahead, 14, 38, 62), Collides: true,
			Location: &Location{".github/workflows/deploy.yml", 4, 13}},
		{Item: "workflows/never.yml", System: "workflows", Dialect: "github", Expression: "0 0 31 2 *", Zone: "UTC", Effective: true, Why: "never: no year has such a day", Location: &Location{".github/workflows/never.yml", 4, 13}},
		{Item: "functions/部署\n\x1b[31m;,\\" + strings.Repeat("長", 40), System: "functions", Dialect: "netlify", Expression: "@hourly", Zone: "UTC", Effective: true, PerDay: 24, Next: runsAt(ahead, 1, 2, 3), LastKnown: true, More: true,
			Location: &Location{"netlify/functions/x.mjs", 1, 1}},
	}
	for i := range rows {
		for _, n := range rows[i].Next {
			rows[i].Coming = append(rows[i].Coming, n.UTC)
		}
	}
	days := make([]Day, 7)
	for i := range days {
		days[i] = Day{Date: noon.AddDate(0, 0, i).Format(time.DateOnly), Hours: slices.Repeat([]int{1}, 24), Crowded: make([]bool, 24), Starts: 23 + 44}
		days[i].Hours[3], days[i].Hours[4], days[i].Crowded[3] = 44, 0, true
	}
	w := Week{From: noon, To: noon.AddDate(0, 0, 7), Starts: 7 * 67, Days: days, Median: 1, Limit: 5, MinuteZero: 35, InEffect: 1049, PerDay: 12345.6, CrowdedMinutes: 70, CrowdedTimes: 12}
	for i := range 12 {
		c := Collision{Time: fmt.Sprintf("03:%02d", i), Days: 7 - i%7, At: noon, Starts: 44 - i}
		for j := range 12 - i {
			c.Items = append(c.Items, fmt.Sprintf("workflows/a-rather-long-name-%d.yml", j))
		}
		w.Collisions = append(w.Collisions, c)
	}
	return SchedulesView{Snapshot: ref(42), From: noon, Zone: zone, Schedules: rows, Week: w, NotRead: []NotRead{{"pm2", "error", "no answer from the daemon\nin 5 s"}, {"scripts", "partial", ""}}}
}

// unfolded takes a calendar apart again: its content lines, after checking what
// RFC 5545 says of lines.
func unfolded(t *testing.T, b []byte) []string {
	t.Helper()
	if !bytes.HasSuffix(b, []byte("\r\n")) || bytes.Count(b, []byte("\n")) != bytes.Count(b, []byte("\r\n")) || !utf8.Valid(b) {
		t.Fatal("not lines of UTF-8 that end in CRLF")
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(string(b), "\r\n"), "\r\n") {
		if len(l) > 75 || l == "" || !utf8.ValidString(l) {
			t.Errorf("line of %d octets: %q", len(l), l)
		}
	}
	return strings.Split(strings.ReplaceAll(strings.TrimSuffix(string(b), "\r\n"), "\r\n ", ""), "\r\n")
}

func TestSchedulesICS(t *testing.T) {
	var b, again bytes.Buffer
	v := schedulesView(0)
	v.Schedules = append(v.Schedules, v.Schedules[1]) // declared twice
	if err := errors.Join(SchedulesICS(&b, v, Options{}), SchedulesICS(&again, v, Options{})); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Fatalf("error %v, or other bytes the second time", err)
	}
	form := regexp.MustCompile(`^(BEGIN|END|VERSION|PRODID|CALSCALE|UID|SUMMARY|DESCRIPTION|CATEGORIES|TRANSP|DTSTAMP:\d{8}T\d{6}Z$|DTSTART:\d{8}T\d{6}Z$)`)
	text := regexp.MustCompile(`^([^\\;,]|\\[\\;,n])*$`)
	uids, open, count := map[string]bool{}, []string{}, 0
	for _, l := range unfolded(t, b.Bytes()) {
		name, value, _ := strings.Cut(l, ":")
		switch {
		case !form.MatchString(l):
			t.Errorf("odd line %q", l)
		case name == "BEGIN":
			open = append(open, value)
		case name == "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("%q ends %v", value, open)
			}
			open = open[:len(open)-1]
		case name == "UID":
			if uids[value] {
				t.Errorf("%s twice", l)
			}
			uids[value] = true
			count++
		case (name == "SUMMARY" || name == "DESCRIPTION") && !text.MatchString(value):
			t.Errorf("not escaped: %q", l)
		}
	}
	if len(open) > 0 || count != 9 {
		t.Errorf("%d events, want 9; %v is open", count, open)
	}
	for _, want := range []string{"DTSTART:" + noon.Add(14*time.Hour).Format("20060102T1504") + "00Z", `SUMMARY:functions/部署↵␛\;\,\\` + strings.Repeat("長", 40),
		`DESCRIPTION:@hourly (netlify\, UTC)\nAs last known: it was not read this time.\nOnly its next 3 runs are in this calendar.`,
		`DESCRIPTION:0 3 * * 1-5 (github\, Europe/Berlin)\nStarts in a crowded minute.`} {
		if !slices.Contains(unfolded(t, b.Bytes()), want) {
			t.Errorf("there is no line %q in\n%s", want, b.Bytes())
		}
	}
}

func TestSchedulesICS_without_a_run_has_a_component(t *testing.T) {
	var b bytes.Buffer
	if err := SchedulesICS(&b, SchedulesView{From: noon}, Options{}); err != nil {
		t.Fatal(err)
	}
	if lines := unfolded(t, b.Bytes()); !slices.Contains(lines, "BEGIN:VJOURNAL") || !slices.Contains(lines, "END:VJOURNAL") {
		t.Errorf("%q", lines)
	}
}

func TestSchedulesCSV(t *testing.T) {
	v := schedulesView(0)
	v.Schedules[0].Why = " =HYPERLINK(\"http://x\")"
	v.Schedules[0].Item = "+1"
	v.Schedules[0].Expression = "＝1,\"2\""
	v.Schedules[0].Timezone = "\t=1"
	var b bytes.Buffer
	if err := SchedulesCSV(&b, v, Options{}); err != nil {
		t.Fatal(err)
	}
	recs, err := csv.NewReader(&b).ReadAll() // as many fields in each
	if err != nil || len(recs) != 5 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	got := map[string]string{}
	for i, name := range recs[0] {
		got[name] = recs[1][i]
	}
	for name, want := range map[string]string{"item": "'+1", "why": `' =HYPERLINK("http://x")`, "expression": `'＝1,"2"`, "timezone": "' =1", "per_day": "96", "line": "30", "next_1_utc": ""} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if recs[4][3] != "'@hourly" || strings.ContainsAny(recs[4][0], "\n\x1b") || recs[2][14] == "" {
		t.Errorf("%q", recs)
	}
}

func TestSchedules_paints_only_for_who_sees_colours(t *testing.T) {
	var plain, painted bytes.Buffer
	if err := errors.Join(Schedules(&plain, schedulesView(0), Options{}), Schedules(&painted, schedulesView(0), Options{Color: true})); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(plain.Bytes(), []byte("\x1b")) || !bytes.Contains(painted.Bytes(), []byte("\x1b[31m█")) {
		t.Errorf("plain\n%q\npainted\n%q", plain.Bytes(), painted.Bytes())
	}
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAll(painted.Bytes(), nil); !bytes.Equal(got, plain.Bytes()) {
		t.Error("colours change the text")
	}
}

func TestSchedules_report_a_writer_that_fails(t *testing.T) {
	for name, f := range map[string]func(io.Writer, SchedulesView, Options) error{"table": Schedules, "csv": SchedulesCSV, "ics": SchedulesICS} {
		for _, left := range []int{0, 300} {
			if err := f(&full{left}, schedulesView(0), Options{}); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%s after %d bytes: error %v, want that of the writer", name, left, err)
			}
		}
	}
}

func TestRate(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 0.003: "<0.01", 1 / 7.: "0.14", 4: "4", 12.5: "12.5", 288: "288", 86400: "86,400"} {
		if got := rate(n); got != want {
			t.Errorf("rate(%v) = %q, want %q", n, got, want)
		}
	}
}
