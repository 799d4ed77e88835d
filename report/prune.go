package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A PruneView is what a pruning took away, or would take away.
type PruneView struct {
	DryRun    bool           `json:"dry_run"`
	Dropped   int            `json:"dropped"`   // snapshots that went, or would
	Versions  int            `json:"versions"`  // of items and findings that went; 0 in a dry run
	Blobs     int            `json:"blobs"`     // kept contents that went; 0 in a dry run
	Bytes     int64          `json:"bytes"`     // of those, as they were stored
	Snapshots []SnapshotFate `json:"snapshots"` // as they were before, oldest first
}

// A SnapshotFate says why a snapshot is kept; it goes without a reason.
type SnapshotFate struct {
	Seq     uint64    `json:"seq"`
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Kept    bool      `json:"kept"`
	Reasons []string  `json:"reasons"`
}

// maxReasons is how many reasons the table names of one snapshot.
const maxReasons = 4

// Prune writes a PruneView as a table; what went is listed in a dry run only.
func Prune(w io.Writer, v PruneView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	total := "snapshot"
	if len(v.Snapshots) != 1 {
		total += "s"
	}
	verb := "went"
	if v.DryRun {
		verb = "would go"
	}
	p.line(0, inkBold, fmt.Sprintf("%s of %s %s %s.", group(v.Dropped), group(len(v.Snapshots)), total, verb))
	if !v.DryRun && v.Versions+v.Blobs > 0 {
		p.line(0, inkNone, fmt.Sprintf("With them %s and %s, %s.", plural(v.Versions, "version"), plural(v.Blobs, "blob"), size(v.Bytes)))
	}
	p.WriteByte('\n')
	if _, err := w.Write(p.Bytes()); err != nil {
		return err
	}
	cols := []column{{head: "SNAPSHOT", max: 9, right: true}, {head: "TIME (UTC)", max: 16}, {head: "FATE", max: 8}, {head: "BECAUSE"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, f := range v.Snapshots {
			if !f.Kept && !v.DryRun {
				continue
			}
			fate, why := "kept", f.Reasons
			if !f.Kept {
				fate = "would go"
			}
			if more := len(why) - maxReasons; more > 0 {
				why = append(why[:maxReasons:maxReasons], fmt.Sprintf("%d more", more))
			}
			if err := add(fmt.Sprint(f.Seq), stamp(f.At), fate, strings.Join(why, ", ")); err != nil {
				return err
			}
		}
		return nil
	})
}

// Size writes bytes for a person: 28.9 MB.
func Size(n int64) string { return size(n) }
