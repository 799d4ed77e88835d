package report

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"unicode"
)

// An anchor is a part of a text that leads somewhere.
type anchor struct {
	text, uri string
}

// linked is hang with the last place of at.text in s made a hyperlink, if the
// reader follows those. A link that is broken over lines stays one.
func (p *page) linked(first, rest int, c ink, s string, at anchor) {
	i := strings.LastIndex(s, at.text)
	if !p.links || at.uri == "" || at.text == "" || i < 0 {
		p.hang(first, rest, c, s)
		return
	}
	from := letters(s[:i]) // wrapping changes nothing but spaces
	to := from + letters(at.text)
	indent, done := first, 0
	for _, l := range wrapHang(s, p.width-first, p.width-rest) {
		n := letters(l)
		a, b := after(l, from-done), after(l, to-done)
		if b > a {
			part := strings.TrimRight(l[a:b], " ")
			l = l[:a] + hyperlink(at.uri, part) + l[a+len(part):]
		}
		p.WriteString(strings.Repeat(" ", indent) + p.paint(c, l) + "\n")
		indent, done = rest, done+n
	}
}

// letters counts the runes of a text that are no spaces.
func letters(s string) (n int) {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// after returns where the n-th rune that is no space begins; the end, trailing
// spaces left out, when there are not as many.
func after(s string, n int) int {
	for i, r := range s {
		if unicode.IsSpace(r) {
			continue
		}
		if n <= 0 {
			return i
		}
		n--
	}
	return len(strings.TrimRight(s, " "))
}

// hyperlink makes a text lead to a URI, by OSC 8
// (https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda). Its id joins
// the parts of one link.
func hyperlink(uri, text string) string {
	return "\x1b]8;id=" + strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(uri))), 36) + ";" + uri + "\x1b\\" + text + "\x1b]8;;\x1b\\"
}

// place returns "path:line " or "". The column helps a program, not a person.
func place(f Finding) string {
	if f.Location == nil || f.Location.Path == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d ", f.Location.Path, f.Location.Line)
}

// anchor is the place of a finding as a link to the file on the host of the run,
// which a terminal elsewhere does not open.
func (r *reading) anchor(f Finding) anchor {
	at := strings.TrimSpace(place(f))
	if at == "" {
		return anchor{}
	}
	p := f.Location.Path
	if inProject(p) {
		p = strings.TrimRight(r.Run.Root, "/") + "/" + p
	}
	return anchor{at, fileURI(r.Run.Host, p)}
}

// where names item and place, but not one path twice.
func where(f Finding) string {
	at := strings.TrimSpace(place(f))
	switch {
	case at == "":
		return strings.TrimSuffix(f.Item, "/(system)")
	case strings.HasSuffix(f.Item, "/"+f.Location.Path):
		return at
	}
	return f.Item + " at " + at
}
