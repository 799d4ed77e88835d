package workflow

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/trait"
)

// Subjects of NotePushes: why GitHub refuses the push, "" where it does not, or
// where the file does not tell.
const (
	RefusedPermission  = "permission"  // GITHUB_TOKEN may not write contents there
	RefusedCredentials = "credentials" // the checkout keeps no credentials, and nothing else brings some
	RefusedWorkflows   = "workflows"   // GITHUB_TOKEN may never change a workflow
)

// pushingActions push with GITHUB_TOKEN unless one of these inputs says otherwise.
// Sources: the action.yml of each.
var pushingActions = map[string][]string{
	"stefanzweifel/git-auto-commit-action":      {"repository"},
	"peaceiris/actions-gh-pages":                {"personal_token", "deploy_key", "external_repository"},
	"jamesives/github-pages-deploy-action":      {"token", "ssh-key", "repository-name"},
	"peter-evans/create-pull-request":           {"token", "branch-token", "push-to-fork", "path"},
	"ad-m/github-push-action":                   {"ssh", "repository", "directory", "github_url"},
	"endbug/add-and-commit":                     {"cwd", "github_token"},
	"crazy-max/ghaction-github-pages":           {"repo"},
	"actions-js/push":                           {"repository", "directory"},
	"changesets/action":                         {"cwd"},
	"googleapis/release-please-action":          {"token"},
	"googlecloudplatform/release-please-action": {"token"},
}

// pushesNotes tells every step that pushes commits, and whether GitHub refuses it.
func (d *Document) pushesNotes(m *Model) (out []Message) {
	for i := range m.Jobs {
		j := &m.Jobs[i]
		if dead(j.If) {
			continue
		}
		var c *credentials // of most jobs nobody asks
		for k := range j.Steps {
			s := &j.Steps[k]
			name, _ := ActionOf(s.Uses)
			own, acts := pushingActions[strings.ToLower(name)]
			if dead(s.If) || !acts && s.traits.push == nil {
				continue
			}
			if c == nil {
				c = credentialsOf(m, j)
			}
			n := Message{Pos: s.UsesPos, Family: NotePushes, Where: whereOf(j.ID, s.Key)}
			if acts {
				n.Subject = c.refusesAction(s, own)
			} else {
				n.Pos, n.Subject = d.within(s, s.traits.push.line, s.traits.push.column), c.refuses(s)
			}
			out = append(out, n)
		}
	}
	return out
}

// Credentials are what git has in a job.
type credentials struct {
	github bool // those of GITHUB_TOKEN, and no others
	none   bool // the checkout keeps none
	mayNot bool // GITHUB_TOKEN may not write contents
}

// otherWays are words of texts that may bring git other credentials, or another
// repository to push to.
var otherWays = []string{"://", "git remote", "insteadof", "gh auth", "gh repo", "extraheader", "credential", "askpass", "ssh", "git clone", "git init", "git@", "netrc", "_token", "_pat"}

func credentialsOf(m *Model, j *Job) *credentials {
	c, checkouts := &credentials{}, 0
	c.github = !ownMachine(j.RunsOn) && len(j.RunsOn) > 0 && j.Container == ""
	for _, s := range j.Steps {
		action, _ := ActionOf(s.Uses)
		lower := strings.ToLower(s.run)
		switch {
		case action == "actions/checkout":
			checkouts++
			token := strings.ToLower(strings.Join(strings.Fields(s.with["token"]), ""))
			plain := token == "" || token == "${{github.token}}" || token == "${{secrets.github_token}}"
			c.none = s.with["persist-credentials"] == "false"
			c.github = c.github && plain && s.with["ssh-key"] == "" && s.with["repository"] == ""
		case strings.Contains(action, "ssh") || strings.Contains(action, "token") || strings.Contains(action, "gpg") || strings.HasPrefix(s.Uses, "."):
			c.github = false
		case slices.ContainsFunc(otherWays, func(w string) bool { return strings.Contains(lower, w) }):
			c.github = false
		}
	}
	c.github = c.github && checkouts == 1
	p := j.Permissions
	if p == nil {
		p = m.Permissions
	}
	c.mayNot = p != nil && !p.writes("contents")
	return c
}

// writes reports whether a permissions key may let write that scope: what is
// computed may.
func (p *Permissions) writes(scope string) bool {
	if p.All != "" {
		return p.All != "read-all"
	}
	return slices.ContainsFunc(p.Scopes, func(s string) bool {
		name, level, _ := strings.Cut(s, ": ")
		return name == scope && level != "read" && level != "none"
	})
}

