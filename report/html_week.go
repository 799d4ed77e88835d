package report

import (
	"strings"
	"time"
)

// htmlSchedules is what the page says of schedules.
type htmlSchedules struct {
	Rows     capped[htmlSchedule]
	Idle     int // declared, and never started
	Days     []htmlDay
	Hours    []htmlHour
	Week     *Week
	Most     int // starts in the busiest hour
	Crowds   []htmlCrowd
	MoreTime int
	Declared int
}

type htmlSchedule struct {
	Schedule
	At   string // path:line
	Next []time.Time
	Load string
	Zone string
}

type htmlDay struct {
	Name, Date string
	Starts     int
}

// An htmlHour is an hour of each day.
type htmlHour struct {
	Name  string
	Cells []htmlCell
}

// An htmlCell is an hour of a day. Heat is 0 where nothing starts, to 5.
type htmlCell struct {
	N, Heat int
	Crowded bool
}

type htmlCrowd struct {
	Collision
	Shown string
	More  int
}

func (r *reading) htmlSchedules() *htmlSchedules {
	if len(r.Document.Schedules) == 0 {
		return nil
	}
	h := &htmlSchedules{Week: r.Document.Week, Declared: len(r.Document.Schedules)}
	rows := make([]htmlSchedule, 0, len(r.Document.Schedules))
	for _, s := range r.Document.Schedules {
		row := htmlSchedule{Schedule: s, Next: s.Next, Load: rate(s.PerDay), Zone: s.Timezone}
		if s.Location != nil && !tells(s.Item, s.Location.Path) {
			row.At = strings.TrimSpace(place(Finding{Location: s.Location}))
		}
		if !s.Effective {
			h.Idle++
		}
		rows = append(rows, row)
	}
	h.Rows = first(rows, htmlRows)
	if h.Week != nil {
		h.map7()
	}
	return h
}

// map7 turns the week of the document on its side: a row for each hour fits a
// narrow screen, and days are what a reader compares.
func (h *htmlSchedules) map7() {
	for _, d := range h.Week.Days {
		name := d.Date
		if t, err := time.Parse(time.DateOnly, d.Date); err == nil {
			name = t.Format("Mon")
		}
		h.Days = append(h.Days, htmlDay{name, d.Date, d.Starts})
		for _, n := range d.Hours {
			h.Most = max(h.Most, n)
		}
	}
	for hour := range 24 {
		row := htmlHour{Name: time.Date(0, 1, 1, hour, 0, 0, 0, time.UTC).Format("15")}
		for _, d := range h.Week.Days {
			c := htmlCell{}
			if hour < len(d.Hours) && hour < len(d.Crowded) {
				c.N, c.Crowded = d.Hours[hour], d.Crowded[hour]
			}
			if c.N > 0 {
				c.Heat = 1 + (c.N*5-1)/max(h.Most, 1)
				c.Heat = min(c.Heat, 5)
			}
			row.Cells = append(row.Cells, c)
		}
		h.Hours = append(h.Hours, row)
	}
	for i, c := range h.Week.Collisions {
		if i == maxNamed {
			break
		}
		h.Crowds = append(h.Crowds, htmlCrowd{c, strings.Join(c.Items[:min(len(c.Items), maxNamedItems)], ", "), max(len(c.Items)-maxNamedItems, 0)})
	}
	h.MoreTime = max(h.Week.CrowdedTimes-len(h.Crowds), 0)
}
