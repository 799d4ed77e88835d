package script

import (
	"context"
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/crontab"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/analyze/waiver"
	"healthaudit/snapshot/collect"
)

const cronVersion = 9

// A crontabModel is what is cached of one crontab: no command in clear.
type crontabModel struct {
	Entries  []entryModel `json:"e,omitempty"`
	Env      []string     `json:"v,omitempty"`
	Problems []problem    `json:"p,omitempty"`
	Done     bool         `json:"d"`
}

type entryModel struct {
	crontab.Entry
	Hash     string         `json:"h"` // first 8 hex digits of the command's sha256, its name for ever
	Refs     []snapshot.Ref `json:"r,omitempty"`
	Problems []problem      `json:"p,omitempty"`
	Marks    []trait.Mark   `json:"k,omitempty"` // what the command is like
}

func cronItems(ctx context.Context, s *collect.Session, res *collect.Result) {
	res.Sources = append(res.Sources, snapshot.Source{Name: sourceCron, OK: true})
	seen := map[string]bool{}
	for _, p := range crontabs(s) {
		if ctx.Err() != nil {
			return
		}
		if !seen[p] {
			crontabItems(s, p, res)
		}
		seen[p] = true
	}
}

func crontabItems(s *collect.Session, p string, res *collect.Result) {
	it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, "file:"+snapshot.Escape(p)), Name: p, Kind: "file", Path: p, Source: sourceCron}
	f, err := s.Files.File(p, snapshot.Own)
	it.Files = []snapshot.File{f}
	fail := func(why string) {
		it.Unknown = why
		res.Items = append(res.Items, it)
		res.Sources = append(res.Sources, snapshot.Source{Name: sourceCron + ":" + p, Message: p + ": " + why, Hint: "make the file readable for the user that runs audit"})
	}
	if err != nil {
		fail(unreadable(err))
		return
	}
	if f.Link != "" && known(s, it.Key, sourceCron+":"+p) {
		fail(linked)
		return
	}
	if f.Link != "" {
		it.Add(snapshot.Semantic, "link", snapshot.Text(f.Link))
		it.Unknown = astray(s, f)
		res.Items = append(res.Items, it)
		return
	}
	m := snapshot.Derive(s.Derived, "script.crontab", cronVersion, []string{f.SHA256, p}, func() crontabModel { return parseCrontab(s, f) })
	if !m.Done {
		if m = parseCrontab(s, f); !m.Done {
			fail(changed)
			return
		}
	}
	if !m.plausible() && !slices.Contains(s.Config.Crontabs, p) {
		if known(s, it.Key, sourceCron+":"+p) {
			fail("nothing in it is a crontab entry any more")
		}
		return // a text of that name that is no crontab
	}
	if len(m.Env) > 0 {
		it.Add(snapshot.Set, "env", snapshot.SetOf(m.Env...))
	}
	it.Add(snapshot.Semantic, "entries", snapshot.Number(len(m.Entries)))
	addSyntax(it, m.Problems)
	res.Items = append(res.Items, it)
	res.Items = append(res.Items, m.items(s.Tree, f)...)
}

// plausible reports whether the text is a crontab at all: it has an entry that
// cron understands, or it has nothing wrong.
func (m crontabModel) plausible() bool {
	return len(m.Problems) == 0 || slices.ContainsFunc(m.Entries, func(e entryModel) bool { return !e.Bad })
}

// items makes one item per command; a command scheduled twice has two schedules.
func (m crontabModel) items(t *snapshot.Tree, f snapshot.File) []*snapshot.Item {
	f.Role = snapshot.Shared
	var all []snapshot.Ref
	ends := make([]int, len(m.Entries))
	for i, e := range m.Entries {
		all = append(all, e.Refs...)
		ends[i] = len(all)
	}
	// One crontab is installed in one place: its lines are placed together.
	dirs := candidates(f.Path)
	relative, _ := best(t, all, relativeSpots(dirs))
	rooted, known := best(t, all, absoluteSpots(t, all, dirs))
	byHash := map[string]*snapshot.Item{}
	wrong := map[string][]problem{} // of all lines with one command
	for _, e := range m.Entries {
		wrong[e.Hash] = append(wrong[e.Hash], e.Problems...)
	}
	var out []*snapshot.Item
	for _, e := range m.Entries {
		it := byHash[e.Hash]
		if it == nil {
			it = e.item(f, wrong[e.Hash])
			addRefs(it, placed(e.Refs, relative, rooted, known))
			byHash[e.Hash] = it
			out = append(out, it)
		}
		it.Schedules = append(it.Schedules, e.schedule(f.Path))
	}
	for _, it := range out {
		var list []string
		for _, sc := range it.Schedules {
			list = append(list, strings.TrimSpace(sc.Expression+" "+sc.Timezone))
		}
		it.Add(snapshot.Set, "schedule", snapshot.SetOf(list...))
	}
	return out
}

