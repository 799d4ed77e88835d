package workflow

import (
	"path"
	"slices"
	"strings"
	"sync"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
)

// derive adds what follows from the steps: the hashes of their texts, what each job
// runs, whether that is any work, and what the file starts. self is the folder of an
// action.
func derive(m *Model, self string, hash func(string) string) {
	kept, _ := allRefs.Get().(*[]snapshot.Ref)
	if kept == nil {
		kept = new([]snapshot.Ref)
	}
	found := append((*kept)[:0], m.Refs...)
	var runs []string
	for i := range m.Jobs {
		j := &m.Jobs[i]
		j.runner = runnerOf(j)
		opaque := false
		runs = runs[:0]
		for k := range j.Steps {
			s := &j.Steps[k]
			if s.run != "" {
				sh := effectiveShell(m, j, s)
				s.Run = hash(plainRun(s.run, sh))
				if !shellLike(sh) {
					s.Programs = []string{shellName(sh)}
				} else if len(s.Programs) == 0 {
					opaque = true // not parsable as shell, or only plumbing
				}
			}
			runs = append(runs, s.Programs...)
			if s.Uses != "" {
				a, _ := ActionOf(s.Uses)
				runs = append(runs, "uses:"+a)
			}
		}
		says, works := false, opaque || j.Uses != ""
		slices.Sort(runs)
		for i, r := range runs {
			if i > 0 && r == runs[i-1] {
				continue
			}
			says = says || Hollow(r)
			works = works || Works(r)
			if !setup(r) {
				j.Runs = append(j.Runs, r)
			}
		}
		j.Hollow = says && !works
		found = jobRefs(m, j, self, found)
		for k := range j.Steps {
			s := &j.Steps[k]
			if s.run != "" {
				s.traits = s.script.traits(effectiveShell(m, j, s))
			}
			s.script = nil
		}
	}
	if len(found) > 0 { // as many as there are, for they live long
		m.Refs = append(make([]snapshot.Ref, 0, len(found)), found...)
	}
	clear(found)
	*kept = found
	allRefs.Put(kept)
}

// allRefs are lists to collect refs in.
var allRefs sync.Pool // of *[]snapshot.Ref

func shellName(sh string) string {
	name, _, _ := strings.Cut(sh, " ")
	if name = path.Base(name); !trait.Named(name) {
		return trait.Computed
	}
	return name
}

func shellLike(sh string) bool {
	switch shellName(sh) {
	case ".", "bash", "sh", "zsh", "dash", "ksh":
		return true
	}
	return false
}

// A place is what the workspace of a job holds at one step: which folders are
// the project's, and which are somebody else's.
type place struct {
	own     []string // workspace folders that hold the project's root
	foreign []string // workspace folders that hold another repository, or another branch
	locked  []string // folders in which an install wrote a lockfile
}

// jobRefs appends to out what a job starts of the project. What runs before the
// project is checked out, in another repository or in a folder that is only
// known at run time starts nothing that can be looked up.
func jobRefs(m *Model, j *Job, self string, out []snapshot.Ref) []snapshot.Ref {
	if dead(j.If) {
		return out
	}
	if p, ok := Local(j.Uses); ok {
		if path.Dir(p) == ".github/workflows" {
			out = append(out, snapshot.Ref{Kind: snapshot.RefWorkflow, Name: path.Base(p), Line: j.UsesPos.Line, Column: j.UsesPos.Column, Where: j.ID})
		}
	}
	var ws place
	if m.Kind == Action {
		ws.own = []string{"."} // the caller's workspace, as a rule the project
	}
	written, fetched := map[string]bool{}, map[string]bool{}
	for k := range j.Steps {
		s := &j.Steps[k]
		if a, _ := ActionOf(s.Uses); a == "actions/checkout" {
			ws.checkout(s.with)
			continue
		}
		starts, installs, folders := m.walk(j, s, self)
		for _, name := range append(folders, s.unpacks()...) {
			fetched[name] = true
		}
		j.locksOf(s, &ws, installs)
		if dead(s.If) {
			continue
		}
		for _, name := range s.writes {
			written[name] = true
		}
		guarded := conditional(s.If) || conditional(j.If) || s.Continue == "true" || j.Continue == "true"
		for _, r := range starts {
			r.Guarded = r.Guarded || guarded
			if r, ok := ws.resolve(r); ok && !written[path.Base(r.Path)] && !refs.Within(r, fetched) {
				out = append(out, r)
			}
		}
	}
	return out
}

