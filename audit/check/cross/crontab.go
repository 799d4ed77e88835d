package cross

import (
	"bytes"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/crontab"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/systemd"
	"healthaudit/snapshot/analyze/trait"
)

// A line is what a line of a crontab, or a setting of a unit, says beyond what
// its item does.
type line struct {
	Line  int            `json:"l"`
	Logs  []trait.Output `json:"o,omitempty"` // placed in the file
	Alone bool           `json:"a,omitempty"` // it sees to it that it runs once at a time
}

// linesVersion is raised when linesOf finds other things in equal bytes.
const linesVersion = 3

// linesOf returns what the lines of the file of a crontab entry or a unit say.
func linesOf(p *audit.Pass, it *snapshot.Item) []line {
	f, ok := it.OwnFile()
	if !ok || f.SHA256 == "" || f.Size > crontab.MaxSize {
		return nil
	}
	return snapshot.Derive(p.Derived, "cross.lines", linesVersion, []string{f.SHA256, f.Path}, func() []line {
		if b := p.Bytes(f); it.Kind == "cron" {
			return cronLines(f.Path, b)
		} else {
			return unitLines(b)
		}
	})
}

func cronLines(file string, b []byte) (out []line) {
	for _, e := range crontab.Parse(file, b).Entries {
		l := line{Line: e.Line, Alone: trait.Alone([]byte(e.Command)), Logs: trait.Outputs(shell.Read([]byte(e.Command), shell.POSIX))}
		for i := range l.Logs {
			l.Logs[i].Line, l.Logs[i].Column = e.Line, e.Start+l.Logs[i].Column-1
		}
		out = append(out, l)
	}
	return out
}

// unitLines returns where a service writes what it says.
// Source: systemd.exec(5), StandardOutput=.
func unitLines(b []byte) (out []line) {
	u := systemd.Parse(b)
	for _, key := range []string{"StandardOutput", "StandardError"} {
		for _, e := range u.All("Service", key) {
			kind, file, _ := bytes.Cut([]byte(e.Value), []byte(":"))
			o := trait.Output{Path: string(file), Empties: string(kind) == "truncate", Line: e.Line, Column: e.Column}
			if k := string(kind); (k == "append" || k == "truncate" || k == "file") && trait.PlainFile(o.Path) {
				out = append(out, line{Line: e.Line, Logs: []trait.Output{o}})
			}
		}
	}
	return out
}
