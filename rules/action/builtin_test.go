package action

import (
	"strings"
	"testing"

	"healthaudit/rules"
)

// The rules that audit brings along are a file of rules, each with a reason; that
// they name real checks is a test of the command, which has them all.
func TestBuiltin_is_a_file_of_rules(t *testing.T) {
	v := rules.Vocabulary{Actions: All()}
	for _, w := range strings.FieldsFunc(string(rules.Builtin), func(r rune) bool { return r == '"' }) {
		if strings.HasPrefix(w, "pm2-") || strings.HasSuffix(w, "-syntax") || strings.HasPrefix(w, "script-") || strings.HasPrefix(w, "function-") {
			v.Checks = append(v.Checks, w)
		}
	}
	s, err := rules.Parse("builtin.yaml", rules.Builtin, v)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, r := range s.Rules {
		used[r.Action.ID] = true
		if r.Why == "" {
			t.Errorf("%s says not why", r.ID)
		}
	}
	for _, a := range All() {
		if strings.HasPrefix(a.ID, "pm2.") && !used[a.ID] {
			t.Errorf("no rule shows %s", a.ID)
		}
	}
}
