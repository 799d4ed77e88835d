package report

import (
	"io"
)

// A DoctorView is what audit doctor found, in the order in which it looked.
type DoctorView struct {
	Rows []DoctorRow `json:"rows"`
	ToDo int         `json:"to_do"` // how many need doing
}

// A DoctorRow is one thing that audit depends on. State: ok, note (worth
// knowing), todo (does not work as it should).
type DoctorRow struct {
	Area   string `json:"area"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail"`
	ToDo   string `json:"to_do"` // what to do about it; may stand with a note as well
}

// Doctor writes the rows by area, and what needs doing once more at the end.
func Doctor(w io.Writer, v DoctorView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	marks := map[string]struct {
		text string
		ink  ink
	}{"ok": {"ok", inkGreen}, "note": {"note", inkYellow}, "todo": {"TO DO", inkAlarm}}
	area := ""
	g := &grid{}
	flush := func() { p.grid(g) }
	for _, r := range v.Rows {
		if r.Area != area {
			flush()
			if area != "" {
				p.WriteByte('\n')
			}
			area = r.Area
			p.line(0, inkBold, area)
			g = &grid{indent: 2, cols: []column{{max: 5}, {max: 14}, {}}}
		}
		text := r.Detail
		if r.ToDo != "" {
			text += "\n-> " + r.ToDo
		}
		m := marks[r.State]
		g.add(cell{m.text, m.ink}, plain(r.Name), plain(text))
	}
	flush()
	p.WriteByte('\n')
	if v.ToDo == 0 {
		p.line(0, inkGreen, "Nothing needs doing.")
	} else {
		verb := " need doing."
		if v.ToDo == 1 {
			verb = " needs doing."
		}
		p.line(0, inkAlarm, plural(v.ToDo, "thing")+verb)
	}
	_, err := w.Write(p.Bytes())
	return err
}
