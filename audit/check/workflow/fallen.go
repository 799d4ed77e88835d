package workflow

import (
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
	model "healthaudit/snapshot/analyze/workflow"
)

// parents are the keys below which others belong: a key that stands elsewhere
// has lost the line above it, or its indent.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
var parents = map[string]string{"permissions": "actions attestations checks contents deployments discussions id-token issues packages pages pull-requests repository-projects security-events statuses",
	"with":              "node-version node-version-file python-version go-version java-version distribution registry-url fetch-depth persist-credentials cache cache-dependency-path script github-token path repository ref token submodules",
	"an event below on": "branches branches-ignore paths paths-ignore tags tags-ignore types inputs", "schedule": "cron", "concurrency": "group cancel-in-progress",
	"strategy": "matrix fail-fast max-parallel", "a step": "run", "a job": "runs-on steps timeout-minutes needs"}

var unexpected = lazyregexp.New(`^has the unexpected key "([^"]*)"`)

// belongs says below what an unexpected key belongs, "" when that is not known.
func belongs(p model.Problem) string {
	m := unexpected().FindStringSubmatch(p.Message)
	if m == nil {
		return ""
	}
	for parent, keys := range parents {
		if strings.Contains(" "+keys+" ", " "+m[1]+" ") {
			return ", which belongs below " + parent
		}
	}
	return ""
}
