package report

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// fixWidths makes the table libraries measure every text alike: both would
// take the width of "…" and "→" from the locale, and the same report would
// have other bytes in another one.
var fixWidths = sync.OnceFunc(func() {
	text.OverrideRuneWidthEastAsianWidth(false)
	twwidth.SetOptions(twwidth.Options{})
})

// columns returns the usable width of the options.
func (o Options) columns() int {
	if o.Width == 0 {
		return 80
	}
	return min(max(o.Width, 60), 200)
}

// width returns the columns a clean text takes, colours not counted.
func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// wrap breaks a clean text into lines of at most n columns: between words, in
// long words after a separator, and only then anywhere. Nothing is lost but the
// spaces at breaks. An empty text is one empty line.
func wrap(s string, n int) []string { return wrapHang(s, n, n) }

// wrapHang is wrap with another width for the first line.
func wrapHang(s string, first, rest int) []string {
	var lines []string
	line, used, n := "", 0, first
	flush := func(l string) { lines, n = append(lines, l), rest }
	for _, word := range strings.Fields(s) {
		w := width(word)
		if line != "" && used+1+w <= n {
			line, used = line+" "+word, used+1+w
			continue
		}
		if line != "" {
			flush(line)
		}
		for w > n {
			i := breakAt(word, n)
			flush(word[:i])
			w -= width(word[:i])
			word = word[i:]
		}
		line, used = word, w
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// breakAt returns where to cut a word that is wider than n columns: after the
// last slash of the line, else after another separator, else where the line is
// full. At least one rune is taken, and no line gets shorter than a third.
func breakAt(word string, n int) int {
	full, slash, other, used := 0, 0, 0, 0
	for i, r := range word {
		w := text.RuneWidth(r)
		if used+w > n && i > 0 {
			break
		}
		used += w
		full = i + len(string(r))
		switch {
		case used <= n/3:
		case r == '/' || r == '\\':
			slash = full
		case strings.ContainsRune("-_,:;=@&?|>)]}↵、。", r):
			other = full
		}
	}
	switch {
	case slash > 0:
		return slash
	case other > 0:
		return other
	}
	return full
}

// prefix returns the first n runes.
func prefix(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// plural returns "1 item", "3 items".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return group(n) + " " + noun + "s"
}

// group writes a number with commas between thousands.
func group[N int | int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// points writes a score: one decimal.
func points(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// scored writes a score with its grade, or "n/a".
func scored(value *float64, grade *string) string {
	switch {
	case value == nil:
		return "n/a"
	case grade == nil:
		return points(*value)
	}
	return points(*value) + " " + *grade
}

// span writes a duration for a person, rounded down: "moments", "45 min", "3 days".
func span(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d < time.Minute:
		return "moments" // two runs of a script: how many seconds lie between them tells nothing
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d < 60*day:
		return plural(int(d/day), "day")
	case d < 730*day:
		return plural(int(d/(30*day)), "month")
	default:
		return plural(int(d/(365*day)), "year")
	}
}

// took writes how long something ran.
func took(ms int64) string {
	if ms < 1000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}

// size writes bytes with decimal units.
func size(n int64) string {
	f, unit := float64(n), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if f < 1000 {
			break
		}
		f, unit = f/1000, u
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}

// stamp writes a time in UTC, to the minute.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
