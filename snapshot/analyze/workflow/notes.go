package workflow

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/mask"
)

// Families of notes. Unlike the messages of a linter they are no complaint
// each: checks draw conclusions of them, often of many files together.
const (
	NoteHollow   = "hollow"    // nothing in the file does anything; one for each file
	NoteGreen    = "green"     // no step that works can fail the run; Subject: how many steps work
	NoteLock     = "lock"      // the step fails without a lockfile; Subject: manager and folder, "npm web"
	NoteComment  = "comment"   // a schedule is not what its comment says
	NoteLanguage = "language"  // a script is in another language than its shell reads
	NoteShell    = "shell"     // a script does not parse: the shell ends in the middle of it
	NoteEnvKey   = "env-key"   // a key of the syntax stands below env; Subject: the key
	NotePush     = "push"      // started by a push, it pushes with a token that starts workflows
	NotePushes   = "pushes"    // it pushes commits; Subject: why GitHub refuses that, "" where it does not
	NoteOwnToken = "own-token" // the job runs on any push, with a token whose pushes start workflows
	NoteMachine  = "machine"   // it uses a path of one machine that is not its runner; Subject: whose, a name of package trait
	NoteDispatch = "dispatch"  // it starts a workflow on no condition; Subject: the name or file it is asked for by
	NoteNever    = "never"     // its condition asks for an occasion that the workflow does not have; Subject: an event, "schedule " and a cron expression, or "is ", a context and what it never is
	NoteDeclares = "declares"  // what calls of the file may give; Text: see GivesInput; one for each file
	NoteCalls    = "calls"     // it calls a local workflow or action; Text: what it gives
	NoteStatus   = "status"    // it begins with asking for $?; Subject: "after failure" where it runs after a failure too
)

// notes returns what is to be known of a file beyond what a linter says, in
// order of position.
func (d *Document) notes(m *Model) []Message {
	var out, locks []Message
	if m.Kind == Workflow {
		out = append(out, bodyNotes(m, d.src)...)
		out = append(out, commentNotes(m, d.lines())...)
		out = append(out, pushNotes(m)...)
		out = append(out, d.pushesNotes(m)...)
		out = append(out, ownToken(m)...)
		out = append(out, envKeys(d.root, m)...)
		out = append(out, d.neverNotes(m)...)
	}
	for i := range m.Jobs {
		for _, l := range m.Jobs[i].locks { // one for each file and folder: the cure is the same
			if !slices.ContainsFunc(locks, func(o Message) bool {
				return strings.TrimPrefix(o.Subject, "cache-") == l.Subject || o.Subject == l.Subject
			}) {
				locks = append(locks, l)
			}
		}
		masked := false
		for _, s := range m.Jobs[i].Steps {
			if k := s.traits.status; k != nil {
				out = append(out, Message{Pos: d.within(&s, k.Line, k.Column), Family: NoteStatus, Where: whereOf(m.Jobs[i].ID, s.Key), Subject: afterFailure(&s, masked)})
			}
			masked = masked || s.Continue != "" && s.Continue != "false"
			for _, name := range s.traits.dispatches {
				if m.Kind == Workflow && s.If == "" && m.Jobs[i].If == "" {
					out = append(out, Message{Pos: s.RunPos, Family: NoteDispatch, Where: whereOf(m.Jobs[i].ID, s.Key), Subject: name})
				}
			}
			if p := s.traits.broken; p != nil {
				out = append(out, Message{Pos: d.within(&s, p.Line, p.Column), Family: NoteShell, Where: whereOf(m.Jobs[i].ID, s.Key), Text: mask.Credentials(p.Message)})
			}
			for _, k := range s.traits.machines {
				if !ownMachine(m.Jobs[i].RunsOn) {
					out = append(out, Message{Pos: d.within(&s, k.Line, k.Column), Family: NoteMachine, Where: whereOf(m.Jobs[i].ID, s.Key), Subject: k.Name})
				}
			}
			if s.traits.foreign != "" {
				out = append(out, Message{Pos: s.RunPos, Family: NoteLanguage, Where: whereOf(m.Jobs[i].ID, s.Key), Text: s.traits.foreign})
			}
		}
	}
	out = append(out, locks...)
	slices.SortStableFunc(out, byPlace)
	out = slices.CompactFunc(out, func(a, b Message) bool { // of steps that are one by an alias, the first
		a.Where, b.Where = "", ""
		return a == b
	})
	out = out[:min(len(out), maxMessages)]
	calls := d.callNotes(m) // many, and most are no fault: they do not take the place of the others
	slices.SortStableFunc(calls, byPlace)
	out = append(out, calls[:min(len(calls), maxMessages)]...)
	slices.SortStableFunc(out, byPlace)
	return out
}

func byPlace(a, b Message) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) }

// afterFailure is "after failure" for a step that may run when one before it failed.
func afterFailure(s *Step, masked bool) string {
	cond := strings.ToLower(s.If)
	if masked || strings.Contains(cond, "always(") || strings.Contains(cond, "failure(") || strings.Contains(cond, "cancelled(") {
		return "after failure"
	}
	return ""
}

// within returns where a place of a step's run text stands in the file.
func (d *Document) within(s *Step, line, column int) Pos {
	t := ShellText{Pos: s.RunPos, raw: strings.Split(s.run, "\n"), src: d.lines()}
	return t.Place(line, column)
}

// ownMachine reports whether a job may run on a machine of its owner's.
func ownMachine(labels []string) bool {
	return slices.ContainsFunc(labels, func(l string) bool {
		hosted := strings.HasPrefix(l, "ubuntu-") || strings.HasPrefix(l, "macos-") || strings.HasPrefix(l, "windows-")
		return !hosted
	})
}

