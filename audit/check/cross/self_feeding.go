package cross

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/analyze/workflow"
)

// SelfFeeding reports automation that sets itself going again.
var SelfFeeding = &audit.Check{
	ID:         "cross-self-feeding",
	Needs:      []snapshot.System{snapshot.PM2, snapshot.Workflows, snapshot.Functions, snapshot.Scripts},
	Title:      "sets itself going again",
	Severity:   audit.High,
	Confidence: audit.Likely,
	Version:    2,
	Doc: "The end of a run is the beginning of the next one, across systems, so that no single file shows it: a workflow starts a script that starts the workflow; a PM2 app runs what restarts the app; " +
		"the build at Netlify, a plugin of it or a function that runs after a deploy asks for the next build by a build hook; a workflow that any push starts runs a script that pushes with a token of its own. " +
		"Such a circle ends when the minutes of the month do. Calls on a condition, with arguments, from the code of a program, and whatever looks at who or what started it, are left out; " +
		"circles of workflows alone are told by `workflow-loop`, those of npm scripts by `script-npm-recursion`.",
	Hint:          "Cut the circle where it costs least: a schedule instead of the last call, a condition in front of it (INCOMING_HOOK_TITLE at Netlify, `[skip ci]` in the commit, github.actor in the workflow).",
	Discriminator: "the items of the circle, sorted; \"build\" or \"push\" and the script otherwise",
	Source:        "https://docs.netlify.com/configure-builds/build-hooks/; https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/trigger-a-workflow; measured: a build plugin that calls the build hook after each build",
	Still:         true,
	Judge:         judgeSelfFeeding,
}

func judgeSelfFeeding(p *audit.Pass) {
	table := refs.NewTable(p.Now, p.Derived)
	circles(p, table)
	builds(p)
	pushes(p, table)
}

// circles finds items that start each other, of more than one kind: what is of
// one kind has a check of its own.
func circles(p *audit.Pass, table *refs.Table) {
	edges := map[snapshot.Key][]edge{}
	for _, it := range p.Items() {
		for _, r := range it.Refs.All() {
			to := p.Now.Item(table.Resolve(r).Item)
			if r.Guarded || r.Args || r.Loads() || r.Where == snapshot.Child || to == nil || to.Kind == "file" {
				continue
			}
			edges[it.Key] = append(edges[it.Key], edge{to.Key, r})
		}
	}
	told := map[string]bool{}
	for _, it := range p.Items() {
		way := refs.Circle(it.Key, func(k snapshot.Key) iter.Seq[snapshot.Key] { return ends(edges[k]) })
		if way == nil || !mixed(p, way) {
			continue
		}
		keys := slices.Clone(way)
		slices.Sort(keys)
		id := spellKeys(keys, " ")
		if told[id] {
			continue
		}
		told[id] = true
		i := slices.IndexFunc(edges[way[0]], func(e edge) bool { return e.to == way[1%len(way)] })
		r := edges[way[0]][i].ref
		message := spellKeys(append(slices.Clone(way), way[0]), " → ")
		p.Report(audit.Report{Item: it.Key, Discriminator: id, Wide: len(way) > 1,
			At:      audit.Location{Path: cmp.Or(r.File, it.Path), Line: r.Line, Column: r.Column},
			Message: "each run starts the next one: " + message})
	}
}

type edge struct {
	to  snapshot.Key
	ref snapshot.Ref
}

// ends gives where edges lead.
func ends(list []edge) iter.Seq[snapshot.Key] {
	return func(yield func(snapshot.Key) bool) {
		for _, e := range list {
			if !yield(e.to) {
				return
			}
		}
	}
}

// mixed reports whether a circle is neither of npm scripts nor of workflows alone.
func mixed(p *audit.Pass, way []snapshot.Key) bool {
	return slices.ContainsFunc(way, func(k snapshot.Key) bool { return p.Now.Item(k).Kind != "npm" }) &&
		slices.ContainsFunc(way, func(k snapshot.Key) bool { return k.System() != snapshot.Workflows })
}

func spellKeys(keys []snapshot.Key, between string) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = string(k)
	}
	return strings.Join(out, between)
}

