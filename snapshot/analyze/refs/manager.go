package refs

import (
	"path"
	"strings"

	"healthaudit/snapshot"
)

// npmTakes are the options of npm, pnpm, yarn and bun whose value is the next
// word, as far as they stand beside run.
const npmTakes = " --prefix -C --dir --cwd --loglevel --userconfig --cache --registry --script-shell --reporter" +
	" --workspace-concurrency --config --preload -c -p --package --call --node-options --env-file --filter-prod --resume-from "

// npmBuiltin are the commands that are no script, by manager. What they lack is
// read as the name of a script or of a program.
var npmBuiltin = map[string]string{
	"pnpm": " add audit bin c cat-file cat-index cache ci completion config create dedupe deploy dlx doctor env exec fetch find-hash help i import info init" +
		" install install-test it licenses link list ln ls login logout la ll outdated pack patch patch-commit patch-remove prune publish rb rebuild recursive" +
		" remove rm root self-update server set setup store unlink update up upgrade upload view version why approve-builds get ",
	"yarn": " add audit autoclean bin cache check config constraints create dedupe dlx exec explain generate-lock-entry global help import info init install" +
		" licenses link list login logout node npm outdated owner pack patch patch-commit plugin policies publish rebuild remove search set stage tag team" +
		" unlink unplug up upgrade upgrade-interactive version versions why ",
	"bun": " a add audit build c create exec i info init install link outdated patch patch-commit pm publish remove repl rm test unlink update upgrade why x ",
}

// commonScripts are names that no package installs a program of, so that a
// manager that falls back to programs still means a script.
var commonScripts = map[string]bool{"build": true, "test": true, "start": true, "dev": true, "lint": true, "deploy": true, "format": true,
	"typecheck": true, "type-check": true, "e2e": true, "clean": true, "preview": true}

// manager notes what npm, pnpm, yarn or bun runs.
func (w *walker) manager(name string, args []word, at place, depth int) {
	takes := npmTakes
	switch name {
	case "npm":
		takes = npmTakes + "-w --workspace "
	case "pnpm", "bun":
		takes = npmTakes + "-F --filter "
	}
	opts, rest := options(args, takes, true)
	if len(rest) == 0 || !rest[0].known {
		return
	}
	verb, rest := rest[0], rest[1:]
	isRun := verb.is("run", "run-script", "rum", "urn")
	var more []option
	words := rest
	if name == "npm" || isRun { // the others give what follows the script's name to the script
		more, words = options(before(rest), takes, name != "npm")
	}
	m := run{w: w, name: name, opts: append(opts, more...), at: at}
	if !m.options() {
		return
	}
	w.install(&m, verb, rest)
	switch {
	case verb.is("exec", "x", "dlx"):
		if name == "npm" {
			if o, ok := find(m.opts, "-c", "--call"); ok {
				w.nested(o.value, m.at, depth)
				return
			}
		}
		_, cmd := options(rest, takes, true)
		w.call(cmd, m.at, depth)
	case name == "yarn" && verb.is("workspace") && len(words) > 1:
		m.spaces = []string{words[0].text}
		if words[0].plain() {
			m.yarnWorkspace(words[1:])
		}
	case isRun:
		if len(words) > 0 {
			given := words[1:]
			if name == "npm" { // which keeps what stands before "--" for itself
				given = rest[len(before(rest)):]
			}
			m.script(words[0].with(given), name != "yarn" && name != "bun")
		}
	case name == "npm":
		if verb.is("test", "t", "tst", "start", "stop", "restart") {
			if verb.is("t", "tst") {
				verb.text = "test"
			}
			m.script(verb.with(rest[len(before(rest)):]), true)
		}
	case !strings.Contains(npmBuiltin[name], " "+verb.text+" "):
		m.script(verb.with(rest), false)
	}
}

// before returns the words before "--", which belong to the manager.
func before(args []word) []word {
	for i, a := range args {
		if a.is("--") {
			return args[:i]
		}
	}
	return args
}

// A run is one call of a package manager.
type run struct {
	w      *walker
	name   string
	opts   []option
	at     place
	spaces []string // workspaces by name
}

// options applies what the options say about where the script is. It returns
// false when that is more than one place, or one that cannot be known.
func (m *run) options() bool {
	for _, o := range m.opts {
		switch o.name {
		case "--prefix", "-C", "--dir", "--cwd":
			m.at = m.at.in(o.value)
		case "--if-present":
			m.at.guarded = m.at.guarded || !o.value.is("false")
		case "-w", "--workspace":
			if m.name == "pnpm" { // run in the workspace's root, wherever that is
				return false
			}
			if !m.space(o.value) {
				return false
			}
		case "-F", "--filter":
			if !m.space(o.value) {
				return false
			}
		case "-ws", "--workspaces", "-r", "--recursive", "-g", "--global", "-h", "--help", "--filter-prod":
			if m.name != "bun" || o.name != "-r" {
				return false
			}
		}
	}
	return true
}

// space adds a workspace; pnpm's patterns and relations are not followed.
func (m *run) space(v word) bool {
	if !v.plain() || strings.ContainsAny(v.text, "*{}[]!^ ") || strings.Contains(v.text, "...") {
		return false
	}
	m.spaces = append(m.spaces, v.text)
	return true
}

func (m *run) yarnWorkspace(words []word) {
	verb, rest := words[0], words[1:]
	if verb.is("run") && len(rest) > 0 {
		verb = rest[0]
	} else if !verb.known || strings.Contains(npmBuiltin["yarn"], " "+verb.text+" ") {
		return
	}
	m.script(verb, false)
}

// script notes the script of that name, once per workspace. When it is not
// strict, the manager would also run a program, or bun a file, of that name.
func (m *run) script(name word, strict bool) {
	if !name.known || m.name == "bun" && (scriptExtension(name.text) || strings.Contains(name.text, "/")) {
		if name.known {
			m.w.file(name, m.at, false)
		}
		return
	}
	program := !strict && !commonScripts[name.text] && !strings.Contains(name.text, ":")
	if len(m.spaces) == 0 {
		m.w.npmScript(name, m.at, "", program)
	}
	for _, s := range m.spaces {
		at := m.at
		if strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || strings.Contains(s, "/") && s[0] != '@' {
			at.dir = path.Join(at.dir, s)
			s = ""
		}
		m.w.npmScript(name, at, s, program)
	}
}

// npmScript notes a script of the package.json in the folder, or of the
// workspace of that name. Where a program of that name would do as well, the
// ref is one to a program; Resolve looks for the script first.
func (w *walker) npmScript(name word, at place, space string, program bool) {
	if !at.known || !name.known || name.text == "" || outside(at.dir) || len(name.text) > 256 || strings.ContainsAny(name.text, " \n\t\"'$`") {
		return
	}
	r := snapshot.Ref{Kind: snapshot.RefNPM, Dir: at.dir, Name: name.text, Path: space}
	if program {
		r.Kind = snapshot.RefBin
	}
	w.add(r, name, at)
}
