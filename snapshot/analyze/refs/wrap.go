package refs

import (
	"path"
	"strings"

	"healthaudit/snapshot/analyze/shell"
)

// maxWraps bounds the programs before the program: sudo env nice node x.js.
const maxWraps = 12

// A wrapper is a program that runs the command behind its own options.
type wrapper struct {
	takes   string // options whose value is the next word
	assigns bool   // A=b words may stand before the command
	skip    int    // words of its own before the command: the 5m of timeout
	sub     string // the subcommand that runs something; empty: none needed
	command string // options whose value is a shell command of its own
	dir     string // options that change the folder
	reads   string // extension of the files that it gives to an interpreter
}

var wrappers = map[string]wrapper{
	"sudo":            {takes: " -u -g -h -p -C -T -r -t -U -D -R --user --group ", assigns: true, dir: " -D --chdir "},
	"doas":            {takes: " -u -C "},
	"env":             {takes: " -u --unset -C --chdir -S ", assigns: true, command: " -S --split-string ", dir: " -C --chdir "},
	"exec":            {takes: " -a "},
	"nohup":           {},
	"command":         {},
	"builtin":         {},
	"time":            {takes: " -f -o "},
	"timeout":         {takes: " -k -s --kill-after --signal ", skip: 1},
	"gtimeout":        {takes: " -k -s ", skip: 1},
	"nice":            {takes: " -n "},
	"ionice":          {takes: " -c -n "},
	"setsid":          {},
	"stdbuf":          {takes: " -i -o -e "},
	"chronic":         {},
	"caffeinate":      {takes: " -t "},
	"xvfb-run":        {takes: " -n -s -e -f -w "},
	"flock":           {takes: " -w -E --timeout ", skip: 1, command: " -c --command "},
	"xargs":           {takes: " -n -I -P -L -d -s -a -E --max-args --max-procs --replace --delimiter "},
	"cross-env":       {assigns: true},
	"cross-env-shell": {assigns: true},
	"dotenv":          {takes: " -e -v -c -p ", assigns: true},
	"env-cmd":         {takes: " -f -e -r --file --environments "},
	"dotenvx":         {takes: " -f -e -fk --env-file ", sub: "run"},
	"doppler":         {takes: " -p -c -t --project --config ", sub: "run", command: " --command "},
	"infisical":       {takes: " --env --path --projectId ", sub: "run"},
	"op":              {takes: " --env-file --account ", sub: "run"},
	"npx":             {takes: " -p --package -c --call ", command: " -c --call "},
	"bunx":            {takes: " -p --package "},
	"pnpx":            {takes: " --package "},
	"uv": {takes: " -p --python -w --with --with-editable --with-requirements --extra --no-extra --group --no-group --only-group --env-file --directory --project" +
		" --package -i --index --default-index --index-url -f --find-links --resolution --prerelease --exclude-newer --cache-dir --config-file ", sub: "run",
		dir: " --directory --project ", reads: ".py"},
	"poetry": {takes: " -C -P --directory --project ", sub: "run", dir: " -C --directory "},
	"pipenv": {sub: "run"},
	"pdm":    {takes: " -p ", sub: "run", dir: " -p ", reads: ".py"},
	"rye":    {sub: "run"},
	"bundle": {sub: "exec"},
}

// call follows one command line to what it starts.
func (w *walker) call(args []word, at place, depth int) {
	for range maxWraps {
		if len(args) == 0 || !args[0].known {
			return
		}
		name := program(args[0])
		wrap, ok := wrappers[name]
		if !ok {
			w.program(name, args, at, depth)
			return
		}
		if args, ok = w.unwrap(wrap, args[1:], &at, depth); !ok {
			return
		}
		if len(args) > 0 && wrap.reads != "" && path.Ext(args[0].text) == wrap.reads {
			w.file(args[0].with(args[1:]), at, false)
			return
		}
	}
}

// program returns the name of the program a word runs: node for
// /usr/bin/node, tsx for tsx@latest.
func program(w word) string {
	name := w.text
	if strings.HasPrefix(name, "/") || strings.Contains(name, "node_modules/.bin/") {
		name = path.Base(name)
	}
	if i := strings.LastIndexByte(name, '@'); i > 0 && !strings.Contains(name, "/") {
		name = name[:i]
	}
	return name
}

// unwrap returns the command behind a wrapper's own words.
func (w *walker) unwrap(wrap wrapper, args []word, at *place, depth int) (rest []word, ok bool) {
	ended := len(args) > 0 && args[0].is("--")
	opts, rest := options(args, wrap.takes, true)
	for _, o := range opts {
		switch {
		case wrap.command != "" && strings.Contains(wrap.command, " "+o.name+" "):
			w.nested(o.value, *at, depth)
			return nil, false
		case wrap.dir != "" && strings.Contains(wrap.dir, " "+o.name+" "):
			*at = at.in(o.value)
		case o.name == "-v" || o.name == "-V": // command -v asks, sudo -v renews
			if wrap.takes == "" {
				return nil, false
			}
		}
	}
	if wrap.sub != "" {
		if len(rest) == 0 || !rest[0].is(wrap.sub) {
			return nil, false
		}
		opts, rest = options(rest[1:], wrap.takes, true)
		for _, o := range opts {
			if strings.Contains(wrap.command, " "+o.name+" ") && wrap.command != "" {
				w.nested(o.value, *at, depth)
				return nil, false
			}
		}
	}
	for wrap.assigns && !ended && len(rest) > 0 && (!rest[0].known || strings.Contains(rest[0].text, "=")) {
		if !rest[0].known {
			return nil, false
		}
		rest = rest[1:]
	}
	if wrap.assigns && len(rest) > 0 && rest[0].is("--") {
		rest = rest[1:]
	}
	for i := 0; i < wrap.skip && len(rest) > 0; i++ {
		rest = rest[1:]
	}
	if strings.Contains(wrap.command, " -c ") && len(rest) > 1 && rest[0].is("-c") { // flock FILE -c "cmd"
		w.nested(rest[1], *at, depth)
		return nil, false
	}
	return rest, true
}

// nested walks a word that is itself a command.
func (w *walker) nested(cmd word, at place, depth int) {
	if !cmd.known {
		return
	}
	column := cmd.column
	if cmd.quoted && column > 0 {
		column++
	}
	if depth < maxNested {
		w.text(shell.ReadRun([]byte(cmd.text)), cmd.line, column, at, depth+1)
	}
}
