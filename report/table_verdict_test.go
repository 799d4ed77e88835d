package report

import (
	"strings"
	"testing"
)

// A repository without commits has none to name.
func TestRunLineWithoutCommit(t *testing.T) {
	for want, g := range map[string]*Git{
		"in /shop":                       {Branch: "main", Dirty: true},
		", commit 0123456789 of main":    {Commit: "0123456789abcdef", Branch: "main"},
		", commit 0123456789 with uncom": {Commit: "0123456789abcdef", Dirty: true},
	} {
		r := &reading{Document: &Document{Run: Run{Root: "/shop", Git: g}}}
		if got := r.runLine(); !strings.Contains(got, want) || strings.Contains(got, "commit ") != (g.Commit != "") {
			t.Errorf("%+v: %q", g, got)
		}
	}
}
