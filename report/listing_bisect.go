package report

import (
	"fmt"
	"io"
	"strings"
)

// A BisectView is where a finding began, by the check of today.
type BisectView struct {
	Check     string        `json:"check"`
	Item      string        `json:"item"`
	Path      string        `json:"path"`
	Finding   FindingShort  `json:"finding"`  // as it was in First
	First     BisectPoint   `json:"first"`    // the earliest of the stretch up to now that has it
	Before    *BisectPoint  `json:"before"`   // the one before it, which has it not; null: it was there from the beginning
	Facts     []FactChange  `json:"facts"`    // of the item, between the two
	Files     []string      `json:"files"`    // of its own, that differ between the two
	Skipped   []BisectPoint `json:"skipped"`  // between the two, of which nobody can tell
	Contrary  []BisectPoint `json:"contrary"` // of those tested: they say that it came and went before
	Tested    []BisectPoint `json:"tested"`   // oldest first
	Snapshots int           `json:"snapshots"`
}

// A BisectPoint is what one snapshot says.
type BisectPoint struct {
	Snapshot SnapshotRef `json:"snapshot"`
	Commit   string      `json:"commit"`
	Dirty    bool        `json:"dirty"`   // tracked files differed from the commit
	Verdict  string      `json:"verdict"` // found, clean, absent (the item was not there), unknown
	Why      string      `json:"why"`     // of unknown
}

// Bisect writes where a finding began, and what is not sure about it.
func Bisect(w io.Writer, v BisectView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	what := v.Check + " on " + v.Item
	if v.Before == nil {
		p.line(0, inkBold, fmt.Sprintf("%s is there since %s, the oldest snapshot that can tell: it began before.", what, v.First.named()))
	} else {
		p.line(0, inkBold, fmt.Sprintf("%s began between %s and %s.", what, v.Before.named(), v.First.named()))
		p.facts(2, v.Facts, v.Files)
		p.hang(2, 4, inkNone, "then: "+v.Finding.Severity+": "+long(v.Finding.Message))
		v.commits(p)
	}
	for _, x := range v.Skipped {
		p.hang(2, 4, inkYellow, fmt.Sprintf("not sure: %s lies between and cannot tell: %s", x.named(), x.Why))
	}
	if len(v.Contrary) > 0 {
		var seqs []string
		for _, x := range v.Contrary {
			seqs = append(seqs, fmt.Sprintf("#%d (%s)", x.Snapshot.Seq, x.Verdict))
		}
		p.hang(2, 4, inkYellow, "not the only time: it came and went, see "+strings.Join(seqs, ", "))
	}
	p.line(0, inkDim, fmt.Sprintf("%d of %s judged by the check of today.", len(v.Tested), plural(v.Snapshots, "snapshot")))
	p.legend()
	_, err := w.Write(p.Bytes())
	return err
}

func (x BisectPoint) named() string {
	s := x.Snapshot.String()
	if x.Commit != "" {
		s = strings.TrimSuffix(s, ")") + ", commit " + prefix(x.Commit, 10)
		if x.Dirty {
			s += " with uncommitted changes"
		}
		s += ")"
	}
	return s
}

// commits says where to look in the history of the project.
func (v BisectView) commits(p *page) {
	switch a, b := v.Before.Commit, v.First.Commit; {
	case a == "" || b == "":
	case a == b:
		p.hang(2, 4, inkNone, "Both are of one commit: what did it was not committed then.")
	default:
		line := fmt.Sprintf("To do: git log -p %s..%s", prefix(a, 10), prefix(b, 10))
		if v.Path != "" {
			line += " -- " + v.Path
		}
		p.hang(2, 4, inkNone, line)
	}
}