var (
	buildHook = lazyregexp.New(`api\.netlify\.com/build_hooks/|\bprocess\.env\.\w*BUILD_HOOK\w*|\$\{?\w*BUILD_HOOK\w*|\benviron(?:\.get)?[(\[]["']\w*BUILD_HOOK\w*`)
	asks      = lazyregexp.New(`\b(?:fetch|axios|got|request|curl|wget|post|https?\.request|urlopen)\b`)
	looksBack = lazyregexp.New(`INCOMING_HOOK_(?:TITLE|BODY|URL)`)
)

// hook returns the line of a text that asks Netlify for a build without looking
// whether that is what started it; 0 when there is none.
func hook(p *audit.Pass, f snapshot.File) int {
	if f.SHA256 == "" || f.Size > 1<<20 {
		return 0
	}
	return snapshot.Derive(p.Derived, "cross.hook", 1, []string{f.SHA256}, func() int {
		b := p.Bytes(f)
		at := buildHook().FindIndex(b)
		if at == nil || !asks().Match(b) || looksBack().Match(b) {
			return 0
		}
		line, _ := position(b, at[0])
		return line
	})
}

// builds finds what Netlify runs for each build, or after it, and that asks for
// the next one.
func builds(p *audit.Pass) {
	for _, it := range p.Now.Of(snapshot.Functions) {
		switch {
		case it.Carried:
		case it.Kind == "file":
			for _, s := range started(p, it) {
				f, _ := s.OwnFile()
				if n := hook(p, f); n > 0 && s.Kind == "script" {
					p.Report(audit.Report{Item: it.Key, Discriminator: "build " + s.Path, At: audit.Location{Path: s.Path, Line: n},
						Hint:    "Ask only where INCOMING_HOOK_TITLE is empty, which Netlify sets in a build that a hook began; or let a schedule ask.",
						Message: fmt.Sprintf("the build of %s runs %s, which asks Netlify for the next build", it.Path, s.Path)})
				}
			}
		case netlify.EventNamed(it.Name) && strings.HasPrefix(it.Name, "deploy-"):
			for _, f := range it.Files {
				if n := hook(p, f); n > 0 {
					p.Report(audit.Report{Item: it.Key, Discriminator: "build " + f.Path, At: audit.Location{Path: f.Path, Line: n},
						Hint:    "Let a scheduled function ask for the build, or whatever changes the content: what follows each deploy must not begin one.",
						Message: fmt.Sprintf("%s runs after each deploy, and asks Netlify for the next build", it.Name)})
					break
				}
			}
		}
	}
}

// endsLoop matches what ends a loop of pushes: it looks at what changed, at who
// pushed, or tells GitHub to start nothing.
var endsLoop = lazyregexp.New(`(?i)skip ci|ci skip|no ci|skip actions|actions skip|skip-checks|git diff|git status|--porcelain|git (?:checkout|switch)|--tags|HEAD:|github.?actor|nothing to commit|\|\|`)

// pushes finds workflows that any push starts, with a token whose pushes start
// workflows, and that run a script which pushes.
func pushes(p *audit.Pass, table *refs.Table) {
	index := marksOf(p)
	for _, it := range p.Now.Of(snapshot.Workflows) {
		if it.Carried || it.Kind != string(workflow.Workflow) {
			continue
		}
		for _, n := range verdictOf(p, it).Notes {
			if n.Family != workflow.NoteOwnToken {
				continue
			}
			for _, r := range it.Refs.All() {
				job, _, _ := strings.Cut(r.Where, "/")
				s := p.Now.Item(table.Resolve(r).Item)
				if r.Guarded || job != n.Where || s == nil || s.Kind != "script" {
					continue
				}
				f, _ := s.OwnFile()
				if m, ok := index.First(s, trait.Push); ok && !endsLoop().Match(p.Bytes(f)) {
					p.Report(audit.Report{Item: it.Key, Discriminator: "push " + s.Path, At: audit.Location{Path: it.Path, Line: r.Line, Column: r.Column}, Severity: audit.Medium,
						Hint:     "Write `[skip ci]` into the message of the commit, push with GITHUB_TOKEN, or end the script where nothing changed (`git diff --quiet && exit`).",
						Message:  fmt.Sprintf("every push starts %s, and it runs %s, which pushes with a token of its own", what(it), s.Path),
						Evidence: []audit.Evidence{{Name: "push", Value: fmt.Sprintf("%s:%d", s.Path, m.Line)}}})
				}
			}
		}
	}
}
