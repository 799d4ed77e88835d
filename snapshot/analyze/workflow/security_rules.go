package workflow

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/trait"
)

// Kinds of ExcessivePermissions.
const (
	WriteAll     = "write-all" // everything may be written
	ReadAll      = "read-all"
	DefaultToken = "default" // what the repository's settings say
	WideWrite    = "wide"    // a permission to write for every job
)

// Kinds of SecretsInherit.
const (
	Outside = "outside" // a file that somebody else can change
	Inside  = "inside"  // one of the repository, or of a named commit
)

// Kinds of UnpinnedAction.
const (
	ByOthers = "others" // somebody else's action
	ByGitHub = "github" // GitHub's own
)

// permissions judges what the run's token may do.
func (s *scan) permissions() {
	top := child(s.root, "permissions")
	called := len(s.events) == 1 && s.events[0] == "workflow_call" // the caller decides
	if lvl := raw(top); lvl == WriteAll || lvl == ReadAll {
		s.top = true
		s.hit(ExcessivePermissions, lvl, top, "")
		s.top = false
	}
	jobs := 0
	var without *yaml.Node
	for id, job := range pairs(s.jobs) {
		jobs++
		p := child(job, "permissions")
		if lvl := raw(p); lvl == WriteAll || lvl == ReadAll {
			s.hit(ExcessivePermissions, lvl, p, "")
		}
		if p == nil && without == nil {
			without = id
		}
	}
	switch {
	case called || without == nil:
	case top == nil && !s.has("permissions"):
		s.hit(ExcessivePermissions, DefaultToken, without, "")
	case jobs > 1:
		for name, lvl := range pairs(top) {
			if raw(lvl) == "write" {
				s.hit(ExcessivePermissions, WideWrite, lvl, text(name))
			}
		}
	}
}

// has reports whether the file has a top-level key, with whatever value.
func (s *scan) has(key string) bool {
	for k := range pairs(s.root) {
		if strings.EqualFold(k.Value, key) {
			return true
		}
	}
	return false
}

var (
	commitSHA   = lazyregexp.New(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	imageDigest = lazyregexp.New(`@sha256:[0-9a-f]{64}$`)
)

// uses judges what a step or a job takes from elsewhere.
func (s *scan) uses(u, with *yaml.Node) {
	t := strings.TrimSpace(raw(u))
	if _, local := Local(t); local || t == "" {
		return
	}
	if strings.HasPrefix(t, "docker://") {
		s.image(u, nil)
		return
	}
	action, ref := ActionOf(t)
	owner, rest, ok := strings.Cut(strings.ToLower(action), "/")
	if !ok || ref == "" {
		return
	}
	repo, _, _ := strings.Cut(rest, "/")
	if !commitSHA().MatchString(ref) {
		kind := ByOthers
		if owner == "actions" || owner == "github" {
			kind = ByGitHub
		}
		s.hit(UnpinnedAction, kind, u, t)
	}
	name := owner + "/" + repo
	if archived()[name] {
		s.hit(ArchivedAction, "", u, name)
	}
	switch v := raw(child(with, "version")); {
	case !unpinnedTools[name]:
	case v == "":
		s.hit(UnpinnedTool, "", u, name)
	case v == "latest":
		s.hit(UnpinnedTool, "", child(with, "version"), name)
	}
	if pip := child(with, "pip-install"); name == "actions/setup-python" && pip != nil {
		s.hit(Misfeature, "pip-install", pip, "pip-install of actions/setup-python")
	}
}

// unpinnedTools are actions that install the newest version of a tool unless told which.
// Source: https://docs.zizmor.sh/audits/#unpinned-tools
var unpinnedTools = set("aquasecurity/setup-trivy", "1password/load-secrets-action")

// container judges the container of a job or a service.
func (s *scan) container(n *yaml.Node, sc *scope, what string) {
	img := n
	if n.Kind != yaml.ScalarNode {
		img = child(n, "image")
	}
	s.image(img, sc)
	pw := child(child(n, "credentials"), "password")
	if t := raw(pw); t != "" && !strings.Contains(t, "${{") {
		s.hit(HardcodedCredentials, "", pw, what)
	}
}

// image judges the name of a container image, through a matrix where it stands there.
func (s *scan) image(n *yaml.Node, sc *scope) {
	t := raw(n)
	if t == "" {
		return
	}
	if strings.Contains(t, "${{") {
		if sc == nil {
			return
		}
		for _, f := range fences(t) {
			path, _ := pathOf(f.node)
			name, ok := strings.CutPrefix(path, "matrix.")
			if !ok || f.start > 0 || f.end < len(t) {
				continue
			}
			for _, v := range matrixValues(sc.matrix, name) {
				s.image(v, nil)
			}
		}
		return
	}
	docker := strings.HasPrefix(t, "docker://")
	name := strings.TrimPrefix(t, "docker://")
	if s.m.Kind == Action && !docker && name == t && (strings.HasPrefix(t, ".") || strings.Contains(strings.ToLower(t), "dockerfile")) {
		return // a Dockerfile of its own
	}
	_, tag, tagged := strings.Cut(name[strings.LastIndex(name, "/")+1:], ":")
	if !imageDigest().MatchString(name) && (!tagged || tag == "latest") {
		s.hit(UnpinnedImage, "", n, name)
	}
}

// selfHosted looks for own runners on which strangers can start something.
func (s *scan) selfHosted(id, on *yaml.Node, sc *scope) {
	if s.stage() == "" {
		return
	}
	tell := func(n *yaml.Node) {
		if !trusts(sc.conds...) {
			s.hit(SelfHosted, s.stage(), n, text(id))
		}
	}
	nodes := slices.AppendSeq([]*yaml.Node{deref(on)}, each(on))
	nodes = slices.AppendSeq(nodes, each(child(on, "labels")))
	for _, n := range nodes {
		t := raw(n)
		if name, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(t, "${{"), "}}")), "matrix."); ok {
			for _, v := range matrixValues(sc.matrix, name) {
				if raw(v) == "self-hosted" {
					tell(v)
					return
				}
			}
		}
		if strings.EqualFold(t, "self-hosted") {
			tell(n)
			return
		}
	}
}

