package workflow

import (
	"regexp"
	"strings"
	"sync"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/mask"
)

// A family is one kind of linter message: a stable id, whether GitHub refuses
// the whole file for it, and our own wording. In the wording $1 is a group of
// the pattern: only names may be groups, never values.
type family struct {
	id    string
	fatal bool
	kind  string
	match *regexp.Regexp
	say   string
}

// families are made when the first message is classified, which a run over
// unchanged files never does. They are tried in order; the first match counts. The messages are those
// of actionlint v1.7.12; one it gains later falls into the last family of its
// kind, with everything quoted taken out.
var families = sync.OnceValue(func() []family {
	return []family{
		row("unexpected-key", "!syntax-check", `^unexpected key "([^"]*)" for (?:(?:"[^"]*" (?:section|job))|([a-z_ ]+))`, `has the unexpected key $1`),
		row("unexpected-key", "!syntax-check", `^expected "([^"]*)" key for .* but got "([^"]*)"`, `has the key $2 where $1 is expected`),
		row("unexpected-key", "!syntax-check", `^"([^"]*)" is only available for a reusable workflow call .* in job "([^"]*)"`, `has the key $1 in job $2, which calls no reusable workflow`),
		row("unexpected-key", "!syntax-check", `^when a reusable workflow is called .*?, "([^"]*)" is not available.* in job "([^"]*)"`, `has the key $1 in job $2, which calls a reusable workflow`),
		row("merge-key", "!syntax-check", `merge key`, `uses the YAML merge key <<, which GitHub does not know`),
		row("missing-key", "!syntax-check", `^"(on|jobs)" section is missing`, `has no key $1`),
		row("missing-key", "!syntax-check", `^"(steps|runs-on)" section is missing in job "([^"]*)"`, `has no $1 in job $2`),
		row("missing-key", "!syntax-check", `^(group|name) is missing in "([^"]*)" section`, `has no $1 below $2`),
		row("missing-key", "!syntax-check", `^"(value|type|image)" is missing`, `lacks the key $1`),
		row("step-without-work", "!syntax-check", `^step must run script`, `has a step with neither run nor uses`),
		row("duplicate-key", "!syntax-check", `^key "([^"]*)" is duplicated.*previously defined at line:(\d+)`, `has the key $1 twice (also on line $2)`),
		row("wrong-kind", "!syntax-check", `^"([^"]*)" section (?:must be|is|value) .*node`, `has a $1 of the wrong kind (a list, a mapping or a text is expected)`),
		row("wrong-kind", "!syntax-check", `node (?:for|is expected)|^expect(?:ed|ing) (?:scalar|bool|mapping)|must be configured with mapping|^unexpected .* node`, `has a value of the wrong kind (a list, a mapping or a text is expected)`),
		row("wrong-kind", "!syntax-check", `^recursive alias`, `has an alias within its own anchor`),
		row("empty", "!syntax-check", `^workflow is empty`, `is empty`),
		row("empty", "!syntax-check", `^"(jobs|steps)" section should not be empty`, `has nothing below $1`),
		row("empty", "syntax-check", `should not be empty`, `a key has no value`),
		row("anchor-unused", "syntax-check", `^anchor .* not used`, `an anchor is never used`),
		row("bad-value", "syntax-check", ``, `a value is not valid here`),

		row("job-needs", "!job-needs", `^job "([^"]*)" needs job "([^"]*)" which does not exist`, `has job $1, which needs job $2, which does not exist`),
		row("job-needs", "!job-needs", `^cyclic dependencies.*cycle is (.*)$`, `has jobs that need each other: $1`),
		row("duplicate-key", "!job-needs", `^job ID "([^"]*)" duplicates\. `, `has two jobs with the id $1`),
		row("needs-twice", "job-needs", `^job ID "([^"]*)" duplicates in`, `job $1 stands twice in needs`),
		row("duplicate-key", "!id", `^step ID "([^"]*)" duplicates`, `has two steps with the id $1 in one job`),
		row("bad-id", "!id", `^invalid (job|step) ID`, `has a $1 id that does not start with a letter or _, or holds other characters than letters, digits, - and _`),

		row("action-outdated", "action", `^the runner of "([^"]*)" action is too old`, `$1 is written for an action runtime that GitHub no longer supports`),
		row("action-input-missing", "action", `^missing input "([^"]*)" which is required by action "([^"]*)"`, `$2 requires the input $1`),
		row("action-input-unknown", "action", `^input "([^"]*)" is not defined in action "([^"]*)"`, `$2 has no input $1`),
		row("action-input-deprecated", "action", `^avoid using deprecated input "([^"]*)" in action "([^"]*)"`, `the input $1 of $2 is deprecated`),
		row("action-format", "action", `^specifying action "[^"]*" in invalid format because (ref is missing|owner is missing|owner and repo and ref should not be empty)`, `uses is not owner/repository@ref: $1`),
		row("action", "action", ``, ``),

		row("cron-invalid", "events", `^invalid CRON format "([^"]*)"`, `$1 is not a valid cron expression`),
		row("cron-never", "events", `runs too frequently\. it runs once per (?:0|-\d+) seconds`, `the schedule never runs: no such day exists`),
		row("cron-too-often", "events", `runs too frequently\. it runs once per ([0-9.]+) seconds`, `the schedule asks for a run every $1 seconds; GitHub runs at most every 5 minutes`),
		row("timezone-invalid", "events", `^invalid timezone "([^"]*)"`, `$1 is not the name of a time zone`),
		row("event-unknown", "events", `^unknown Webhook event "([^"]*)"`, `there is no event $1`),
		row("event-filter", "events", `^"([^"]*)" filter is not available for (\S+) event`, `the event $2 has no filter $1`),
		row("event-filter", "events", `^both "([^"]*)" and "([^"]*)" filters cannot be used for the same event "([^"]*)"`, `the event $3 has both $1 and $2`),
		row("event-type", "events", `^invalid activity type "([^"]*)" for "([^"]*)"`, `the event $2 has no type $1`),
		row("event-workflows", "events", `^no workflow is configured for "workflow_run"`, `workflow_run names no workflow`),
		row("input-default", "events", `^input "([^"]*)" .*it is also required`, `the input $1 is required, so that its default is never used`),
		row("input-declaration", "events", `input|option`, `an input is declared in a way that cannot work`),
		row("event", "events", ``, ``),

		row("glob", "glob", `leading and trailing spaces`, `a filter pattern begins or ends with a space`),
		row("glob", "glob", `'\.' and '\.\.'`, `a filter pattern holds . or .. and never matches`),
		row("glob", "glob", ``, `a filter pattern is not valid`),
		row("permission-value", "permissions", `is invalid (?:as permission of scope "([^"]*)")?`, `the level of a permission is not valid $1`),
		row("permission-scope", "permissions", `^unknown permission scope "([^"]*)"`, `there is no permission $1`),
		row("runner-unknown", "runner-label", `^label "([^"]*)" is unknown`, `the runner label $1 is not one of GitHub's`),
		row("runner-conflict", "runner-label", `^label "([^"]*)" conflicts with label "([^"]*)"`, `no runner has both labels $1 and $2`),
		row("runner-unknown", "runner-label", ``, ``),
		row("shell-name", "shell-name", `^shell name `, `the runner has no shell of that name`),
		row("credentials", "credentials", ``, `a password stands in the file; it belongs into a secret`),
		row("command-disabled", "deprecated-commands", `^workflow command "(set-env|add-path)"`, `the workflow command $1 is switched off: the step fails`),
		row("command-deprecated", "deprecated-commands", `^workflow command "([^"]*)"`, `the workflow command $1 is deprecated`),
		row("call-format", "workflow-call", `not following the format`, `a reusable workflow is called in a form that GitHub does not know`),
		row("workflow-call", "workflow-call", ``, ``),
		row("condition-always-true", "if-cond", `^if: condition`, `the condition is always true, because something stands outside of ${{ }}`),
		row("condition-constant", "if-cond", ``, `the condition is a constant`),
		row("matrix", "matrix", `^value .* in "exclude" does not match`, `a combination that exclude names does not exist in the matrix`),
		row("matrix", "matrix", ``, `the matrix is not valid`),
		row("env-var", "env-var", ``, `the name of an environment variable is not valid`),

		row("untrusted-input", "expression", `^"([a-zA-Z0-9_.*-]+)" is potentially untrusted`, `anybody can set $1, and here it becomes part of a script`),
		row("untrusted-input", "expression", `potentially untrusted`, `anybody can set this value, and here it becomes part of a script`),
		row("expression-context", "expression", `^undefined variable "([^"]*)"`, `there is no context $1`),
		row("expression-context", "expression", `^context "([^"]*)" is not allowed here`, `the context $1 cannot be used here`),
		row("expression-context", "expression", `^calling function "([^"]*)" is not allowed here`, `the function $1 cannot be used here`),
		row("expression-context", "expression", `^undefined function "([^"]*)"`, `there is no function $1`),
		row("expression-property", "expression", `^property "([a-zA-Z0-9_-]+)" is not defined in object type`, `$1 is not defined, so the expression is empty`),
		row("expression-variable", "expression", `configuration variable`, `a configuration variable is not one that actionlint.yaml lists`),
		row("expression-object", "expression", `should not be evaluated in template`, `an expression puts an object or a list into a text`),
		row("expression-syntax", "expression", `lexing|unexpected|parsing|parser did not reach`, `an expression is not valid`),
		row("expression-arguments", "expression", `arguments?|placeholder|fromJSON`, `a function is called with the wrong arguments`),
		row("expression-type", "expression", ``, `an expression compares or reads values of the wrong type`),
	}
})

