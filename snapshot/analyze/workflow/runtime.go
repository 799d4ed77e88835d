package workflow

import "strings"

// node20 are the last major versions of GitHub's own actions that are written
// for Node 20, which runners no longer have: they run them on Node 24.
// Versions for Node 16 and older the linter knows.
// Source: https://github.blog/changelog/2025-09-19-deprecation-of-node-20-on-github-actions-runners/
// and runs.using in the action.yml of these versions.
var node20 = map[string]string{"actions/checkout": "v4", "actions/setup-node": "v4", "actions/setup-python": "v5", "actions/setup-go": "v5",
	"actions/setup-java": "v4", "actions/setup-dotnet": "v4", "actions/cache": "v4", "actions/upload-artifact": "v4", "actions/download-artifact": "v4",
	"actions/github-script": "v7", "actions/labeler": "v5", "actions/stale": "v9", "actions/deploy-pages": "v4", "actions/configure-pages": "v5"}

// OldRuntime returns the name and major version of a uses value that is written
// for Node 20, "checkout@v4", and "" for any other.
func OldRuntime(uses string) string {
	action, ref := ActionOf(uses)
	major, _, _ := strings.Cut(ref, ".")
	if ref == "" || node20[action] != major || retiredRef(action, ref) {
		return ""
	}
	return strings.TrimPrefix(action, "actions/") + "@" + major
}

// UsesAt returns where the document first uses something that is asked for; its
// beginning where it does not, or does not parse.
func (d *Document) UsesAt(asked func(uses string) bool) Pos {
	m := d.outline()
	if m == nil {
		return Pos{1, 1}
	}
	for i := range m.Jobs {
		for _, s := range m.Jobs[i].Steps {
			if asked(s.Uses) {
				return s.UsesPos
			}
		}
	}
	return Pos{1, 1}
}