func whereOf(job, step string) string {
	if job == "" {
		return step
	}
	return job + "/" + step
}

// body returns a digest of what the workflow does and when, without the names
// that are only shown: equal for files that differ in those and in comments.
func (d *Document) body() string {
	kept, _ := bodies.Get().(*[]byte)
	if kept == nil {
		kept = new([]byte)
	}
	b := (*kept)[:0]
	for k, v := range pairs(d.root) {
		switch strings.ToLower(k.Value) {
		case "name", "run-name":
		case "jobs":
			for id, job := range pairs(v) {
				b = append(append(b, 6), id.Value...)
				b = appendUnnamed(b, job, true)
			}
		default:
			b = appendPair(b, k, v)
		}
	}
	h := sha256.Sum256(b)
	*kept = b
	bodies.Put(kept)
	return hex.EncodeToString(h[:8])
}

// bodies are buffers of body, which it needs once for each file.
var bodies sync.Pool // of *[]byte

func appendUnnamed(b []byte, n *yaml.Node, job bool) []byte {
	for k, v := range pairs(n) {
		switch key := strings.ToLower(k.Value); {
		case key == "name":
		case key == "steps" && job:
			for s := range each(v) {
				b = appendUnnamed(append(b, 7), s, false)
			}
		default:
			b = appendPair(b, k, v)
		}
	}
	return b
}

// bodyNotes tells files that do nothing, and files that cannot fail.
func bodyNotes(m *Model, src []byte) []Message {
	idle, says, works, masked := len(m.Jobs) > 0, false, 0, 0
	var first Pos
	for i := range m.Jobs {
		j := &m.Jobs[i]
		idle = idle && j.Uses == "" && j.Environment == "" && len(j.Steps) > 0
		if j.Uses != "" {
			works++
		}
		for _, s := range j.Steps {
			talk, work, safe := s.kind()
			idle, says = idle && !work, says || talk
			if !work || s.traits.calm {
				continue
			}
			if works++; safe || s.Continue == "true" || j.Continue == "true" {
				if masked++; masked == 1 {
					first = s.Pos
				}
			}
		}
	}
	switch {
	case idle && says:
		return []Message{{Pos: m.Jobs[0].Pos, Family: NoteHollow}}
	case works > 0 && works == masked && !asksOutcome(src):
		return []Message{{Pos: first, Family: NoteGreen, Subject: itoa(works)}}
	}
	return nil
}

// asksOutcome reports whether a file looks at how its steps ended, so that a
// masked one is not lost.
func asksOutcome(src []byte) bool {
	return bytes.Contains(src, []byte(".outcome")) || bytes.Contains(src, []byte(".conclusion")) || bytes.Contains(src, []byte("PIPESTATUS"))
}

// kind says whether a step only says something, does work, and cannot fail.
func (s *Step) kind() (talk, work, safe bool) {
	switch {
	case s.Uses != "":
		a, _ := ActionOf(s.Uses)
		return false, !setup("uses:" + a), false
	case s.run == "":
		return false, false, false
	}
	return s.traits.talk, !s.traits.idle, s.traits.safe
}

// envKeys finds keys of the workflow syntax that became environment variables:
// a line that lost or gained an indent.
func envKeys(root *yaml.Node, m *Model) []Message {
	var out []Message
	look := func(n *yaml.Node) {
		for k := range pairs(child(n, "env")) {
			if syntaxKeys[k.Value] {
				out = append(out, Message{Pos: at(k), Family: NoteEnvKey, Where: whereIs(m, k.Line), Subject: k.Value})
			}
		}
	}
	look(root)
	for _, job := range pairs(child(root, "jobs")) {
		look(job)
		for s := range each(child(job, "steps")) {
			look(s)
		}
	}
	return out
}

// syntaxKeys are keys that nobody names an environment variable after.
var syntaxKeys = map[string]bool{"runs-on": true, "timeout-minutes": true, "continue-on-error": true, "working-directory": true,
	"cancel-in-progress": true, "permissions": true, "steps": true, "strategy": true, "fail-fast": true, "max-parallel": true, "uses": true}

func (j *Job) lock(manager, dir, where string, p Pos) {
	j.locks = append(j.locks, Message{Pos: p, Family: NoteLock, Where: where, Subject: manager + " " + path.Clean(dir)})
}

// locksOf notes what a step needs a lockfile for: an install that takes its
// versions from there alone, or actions/setup-node told to cache, which looks
// for one in the root of the workspace.
// Source: https://docs.npmjs.com/cli/commands/npm-ci; actions/setup-node src/cache-utils.ts
func (j *Job) locksOf(s *Step, ws *place, installs []snapshot.Ref) {
	if s.Continue == "true" || j.Continue == "true" || s.If != "" || j.If != "" && conditional(j.If) {
		return
	}
	where := whereOf(j.ID, s.Key)
	if a, _ := ActionOf(s.Uses); a == "actions/setup-node" {
		switch manager := s.with["cache"]; {
		case s.with["cache-dependency-path"] != "":
		case manager == "npm", manager == "yarn", manager == "pnpm":
			if r, ok := ws.resolve(snapshot.Ref{Kind: snapshot.RefNPM, Dir: "."}); ok {
				j.lock("cache-"+manager, r.Dir, where, s.UsesPos)
			}
		}
		return
	}
	for _, r := range installs {
		if r.Name == "install" {
			ws.locked = append(ws.locked, r.Dir)
			continue
		}
		made := slices.Contains(ws.locked, r.Dir)
		if r, ok := ws.resolve(r); ok && !made && !r.Guarded {
			j.lock(r.Name, r.Dir, where, Pos{r.Line, r.Column})
		}
	}
}
