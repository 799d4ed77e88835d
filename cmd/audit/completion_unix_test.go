//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// completions are a line up to the cursor and words that are offered there; "!" is
// a word that is not.
var completions = []struct{ line, want string }{
	{"audit cr", "cron"},
	{"audit ", "accept run version !internal"},
	{"audit cron ", "install print remove status"},
	{"audit cron in", "install !print"},
	{"audit run --for", "--format"},
	{"audit --only w", "workflows !pm2"},
	{"audit run --format ", "json table"},
	{"audit run --format=j", "json"},
	{"audit -q list --format ", "json table"},
	{"audit run --only pm2,w", "pm2,workflows"},
	{"audit run --fail-on cr", "critical"},
	{"audit check explain pm2-memory-g", "pm2-memory-growing"},
	{"audit bisect workflow-lint scripts/", "scripts/build.sh"},
	{"audit bisect workflow-lint scripts/bui", "scripts/build.sh !scripts/bu;id.sh"},
	{"audit history scripts/npm:bu", "scripts/npm:build"},
	{"audit help snap", "snapshots"},
	{"audit restore latest scripts/b", "scripts/build.sh"},
	{"audit report ", "latest previous baseline"},
	{"audit completion f", "fish"},
}

// quotedCompletions are words that no shell reads as they are. Bash writes what it
// is offered, zsh and fish quote that themselves.
var quotedCompletions = []struct{ line, bash, others string }{
	{`audit history scripts/bu\;`, `scripts/bu\;id.sh`, `scripts/bu;id.sh`},
	{`audit history scripts/bu`, `scripts/bu\*.sh`, `scripts/bu*.sh`},
	{`audit history scripts/s`, `scripts/s\ p.sh`, `scripts/s p.sh`},
	{`audit history scripts/q`, `scripts/q\'\".sh`, `scripts/q'".sh`},
	{`audit history scripts/d\$`, `scripts/d\$x\\y.sh`, `scripts/d$x\y.sh`},
}

// shells are how each shell is asked for what it would offer.
var shells = []struct{ name, script string }{
	{"bash", `source <(audit completion bash); COMP_LINE=$1; COMP_POINT=${#1}; COMPREPLY=(); _audit; printf '%s\n' "${COMPREPLY[@]}"`},
	{"zsh", `module_path=(${ZSH_MODULES:-$module_path}); compdef() { : }; _files() { : }; _describe() { print -rl -- "${(@)${(@P)2}//(#b)([^\\]):*/$match[1]}" }; setopt extendedglob
source <(audit completion zsh); words=("${(@s: :)1}"); CURRENT=${#words}; PREFIX=$words[CURRENT]; typeset -A compstate; _audit`},
	{"fish", `audit completion fish | source; complete -C $argv[1]`},
}

// TestCompletionInShells: every script does in its own shell what it should.
func TestCompletionInShells(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a shell for each line: make test runs it")
	}
	dir := site(t)
	for name, text := range map[string]string{"build.sh": "#!/bin/sh\necho\n", "bu;id.sh": "#!/bin/sh\necho\n", "bu*.sh": "#!/bin/sh\necho\n", "s p.sh": "#!/bin/sh\n", "q'\".sh": "#!/bin/sh\n", `d$x\y.sh`: "#!/bin/sh\n", "package.json": `{"scripts":{"build":"sh build.sh"}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	document(t, dir, nil)
	debian, _ := filepath.Abs(filepath.Join("..", "..", "build", "debian"))
	env := append(os.Environ(), "AUDIT_ROOT="+dir, "HOME="+t.TempDir(), "PATH="+os.Getenv("PATH")+":"+filepath.Join(debian, "bin")+":"+filepath.Join(debian, "usr", "bin"))
	if m, _ := filepath.Glob(filepath.Join(debian, "usr", "lib", "*", "zsh", "*")); len(m) > 0 {
		env = append(env, "ZSH_MODULES="+m[0], "LD_LIBRARY_PATH="+filepath.Dir(filepath.Dir(m[0])))
	}
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			shell, err := exec.LookPath(sh.name)
			for _, in := range []string{"bin", filepath.Join("usr", "bin")} {
				if err != nil {
					shell, err = exec.LookPath(filepath.Join(debian, in, sh.name))
				}
			}
			if err != nil {
				t.Skipf("no %s here: make debian fetches it", sh.name)
			}
			offers := func(line string) (got []string, err error) {
				args := map[string][]string{"bash": {"--norc", "-c", sh.script, "bash", line}, "zsh": {"-fc", sh.script, "zsh", line}, "fish": {"-N", "-c", sh.script, line}}[sh.name]
				cmd := exec.Command(shell, args...)
				cmd.Env, cmd.Dir = env, dir
				out, err := cmd.CombinedOutput()
				for line := range strings.Lines(string(out)) {
					word, _, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
					if sh.name == "zsh" {
						word = regexp.MustCompile(`\\(.)`).ReplaceAllString(word, "$1")
					}
					got = append(got, word)
				}
				return got, err
			}
			for _, c := range quotedCompletions {
				want := c.others
				if sh.name == "bash" {
					want = c.bash
				}
				if got, err := offers(c.line); !slices.Contains(got, want) {
					t.Errorf("%s offers %q, want %q (%v)", c.line, got, want, err)
				}
			}
			for _, c := range completions {
				got, err := offers(c.line)
				for want := range strings.FieldsSeq(c.want) {
					no := strings.HasPrefix(want, "!")
					want = strings.TrimPrefix(want, "!")
					if sh.name == "bash" { // it replaces what follows the last word break
						last := c.line[strings.LastIndexByte(c.line, ' ')+1:]
						want = want[min(len(want), strings.LastIndexAny(last, ":")+1):]
					} else if i := strings.LastIndexByte(c.line, '='); i >= 0 {
						want = c.line[strings.LastIndexByte(c.line, ' ')+1:i+1] + want
					}
					if slices.Contains(got, want) == no {
						t.Errorf("%q offers %q, want %q (%v)", c.line, got, c.want, err)
					}
				}
			}
		})
	}
}
