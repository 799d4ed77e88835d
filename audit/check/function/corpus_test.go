package function

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// sites returns the cases of one file of our corpus: folder → archive.
func sites(t *testing.T, name string) (comment string, out map[string]string) {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join(repository(t), "testdata", "corpus", "functions", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*txtar.Archive{}
	for _, f := range a.Files {
		site, rest, _ := strings.Cut(f.Name, "/")
		if files[site] == nil {
			files[site] = &txtar.Archive{}
		}
		files[site].Files = append(files[site].Files, txtar.File{Name: rest, Data: f.Data})
	}
	out = map[string]string{}
	for site, a := range files {
		out[site] = string(txtar.Format(a))
	}
	return string(a.Comment), out
}

// Every broken function of the corpus is found by the check that is to find it,
// and by no other; in the good ones nothing is found.
func TestCorpus(t *testing.T) {
	comment, broken := sites(t, "broken")
	want := map[string]string{}
	for line := range strings.Lines(comment) {
		if site, check, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			want[site] = check
		}
	}
	_, good := sites(t, "good")
	if len(want) < 40 || len(want) != len(broken) || len(good) < 20 {
		t.Fatalf("%d checks for %d broken sites, and %d good ones", len(want), len(broken), len(good))
	}
	for site, archive := range broken {
		t.Run(site, func(t *testing.T) {
			var got []string
			for _, f := range judge(t, archive) {
				got = append(got, f.Check)
			}
			slices.Sort(got)
			if got = slices.Compact(got); len(got) != 1 || got[0] != want[site] {
				t.Errorf("found %v, want %s", got, want[site])
			}
		})
	}
	for site, archive := range good {
		t.Run(site, func(t *testing.T) {
			for _, f := range judge(t, archive) {
				t.Errorf("%s: %s", f.Check, f.Message)
			}
		})
	}
}
