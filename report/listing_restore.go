package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Restore writes how many files a restore treated how, each that it did not find
// as it should be, how processes were defined, and how to undo it.
func Restore(w io.Writer, v RestoreView, o Options) error {
	patches := v.patches()
	v = cleaned(v)
	p := newPage(o)
	verb := "Restored from"
	if v.DryRun {
		verb = "Dry run, nothing was written: from"
		for i, f := range v.Files {
			switch f.Action {
			case "written":
				v.Files[i].Action = "to write"
			case "removed":
				v.Files[i].Action = "to remove"
			}
		}
	}
	from := fmt.Sprintf("%s snapshot %s", verb, v.Snapshot)
	if v.Undone > 0 {
		from = fmt.Sprintf("%s before restore %d", strings.Replace(verb, "from", "as it was", 1), v.Undone)
	}
	if v.Archive != "" {
		from += " in " + v.Archive
	}
	p.line(0, inkBold, fmt.Sprintf("%s to %s: %s.", from, v.Target, v.totals()))
	if slices.ContainsFunc(v.Files, func(f RestoreFile) bool { return f.Action != "unchanged" }) {
		p.WriteByte('\n')
	}
	if _, err := w.Write(p.Bytes()); err != nil {
		return err
	}
	if err := restoreFiles(w, v, o); err != nil {
		return err
	}
	_, err := w.Write(v.ending(patches, o))
	return err
}

func restoreFiles(w io.Writer, v RestoreView, o Options) error {
	cols := []column{{head: "ACTION", max: 9}, {head: "BYTES", max: 12, right: true}, {head: "FILE"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, f := range v.Files {
			if f.Action == "unchanged" {
				continue // most of them, and nothing to know but how many
			}
			file := f.Path
			if f.From != "" {
				file += "\nas in snapshot " + f.From
			}
			if f.Reason != "" {
				file += "\n" + f.Reason
			}
			if err := add(f.Action, group(f.Bytes), file); err != nil {
				return err
			}
		}
		return nil
	})
}

// patches are the differences of the files, whose lines are cleaned one by one.
func (v RestoreView) patches() (out []Patch) {
	for _, f := range v.Files {
		if f.Patch != "" {
			out = append(out, Patch{f.Path, f.Patch})
		}
	}
	return out
}

// ending is what follows the files: differences, processes, the way back.
func (v RestoreView) ending(patches []Patch, o Options) []byte {
	p := newPage(o)
	for _, x := range patches {
		p.patch(x)
	}
	for _, r := range v.Processes {
		p.WriteByte('\n')
		p.line(0, inkBold, "Definition of "+r.Item+":")
		for _, name := range slices.Sorted(maps.Keys(r.Definition)) {
			mark := ""
			if slices.Contains(r.Differs, name) {
				mark = "   (another in the latest snapshot)"
			}
			p.line(2, inkNone, name+": "+r.Definition[name]+mark)
		}
		p.line(0, inkNone, r.Next)
	}
	if v.Undo > 0 {
		p.WriteByte('\n')
		p.line(0, inkNone, "What was overwritten is in the store. To undo this: "+v.undoing())
	}
	return p.Bytes()
}

// undoing is the command that undoes a restore.
func (v RestoreView) undoing() string {
	cmd := fmt.Sprintf("audit restore --undo %d", v.Undo)
	if v.TargetGiven {
		cmd += " --target " + v.Target
	}
	return cmd
}
