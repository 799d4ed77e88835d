package workflow

import (
	"slices"
	"strings"
)

// node20 are the last major versions of GitHub's own actions that are written
// for Node 20, which runners no longer have: they run them on Node 24.
// Versions for Node 16 and older the linter knows.
// Source: https://github.blog/changelog/2025-09-19-deprecation-of-node-20-on-github-actions-runners/
// and runs.using in the action.yml of these versions.
var node20 = map[string]string{"actions/checkout": "v4", "actions/setup-node": "v4", "actions/setup-python": "v5", "actions/setup-go": "v5",
	"actions/setup-java": "v4", "actions/setup-dotnet": "v4", "actions/cache": "v4", "actions/upload-artifact": "v4", "actions/download-artifact": "v4",
	"actions/github-script": "v7", "actions/labeler": "v5", "actions/stale": "v9", "actions/deploy-pages": "v4", "actions/configure-pages": "v5"}

// runtimeNotes returns one note with all such actions of a file.
func runtimeNotes(m *Model) []Message {
	var found []string
	var first Pos
	for i := range m.Jobs {
		for _, s := range m.Jobs[i].Steps {
			action, ref := ActionOf(s.Uses)
			major, _, _ := strings.Cut(ref, ".")
			if ref == "" || node20[action] != major || retiredRef(action, ref) {
				continue
			}
			name := strings.TrimPrefix(action, "actions/") + "@" + major
			if len(found) == 0 {
				first = s.UsesPos
			}
			if !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return []Message{{Pos: first, Family: NoteRuntime, Subject: strings.Join(found, " ")}}
}