// installsOne finds texts that may install a package by name; the shell parser decides.
var installsOne = lazyregexp.New(`\b(?:npm|pnpm|yarn|gem|bundle)\b[^\n]*[ \t](?:i|in|install|add)[ \t]+[^\s&|;<>]`)

// adhoc looks for packages that a script installs past the lockfile.
func (s *scan) adhoc(run *yaml.Node) {
	t := run.Value
	if !strings.Contains(t, "install ") && !strings.Contains(t, " add ") && !strings.Contains(t, " i ") || !installsOne().MatchString(t) {
		return
	}
	sc := trait.Script{Text: parseShell(t)}
	if sc.Text.Err != nil {
		return
	}
	syntax.Walk(&syntax.File{Stmts: sc.Text.Stmts}, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		if !ok || len(c.Args) < 3 {
			return true
		}
		args := sc.Unwrapped(c.Args)
		var words []string
		for i := 1; i < len(args); i++ {
			switch l := sc.Literal(args[i]); {
			case valued[l]:
				i++
			case !strings.HasPrefix(l, "-"):
				words = append(words, l) // an expansion is a word too, and may be a file or an exact version
			}
		}
		program := sc.Literal(args[0])
		if len(words) > 1 && adds[program][words[0]] && packageName().MatchString(words[1]) {
			s.hitAt(AdhocPackage, "", s.within(run, int(c.Pos().Offset())), program+" "+words[0])
		}
		return true
	})
}

// within returns where a byte of a scalar's text stands; in anything but a
// literal block it is the beginning of the text.
func (s *scan) within(n *yaml.Node, offset int) Pos {
	p := textPos(n, s.text)
	if n.Style&yaml.LiteralStyle == 0 || offset > len(n.Value) {
		return p
	}
	before := lines(n.Value[:offset])
	return Pos{min(p.Line+len(before)-1, len(s.text)), p.Column + len(before[len(before)-1])}
}

// packageName leaves out folders and archives of the project itself.
var packageName = lazyregexp.New(`^@?[A-Za-z0-9_-]`)

// valued are the flags of package managers whose value is the word behind them.
var valued = set("--filter", "-F", "-C", "--dir", "--prefix", "-w", "--workspace", "--cwd", "--registry", "--loglevel", "--omit", "--include", "--tag",
	"--cache", "--store-dir", "--reporter", "--userconfig")

// adds are the subcommands that install a package by its name.
// Source: https://docs.zizmor.sh/audits/#adhoc-packages
var adds = map[string]map[string]bool{
	"npm": set("install", "i", "in", "add"), "pnpm": set("add", "install", "i"), "yarn": set("add", "global"),
	"gem": set("install", "i"), "bundle": set("add"),
}