// refuses says why the push of a run text fails.
func (c *credentials) refuses(s *Step) string {
	switch {
	case !c.github:
		return ""
	case c.none:
		return RefusedCredentials
	case c.mayNot:
		return RefusedPermission
	case s.traits.push.workflows:
		return RefusedWorkflows
	}
	return ""
}

// refusesAction says why the push of an action fails that takes GITHUB_TOKEN
// unless an input says otherwise.
func (c *credentials) refusesAction(s *Step, otherwise []string) string {
	for _, name := range otherwise {
		if s.with[name] != "" {
			return ""
		}
	}
	token := strings.ToLower(s.with["github_token"] + s.with["github-token"])
	if token != "" && !strings.Contains(token, "secrets.github_token") && !strings.Contains(token, "github.token") || !c.github || !c.mayNot {
		return ""
	}
	return RefusedPermission
}

// A pushing is what a run text pushes.
type pushing struct {
	line, column int  // in the text
	workflows    bool // what it adds lies in .github/workflows
}

// pushOf returns the push of a text, nil when it has none, or only one that may
// go elsewhere than where the project came from.
func pushOf(src string, r *trait.Script) *pushing {
	if !strings.Contains(src, "push") {
		return nil
	}
	return pushIn(r)
}

func pushIn(r *trait.Script) (p *pushing) {
	adds := false
	syntax.Walk(&syntax.File{Stmts: r.Text.Stmts}, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		if !ok || len(c.Args) < 2 || r.Program(c) != "git" {
			return true
		}
		var words []string
		for _, w := range c.Args[1:] {
			words = append(words, r.Literal(w))
		}
		if push, _ := trait.GitCommand(words); push && (len(words) < 2 || toOrigin(words[1:])) {
			p = &pushing{line: int(c.Pos().Line()), column: int(c.Pos().Col())}
		}
		adds = adds || words[0] == "add" && slices.ContainsFunc(words[1:], func(w string) bool { return strings.HasPrefix(strings.TrimPrefix(w, "./"), ".github/workflows") })
		return true
	})
	if p != nil {
		p.workflows = adds
	}
	return p
}

// toOrigin reports whether the words behind git push name no other repository.
func toOrigin(words []string) bool {
	for _, w := range words {
		if !strings.HasPrefix(w, "-") {
			return w == "origin"
		}
	}
	return true
}

// ownToken returns the jobs that no condition keeps from running on any push, and
// in which git has a token whose pushes start workflows.
func ownToken(m *Model) (out []Message) {
	if !pushed(m) {
		return nil
	}
	for _, j := range m.Jobs {
		if j.If != "" {
			continue
		}
		for _, s := range j.Steps {
			if a, _ := ActionOf(s.Uses); a == "actions/checkout" && s.If == "" && foreignToken(&s) {
				out = append(out, Message{Pos: j.Pos, Family: NoteOwnToken, Where: j.ID})
				break
			}
		}
	}
	return out
}

// foreignToken reports whether a checkout of the project keeps a token other than
// GITHUB_TOKEN.
func foreignToken(s *Step) bool {
	t := strings.ToLower(s.with["token"])
	return strings.Contains(t, "secrets.") && !strings.Contains(t, "secrets.github_token") && s.with["ref"] == "" && s.with["repository"] == ""
}

// pushNotes finds runs that may start themselves: a push by GITHUB_TOKEN starts
// nothing, one by another token does. What looks at who pushed, at the message
// or at whether anything changed ends by itself.
// Source: https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/trigger-a-workflow
func pushNotes(m *Model) []Message {
	if !pushed(m) {
		return nil
	}
	for i := range m.Jobs {
		j := &m.Jobs[i]
		if j.If != "" {
			continue
		}
		token := false
		for _, s := range j.Steps {
			if a, _ := ActionOf(s.Uses); a == "actions/checkout" {
				token = foreignToken(&s)
			}
			if token && s.If == "" && s.traits.pushes {
				return []Message{{Pos: s.RunPos, Family: NotePush, Where: whereOf(j.ID, s.Key)}}
			}
		}
	}
	return nil
}

// pushed reports whether any push starts the workflow, whatever it changes.
func pushed(m *Model) bool {
	for _, t := range m.Triggers {
		if t.Event != "push" {
			continue
		}
		return !slices.ContainsFunc(t.Filters, func(f Filter) bool { return f.Name != "branches" })
	}
	return false
}
