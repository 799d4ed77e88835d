package snapshot

import "strings"

// bare are the characters that have no meaning to a shell within a word.
const bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.:=+,@-"

// ShellWord writes a word for a command that a person copies, or that stands in a
// crontab: bash, dash, zsh and fish read it alike.
func ShellWord(s string) string {
	if s != "" && strings.Trim(s, bare) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
