package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// SchedulesICS writes the runs of the coming week as a calendar (RFC 5545). Each
// run is an event of its own: a recurrence rule cannot say what cron says, least
// of all around daylight saving.
func SchedulesICS(w io.Writer, v SchedulesView, _ Options) error {
	c := &calendar{stamp: v.From}
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//audit//schedules//EN")
	c.line("CALSCALE", "GREGORIAN")
	events := 0
	seen := map[string]int{}
	for _, r := range cleaned(v.Schedules) {
		about := r.Expression + " (" + r.Dialect + ", " + r.Zone + ")"
		if r.LastKnown {
			about += "\nAs last known: it was not read this time."
		}
		if r.Collides {
			about += "\nStarts in a crowded minute."
		}
		if r.More {
			about += fmt.Sprintf("\nOnly its next %s are in this calendar.", plural(len(r.Coming), "run"))
		}
		key := strings.Join([]string{r.Item, r.Dialect, r.Expression, r.Zone}, "\x00")
		seen[key]++ // the same schedule may be declared twice
		for _, t := range r.Coming {
			c.event(fmt.Sprintf("%s\x00%d\x00%d", key, seen[key], t.Unix()), t, r, about)
			events++
		}
	}
	if events == 0 { // a calendar must have a component
		c.begin("VJOURNAL", fmt.Sprintf("none\x00%d", v.From.Unix()))
		c.text("SUMMARY", "No schedule starts in the coming week")
		c.line("END", "VJOURNAL")
	}
	c.line("END", "VCALENDAR")
	_, err := w.Write(c.Bytes())
	return err
}

type calendar struct {
	bytes.Buffer
	stamp time.Time
}

func (c *calendar) event(id string, at time.Time, r ScheduleRow, about string) {
	c.begin("VEVENT", id)
	c.line("DTSTART", utcForm(at))
	c.text("SUMMARY", r.Item)
	c.text("DESCRIPTION", about)
	c.text("CATEGORIES", r.System)
	c.line("TRANSP", "TRANSPARENT") // the reader is not busy then
	c.line("END", "VEVENT")
}

// begin opens a component. The same run has the same UID in every calendar.
func (c *calendar) begin(component, id string) {
	sum := sha256.Sum256([]byte(id))
	c.line("BEGIN", component)
	c.line("UID", hex.EncodeToString(sum[:16])+"@audit")
	c.line("DTSTAMP", utcForm(c.stamp))
}

// utcForm writes form 2 of DATE-TIME (RFC 5545 §3.3.5).
func utcForm(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

var icsEscapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)

// text writes a property of type TEXT (§3.3.11).
func (c *calendar) text(name, value string) { c.line(name, icsEscapes.Replace(value)) }

// line writes a content line, folded at 75 octets (§3.1) and never within a character.
func (c *calendar) line(name, value string) {
	rest, room := name+":"+value, 75
	for len(rest) > room {
		n := room
		for !utf8.RuneStart(rest[n]) {
			n--
		}
		c.WriteString(rest[:n] + "\r\n ")
		rest, room = rest[n:], 74
	}
	c.WriteString(rest + "\r\n")
}
