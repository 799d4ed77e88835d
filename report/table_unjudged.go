package report

import (
	"fmt"
	"strings"
)

// notJudged says what is not known, and why.
func (r *reading) notJudged() {
	g := &grid{indent: 2, cols: []column{{max: r.width * 2 / 5}, {}}}
	for _, u := range r.unjudged() {
		g.add(plain(u[0]), plain(u[1]))
	}
	if len(g.rows) > 0 {
		r.title(inkYellow, "NOT JUDGED")
		r.grid(g)
	}
}

// unjudged lists what is not known, each with why.
func (r *reading) unjudged() (out [][2]string) {
	told := map[string]bool{}
	for _, e := range r.Errors {
		where := e.System
		if e.Source != "" {
			where = strings.TrimPrefix(where+": "+e.Source, ": ")
		}
		what := long(e.Message)
		if e.Hint != "" {
			what += "\nTo do: " + long(e.Hint)
		}
		told[e.System+"\x00"+e.Message] = true
		out = append(out, [2]string{where, what})
	}
	for _, s := range r.Systems {
		if s.Reason != "" && s.Status != "absent" && !told[s.System+"\x00"+s.Reason] {
			reason := s.Reason
			if n := r.told(s); n > 0 {
				reason += " (" + plural(n, "item") + ")"
			}
			if s.Status != "ok" {
				reason = s.Status + ": " + reason
			}
			out = append(out, [2]string{s.System, reason})
		}
	}
	return append(out, r.unknown()...)
}

// told counts the unknown items whose reason begins that of their system, and
// need not be told again.
func (r *reading) told(s System) (n int) {
	for _, it := range r.Items {
		if it.System == s.System && it.Level == "unknown" && it.Unknown != "" && strings.HasPrefix(s.Reason, it.Unknown) {
			n++
		}
	}
	return n
}

// unknown joins the unknown items of a system that have one reason, except
// those that the system's own reason tells.
func (r *reading) unknown() [][2]string {
	type why struct{ system, reason string }
	reasons := map[string]string{}
	for _, s := range r.Systems {
		reasons[s.System] = s.Reason
	}
	keys := map[why][]string{}
	var order []why
	for _, it := range r.Items {
		if it.Level != "unknown" || it.Unknown != "" && strings.HasPrefix(reasons[it.System], it.Unknown) {
			continue
		}
		w := why{it.System, it.Unknown}
		if keys[w] == nil {
			order = append(order, w)
		}
		keys[w] = append(keys[w], it.Key)
	}
	var out [][2]string
	for _, w := range order {
		of, reason := keys[w], w.reason
		if reason == "" {
			reason = "could not be judged"
		}
		where := plural(len(of), "item") + " of " + w.system
		if len(of) == 1 {
			where = of[0]
		} else if len(of) <= maxShown {
			reason += ": " + strings.Join(of, ", ")
		} else {
			reason += fmt.Sprintf(": %s and %s more", strings.Join(of[:maxShown], ", "), group(len(of)-maxShown))
		}
		out = append(out, [2]string{where, reason})
	}
	return out
}
