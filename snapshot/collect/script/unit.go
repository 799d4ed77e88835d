package script

import (
	"context"
	"path"
	"slices"
	"sort"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/systemd"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/cron"
)

// unitVersion is raised when the analysis of units changes.
const unitVersion = 7

// unitModel is what a unit file says, as cached: no value of a variable, and no
// command.
type unitModel struct {
	Facts     map[string]string   `json:"f,omitempty"`
	Env       []string            `json:"v,omitempty"` // names of variables, sorted
	Refs      []snapshot.Ref      `json:"r,omitempty"` // to be placed
	Schedules []snapshot.Schedule `json:"s,omitempty"`
	Starts    string              `json:"t,omitempty"` // the unit that a timer starts
	Problems  []problem           `json:"p,omitempty"`
	Marks     []trait.Mark        `json:"k,omitempty"` // what its commands are like
	Done      bool                `json:"d"`
}

// A unit is a service or a timer of the project.
type unit struct {
	item  *snapshot.Item
	model unitModel
}

// unitItems lists the systemd units of the project. What a timer's service starts
// the timer starts, by its schedule.
func unitItems(ctx context.Context, s *collect.Session, res *collect.Result) {
	res.Sources = append(res.Sources, snapshot.Source{Name: sourceUnits, OK: true})
	units := map[string]*unit{}
	paths := named(s, systemd.Is)
	for _, p := range paths {
		if ctx.Err() != nil {
			return
		}
		units[p] = readUnit(s, p, res)
	}
	for _, p := range paths {
		u := units[p]
		if u.model.Starts == "" {
			continue
		}
		if service := units[path.Join(path.Dir(p), u.model.Starts)]; service != nil {
			var list []snapshot.Ref
			for _, r := range service.item.Refs.All() {
				r.File = service.item.Path
				list = append(list, r)
			}
			addRefs(u.item, list)
		}
	}
}

func readUnit(s *collect.Session, p string, res *collect.Result) *unit {
	it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, "unit:"+snapshot.Escape(p)), Name: path.Base(p), Kind: strings.TrimPrefix(path.Ext(p), "."), Path: p, Source: sourceUnits}
	res.Items = append(res.Items, it)
	u := &unit{item: it}
	f, err := s.Files.File(p, snapshot.Own)
	it.Files = []snapshot.File{f}
	switch {
	case err != nil:
		it.Unknown = unreadable(err)
		return u
	case f.Link != "":
		it.Add(snapshot.Semantic, "link", snapshot.Text(f.Link))
		it.Unknown = astray(s, f)
		return u
	case f.Size > systemd.MaxSize:
		it.Unknown = "larger than 256 KiB: not read"
		return u
	}
	u.model = snapshot.Derive(s.Derived, "script.unit", unitVersion, []string{f.SHA256, p}, func() unitModel { return parseUnit(s, f) })
	if !u.model.Done {
		if u.model = parseUnit(s, f); !u.model.Done {
			it.Unknown = changed
			return u
		}
	}
	for name, v := range u.model.Facts {
		it.Add(snapshot.Semantic, name, snapshot.Text(v))
	}
	if len(u.model.Env) > 0 {
		it.Add(snapshot.Set, "env", snapshot.SetOf(u.model.Env...))
	}
	var list []string
	for _, sc := range u.model.Schedules {
		it.Schedules = append(it.Schedules, sc)
		list = append(list, strings.TrimSpace(sc.Expression+" "+sc.Timezone))
	}
	if len(list) > 0 {
		it.Add(snapshot.Set, "schedule", snapshot.SetOf(list...))
	}
	addSyntax(it, u.model.Problems)
	trait.Keep(it, u.model.Marks)
	there := slices.DeleteFunc(place(s.Tree, u.model.Refs, candidates(p)), func(r snapshot.Ref) bool {
		return location(r) != "" && !s.Tree.HasFile(location(r)) // it may be installed by hand, and from elsewhere
	})
	addRefs(it, there)
	return u
}

// shownSettings are the settings that are facts.
var shownSettings = []struct{ section, key, fact string }{
	{"Service", "Type", "type"}, {"Service", "User", "user"}, {"Service", "Restart", "restart"}, {"Service", "RestartSec", "restart-sec"},
	{"Timer", "OnUnitActiveSec", "every"}, {"Timer", "OnBootSec", "after-boot"}, {"Timer", "Persistent", "persistent"}, {"Install", "WantedBy", "wanted-by"},
}

func parseUnit(s *collect.Session, f snapshot.File) (m unitModel) {
	b, err := s.Files.Bytes(f)
	if err != nil {
		return unitModel{}
	}
	u := systemd.Parse(b)
	m = unitModel{Done: true, Facts: map[string]string{}, Problems: unfinished(b)}
	for _, q := range u.Problems {
		m.Problems = append(m.Problems, problem{q.Line, q.Column, weightDoubt, q.Message})
	}
	for _, w := range shownSettings {
		if v := u.Get(w.section, w.key); v != "" && len(v) < 200 {
			m.Facts[w.fact] = v
		}
	}
	for _, e := range u.All("Service", "Environment") {
		m.Env = append(m.Env, e.Names()...)
	}
	sort.Strings(m.Env)
	m.Env = slices.Compact(m.Env)
	for _, key := range []string{"ExecStartPre", "ExecStart", "ExecStartPost"} {
		for _, e := range u.All("Service", key) {
			command, skip := e.Command()
			o := refs.Origin{Dir: anywhere, Line: e.Line, Column: e.Column + skip, Where: key}
			m.Refs = append(m.Refs, refs.Command(markAbsolute(command), o)...)
			for _, k := range commandMarks(trait.Marks([]byte(command), shell.ReadRun([]byte(command))), o, true) {
				if key == "ExecStart" || k.Kind != trait.Idle && k.Kind != trait.Masks { // beside the work a line may well only say something
					m.Marks = append(m.Marks, k)
				}
			}
		}
	}
	if path.Ext(f.Path) == ".timer" {
		m.timer(u, f.Path)
	}
	return m
}

func (m *unitModel) timer(u *systemd.Unit, p string) {
	if m.Starts = u.Get("Timer", "Unit"); m.Starts == "" {
		m.Starts = strings.TrimSuffix(path.Base(p), ".timer") + ".service"
	}
	for _, e := range u.All("Timer", "OnCalendar") {
		expr, zone := cron.SystemdZone(e.Value)
		sc := snapshot.Schedule{Dialect: string(cron.Systemd), Expression: expr, Timezone: zone, Effective: true, Path: p, Line: e.Line, Column: e.Column}
		if _, err := cron.Parse(cron.Systemd, expr); err != nil && !cron.Unsupported(err) {
			sc.Effective, sc.Why = false, "systemd does not understand it"
			m.Problems = append(m.Problems, problem{e.Line, e.Column, weightDoubt, err.Error()})
		}
		m.Schedules = append(m.Schedules, sc)
	}
}
