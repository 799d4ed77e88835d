package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// A SchedulesView is every schedule of a snapshot, and the load they make.
type SchedulesView struct {
	Snapshot  SnapshotRef   `json:"snapshot"`
	From      time.Time     `json:"from"` // next runs are those after it
	Zone      string        `json:"zone"` // of the reader: crontabs and PM2 run in it
	Schedules []ScheduleRow `json:"schedules"`
	Week      Week          `json:"week"`
	NotRead   []NotRead     `json:"not_read"`
}

// A ScheduleRow is one declared schedule.
type ScheduleRow struct {
	Item       string    `json:"item"`
	System     string    `json:"system"`
	Dialect    string    `json:"dialect"`
	Expression string    `json:"expression"`
	Timezone   string    `json:"timezone"`  // as declared; empty: the platform's
	Zone       string    `json:"zone"`      // in which it is reckoned
	Effective  bool      `json:"effective"` // the platform reads and obeys it
	Why        string    `json:"why"`       // why no run is listed; empty when one is
	LastKnown  bool      `json:"last_known"`
	Next       []NextRun `json:"next"`    // at most three
	PerDay     float64   `json:"per_day"` // mean number of runs as declared
	Collides   bool      `json:"collides"`
	Location   *Location `json:"location"`

	Coming []time.Time `json:"-"` // runs of the seven days after From, bounded
	More   bool        `json:"-"` // there are more in these days
}

// A NextRun is one moment, on two clocks.
type NextRun struct {
	Local time.Time `json:"local"`
	UTC   time.Time `json:"utc"`
}

// A Week is what starts in seven days from the midnight, in the reader's zone,
// before From. A schedule counts once in a minute, however often it runs in it.
type Week struct {
	From           time.Time   `json:"from"`
	To             time.Time   `json:"to"`
	Starts         int         `json:"starts"`
	Days           []Day       `json:"days"`
	Median         float64     `json:"median"`          // starts in a minute in which anything starts
	Limit          float64     `json:"limit"`           // more starts than these in one minute collide: 5, or three times the median
	MinuteZero     int         `json:"minute_zero"`     // schedules in effect that start at minute 0 only
	InEffect       int         `json:"in_effect"`       // schedules that have a next run
	PerDay         float64     `json:"per_day"`         // their runs, added up
	CrowdedMinutes int         `json:"crowded_minutes"` // minutes of the week above the limit
	CrowdedTimes   int         `json:"crowded_times"`   // times of day at which these are
	Collisions     []Collision `json:"collisions"`      // the worst of them
}

// A Day is the load of one day.
type Day struct {
	Date    string `json:"date"`
	Starts  int    `json:"starts"`
	Hours   []int  `json:"hours"`   // starts in each of 24; an hour that the clock repeats counts both passes
	Crowded []bool `json:"crowded"` // whether the hour holds a collision
}

// A Collision is a time of day at which more start together than the limit.
type Collision struct {
	Time   string    `json:"time"`   // 15:04 in the reader's zone
	Days   int       `json:"days"`   // on how many days of the week
	At     time.Time `json:"at"`     // the worst of them, UTC
	Starts int       `json:"starts"` // then
	Items  []string  `json:"items"`  // that start then, each once
}

// NotRead says that the schedules of a system may be other ones, or more.
type NotRead struct {
	System string `json:"system"`
	Status string `json:"status"` // error, skipped or partial
	Reason string `json:"reason"`
}

// String says it in a line.
func (n NotRead) String() string {
	s := n.System + " was not read"
	if n.Status == "partial" {
		s = n.System + " was not read whole"
	}
	if n.Reason != "" {
		s += ": " + n.Reason
	}
	return s
}

// SchedulesCSV writes one record per schedule (RFC 4180, but lines end in LF).
// What a spreadsheet would take for a formula gets an apostrophe in front.
func SchedulesCSV(w io.Writer, v SchedulesView, _ Options) error {
	out := csv.NewWriter(w)
	out.Write([]string{"item", "system", "dialect", "expression", "timezone", "zone", "effective", "why", "last_known", "per_day",
		"next_1_local", "next_1_utc", "next_2_local", "next_2_utc", "next_3_local", "next_3_utc", "collides", "path", "line"})
	for _, r := range cleaned(v.Schedules) {
		rec := []string{r.Item, r.System, r.Dialect, r.Expression, r.Timezone, r.Zone, strconv.FormatBool(r.Effective), r.Why,
			strconv.FormatBool(r.LastKnown), strconv.FormatFloat(r.PerDay, 'f', -1, 64)}
		for i := range 3 {
			local, utc := "", ""
			if i < len(r.Next) {
				local, utc = r.Next[i].Local.Format(time.RFC3339), r.Next[i].UTC.Format(time.RFC3339)
			}
			rec = append(rec, local, utc)
		}
		rec = append(rec, strconv.FormatBool(r.Collides))
		if r.Location != nil {
			rec = append(rec, r.Location.Path, strconv.Itoa(r.Location.Line))
		} else {
			rec = append(rec, "", "")
		}
		for i := range rec {
			rec[i] = inert(rec[i])
		}
		out.Write(rec)
	}
	out.Flush()
	return out.Error()
}

// inert returns a cell that no spreadsheet calculates
// (https://owasp.org/www-community/attacks/CSV_Injection).
func inert(s string) string {
	if t := strings.TrimLeft(s, " "); t != "" && strings.ContainsAny(string([]rune(t)[:1]), "=+-@＝＋－＠") {
		return "'" + s
	}
	return s
}
