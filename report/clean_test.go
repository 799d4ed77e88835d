package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"leaves_plain_text", "plain ~ text", "plain ~ text"},
		{"leaves_other_scripts", "部署 naïve Ünïcode שלום", "部署 naïve Ünïcode שלום"},
		{"shows_line_ends", "a\nb\r\nc\rd", "a↵b↵c↵d"},
		{"makes_a_tab_a_space", "a\tb", "a b"},
		{"shows_control_characters", "a\x00b\x07c\x7f", "a␀b␇c␡"},
		{"replaces_a_colour_as_a_whole", "\x1b[1;31mred\x1b[0m", "␛red␛"},
		{"replaces_a_title_as_a_whole", "a\x1b]0;rm -rf\x07b", "a␛b"},
		{"replaces_a_link_ended_by_ST", "\x1b]8;;http://x\x1b\\y", "␛y"},
		{"replaces_a_device_string", "\x1bP1$r\x1b\\y", "␛y"},
		{"replaces_eight_bit_sequences", "\u009b31mred\u009d0;t\u009cx", "␛red␛x"},
		{"keeps_the_text_after_an_open_sequence", "\x1b]0;never ended", "␛]0;never ended"},
		{"keeps_the_text_after_a_torn_sequence", "\x1b[31", "␛[31"},
		{"keeps_the_letter_after_a_lone_escape", "\x1bc\x1b", "␛c␛"},
		{"names_other_C1", "a\u0085b", "a<U+0085>b"},
		{"names_bidi_controls", "\u202egnp.exe\u2066", "<U+202E>gnp.exe<U+2066>"},
		{"names_invisible_characters", "a\u200b\ufeff\u2060\u00ad\u3164\U000e0041b", "a<U+200B><U+FEFF><U+2060><U+00AD><U+3164><U+E0041>b"},
		{"names_line_separators", "a\u2028b\u2029", "a<U+2028>b<U+2029>"},
		{"replaces_bytes_that_are_not_UTF8", "a\xffb\xc3", "a\ufffdb\ufffd"},
		{"keeps_emoji_apart", "👨\u200d👩 ⚠\ufe0f", "👨👩 ⚠"},
		{"names_a_joiner_in_a_word", "pay\u200dpal", "pay<U+200D>pal"},
		{"carries_a_leading_accent", "\u0301a", "◌\u0301a"},
		{"bounds_a_tower_of_accents", "a" + strings.Repeat("\u0300", 50) + "b", "a" + strings.Repeat("\u0300", maxMarks) + "\ufffdb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Clean(c.in); got != c.want {
				t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a\x1b[31mb", "\x1b]0;t\x07", "\u009b", "\u202e", "\xff", "👩\u200d👩\ufe0f\u0301", "\u0301\ufe0f" + strings.Repeat("\u0301", 20), "\r\n\r", "\x1bP\x1b\x1b\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		for _, r := range got {
			if unicode.Is(unicode.C, r) && !unicode.Is(unicode.Co, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
				t.Fatalf("%U is left in %q", r, got)
			}
		}
		if again := Clean(got); again != got {
			t.Fatalf("cleaning twice: %q, then %q", got, again)
		}
		if len(got) > 10*len(s)+3 {
			t.Fatalf("%d bytes became %d", len(s), len(got))
		}
	})
}

func FuzzWrap(f *testing.F) {
	f.Add("a word and/a/very/long/path", 10, 8)
	f.Add("部署生产环境的工作流程", 9, 3)
	f.Add("z̀̀̀̀ x", 2, 2)
	f.Add("z\u0300 \u0300 x", 2, 85) // a word of no width is a word
	f.Fuzz(func(t *testing.T, s string, first, rest int) {
		fixWidths()
		first, rest = 2+(first&127), 2+(rest&127)
		s = Clean(s)
		lines := wrapHang(s, first, rest)
		for i, l := range lines {
			if n := map[bool]int{true: first, false: rest}[i == 0]; width(l) > n {
				t.Fatalf("line %d of %q has %d columns, want at most %d", i, lines, width(l), n)
			}
		}
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(strings.Join(lines, "")) != squeeze(s) {
			t.Fatalf("%q became %q", s, lines)
		}
	})
}

func TestCleaned_touches_neither_original_nor_order(t *testing.T) {
	d := ordinary()
	d.Findings[0].Message = "a\nb"
	d.Items[1].Facts["x\n"] = []string{"y\n", "z"}
	c := cleaned(d)
	if d.Findings[0].Message != "a\nb" || c.Findings[0].Message != "a↵b" {
		t.Errorf("message: %q, cleaned %q", d.Findings[0].Message, c.Findings[0].Message)
	}
	if got, ok := c.Items[1].Facts["x↵"].([]string); !ok || got[0] != "y↵" {
		t.Errorf("facts: %v", c.Items[1].Facts)
	}
	if !c.Run.Started.Equal(d.Run.Started) || c.Run.Git == d.Run.Git {
		t.Error("time lost or pointer shared")
	}
}