func (e entryModel) item(f snapshot.File, wrong []problem) *snapshot.Item {
	name := strings.TrimSuffix(snapshot.EscapeDir(f.Path), "/")
	it := &snapshot.Item{
		Key: snapshot.NewKey(snapshot.Scripts, "cron:"+name+":"+e.Hash), Name: f.Path + ": " + e.Hash, Kind: "cron",
		Path: f.Path, Line: e.Line, Source: sourceCron + ":" + f.Path, Files: []snapshot.File{f},
	}
	if e.User != "" {
		it.Add(snapshot.Semantic, "user", snapshot.Text(e.User))
	}
	addSyntax(it, wrong)
	trait.Keep(it, e.Marks)
	return it
}

func (e entryModel) schedule(p string) snapshot.Schedule {
	sc := snapshot.Schedule{Dialect: "crontab", Expression: e.Schedule, Timezone: e.Timezone, Effective: !e.Bad && (!e.Misfit || e.User != ""), Path: p, Line: e.Line, Column: e.Column}
	base := strings.ToLower(path.Base(p))
	switch {
	case e.Bad:
		sc.Why = "cron does not understand it"
	case !sc.Effective:
		sc.Why = "no user stands before its command"
	case strings.Contains(base, "example") || strings.Contains(base, "sample"):
		sc.Effective, sc.Why = false, "the file is an example"
	}
	return sc
}

func parseCrontab(s *collect.Session, f snapshot.File) (m crontabModel) {
	b, err := s.Files.Bytes(f)
	if err != nil {
		return crontabModel{}
	}
	file := crontab.Parse(f.Path, b)
	m.Done = true
	for _, v := range file.Env {
		m.Env = append(m.Env, v.Name)
	}
	m.Problems = unfinished(b)
	wrong := map[int][]problem{}
	for _, q := range file.Problems {
		w := problem{q.Line, q.Column, weightDoubt, q.Message}
		if q.Sure {
			w.Weight = weightSure
		}
		if slices.ContainsFunc(file.Entries, func(e crontab.Entry) bool { return (e.Bad || e.Misfit) && e.Line == q.Line }) {
			wrong[q.Line] = append(wrong[q.Line], w)
			continue
		}
		m.Problems = append(m.Problems, w)
	}
	for _, e := range file.Entries {
		m.Entries = append(m.Entries, parseEntry(e, file.Env, wrong))
	}
	return m
}

func parseEntry(e crontab.Entry, env []crontab.Env, wrong map[int][]problem) entryModel {
	em := entryModel{Entry: e, Hash: snapshot.Sum([]byte(waiver.Without(e.Command)))[:8]}
	em.Problems = append(em.Problems, wrong[e.Line]...)
	em.Command = ""
	dialect := shell.POSIX
	if e.Shell == "bash" || e.Shell == "zsh" {
		dialect = shell.Bash
	}
	text := shell.Read([]byte(e.Command), dialect)
	em.Marks = commandMarks(trait.Marks([]byte(e.Command), text), refs.Origin{Line: e.Line, Column: e.Start}, true)
	wrongs := text.Problems()
	if e.Input && (len(wrongs) > 0 || cutDate().MatchString(e.Command)) {
		em.Problems = append(em.Problems, problem{e.Line, e.Start + len(e.Command), weightSure, "cron ends the command at the first % (the rest becomes its input), here in the middle: write \\%"})
		wrongs = nil
	}
	for _, q := range wrongs {
		em.Problems = append(em.Problems, problem{e.Line, e.Start + q.Column - 1, weightOf(q.Sure), q.Message})
	}
	command := expand(e, env)
	em.Refs = refs.Command(markAbsolute(command), refs.Origin{Dir: anywhere, Line: e.Line, Column: e.Start})
	for i := range em.Refs {
		em.Refs[i].Line = e.Line
		if command != e.Command {
			em.Refs[i].Column = e.Start
		}
	}
	return em
}

// cutDate matches a command that cron ends within the format of date.
var cutDate = lazyregexp.New(`\bdate\s+(-\S+\s+)*["']?\+\S*$`)

var (
	variable  = lazyregexp.New(`\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})`)
	plainPath = lazyregexp.New(`^/[\w./-]+$`)
)

// expand puts in the folders that lines above the entry give a name to
// ("APP=/srv/shop"); the shell does so when cron starts it.
func expand(e crontab.Entry, env []crontab.Env) string {
	if strings.Contains(e.Command, "'") { // what stands in single quotes is not expanded
		return e.Command
	}
	return variable().ReplaceAllStringFunc(e.Command, func(v string) string {
		name := strings.Trim(v, "${}")
		for _, line := range slices.Backward(env) {
			if line.Name == name && line.Line < e.Line {
				if plainPath().MatchString(line.Value) {
					return line.Value
				}
				break
			}
		}
		return v
	})
}

func weightOf(sure bool) string {
	if sure {
		return weightSure
	}
	return weightDoubt
}
