package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// What the table names of collisions, and of the items of each.
const (
	maxNamed      = 10
	maxNamedItems = 4
)

// Schedules writes what audit schedules shows.
func Schedules(w io.Writer, v SchedulesView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	p.line(0, inkBold, v.verdict())
	if len(v.Schedules) > 0 {
		p.WriteByte('\n')
	}
	if _, err := w.Write(p.Bytes()); err != nil {
		return err
	}
	if err := v.rows(w, o); err != nil {
		return err
	}
	p.Reset()
	if v.Week.Starts > 0 {
		p.heat(v.Week, v.Zone)
		p.collisions(v.Week, v.Zone)
	}
	if len(v.NotRead) > 0 {
		p.title(inkYellow, "NOT READ")
		for _, n := range v.NotRead {
			p.hang(2, 4, inkNone, n.String())
		}
	}
	_, err := w.Write(p.Bytes())
	return err
}

func (v SchedulesView) verdict() string {
	if len(v.Schedules) == 0 {
		return fmt.Sprintf("No schedules in snapshot %s.", v.Snapshot)
	}
	s := fmt.Sprintf("%s in snapshot %s, %s in effect", plural(len(v.Schedules), "schedule"), v.Snapshot, group(v.Week.InEffect))
	if v.Week.InEffect > 0 {
		s += fmt.Sprintf(": %s runs a day", rate(v.Week.PerDay))
	}
	return s + "."
}

// rate writes a mean number of runs.
func rate(n float64) string {
	switch {
	case n == 0:
		return "0"
	case n < 0.01:
		return "<0.01"
	case n >= 100:
		return group(int64(n + 0.5))
	}
	return strconv.FormatFloat(float64(int(n*100+0.5))/100, 'f', -1, 64)
}

func (v SchedulesView) rows(w io.Writer, o Options) error {
	two := v.abroad()
	next, expr := column{head: "NEXT (UTC)", max: 26}, 16
	switch {
	case !two && o.columns() < 80:
		next, expr = column{head: "NEXT (UTC)", max: 18}, 13
	case two && o.columns() >= 80:
		next, expr = column{head: "NEXT (" + prefix(v.Zone, 18) + ", UTC)", max: 30}, 14
	case two:
		next, expr = column{head: "NEXT (HERE, UTC)", max: 17}, 13
	}
	cols := []column{{head: "ITEM"}, {head: "SCHEDULE", max: expr}, {head: "PER DAY", max: 8, right: true}, next}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range v.Schedules {
			if err := add(r.place(), strings.TrimSpace(r.Expression+"\n"+r.Timezone), r.load(), r.upcoming(two)); err != nil {
				return err
			}
		}
		return nil
	})
}

// place names the item, and the line a reader may click where the name does not tell the file.
func (r ScheduleRow) place() string {
	if r.Location == nil || tells(r.Item, r.Location.Path) {
		return r.Item
	}
	return fmt.Sprintf("%s\n%s:%d", r.Item, r.Location.Path, r.Location.Line)
}

// abroad reports whether the reader's clock is another one than UTC.
func (v SchedulesView) abroad() bool {
	for _, r := range v.Schedules {
		for _, n := range r.Next {
			if _, off := n.Local.Zone(); off != 0 {
				return true
			}
		}
	}
	return false
}

func (r ScheduleRow) load() string {
	if len(r.Next) == 0 {
		return "-"
	}
	if r.Collides {
		return rate(r.PerDay) + " !"
	}
	return rate(r.PerDay)
}

func (r ScheduleRow) upcoming(two bool) string {
	lines := make([]string, 0, 4)
	for _, n := range r.Next {
		l := n.Local.Format("2006-01-02 15:04")
		if two {
			l += "  " + utcBeside(n)
		}
		lines = append(lines, l)
	}
	switch {
	case r.Why != "" && !r.Effective:
		lines = append(lines, "not in effect: "+r.Why)
	case r.Why != "":
		lines = append(lines, r.Why)
	}
	if r.LastKnown {
		lines = append(lines, "as last known")
	}
	return strings.Join(lines, "\n")
}

// utcBeside writes the UTC of a run, with the date where it is another day.
func utcBeside(n NextRun) string {
	if n.Local.Format(time.DateOnly) == n.UTC.Format(time.DateOnly) {
		return n.UTC.Format("15:04Z")
	}
	return n.UTC.Format("01-02 15:04Z")
}

// heat writes a line per day with a cell per hour, scaled to the busiest hour.
func (p *page) heat(w Week, zone string) {
	most := 0
	for _, d := range w.Days {
		for _, n := range d.Hours {
			most = max(most, n)
		}
	}
	p.title(inkBold, "STARTS BY HOUR ("+zone+"), at most "+group(most))
	p.WriteString(strings.Repeat(" ", 14) + p.paint(inkDim, "0     6     12    18") + "\n")
	levels := []rune("▁▂▃▄▅▆▇█")
	for _, d := range w.Days {
		day := d.Date
		if t, err := time.Parse(time.DateOnly, d.Date); err == nil {
			day = t.Format("Mon 01-02")
		}
		p.WriteString("  " + day + "   ")
		for h, n := range d.Hours {
			switch {
			case n == 0:
				p.WriteString(p.paint(inkDim, "·"))
			case d.Crowded[h]:
				p.WriteString(p.paint(inkRed, string(levels[(n*8-1)/most])))
			default:
				p.WriteString(string(levels[(n*8-1)/most]))
			}
		}
		p.WriteString("  " + group(d.Starts) + "\n")
	}
}

// collisions names the minutes in which too much starts together.
func (p *page) collisions(w Week, zone string) {
	if w.CrowdedTimes > 0 {
		p.title(inkBold, fmt.Sprintf("COLLISIONS (%s), more than %s at once", zone, rate(w.Limit)))
		for i, c := range w.Collisions {
			if i == maxNamed {
				break
			}
			items := strings.Join(c.Items[:min(len(c.Items), maxNamedItems)], ", ")
			if more := len(c.Items) - maxNamedItems; more > 0 {
				items += " and " + group(more) + " more"
			}
			p.hang(2, 9, inkNone, fmt.Sprintf("%s  %s start on %s: %s", c.Time, group(c.Starts), plural(c.Days, "day"), items))
		}
		if more := w.CrowdedTimes - maxNamed; more > 0 {
			p.line(2, inkDim, "and "+plural(more, "time")+" of day more")
		}
		p.line(2, inkDim, "! starts in one of these minutes")
	}
	if w.MinuteZero > 0 {
		p.WriteByte('\n')
		p.line(0, inkNone, fmt.Sprintf("At minute 0 only, when everybody starts: %s of %s in effect.", group(w.MinuteZero), plural(w.InEffect, "schedule")))
	}
}
