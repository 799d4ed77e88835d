package report

import (
	"fmt"
	"io"
	"path"
)

// ArchiveMade writes what audit archive create made, and what is not in it.
func ArchiveMade(w io.Writer, v ArchiveView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	what := v.Kind + " archive"
	if v.Encrypted {
		what += ", encrypted"
	}
	p.line(0, inkBold, fmt.Sprintf("Archived snapshot %s: %s, %s, read back and verified.", v.Snapshot, what, size(v.Bytes)))
	p.line(2, inkNone, v.Path)
	if v.Copy != "" {
		p.line(2, inkNone, v.Copy)
	}
	p.line(2, inkDim, "sha256 "+v.SHA256)
	for _, r := range v.Removed {
		p.line(2, inkNone, "removed, as archive.keep says: "+r)
	}
	if len(v.LeftOut) > 0 {
		p.line(0, inkYellow, fmt.Sprintf("Not in it: %s.", plural(len(v.LeftOut), "file")))
		leftOut(p, v.LeftOut)
	}
	_, err := w.Write(p.Bytes())
	return err
}

// leftOut writes files under the reason that they share.
func leftOut(p *page, list []LeftOut) {
	var order []string
	by := map[string][]string{}
	for _, l := range list {
		if by[l.Reason] == nil {
			order = append(order, l.Reason)
		}
		by[l.Reason] = append(by[l.Reason], l.Path)
	}
	for _, why := range order {
		p.line(2, inkNone, why+":")
		for _, file := range by[why] {
			p.line(4, inkNone, file)
		}
	}
}

// Archives writes what audit archive list shows, in the order given: all that are
// there, or those of this project.
func Archives(w io.Writer, rows []ArchiveRow, all bool, o Options) error {
	if len(rows) == 0 && all {
		return say(w, o, "No archives, of whatever host and project: audit archive create makes one, and audit run whenever something changed.")
	}
	if len(rows) == 0 {
		return say(w, o, "No archives of this project: audit archive create makes one, and audit run whenever something changed. --all lists those of other hosts and projects.")
	}
	if _, err := w.Write(places(rows, o)); err != nil {
		return err
	}
	cols := []column{{head: "TIME (UTC)", max: 16}, {head: "#", max: 6, right: true}, {head: "KIND", max: 15}, {head: "SIZE", max: 9, right: true}, {head: "FILE"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range cleaned(rows) {
			kind := r.Kind
			if r.Encrypted {
				kind += ", encrypted"
			}
			file := path.Base(r.Path)
			if !r.Own {
				file += "\nof " + r.Host
			}
			if err := add(stamp(r.At), fmt.Sprint(r.Seq), kind, size(r.Bytes), file); err != nil {
				return err
			}
		}
		return nil
	})
}

// places names the folders of archives, each once.
func places(rows []ArchiveRow, o Options) []byte {
	p := newPage(o)
	seen := map[string]bool{}
	for _, r := range cleaned(rows) {
		if dir := path.Dir(r.Path); !seen[dir] {
			seen[dir] = true
			p.line(0, inkNone, "In "+dir+":")
		}
	}
	p.WriteByte('\n')
	return p.Bytes()
}

// ArchivesVerified writes what audit archive verify found, in the order given.
func ArchivesVerified(w io.Writer, rows []ArchiveRow, o Options) error {
	cols := []column{{head: "RESULT", max: 10}, {head: "FILE"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range cleaned(rows) {
			file := r.Path
			if r.Detail != "" {
				file += "\n" + r.Detail
			}
			if err := add(r.Result, file); err != nil {
				return err
			}
		}
		return nil
	})
}

// Imported writes what audit archive import made.
func Imported(w io.Writer, v ImportView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	newest := ""
	if v.Newest != nil {
		newest = ", the newest " + v.Newest.String()
	}
	p.line(0, inkBold, fmt.Sprintf("Made %s of %s: %s%s.", v.Store, sources(v), plural(v.Snapshots, "snapshot"), newest))
	if v.Aside != "" {
		p.line(2, inkNone, "The damaged store was set aside as "+v.Aside+".")
	}
	for _, s := range v.Skipped {
		p.line(2, inkYellow, "Not used: "+s.Path+": "+s.Reason)
	}
	if v.Kind == "slim" {
		p.line(2, inkDim, "Slim archives hold no journal, no history of findings, no baseline and nothing that was accepted; those begin anew.")
	} else {
		p.line(2, inkDim, "Journal, baseline and what was accepted are as they were when the full archive was made.")
	}
	_, err := w.Write(p.Bytes())
	return err
}

// sources says of how many archives a store was made: of one full one at most.
func sources(v ImportView) string {
	n := len(v.From)
	switch {
	case v.Kind == "full" && n == 2:
		return "1 full archive and a slim one made since"
	case v.Kind == "full" && n > 2:
		return fmt.Sprintf("1 full archive and %d slim ones made since", n-1)
	}
	return plural(n, v.Kind+" archive")
}

// Drilled writes what came of audit archive drill.
func Drilled(w io.Writer, v DrillView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	if v.Passed {
		p.line(0, inkBold, fmt.Sprintf("It comes back: %s byte for byte, and an audit of them finds %s of snapshot %s again.", plural(v.Files, "file"), plural(v.Items, "item"), v.Snapshot))
		p.line(2, inkNone, v.Path)
	} else if len(v.Differences) == 1 && v.Differences[0].Path == v.Path { // of the archive itself
		p.line(0, inkRed, "It does not come back: "+v.Differences[0].Reason+".")
		p.line(2, inkNone, v.Path)
	} else {
		p.line(0, inkRed, fmt.Sprintf("It does not come back as it was: %s.", plural(len(v.Differences), "difference")))
		p.line(2, inkNone, v.Path)
		for _, d := range v.Differences {
			p.line(2, inkNone, d.Path+": "+d.Reason)
		}
	}
	if v.LeftOut > 0 {
		p.line(0, inkDim, fmt.Sprintf("Not in it, and not looked for: %s. The manifest in the archive names them.", plural(v.LeftOut, "file")))
	}
	_, err := w.Write(p.Bytes())
	return err
}
