package workflow

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/mask"
)

// A Rule names what a Hit is about.
type Rule string

// The rules. Names follow zizmor's where the rule is the same.
// Source: https://docs.zizmor.sh/audits/
const (
	TemplateInjection      Rule = "template-injection"
	DangerousTrigger       Rule = "dangerous-trigger"
	ExcessivePermissions   Rule = "excessive-permissions"
	UnpinnedAction         Rule = "unpinned-action"
	HardcodedCredentials   Rule = "hardcoded-credentials"
	SecretsInherit         Rule = "secrets-inherit"
	OverprovisionedSecrets Rule = "overprovisioned-secrets"
	UnredactedSecrets      Rule = "unredacted-secrets"
	InsecureCommands       Rule = "insecure-commands"
	UnsoundCondition       Rule = "unsound-condition"
	UnsoundContains        Rule = "unsound-contains"
	UnsoundTernary         Rule = "unsound-ternary"
	BotCondition           Rule = "bot-condition"
	ArchivedAction         Rule = "archived-action"
	Misfeature             Rule = "misfeature"
	UnpinnedTool           Rule = "unpinned-tool"
	UnpinnedImage          Rule = "unpinned-image"
	SelfHosted             Rule = "self-hosted"
	AdhocPackage           Rule = "adhoc-package"
)

// A Hit is a place at which a rule found something. It holds names of the
// file, never a value.
type Hit struct {
	Pos
	Rule   Rule   `json:"r"`
	Kind   string `json:"k,omitempty"` // which case of the rule
	Where  string `json:"w,omitempty"` // job, or job and step key
	Detail string `json:"d,omitempty"` // the name it is about
	Count  int    `json:"n,omitempty"` // places of that rule and kind in the file, where only the first is kept; 0 is 1
}

// Bounds of what is kept and of what is counted of one file.
const (
	maxHits    = 200
	maxCounted = 2000
)

// common reports whether a hit is of those of which nearly every repository has
// many, all of one habit: of each kind the first place of a file is kept, and
// their number.
func (h Hit) common() bool {
	switch h.Rule {
	case UnpinnedAction, UnpinnedImage, UnpinnedTool, Misfeature, AdhocPackage:
		return true
	case TemplateInjection:
		return h.Kind == ByWriters
	case ExcessivePermissions:
		return h.Kind != WriteAll
	}
	return false
}

// A scan looks for the hits of one document.
type scan struct {
	m      *Model
	text   []string // the lines of the file
	root   *yaml.Node
	on     *yaml.Node
	jobs   *yaml.Node
	events []string
	top    bool // what is looked at belongs to no job
	hits   []Hit

	followed int // contexts looked at, see maxFollowed
}

// security returns the hits of the document, in order of position.
func (d *Document) security(m *Model) []Hit {
	hits := d.allHits(m)
	var out []Hit
	first := map[[2]string]int{}
	for _, h := range hits {
		key := [2]string{string(h.Rule), h.Kind}
		if i, ok := first[key]; ok && h.common() {
			out[i].Count = max(out[i].Count, 1) + 1
			continue
		}
		if len(out) < maxHits {
			first[key] = len(out)
			out = append(out, h)
		}
	}
	return out
}

// allHits returns every hit of the document.
func (d *Document) allHits(m *Model) []Hit {
	s := &scan{m: m, text: d.lines(), root: d.root}
	err := guarded(func() error {
		s.run()
		return nil
	})
	if err != nil {
		return nil
	}
	slices.SortStableFunc(s.hits, func(a, b Hit) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column, strings.Compare(string(a.Rule), string(b.Rule)), strings.Compare(a.Kind+"\x00"+a.Detail, b.Kind+"\x00"+b.Detail))
	})
	return slices.Compact(s.hits)
}

func (s *scan) run() {
	for _, t := range s.m.Triggers {
		s.events = append(s.events, t.Event)
	}
	s.on, s.jobs = child(s.root, "on"), child(s.root, "jobs")
	if s.on == nil {
		s.on = child(s.root, "true")
	}
	if s.m.Kind == Action {
		runs := child(s.root, "runs")
		s.image(child(runs, "image"), nil)
		s.steps(child(runs, "steps"), &scope{})
	} else {
		s.top = true
		s.env(child(s.root, "env"))
		s.shell(child(child(child(s.root, "defaults"), "run"), "shell"))
		s.top = false
		for id, job := range pairs(s.jobs) {
			s.job(id, job)
		}
		s.permissions()
		s.triggers()
	}
	s.expressions(s.root)
}

