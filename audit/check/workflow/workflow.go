// Package workflow judges GitHub workflows and local actions.
//
// Invariants: checks are pure; a place they name is one a reader can click;
// one cause gives one finding. They judge what would stop or distort a run, not
// style.
package workflow

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// All lists the checks of this package.
var All = patient([]*audit.Check{Syntax, Lint, MissingTarget, CallMismatch, NoLockfile, SharedConcurrency, BranchesCancel, Gutted, Hollow, AlwaysGreen, Clones, Language, EnvKey,
	ScheduleComment, DeadTrigger, Loop, PushRefused, NotLoaded, NoDispatch, OnTheHour, OldRuntime, ShellSyntax, Shellcheck,
	TemplateInjection, DangerousTrigger, ExcessivePermissions, UnpinnedAction, HardcodedCredentials, SecretsInherit, OverprovisionedSecrets,
	UnredactedSecrets, InsecureCommands, UnsoundCondition, UnsoundContains, UnsoundTernary, BotCondition, ArchivedAction, Misfeature,
	UnpinnedTool, UnpinnedImage, SelfHostedOnPR, AdhocPackage, DeadCondition, StatusLost})

// patient has the checks keep what was open of a file while GitHub cannot load
// it: they do not see all of it then, and nothing of it counts as mended.
func patient(list []*audit.Check) []*audit.Check {
	for _, c := range list {
		if c == Syntax || c == NotLoaded {
			continue
		}
		judge := c.Judge
		c.Judge = func(p *audit.Pass) {
			for _, it := range broken(p) {
				p.DoubtAll(it.Key)
			}
			judge(p)
		}
	}
	return list
}

// A judge asks for the verdicts on the files of one snapshot.
type judge struct {
	p *audit.Pass
	*verdicts
}

// verdicts are what all checks of one run share: asking the cache for each check
// again would take longer than the checks do.
type verdicts struct {
	config model.Config
	files  []*snapshot.Item
	of     map[*snapshot.Item]*verdict
}

type verdict struct {
	once sync.Once
	model.Verdict
}

// verdictsOf is the key of the verdicts on a snapshot in what a run shares.
type verdictsOf struct{ now *snapshot.Snapshot }

func newJudge(p *audit.Pass) *judge {
	return &judge{p, snapshot.Once(p.Derived, verdictsOf{p.Now}, func() *verdicts {
		v := &verdicts{config: model.ConfigAt(p.Now.ContextFile, p.Bytes), files: files(p)}
		v.of = make(map[*snapshot.Item]*verdict, len(v.files))
		for _, it := range v.files {
			v.of[it] = &verdict{}
		}
		return v
	})}
}

// verdict returns what is known of the item's file; nothing when its bytes
// were not captured.
func (j *judge) verdict(it *snapshot.Item) model.Verdict {
	v := j.of[it]
	if v == nil {
		return model.Verdict{}
	}
	v.once.Do(func() {
		f, ok := it.OwnFile()
		if !ok || f.SHA256 == "" || f.Link != "" || f.Size > model.MaxSize {
			return
		}
		v.Verdict = model.Judge(j.p.Derived, f.Path, f.SHA256, j.config, func() *model.Document {
			b := j.p.Bytes(f)
			if b == nil {
				return nil
			}
			return model.Parse(f.Path, b)
		})
	})
	return v.Verdict
}

// broken returns the files that GitHub cannot load.
func broken(p *audit.Pass) []*snapshot.Item {
	return slices.DeleteFunc(files(p), func(it *snapshot.Item) bool { return it.State != model.Invalid })
}

// place returns where something of the item stands.
func (j *judge) place(it *snapshot.Item, name string) audit.Location {
	return locate(it, j.verdict(it).Place(name))
}

func locate(it *snapshot.Item, p model.Pos) audit.Location {
	return audit.Location{Path: it.Path, Line: p.Line, Column: p.Column}
}

// files returns the workflows and actions of the snapshot.
func files(p *audit.Pass) []*snapshot.Item {
	var out []*snapshot.Item
	for _, it := range p.Items() {
		if it.Kind == string(model.Workflow) || it.Kind == string(model.Action) {
			out = append(out, it)
		}
	}
	return out
}

// starts returns by what a workflow is started without a person asking for it:
// the first of these events it listens to, or "".
func starts(it *snapshot.Item) string {
	v, _ := it.Fact("on")
	for _, want := range []string{"schedule", "push", "pull_request", "pull_request_target", "merge_group", "release"} {
		for _, e := range v.Strings() {
			if e == want {
				return want
			}
		}
	}
	return ""
}

// jobNames returns the ids of the item's jobs.
func jobNames(it *snapshot.Item) []string {
	v, _ := it.Fact("jobs")
	return v.Strings()
}

func fact(it *snapshot.Item, name string) string {
	v, _ := it.Fact(name)
	return v.Str()
}

// short is the name of the item in a sentence.
func short(it *snapshot.Item) string {
	if it.Kind == string(model.Action) {
		return it.Path
	}
	return path.Base(it.Path)
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// and joins names for a sentence; of many it shows the first few.
func and(names []string) string { return andMore(names, 0) }

// andMore is and with a number of names that are not known.
func andMore(names []string, more int) string {
	const most = 5
	if more += len(names) - most; more > 0 {
		return strings.Join(names[:min(most, len(names))], ", ") + fmt.Sprintf(" and %d more", more)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
