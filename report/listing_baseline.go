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
	p.line(0, inkNone, fmt.Sprintf("%s in it, of which %s still in snapshot #%d, and %s there that %s not.",
		are(v.Then, "finding", "was open", "were open"), are(len(v.Still), "", "is", "are"), v.Newest,
		are(len(v.Since), "", "is open", "are open"), map[bool]string{true: "was", false: "were"}[len(v.Since) == 1]))
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

// are writes a number of things and the verb that fits it.
func are(n int, noun, one, many string) string {
	verb := many
	if n == 1 {
		verb = one
	}
	if noun == "" {
		return group(n) + " " + verb
	}
	return plural(n, noun) + " " + verb
}
