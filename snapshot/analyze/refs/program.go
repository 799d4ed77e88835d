package refs

import (
	"path"
	"strings"

	"healthaudit/snapshot"
)

// program notes what a program that is no wrapper starts.
func (w *walker) program(name string, args []word, at place, depth int) {
	rest := args[1:]
	if in, ok := interpreters[name]; ok {
		w.interpret(name, in, rest, at, depth)
		return
	}
	switch name {
	case "npm", "pnpm", "yarn", "bun":
		w.manager(name, rest, at, depth)
	case "source", ".":
		if len(rest) > 0 && strings.Contains(rest[0].text, "/") || len(rest) > 0 && scriptExtension(rest[0].text) {
			w.file(rest[0].with(rest[1:]), at, false)
		}
	case "concurrently", "conc":
		w.concurrently(rest, at, depth)
	case "npm-run-all", "run-s", "run-p":
		w.runAll(rest, at)
	case "pm2", "pm2-runtime", "pm2-dev":
		w.pm2(name, rest, at, depth)
	case "netlify", "ntl":
		w.netlify(rest, at)
	case "gh":
		w.gh(rest, at)
	case "pwsh", "powershell":
		w.powershell(rest, at)
	default:
		if !w.settings(name, rest, at) && (strings.Contains(args[0].text, "/") || args[0].rooted) {
			w.file(args[0].with(args[1:]), at, true)
		}
	}
}

const concurrentlyTakes = " -n --names -c --prefix-colors -p --prefix -l --prefix-length -m --max-processes --restart-tries --restart-after" +
	" -s --success --name-separator --default-input-target --kill-signal --ks --kill-timeout --hide -t --timestamp-format --cwd "

// concurrently takes commands as words; npm:NAME is short for npm run NAME.
func (w *walker) concurrently(args []word, at place, depth int) {
	_, rest := options(args, concurrentlyTakes, false)
	for _, cmd := range rest {
		manager, script, short := strings.Cut(cmd.text, ":")
		switch {
		case !cmd.known:
		case short && (manager == "npm" || manager == "pnpm" || manager == "yarn" || manager == "bun"):
			name, _, _ := strings.Cut(script, " ")
			if !strings.ContainsAny(name, "*(") {
				n := cmd.after(len(manager) + 1)
				n.text = name
				w.npmScript(n, at, "", false)
			}
		default:
			w.nested(cmd, at, depth)
		}
	}
}

// runAll is npm-run-all: its words are names of npm scripts, or patterns.
func (w *walker) runAll(args []word, at place) {
	opts, rest := options(args, " --max-parallel --npm-path ", false)
	if _, ok := find(opts, "--npm-path"); ok {
		return
	}
	for _, a := range rest {
		name, _, _ := strings.Cut(a.text, " ")
		if a.known && !strings.ContainsAny(name, "*{}") {
			a.text = name
			w.npmScript(a, at, "", false)
		}
	}
}

const pm2Takes = " -n --name -i --instances --cwd --interpreter --interpreter-args --node-args -o --output -e --error -l --log --log-type --env" +
	" --only --max-memory-restart --max-restarts --cron -c --cron-restart --restart-delay --exp-backoff-restart-delay --namespace --ignore-watch" +
	" -u --user --uid --gid --hp --kill-timeout --listen-timeout --stop-exit-codes --log-date-format --watch-delay -p --pid --update-env-file "

// pm2 starts script files, process files, apps by name, or any command behind --.
func (w *walker) pm2(name string, args []word, at place, depth int) {
	var tail []word
	for i, a := range args {
		if a.is("--") {
			args, tail = args[:i], args[i+1:]
			break
		}
	}
	opts, rest := options(args, pm2Takes, false)
	if name == "pm2" {
		if len(rest) == 0 || !rest[0].is("start", "restart", "reload", "startOrRestart", "startOrReload", "startOrGracefulReload", "gracefulReload") {
			return
		}
		rest = rest[1:]
	}
	if len(rest) == 0 || !rest[0].known {
		return
	}
	if o, ok := find(opts, "--cwd"); ok {
		at = at.in(o.value)
	}
	target := rest[0]
	switch ext := path.Ext(target.text); {
	case strings.Contains(target.text, " "):
		w.nested(target, at, depth)
	case target.is("npm", "pnpm", "yarn", "bun"):
		w.call(append([]word{target}, tail...), at, depth)
	case ext == ".json" || ext == ".yml" || ext == ".yaml":
		if to := at.join(target); (at.known || target.rooted) && target.plain() && !outside(to) {
			w.add(snapshot.Ref{Kind: snapshot.RefFile, Path: to}, target, at)
		}
	case scriptExtension(target.text):
		w.file(target.with(tail), at, false)
	case name == "pm2":
		for _, a := range rest {
			if a.plain() && !strings.ContainsAny(a.text, "/\x1f") && a.text != "all" && strings.Trim(a.text, "0123456789") != "" {
				w.add(snapshot.Ref{Kind: snapshot.RefApp, Name: a.text}, a, at)
			}
		}
	}
}

func (w *walker) netlify(args []word, at place) {
	opts, rest := options(args, " -n --name -f --functions -p --payload -q --querystring --port --filter --auth ", false)
	if len(rest) == 0 || !rest[0].is("functions:invoke", "function:invoke") {
		return
	}
	name := word{}
	if o, ok := find(opts, "-n", "--name"); ok {
		name = o.value
	} else if len(rest) > 1 {
		name = rest[1]
	}
	if name.plain() {
		w.add(snapshot.Ref{Kind: snapshot.RefFunction, Name: name.text}, name, at)
	}
}

func (w *walker) gh(args []word, at place) {
	opts, rest := options(args, " -R --repo -r --ref -f --raw-field -F --field ", false)
	if len(rest) < 3 || !rest[0].is("workflow") || !rest[1].is("run") {
		return
	}
	if _, foreign := find(opts, "-R", "--repo"); foreign {
		return
	}
	name := rest[2]
	if name.plain() && strings.Trim(name.text, "0123456789") != "" && len(name.text) < 256 {
		name.text = path.Base(name.text)
		w.add(snapshot.Ref{Kind: snapshot.RefWorkflow, Name: name.text}, name, at)
	}
}
