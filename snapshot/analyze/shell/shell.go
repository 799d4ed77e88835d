// Package shell reads shell text: which dialect a script is written in, and
// whether it parses. It is a thin layer over mvdan.cc/sh.
//
// Invariants: nothing is executed, expanded or looked up; time and memory are
// bounded by MaxSize and a bound on nesting; equal bytes give equal problems.
// It does not lint: a script that parses has no problems here.
package shell

import (
	"bytes"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// MaxSize is the largest text, in bytes, that is parsed. Longer text is one
// problem of its own, which is not Sure.
const MaxSize = 1 << 20

// A Dialect is a shell language. The zero Dialect is read as Bash.
type Dialect string

// The dialects that can be parsed. fish, csh and PowerShell cannot.
const (
	Bash  Dialect = "bash"
	POSIX Dialect = "sh"
	Korn  Dialect = "ksh"
	Bats  Dialect = "bats"
	Zsh   Dialect = "zsh"
)

func (d Dialect) variant() syntax.LangVariant {
	switch d {
	case POSIX:
		return syntax.LangPOSIX
	case Korn:
		return syntax.LangMirBSDKorn
	case Bats:
		return syntax.LangBats
	case Zsh:
		return syntax.LangZsh
	}
	return syntax.LangBash
}

var byName = map[string]Dialect{
	"bash": Bash, "rbash": Bash, "sh": POSIX, "dash": POSIX, "ash": POSIX,
	"ksh": Korn, "mksh": Korn, "ksh93": Korn, "oksh": Korn, "bats": Bats, "zsh": Zsh,
}

var byExtension = map[string]Dialect{
	".sh": Bash, ".bash": Bash, ".ksh": Korn, ".bats": Bats, ".zsh": Zsh,
}

// DialectOf returns the dialect of a script: by its #! line, else by the
// extension of its name (.sh without a #! line is bash), or as a hook of husky. ok
// is false when it is no shell script, or one of a shell that cannot be parsed.
func DialectOf(name string, src []byte) (d Dialect, ok bool) {
	if in, has := Interpreter(src); has {
		d, ok = byName[in]
		return d, ok
	}
	if Hook(name) {
		return POSIX, true
	}
	d, ok = byExtension[path.Ext(name)]
	return d, ok
}

// Interpreter returns the base name of the program that the #! line names, past
// env and busybox. ok is false without a #! line.
func Interpreter(src []byte) (name string, ok bool) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if !bytes.HasPrefix(src, []byte("#!")) {
		return "", false
	}
	line, _, _ := bytes.Cut(src[2:min(len(src), 256)], []byte("\n"))
	for i, w := range strings.Fields(string(line)) {
		base := path.Base(w)
		option := i > 0 && (strings.HasPrefix(w, "-") || strings.Contains(w, "="))
		if !option && base != "env" && base != "busybox" {
			return base, true
		}
	}
	return "", true
}

// hooks are the names of git's hooks that run on the machine of whoever commits.
// Source: githooks(5).
var hooks = map[string]bool{"pre-commit": true, "prepare-commit-msg": true, "commit-msg": true, "post-commit": true, "pre-merge-commit": true, "pre-rebase": true,
	"post-checkout": true, "post-merge": true, "pre-push": true, "post-rewrite": true, "applypatch-msg": true, "pre-applypatch": true, "post-applypatch": true,
	"pre-auto-gc": true}

// Hook reports whether a file of that path is a hook of husky, which needs neither
// a #! line nor the executable bit: sh -e runs it.
// Source: husky 9, file .husky/_/h.
func Hook(name string) bool {
	return path.Base(path.Dir(name)) == ".husky" && hooks[path.Base(name)]
}
