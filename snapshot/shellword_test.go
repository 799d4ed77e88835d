package snapshot

import "testing"

func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{
		"api": "api", "my app": "'my app'", "it's": `'it'\''s'`, "--root": "--root", "$(id)": "'$(id)'", "": "''",
		"/srv/a_b/c.js": "/srv/a_b/c.js", "pm2/api#0": "'pm2/api#0'", "~/x": "'~/x'", "50%": "'50%'", "naïve": "'naïve'", "a\nb": "'a\nb'",
	} {
		if got := ShellWord(word); got != want {
			t.Errorf("%s: %s", word, got)
		}
	}
}
