package workflow

// Kinds of TemplateInjection: who can put text into the script.
const (
	ByAnyone  = "anyone"  // whoever has an account, into a run with the repository's rights
	ByForks   = "forks"   // whoever opens a pull request, into a run with reduced rights
	ByCommits = "commits" // whoever gets a commit merged
	ByCallers = "callers" // it depends on what calls this file
	Guarded   = "guarded" // anyone, but a condition asks who it is
	ByWriters = "writers" // who may push or start runs anyway
)

// sinks are inputs of actions that are run as code.
// Source: CodeQL's models https://github.com/github/codeql/tree/main/actions/ql/lib/ext
// and https://docs.zizmor.sh/audits/#template-injection
var sinks = map[string][]string{
	"actions/github-script": {"script"}, "appleboy/ssh-action": {"script"}, "azure/cli": {"inlineScript"}, "azure/powershell": {"inlineScript"},
	"8398a7/action-slack": {"custom_payload"}, "devorbitus/yq-action-output": {"cmd"}, "mikefarah/yq": {"cmd"}, "sergeysova/jq-action": {"cmd"},
	"gautamkrishnar/blog-post-workflow": {"item_exec"}, "amadevus/pwsh-script": {"script"}, "jannekem/run-python-script-action": {"script"},
	"cardinalby/js-eval-action": {"expression"}, "addnab/docker-run-action": {"options", "run"},
	"lucasbento/auto-close-issues": {"issue-close-message"}, "roots/issue-closer-action": {"issue-close-message", "pr-close-message"},
	"skitionek/notify-microsoft-teams": {"overwrite"}, "tibdex/backport": {"body_template", "head_template", "labels_template", "title_template"},
	"imjohnbo/issue-bot": {"body", "linked-comments-previous-issue-text", "linked-comments-new-issue-text"},
}

// strangers are texts of an event that people without rights choose, besides
// those that actionlint knows.
// Source: https://securitylab.github.com/resources/github-actions-untrusted-input/, https://docs.github.com/webhooks/webhook-events-and-payloads
var strangers = set(
	"github.event.workflow_run.head_branch", "github.event.workflow_run.display_title", "github.event.workflow_run.head_commit.message",
	"github.event.workflow_run.head_commit.author.name", "github.event.workflow_run.head_commit.author.email",
	"github.event.workflow_run.head_repository.description", "github.event.workflow_run.pull_requests.*.head.ref",
	"github.event.pull_request.head.repo.description", "github.event.pull_request.head.repo.homepage",
	"github.event.head_commit.committer.name", "github.event.head_commit.committer.email",
	"github.event.commits.*.committer.name", "github.event.commits.*.committer.email",
	"github.event.changes.title.from", "github.event.changes.body.from", "github.event.forkee.description",
	"github.event.check_suite.head_branch", "github.event.check_run.check_suite.head_branch",
)

// rightful are texts that only people with rights choose: names of branches,
// tags, labels and releases, and what starts a run by hand.
var rightful = []string{
	"github.ref", "github.ref_name", "github.base_ref", "github.event.ref", "github.event.base_ref", "github.event.client_payload",
	"github.event.release.name", "github.event.release.tag_name", "github.event.release.body", "github.event.release.target_commitish",
	"github.event.label.name", "github.event.label.description", "github.event.milestone.title", "github.event.pull_request.base.ref",
	"github.event.pull_request.base.label", "github.event.pull_request.labels", "github.event.issue.labels", "github.event.deployment",
}

// carriers are the events in whose payload an object of github.event stands.
var carriers = map[string][]string{
	"issue": {"issues", "issue_comment"}, "discussion": {"discussion", "discussion_comment"},
	"pull_request": {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"},
	"comment":      {"issue_comment", "pull_request_review_comment", "discussion_comment", "commit_comment"},
	"review":       {"pull_request_review"}, "review_comment": {"pull_request_review_comment"},
	"commits": {"push"}, "head_commit": {"push"}, "workflow_run": {"workflow_run"}, "pages": {"gollum"}, "forkee": {"fork"},
	"check_suite": {"check_suite"}, "check_run": {"check_run"},
	"changes":  {"issues", "issue_comment", "pull_request", "pull_request_target", "discussion"},
	"head_ref": {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"},
}

// open are the events that anybody causes and that run with the repository's rights.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
var open = set("issues", "issue_comment", "discussion", "discussion_comment", "pull_request_target", "workflow_run", "gollum", "commit_comment", "fork", "watch")

// trustPaths are what a condition reads to ask whether somebody is trusted.
var trustPaths = set("github.event.pull_request.head.repo.full_name", "github.event.pull_request.head.repo.fork", "github.event.pull_request.head.repo.owner.login",
	"github.event.pull_request.head.repo.id", "github.event.pull_request.author_association", "github.event.comment.author_association",
	"github.event.issue.author_association", "github.event.review.author_association", "github.event.workflow_run.event",
	"github.event.workflow_run.head_repository.full_name", "github.event.workflow_run.head_repository.fork", "github.event.workflow_run.head_repository.owner.login",
	"github.event.pull_request.user.login", "github.event.comment.user.login", "github.event.issue.user.login", "github.event.sender.login", "github.actor")
