package workflow

import (
	"fmt"
	"regexp"
	"strings"
)

// retired are the labels of runners that GitHub took away: a job that asks for
// one waits until it is cancelled.
// Source: https://github.blog/changelog/label/actions/ (removal dates in the past)
var retired = map[string]string{
	"ubuntu-16.04": "ubuntu-latest", "ubuntu-18.04": "ubuntu-latest", "ubuntu-20.04": "ubuntu-latest",
	"macos-10.15": "macos-latest", "macos-11": "macos-latest", "macos-12": "macos-latest", "macos-13": "macos-latest",
	"macos-11-xl": "macos-latest-large", "macos-12-xl": "macos-latest-large", "macos-12-large": "macos-latest-large", "macos-13-large": "macos-latest-large",
	"macos-13-xlarge": "macos-latest-xlarge", "macos-13-xl": "macos-latest-large",
	"windows-2016": "windows-latest", "windows-2019": "windows-latest",
}

// retiredActions are versions that GitHub's services refuse: the step fails.
// Source: https://github.blog/changelog/ 2024-04-16 (artifacts v3 and older),
// 2024-12-05 (cache v1 and v2, and what came before v3.4.0 and v4.2.0; the
// actions for Pages that are built upon artifacts v3).
var retiredActions = map[string]*regexp.Regexp{
	"actions/upload-artifact":   regexp.MustCompile(`^v[123](\.|$)`),
	"actions/download-artifact": regexp.MustCompile(`^v[123](\.|$)`),
	"actions/cache":             regexp.MustCompile(oldCache),
	"actions/cache/save":        regexp.MustCompile(oldCache),
	"actions/cache/restore":     regexp.MustCompile(oldCache),

	"actions/upload-pages-artifact": regexp.MustCompile(`^v[12](\.|$)`),
	"actions/deploy-pages":          regexp.MustCompile(`^v[123](\.|$)`),
}

const oldCache = `^v[12](\.|$)|^v3\.[0-3]\.|^v4\.[01]\.`

func retiredRef(action, ref string) bool {
	old := retiredActions[action]
	return old != nil && old.MatchString(ref)
}

// retiredThings returns what a model asks for and GitHub no longer has.
func retiredThings(m *Model) []Message {
	var out []Message
	for i := range m.Jobs {
		j := &m.Jobs[i]
		for _, l := range labels(j) {
			if to := retired[strings.ToLower(l)]; to != "" {
				out = append(out, Message{Pos: j.RunsOnPos, Family: "runner-retired", Where: j.ID, Subject: l, Text: fmt.Sprintf("job %s asks for the runner %s, which GitHub has removed (use %s)", quote(j.ID), l, to)})
			}
		}
		for _, s := range j.Steps {
			action, ref := ActionOf(s.Uses)
			if retiredRef(action, ref) {
				out = append(out, Message{Pos: s.UsesPos, Family: "action-retired", Where: j.ID + "/" + s.Key, Subject: s.Uses, Text: fmt.Sprintf("%s is refused by GitHub: the step fails", quote(s.Uses))})
			}
		}
	}
	return out
}

// labels returns the runner labels of a job, those of its matrix included.
func labels(j *Job) []string {
	out := append([]string(nil), j.RunsOn...)
	asked := strings.Join(j.RunsOn, " ")
	for _, r := range j.Matrix {
		if strings.Contains(asked, "matrix."+r.Name) {
			out = append(out, r.Values...)
		}
	}
	return out
}
