package report

import (
	"strings"
	"testing"
)

// A store is made of one full archive at most; the others are slim.
func TestImported_says_of_which_archives(t *testing.T) {
	for want, v := range map[string]ImportView{
		"of 1 full archive: 2 snapshots":                                   {Kind: "full", From: []string{"a"}},
		"of 1 full archive and a slim one made since: 2 snapshots":         {Kind: "full", From: []string{"a", "b"}},
		"of 1 full archive and 2 slim ones made since: 2 snapshots":        {Kind: "full", From: []string{"a", "b", "c"}},
		"of 3 slim archives: 2 snapshots":                                  {Kind: "slim", From: []string{"a", "b", "c"}},
		"no baseline and nothing that was accepted; those begin anew":      {Kind: "slim"},
		"what was accepted are as they were when the full archive was mad": {Kind: "full"},
	} {
		v.Store, v.Snapshots = "x.db", 2
		var b strings.Builder
		if err := Imported(&b, v, Options{Width: 200}); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%v: want %q in\n%s", err, want, &b)
		}
	}
}
