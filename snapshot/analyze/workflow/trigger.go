package workflow

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (b *builder) triggers(m *Model, n *yaml.Node) {
	if n = deref(n); n == nil {
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if t := text(n); t != "" {
			m.Triggers = append(m.Triggers, Trigger{Event: t, Pos: at(n)})
		}
	case yaml.SequenceNode:
		for e := range each(n) {
			if t := text(e); t != "" {
				m.Triggers = append(m.Triggers, Trigger{Event: t, Pos: at(e)})
			}
		}
	case yaml.MappingNode:
		for k, v := range pairs(n) {
			t := Trigger{Event: text(k), Pos: at(k)}
			if k.Value == "schedule" {
				m.Schedules = append(m.Schedules, schedules(v)...)
			} else {
				t.Filters = b.filters(v)
			}
			m.Triggers = append(m.Triggers, t)
		}
	}
}

func schedules(n *yaml.Node) []Schedule {
	var out []Schedule
	for e := range each(n) {
		for k, v := range pairs(e) {
			if k.Value != "cron" {
				continue
			}
			out = append(out, Schedule{Cron: strings.TrimSpace(text(v)), Timezone: text(child(e, "timezone")), Pos: at(v)})
		}
	}
	return out
}

// filters returns what stands below an event. Of inputs only names, types and
// whether they are required are told: a default is a value.
func (b *builder) filters(n *yaml.Node) []Filter {
	var out []Filter
	for k, v := range pairs(n) {
		f := Filter{Name: text(k)}
		switch k.Value {
		case "inputs", "outputs", "secrets":
			for name, in := range pairs(v) {
				s := text(name)
				if t := text(child(in, "type")); t != "" {
					s += ": " + t
				}
				if strings.EqualFold(text(child(in, "required")), "true") {
					s += "!"
				}
				f.Values = append(f.Values, s)
			}
		default:
			f.Values = list(v)
		}
		out = append(out, f)
	}
	return out
}
