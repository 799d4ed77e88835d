package trait

import (
	"strings"
)

// plumbing are builtins that neither work nor say anything.
var plumbing = map[string]bool{
	"cd": true, "set": true, "export": true, "[": true, "test": true, "local": true, "shift": true, "read": true, "return": true,
	"break": true, "continue": true, "unset": true, "trap": true, "wait": true, "shopt": true, "ulimit": true, "umask": true,
	".": true, "source": true, "pushd": true, "popd": true, "alias": true, "let": true, "type": true, "hash": true, "declare": true, "readonly": true,
}

// hollow are commands that do no work of their own.
var hollow = map[string]bool{"echo": true, "printf": true, "true": true, ":": true, "exit": true, "sleep": true, "date": true, "pwd": true, "false": true}

// installs only prepare work; their subcommand is part of the program's name.
var installs = map[string]map[string]bool{
	"npm":  {"ci": true, "install": true, "i": true},
	"yarn": {"install": true, "": true},
	"pnpm": {"install": true, "i": true},
	"bun":  {"install": true},
	"pip":  {"install": true}, "pip3": {"install": true},
	"bundle": {"install": true}, "composer": {"install": true},
}

// Hollow reports whether a program does no work.
func Hollow(program string) bool { return hollow[program] }

// Works reports whether a program, as Script.Names has it, does work of its own:
// it does not only say something, nor only prepare.
func Works(program string) bool {
	if hollow[program] {
		return false
	}
	name, sub, two := strings.Cut(program, " ")
	if two {
		return !installs[name][sub]
	}
	return program != "yarn install"
}

// maxName is the length of the longest name of a program that is shown, in bytes.
const maxName = 40

// Named reports whether a word may be shown as the name of a program.
func Named(word string) bool {
	if word == "" || len(word) > maxName {
		return false
	}
	for i := 0; i < len(word); i++ { // no pattern: every command is asked, many times
		c := word[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("_.+:[-", c) >= 0) {
			return false
		}
	}
	return true
}