func (s *scan) job(id, job *yaml.Node) {
	s.condition(child(job, "if"))
	if never(raw(child(job, "if"))) {
		return
	}
	sc := &scope{job: job, envs: []*yaml.Node{child(job, "env"), child(s.root, "env")}, matrix: child(child(job, "strategy"), "matrix")}
	s.env(sc.envs[0])
	s.shell(child(child(child(job, "defaults"), "run"), "shell"))
	sc.conds = []*yaml.Node{child(job, "if")}
	if c := child(job, "container"); c != nil {
		s.container(c, sc, "container")
	}
	for name, c := range pairs(child(job, "services")) {
		s.container(c, sc, "service "+text(name))
	}
	s.selfHosted(id, child(job, "runs-on"), sc)
	if u := child(job, "uses"); u != nil {
		s.uses(u, nil)
		if v := child(job, "secrets"); raw(v) == "inherit" {
			kind := Outside
			_, ref := ActionOf(raw(u))
			if _, local := Local(raw(u)); local || commitSHA().MatchString(ref) {
				kind = Inside
			}
			s.hit(SecretsInherit, kind, v, text(u))
		}
	}
	s.steps(child(job, "steps"), sc)
}

func (s *scan) steps(n *yaml.Node, sc *scope) {
	for st := range each(n) {
		s.step(st, sc)
		s.steps(child(st, "parallel"), sc)
	}
}

func (s *scan) step(st *yaml.Node, outer *scope) {
	cond := child(st, "if")
	s.condition(cond)
	if never(raw(cond)) {
		return
	}
	env := child(st, "env")
	s.env(env)
	code := func(n *yaml.Node) {
		if n == nil || !strings.Contains(n.Value, "${{") {
			return
		}
		sc := *outer
		sc.envs = append([]*yaml.Node{env}, outer.envs...)
		sc.conds = append([]*yaml.Node{cond}, outer.conds...)
		s.code(n, &sc)
	}
	if run := child(st, "run"); run != nil {
		code(run)
		s.adhoc(run)
	}
	s.shell(child(st, "shell"))
	if u := child(st, "uses"); u != nil {
		with := child(st, "with")
		s.uses(u, with)
		action, _ := ActionOf(strings.TrimSpace(raw(u)))
		for _, in := range sinks[strings.ToLower(action)] {
			code(child(with, in))
		}
	}
}

// shell looks for cmd, which goes on after a command that failed.
func (s *scan) shell(n *yaml.Node) {
	if n == nil {
		return
	}
	name, _, _ := strings.Cut(strings.TrimSpace(raw(n)), " ")
	if strings.EqualFold(name, "cmd") || strings.EqualFold(name, "cmd.exe") {
		s.hit(Misfeature, "cmd", n, "shell: cmd")
	}
}

// never reports whether a condition is false whatever happens: dead, and no
// text around it that makes it true.
func never(cond string) bool {
	return dead(cond) && !(strings.Contains(cond, "${{") && alwaysTrue(cond, fences(cond)))
}

// env looks for settings that weaken every command below them.
// Source: https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/
func (s *scan) env(n *yaml.Node) {
	if n == nil {
		return
	}
	if v := child(n, "ACTIONS_ALLOW_UNSECURE_COMMANDS"); strings.EqualFold(strings.TrimSpace(raw(v)), "true") {
		s.hit(InsecureCommands, "", v, "")
	}
}

// hit notes a place: the beginning of a node's text.
func (s *scan) hit(r Rule, kind string, n *yaml.Node, detail string) {
	s.hitAt(r, kind, textPos(n, s.text), detail)
}

func (s *scan) hitAt(r Rule, kind string, p Pos, detail string) {
	if len(s.hits) >= maxCounted || s.waived(p.Line, r) {
		return
	}
	s.hits = append(s.hits, Hit{Pos: p, Rule: r, Kind: kind, Where: s.where(p.Line), Detail: shortened(mask.Credentials(detail))})
}

// waived reports whether a comment on the line, or on the lines of comment
// above it, says that zizmor shall not tell of the rule: somebody has looked.
// Source: https://docs.zizmor.sh/usage/#ignoring-results
func (s *scan) waived(line int, r Rule) bool {
	text := s.text
	for l := min(line, len(text)); l > 0; l-- {
		t := text[l-1]
		if l < line && !strings.HasPrefix(strings.TrimSpace(t), "#") {
			return false
		}
		if _, list, ok := strings.Cut(t, "# zizmor: ignore["); ok && ignores(list, r) {
			return true
		}
	}
	return false
}

func ignores(list string, r Rule) bool {
	list, _, _ = strings.Cut(list, "]")
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name == string(r) || zizmorNames[name] == r {
			return true
		}
	}
	return false
}

// zizmorNames are the rules that zizmor calls otherwise.
var zizmorNames = map[string]Rule{
	"unpinned-uses": UnpinnedAction, "dangerous-triggers": DangerousTrigger, "hardcoded-container-credentials": HardcodedCredentials,
	"bot-conditions": BotCondition, "archived-uses": ArchivedAction, "unpinned-tools": UnpinnedTool, "unpinned-images": UnpinnedImage,
	"self-hosted-runner": SelfHosted, "adhoc-packages": AdhocPackage,
}

func shortened(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:77], "") + "…"
	}
	return s
}

// where returns the job and the step in which a line stands, in an action the step.
func (s *scan) where(line int) string {
	if s.top {
		return ""
	}
	if s.m.Kind != Action {
		return whereIs(s.m, line)
	}
	at := ""
	for _, j := range s.m.Jobs {
		for _, st := range j.Steps {
			if st.Pos.Line <= line {
				at = st.Key
			}
		}
	}
	return at
}