// row makes a family; "!" before the kind marks what GitHub refuses to load.
func row(id, kind, pattern, say string) family {
	k, fatal := strings.CutPrefix(kind, "!")
	return family{id: id, kind: k, fatal: fatal, match: regexp.MustCompile(pattern), say: say}
}

var (
	group = lazyregexp.New(`\$(\d)`)
	// contextName is narrow: where a context is expected people have put tokens.
	contextName = lazyregexp.New(`^[A-Za-z_-]{1,24}$`)
	printable   = lazyregexp.New(`^[\pL\pN ._/@*:<>,"→{}-]*$`)
)

// classify returns the family of a message, our wording of it, and the first
// name in it.
func classify(kind, message string) (f family, text, subject string) {
	f, text, subject = match(kind, message)
	return f, mask.Credentials(text), mask.Credentials(subject)
}

func match(kind, message string) (f family, text, subject string) {
	for _, f := range families() {
		if f.kind != kind {
			continue
		}
		m := f.match.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		if f.say == "" {
			return f, strings.TrimSpace(quotedText().ReplaceAllString(message, "…")), ""
		}
		text := group().ReplaceAllStringFunc(f.say, func(g string) string {
			i := int(g[1] - '0')
			if i >= len(m) || m[i] == "" {
				return ""
			}
			return name(f.id, m[i])
		})
		if len(m) > 1 {
			subject = strings.Trim(name(f.id, m[1]), `"`)
		}
		return f, strings.TrimSpace(text), subject
	}
	return family{id: "other", kind: kind}, strings.TrimSpace(quotedText().ReplaceAllString(message, "…")), ""
}

// name returns a name out of a message as it may be shown.
func name(id, s string) string {
	if len(s) > 80 || !printable().MatchString(s) || id == "expression-context" && !contextName().MatchString(s) {
		return mask.NotShown
	}
	if strings.Contains(s, `"`) || id == "cron-too-often" || isNumber(s) {
		return s
	}
	return `"` + s + `"`
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }
