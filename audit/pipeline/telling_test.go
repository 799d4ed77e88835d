package pipeline

import (
	"strings"
	"testing"
)

func TestTellsSecret(t *testing.T) {
	random, hex := "aB3dE5gH7jK9mN1pQ2sT", "0123456789abcdef0123456789abcdef"
	for text, want := range map[string]bool{
		"":                                     false,
		"API_TOKEN=abc123def":                  true,
		"key: 'abcdef1'":                       true,
		"x-auth  bearer abcdef1":               true,
		"Passwords:\n  - hunter2hunter2":       false,
		"pwd=$(pwd)":                           false,
		"token=process.env.TOKEN1":             false,
		"key=abcde1":                           true,
		"key=abcd1":                            false,
		"key=abcdef":                           false,
		"k":                                    false,
		"https://me:hunter2@example.com":       true,
		"https://example.com:8080/a@b":         false,
		"-----BEGIN PRIVATE KEY-----":          true,
		random:                                 true,
		random[:19]:                            false,
		strings.ToLower(random):                false,
		hex:                                    true,
		"@" + hex:                              false,
		hex + "0":                              false,
		"_" + hex:                              false,
		"-" + random:                           true,
		"-" + random + random + "aaa":          false,
		strings.Repeat("w", 24) + " " + random: true,
		"a.b " + strings.Repeat("word ", 9):    false,
	} {
		for n := range 2 * randomLeast { // wherever it stands
			before := strings.Repeat("a.", n/2) + strings.Repeat(" ", n%2+1)
			if got := tellsSecret([]byte(before + text)); got != want {
				t.Errorf("%q behind %d others: %v", text, len(before), got)
				break
			}
			if got := tellsSecret([]byte(before + text + " " + before)); got != want {
				t.Errorf("%q between %d others: %v", text, len(before), got)
				break
			}
		}
	}
}
