package report

import (
	"fmt"
	"io"
)

// A BaselineView is the pinned snapshot beside the newest one.
type BaselineView struct {
	Snapshot SnapshotRef    `json:"snapshot"`
	By       string         `json:"by"`
	Newest   uint64         `json:"newest"` // number of the snapshot it is held against
	Then     int            `json:"then"`   // findings open in it
	Still    []FindingShort `json:"still"`  // of these, open ever since
	Since    []FindingShort `json:"since"`  // open now, and not in it
}

// Baseline writes what is pinned, and what came since.
func Baseline(w io.Writer, v BaselineView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	p.line(0, inkBold, fmt.Sprintf("Snapshot %s is the baseline, set by %s.", v.Snapshot, v.By))
	p.line(0, inkNone, fmt.Sprintf("%s open in it; %s in snapshot #%d, and %s come since.", verb(v.Then, "finding was", "findings were"),
		verb(len(v.Still), "of them still is", "of them still are"), v.Newest, verb(len(v.Since), "has", "have")))
	if len(v.Since) > 0 {
		p.title(inkBold, "NOT IN THE BASELINE")
		for _, f := range v.Since[:min(len(v.Since), 2*maxBlocks)] {
			p.hang(2, 4, inkNone, fmt.Sprintf("%s %s [%s] %s: %s", f.Severity, f.Item, f.Check, short(f.ID), long(f.Message)))
		}
		if n := len(v.Since) - 2*maxBlocks; n > 0 {
			p.line(2, inkNone, fmt.Sprintf("… and %s more: --format json", group(n)))
		}
	}
	_, err := w.Write(p.Bytes())
	return err
}

// verb writes a number and what is said of one or of many.
func verb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return group(n) + " " + many
}
