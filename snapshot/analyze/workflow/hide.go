package workflow

import (
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// credential matches what the big services hand out as keys. People do write
// them into expressions, names and conditions, which are shown.
// Source: the token formats documented by GitHub, GitLab, AWS, Google, Slack, Stripe, npm and RFC 7519.
var credential = lazyregexp.New(`gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|xox[abeprs]-[\w-]{8,}|[sr]k[-_](?:live|test|proj|ant)[-_][\w-]{10,}|npm_[A-Za-z0-9]{20,}|eyJ[\w-]{8,}\.[\w-]{4,}[\w.-]*`)

// hints are what the credentials hold, for a quick look.
var hints = []string{"gh", "glpat-", "AKIA", "AIza", "xox", "k-", "k_", "npm_", "eyJ"}

// hidden stands for what is not shown.
const hidden = "(not shown)"

// hide takes credentials out of a text that is shown.
func hide(s string) string {
	if len(s) < 14 {
		return s
	}
	for _, h := range hints {
		if strings.Contains(s, h) {
			return credential().ReplaceAllString(s, hidden)
		}
	}
	return s
}
