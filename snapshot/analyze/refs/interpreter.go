package refs

import "strings"

// An interpreter runs the file that is its first word without a dash.
type interpreter struct {
	takes string // options whose value is the next word
	stop  string // options after which there is no file: inline code, a module
	short string // letters of combined short options that stop (python -um mod)
	subs  string // subcommands that may stand before the file
	needs string // subcommands of which one must stand there
	cwd   string // options that change the folder
	run   string // options whose value is a command line: nodemon --exec
}

const nodeTakes = " -r --require --import --loader --experimental-loader --env-file --env-file-if-exists -C --conditions --input-type" +
	" --icu-data-dir --title --test-name-pattern --test-reporter --test-reporter-destination --watch-path --diagnostic-dir" +
	" --redirect-warnings --openssl-config --experimental-config-file --experimental-default-type --tsconfig "

const nodeStop = " -e --eval -p --print -i --interactive -v --version -h --help -pe "

var interpreters = map[string]interpreter{
	"node":   {takes: nodeTakes, stop: nodeStop, subs: " inspect debug "},
	"nodejs": {takes: nodeTakes, stop: nodeStop},
	"tsx":    {takes: nodeTakes, stop: nodeStop, subs: " watch "},
	"ts-node": {takes: " -r --require -P --project -O --compiler-options -C --compiler -I --ignore -D --ignore-diagnostics --cwd --scope-dir ",
		stop: " -e --eval -p --print -i --interactive -v --version -h --help -pe ", cwd: " --cwd "},
	"ts-node-esm": {takes: " -r --require -P --project -O --compiler-options ", stop: " -e --eval -p --print "},
	"ts-node-dev": {takes: " -r --require -P --project -O --compiler-options --watch --ignore-watch --interval --debounce ", stop: " -e --eval -p --print "},
	"tsnd":        {takes: " -r --require -P --project -O --compiler-options --watch --ignore-watch --interval --debounce ", stop: " -e --eval -p --print "},
	"babel-node":  {takes: " -r --require --presets --plugins -x --extensions --config-file ", stop: " -e --eval -p --print "},
	"nodemon": {takes: " -e --ext -w --watch -i --ignore -x --exec -d --delay --config --signal -r --require --cwd ", stop: " -v --version -h --help ",
		cwd: " --cwd ", run: " -x --exec "},
	"deno": {takes: " -c --config --import-map --lock -L --log-level --cert --location --env-file ", needs: " run serve ", stop: " -V --version -h --help "},
	"bash": {takes: shellTakes, stop: shellStop, short: "cs"},
	"sh":   {takes: shellTakes, stop: shellStop, short: "cs"},
	"zsh":  {takes: shellTakes, stop: shellStop, short: "cs"},
	"dash": {takes: shellTakes, stop: shellStop, short: "cs"},
	"ash":  {takes: shellTakes, stop: shellStop, short: "cs"},
	"ksh":  {takes: shellTakes, stop: shellStop, short: "cs"},

	"python":  {takes: pythonTakes, stop: pythonStop, short: "cmVh"},
	"python2": {takes: pythonTakes, stop: pythonStop, short: "cmVh"},
	"python3": {takes: pythonTakes, stop: pythonStop, short: "cmVh"},
	"pypy3":   {takes: pythonTakes, stop: pythonStop, short: "cmVh"},
	"ruby":    {takes: " -r -I -C -E ", stop: " -e -v --version -S ", cwd: " -C "},
	"php":     {takes: " -d -c -t -z -f --file ", stop: " -r --run -S -v -i -m -a -B -R --version "},
	"perl":    {takes: " -I -M -m ", stop: " -v --version -V ", short: "eE"},
}

const (
	shellTakes  = " -o +o -O +O --rcfile --init-file "
	shellStop   = " -c -s --version --help "
	pythonTakes = " -W -X --check-hash-based-pycs "
	pythonStop  = " -c -m -V --version -h --help "
)

// interpret notes the file an interpreter runs.
func (w *walker) interpret(name string, in interpreter, args []word, at place, depth int) {
	for len(args) > 0 && args[0].known {
		a := args[0]
		switch {
		case a.text == "--":
			args = args[1:]
		case a.option() || in.takes == shellTakes && strings.HasPrefix(a.text, "+"):
			var more bool
			if args, more = w.interpreterOption(name, in, args, &at, depth); more {
				continue
			}
		case in.needs != "" && strings.Contains(in.needs, " "+a.text+" "):
			in.needs, in.subs = "", ""
			args = args[1:]
			continue
		case in.subs != "" && strings.Contains(in.subs, " "+a.text+" "):
			in.subs = ""
			args = args[1:]
			continue
		}
		break
	}
	if len(args) > 0 && in.needs == "" {
		w.file(args[0].with(args[1:]), at, false)
	}
}

// interpreterOption follows the option at args[0] and returns what is behind it
// and its value. more is false when the next word can only be the file; no
// words are left when there is no file.
func (w *walker) interpreterOption(name string, in interpreter, args []word, at *place, depth int) (rest []word, more bool) {
	a, rest := args[0], args[1:]
	opt, text, has := strings.Cut(a.text, "=")
	short := in.short != "" && !strings.HasPrefix(opt, "--")
	isShell := in.takes == shellTakes
	among := func(list string) bool { return strings.Contains(list, " "+opt+" ") }
	value := word{text: text, known: has, line: a.line, column: a.column}
	takes := among(in.takes) || isShell && short && strings.HasSuffix(opt, "o")
	switch {
	case isShell && short && opt[0] == '-' && strings.Contains(opt, "c"):
		if cmd := shellCommand(opt, rest); cmd != nil {
			w.nested(*cmd, *at, depth)
		}
		return nil, false
	case opt == "--run" && name == "node":
		if !has && len(rest) > 0 {
			value = rest[0]
		}
		w.npmScript(value, *at, "", false)
		return nil, false
	case among(in.stop) || short && strings.ContainsAny(opt[1:], in.short):
		return nil, false
	case name == "php" && (opt == "-f" || opt == "--file") && !has:
		return rest, false
	case takes && !has:
		if len(rest) == 0 {
			return nil, false
		}
		value, rest = rest[0], rest[1:]
	}
	if among(in.cwd) {
		*at = at.in(value)
	}
	if among(in.run) {
		w.nested(value, *at, depth)
	}
	return rest, true
}

// shellCommand returns the command word of -c: the first word behind all
// options.
func shellCommand(cluster string, rest []word) *word {
	if strings.Contains(cluster, "o") && len(rest) > 0 { // -euo pipefail -c, as one: -ceuo pipefail
		rest = rest[1:]
	}
	_, words := options(rest, shellTakes, true)
	if len(words) == 0 {
		return nil
	}
	return &words[0]
}
