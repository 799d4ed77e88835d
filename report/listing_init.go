package report

import (
	"io"
	"strings"
)

// An InitView is what audit init found and did.
type InitView struct {
	Root      string
	DryRun    bool
	Found     []InitFound
	Steps     []InitStep
	NotInPath bool // the shell would not find a program called audit
	Failed    bool // not everything could be written
	Told      bool // the heading was said before, to who was asked
}

// An InitFound is how much there is of one system.
type InitFound struct {
	System, Status, Reason string
	Items                  int
}

// An InitStep is one file. State: written, there, left out, failed, would write.
type InitStep struct{ State, Path, What string }

// Init writes what was found, what was done, and what to do next.
func Init(w io.Writer, v InitView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	if !v.Told {
		p.line(0, inkBold, v.Heading())
	}
	p.WriteByte('\n')
	g := &grid{indent: 2, cols: []column{{max: 11}, {max: 30}, {}}}
	wrote := false
	for _, s := range v.Steps {
		c := map[string]ink{"written": inkGreen, "failed": inkAlarm, "left out": inkYellow, "there": inkDim}[s.State]
		g.add(cell{s.State, c}, plain(s.Path), plain(s.What))
		wrote = wrote || s.State == "written" || s.State == "failed"
	}
	p.grid(g)
	switch {
	case v.DryRun:
		p.title(inkNone, "This was a dry run: nothing was written.")
	case !wrote:
		p.title(inkNone, "Nothing had to be written.")
	}
	if v.Failed {
		_, err := w.Write(p.Bytes())
		return err
	}
	p.WriteByte('\n')
	p.line(0, inkBold, "Next:")
	next := &grid{indent: 2, cols: []column{{max: 20}, {}}}
	next.add(plain("audit run"), plain("look, judge, remember; the report says what to do"))
	next.add(plain("audit cron install"), plain("from now on, every 15 minutes, silent while all is well"))
	next.add(plain("audit doctor"), plain("is everything there that audit needs?"))
	p.grid(next)
	if v.NotInPath {
		p.line(0, inkYellow, "Your shell does not find audit by that name yet: put it into a folder of your PATH, such as /usr/local/bin.")
	}
	_, err := w.Write(p.Bytes())
	return err
}

// Heading says in one line what was found.
func (v InitView) Heading() string { return Clean("Looked at " + v.Root + ": " + v.found()) }

func (v InitView) found() string {
	var parts, broken []string
	for _, f := range v.Found {
		switch {
		case f.Status == "ok" || f.Status == "partial":
			noun := strings.TrimSuffix(f.System, "s")
			if f.System == "pm2" {
				noun = "PM2 item"
			}
			parts = append(parts, plural(f.Items, noun))
		case f.Status == "error":
			broken = append(broken, f.System+" could not be read ("+f.Reason+")")
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no automation that audit knows (is this the project? --root DIR names another folder)")
	}
	return strings.Join(append([]string{strings.Join(parts, ", ")}, broken...), "; ") + "."
}
