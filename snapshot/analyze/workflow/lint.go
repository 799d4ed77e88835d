package workflow

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot"
)

// A Config is what .github/actionlint.yaml says, the repository's own settings
// for actionlint. The zero Config is none.
type Config struct {
	SHA256 string
	parsed *actionlint.Config
}

// ParseConfig reads the bytes of an actionlint configuration. With an error
// the Config is empty, and files are judged without it.
func ParseConfig(sha string, b []byte) (Config, error) {
	if len(b) > MaxSize {
		return Config{}, errors.New("actionlint configuration is too large")
	}
	var c *actionlint.Config
	err := guarded(func() (err error) {
		var n yaml.Node
		if err := yaml.Unmarshal(b, &n); err != nil {
			return err
		}
		if why, _ := oversized(&n); why != "" {
			return errors.New(why)
		}
		c, err = actionlint.ParseConfig(b)
		return err
	})
	if err != nil {
		_, msg := yamlError(err)
		return Config{}, errors.New("actionlint configuration: " + msg)
	}
	return Config{SHA256: sha, parsed: c}, nil
}

// ConfigAt reads the repository's actionlint configuration out of a set of
// captured files; without one, or with a broken one, it is the zero Config.
func ConfigAt(find func(path string) (snapshot.File, bool), bytes func(snapshot.File) []byte) Config {
	for _, p := range ConfigPaths {
		f, ok := find(p)
		if !ok || f.SHA256 == "" || f.Link != "" {
			continue
		}
		c, err := ParseConfig(f.SHA256, bytes(f))
		if err != nil {
			return Config{}
		}
		return c
	}
	return Config{}
}

// ConfigPaths are the places of the configuration; the first one counts.
var ConfigPaths = []string{".github/actionlint.yaml", ".github/actionlint.yml"}

// lint runs actionlint's rules in memory: no project on disk (so its checks of
// local actions and reusable workflows, whose output is not deterministic, stay
// silent), no shellcheck or pyflakes (its bridge to them can hang).
func (d *Document) lint(config Config, m *Model) ([]Problem, []Message) {
	var errs []*actionlint.Error
	err := guarded(func() error {
		errs = runRules(d, config.parsed)
		return nil
	})
	if err != nil {
		return nil, []Message{{Pos: Pos{1, 1}, Family: "linter", Text: "the linter gave up on this file"}}
	}
	// The linter visits jobs in random order.
	slices.SortFunc(errs, func(a, b *actionlint.Error) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Message, b.Message))
	})
	errs = errs[:min(len(errs), maxErrors)]
	if config.parsed != nil {
		errs = unignored(errs, config.parsed.PathConfigs(d.path))
	}
	bl := map[int]*yaml.Node{}
	if len(errs) > 0 {
		blocks(d.root, bl)
	}
	text := d.lines()
	var problems []Problem
	var messages []Message
	for _, e := range errs {
		f, said, subject := classify(e.Kind, e.Message)
		p := Pos{min(max(e.Line, 1), len(text)), max(e.Column, 1)}
		if n := bl[p.Line]; n != nil && e.Kind != "syntax-check" {
			p = within(n, p, text)
		}
		switch {
		case f.id == "" || d.newer(f.id, e) || f.id == "expression-syntax" && d.misread(e):
		case f.fatal:
			problems = append(problems, Problem{p, f.id, said})
		default:
			if to := meant(askedLabel(e.Message)); f.id == "runner-unknown" && to != "" {
				f.id, said = "runner-misspelt", fmt.Sprintf("the runner label %s is a slip: %s is meant", quote(subject), to)
			}
			messages = append(messages, Message{Pos: p, Family: f.id, Where: whereIs(m, p.Line), Text: said, Subject: subject})
		}
	}
	return problems, messages
}

func runRules(d *Document, cfg *actionlint.Config) []*actionlint.Error {
	w, errs := d.syntax()
	if w == nil {
		return errs
	}
	actions := actionlint.NewLocalActionsCache(nil, nil)
	calls := actionlint.NewLocalReusableWorkflowCache(nil, "", nil)
	rules := []actionlint.Rule{
		actionlint.NewRuleMatrix(), actionlint.NewRuleCredentials(), actionlint.NewRuleShellName(), actionlint.NewRuleRunnerLabel(),
		actionlint.NewRuleEvents(), actionlint.NewRuleJobNeeds(), actionlint.NewRuleAction(actions), actionlint.NewRuleEnvVar(),
		actionlint.NewRuleID(), actionlint.NewRuleGlob(), actionlint.NewRulePermissions(), actionlint.NewRuleWorkflowCall("", calls),
		&expressions{RuleExpression: actionlint.NewRuleExpression(actions, calls), d: d}, actionlint.NewRuleDeprecatedCommands(), conditions{actionlint.NewRuleIfCond()},
	}
	v := actionlint.NewVisitor()
	for _, r := range rules {
		if cfg != nil {
			r.SetConfig(cfg)
		}
		v.AddPass(r)
	}
	if v.Visit(w) != nil {
		return errs
	}
	for _, r := range rules {
		errs = append(errs, r.Errs()...)
	}
	return errs
}

func unignored(errs []*actionlint.Error, paths []actionlint.PathConfig) []*actionlint.Error {
	var out []*actionlint.Error
next:
	for _, e := range errs {
		for _, p := range paths {
			if p.Ignore.Match(e) {
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}

// within corrects the place of a message in a block scalar: actionlint counts
// columns on from the line of the indicator.
func within(n *yaml.Node, p Pos, text []string) Pos {
	start := textPos(n, text)
	offset := p.Column - n.Column
	if n.Style&yaml.LiteralStyle == 0 || offset < 0 || offset > len(n.Value) {
		return start
	}
	before := lines(n.Value[:offset])
	return Pos{min(start.Line+len(before)-1, len(text)), start.Column + len(before[len(before)-1])}
}

// misread reports whether a message only comes of x[*], which GitHub reads like
// x.*: with that, all of the text that the message is about can be read.
func (d *Document) misread(e *actionlint.Error) bool {
	if !strings.HasPrefix(e.Message, `unexpected token "*" while parsing variable access`) || !bytes.Contains(d.src, []byte("[*]")) {
		return false
	}
	n := scalarAt(d.root, e.Line, e.Column)
	return n != nil && strings.Contains(n.Value, "[*]") && readable(n.Value)
}

// scalarAt returns the last scalar that begins at a place or before it.
func scalarAt(n *yaml.Node, line, column int) *yaml.Node {
	if n.Line > line || n.Line == line && n.Column > column {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return n
	}
	for _, c := range slices.Backward(n.Content) {
		if found := scalarAt(c, line, column); found != nil {
			return found
		}
	}
	return nil
}
