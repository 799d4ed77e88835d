package waiver

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"end_of_line":      {"a: 1\nb: 2 # audit: ignore[x-y] reason=it is so until=2027-01-31\n", `[x-y] "it is so" "2027-01-31" 2:8 2-2`},
		"quoted":           {"a\nb // audit: ignore[x, y] until=2027-01-31 reason=\"until=never, he said\"", `[x y] "until=never, he said" "2027-01-31" 2:6 2-2`},
		"whole_file":       {"#!/bin/sh\n\n# audit: ignore[x] reason=r until=2027-01-31\nls\n", `[x] "r" "2027-01-31" 3:3 1-end`},
		"block":            {"jobs:\n  # audit: ignore[x] reason=r until=2027-01-31\n  # and why\n\n  a:\n    b: 1\n\n    c: 2\n  d: 3\n", `[x] "r" "2027-01-31" 2:5 5-8`},
		"list_of_a_key":    {"a: 1\n# audit: ignore[x] reason=r until=2027-01-31\nsteps:\n- a\n- b\nc: 1\n", `[x] "r" "2027-01-31" 2:3 3-5`},
		"entry_of_a_list":  {"s:\n# audit: ignore[x] reason=r until=2027-01-31\n- a:\n  b: 1\n- c\n", `[x] "r" "2027-01-31" 2:3 3-4`},
		"block_comment":    {"a()\n/* audit: ignore[x] reason=r until=2027-01-31 */\nb()\nc()", `[x] "r" "2027-01-31" 2:4 3-3`},
		"byte_order_mark":  {"\ufeff# audit: ignore[x] reason=r until=2027-01-31\nls\n", `[x] "r" "2027-01-31" 1:6 1-end`},
		"carriage_returns": {"a: 1\r\nb: 2 # audit: ignore[x] reason=r until=2027-01-31\r\n", `[x] "r" "2027-01-31" 2:8 2-2`},
		"at_the_end":       {"a\n# audit: ignore[x]", `[x] "" "" 2:3 2-2`},
		"without_anything": {"a #audit:ignore[]", `[] "" "" 1:4 1-1`},
		"without_brackets": {"a # audit: ignore reason=r until=2027-01-31", `[] "r" "2027-01-31" 1:5 1-1`},
		"prose":            {"a # audit: ignore what follows, for a reason=x", ""},
		"in_a_text":        {"echo 'audit: ignore[x] reason=r until=2027-01-31'\n", ""},
		"not_closed":       {"a # audit: ignore[x reason=r", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, w := range Parse([]byte(c.src)) {
				to := fmt.Sprint(w.To)
				if w.To == EndOfFile {
					to = "end"
				}
				got = append(got, fmt.Sprintf("%v %q %q %d:%d %d-%s", w.Checks, w.Reason, w.Until, w.Line, w.Column, w.From, to))
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("%s\nwant %s", strings.Join(got, "\n"), c.want)
			}
		})
	}
}

// A thousand waivers over millions of lines, blank ones and comments and code, take
// no longer than these lines do.
func TestParse_hostile(t *testing.T) {
	if testing.Short() {
		t.Skip("megabytes against the clock: not in short runs")
	}
	const one = "# audit: ignore[x] reason=r until=2027-01-31\n"
	nested := strings.Builder{}
	for i := range Max {
		nested.WriteString(strings.Repeat(" ", i) + one + strings.Repeat(" ", i) + "a:\n")
	}
	for name, src := range map[string]string{
		"blank_lines":   "a\n" + strings.Repeat(one, Max) + "b\n" + strings.Repeat("\n", 4<<20),
		"comments":      "a\n" + strings.Repeat(one, Max) + strings.Repeat("#\n", 1<<20) + "b\n",
		"nested":        nested.String() + strings.Repeat(strings.Repeat(" ", Max)+"b\n", 4<<10),
		"never_closed":  strings.Repeat("# audit: ignore[", 1<<19),
		"one_long_line": "a: " + strings.Repeat("#", 8<<20) + " audit: ignore[x",
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			got := Parse([]byte(src))
			if took := time.Since(begun); took > 5*time.Second || len(got) != Max && !strings.HasPrefix(src, "a: #") && name != "never_closed" {
				t.Errorf("%d waivers in %s", len(got), took)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a\n# audit: ignore[x, y] reason='r' until=2027-01-31\nb:\n- c\n")
	f.Add("// audit:ignore[]")
	f.Fuzz(func(t *testing.T, src string) {
		last, n := strings.Count(src, "\n")+1, 0
		for _, w := range Parse([]byte(src)) {
			if n++; n > Max || w.Line < 1 || w.Line > last || w.Column < 1 || w.From < 1 || w.From > w.To || w.To != EndOfFile && w.To > last {
				t.Fatalf("%+v of %d lines", w, last)
			}
			if line := strings.Split(src, "\n")[w.Line-1]; !strings.HasPrefix(line[w.Column-1:], "audit:") {
				t.Fatalf("%+v does not stand at its place in %q", w, line)
			}
		}
	})
}
