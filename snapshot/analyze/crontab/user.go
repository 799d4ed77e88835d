package crontab

import (
	"path"
	"strings"
)

// accounts are user names that are not also names of programs.
var accounts = map[string]bool{"root": true, "www-data": true, "nobody": true, "ubuntu": true, "ec2-user": true, "debian": true}

// programs are words that begin commands and name no user.
var programs = map[string]bool{"cd": true, "sh": true, "bash": true, "node": true, "npm": true, "npx": true, "pnpm": true, "yarn": true, "bun": true, "python": true,
	"python3": true, "php": true, "ruby": true, "perl": true, "make": true, "docker": true, "curl": true, "wget": true, "test": true, "echo": true, "find": true, "rm": true,
	"env": true, "nice": true, "ionice": true, "flock": true, "timeout": true, "sudo": true, "exec": true, "source": true, "sleep": true, "pm2": true, "rsync": true,
	"logger": true, "chronic": true, "certbot": true, "systemctl": true, "command": true, "date": true, "cat": true, "mkdir": true, "touch": true, "if": true}

// placeholder reports whether a word stands for the name of a user that a template
// is given: ${APP_USER}, {{ user }}, <user>, @USER@.
func placeholder(word string) bool {
	return word != "" && strings.IndexByte("${<@", word[0]) >= 0 && !strings.Contains(word, "/")
}

// userName reports whether a word may be the name of a user, as useradd(8) makes
// them, with the dots and capitals that other tools allow, and a group behind it
// (root:wheel, crontab(5) of FreeBSD).
func userName(word string) bool {
	word, _, _ = strings.Cut(word, ":")
	for i, c := range []byte(word) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && c != '.' && c != '@' && (c != '$' || i < len(word)-1) && (c < '0' || c > '9')) {
			return false
		}
	}
	return word != "" && !programs[word]
}

// namesUsers reports whether the lines of a crontab name a user: in etc/crontab
// and cron.d always, elsewhere when every line may have one there, and one of
// them is well known.
func namesUsers(p string, src []byte) bool {
	if path.Base(path.Dir(p)) == "cron.d" || path.Base(path.Dir(p)) == "etc" && path.Base(p) == "crontab" {
		return true
	}
	found := false
	for line := range strings.Lines(string(src)) {
		text := strings.TrimSpace(line)
		if text == "" || text[0] == '#' {
			continue
		}
		if _, _, ok := environment(text); ok {
			continue
		}
		n := 6
		if text[0] == '@' {
			n = 2
		}
		words, rest := cut(text, n)
		if len(words) < n || rest == "" || !userName(words[n-1]) && !placeholder(words[n-1]) {
			return false
		}
		found = found || accounts[words[n-1]]
	}
	return found
}