// unpacks returns the name of the folder that a step fills with what another made.
func (s *Step) unpacks() []string {
	if a, _ := ActionOf(s.Uses); a == "actions/download-artifact" || a == "dawidd6/action-download-artifact" {
		if dir := path.Base(cleanDir(s.with["path"])); dir != "." && !strings.Contains(dir, "$") {
			return []string{dir}
		}
	}
	return nil
}

// walk returns what a step starts, what it installs by a lockfile, and the names
// of the folders that it fetches.
func (m *Model) walk(j *Job, s *Step, self string) (starts, installs []snapshot.Ref, fetched []string) {
	if s.run != "" && shellLike(effectiveShell(m, j, s)) {
		if dir, ok := workDir(s.Dir, j.Defaults.Dir, m.Defaults.Dir); ok {
			starts, installs, fetched = s.script.walk(refs.Origin{Dir: dir, Self: self, Line: s.RunPos.Line, Column: s.RunPos.Column, Where: whereOf(j.ID, s.Key)})
		}
	}
	if p, ok := Local(s.Uses); ok {
		starts = []snapshot.Ref{{Kind: snapshot.RefAction, Path: p, Line: s.UsesPos.Line, Column: s.UsesPos.Column, Where: whereOf(j.ID, s.Key), Direct: strings.HasPrefix(s.Uses, "$/")}}
	}
	return starts, installs, fetched
}

// workDir returns the first given folder relative to the workspace; ok is
// false when it is only known at run time or lies outside.
func workDir(dirs ...string) (dir string, ok bool) {
	for _, d := range dirs {
		if d == "" {
			continue
		}
		for _, root := range []string{"${{ github.workspace }}", "${{github.workspace}}", "$GITHUB_WORKSPACE", "${GITHUB_WORKSPACE}"} {
			d = strings.TrimPrefix(strings.TrimPrefix(d, root), "/")
		}
		d = cleanDir(d)
		if strings.Contains(d, "$") || strings.HasPrefix(d, "..") || path.IsAbs(d) || strings.HasPrefix(d, "~") {
			return "", false
		}
		return d, true
	}
	return ".", true
}

// checkout notes what actions/checkout puts where.
func (w *place) checkout(with map[string]string) {
	dir := cleanDir(with["path"])
	repo := with["repository"]
	if strings.Contains(dir, "${{") {
		dir = "."
		repo = "somewhere"
	}
	branch := with["ref"] != "" && !strings.Contains(with["ref"], "${{")
	if repo != "" && !strings.Contains(repo, "github.repository") && !strings.Contains(repo, "head.repo") || branch {
		w.foreign = append(w.foreign, dir)
		w.own = slices.DeleteFunc(w.own, func(d string) bool { return d == dir })
		return
	}
	w.own = append(w.own, dir)
	w.foreign = slices.DeleteFunc(w.foreign, func(d string) bool { return d == dir })
}

// resolve turns a path in the workspace into one of the project; ok is false
// when what stands there is not the project's.
func (w *place) resolve(r snapshot.Ref) (snapshot.Ref, bool) {
	if r.Kind == snapshot.RefAction && r.Direct { // "$/": the repository itself, whatever is checked out
		r.Direct = false
		return r, true
	}
	p := &r.Path
	switch r.Kind {
	case snapshot.RefNPM:
		p = &r.Dir
	case snapshot.RefFile, snapshot.RefAction:
	default:
		return r, true
	}
	if *p == "" {
		*p = "."
	}
	best, foreign := "", false
	for i, dirs := range [][]string{w.own, w.foreign} {
		for _, d := range dirs {
			if (d == "." || *p == d || strings.HasPrefix(*p, d+"/")) && len(d) > len(best) {
				best, foreign = d, i == 1
			}
		}
	}
	if best == "" || foreign {
		return r, false
	}
	if best != "." {
		*p = path.Clean("./" + strings.TrimPrefix(*p, best))
	}
	return r, true
}

// dead reports whether a condition is never true.
func dead(cond string) bool {
	c := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(cond), "${{"), "}}"))
	return c == "false"
}

// conditional reports whether a condition may ask whether the target is there:
// a look at files, or at what an earlier step found out.
func conditional(cond string) bool {
	for _, s := range []string{"hashFiles", "steps.", "needs.", "failure()"} {
		if strings.Contains(cond, s) {
			return true
		}
	}
	return false
}

// entryPoint is a file that an action's runs key names, relative to the action.
func entryPoint(dir, file, where string, p Pos) snapshot.Ref {
	return snapshot.Ref{Kind: snapshot.RefFile, Path: path.Join(dir, file), Line: p.Line, Column: p.Column, Where: where}
}
