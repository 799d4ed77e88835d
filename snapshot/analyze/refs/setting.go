package refs

import (
	"path"
	"strings"

	"healthaudit/snapshot"
)

// configured are the options of programs whose value is a file without which they
// do not begin. Those that also take a folder, the name of a package or text are
// told from a file by the ending.
var configured = map[string]string{
	"jest": " -c --config ", "vitest": " -c --config ", "vite": " -c --config ", "webpack": " -c --config ", "rollup": " -c --config ",
	"playwright": " -c --config ", "mocha": " --config ", "tsc": " -p --project ", "tsup": " --config ", "eslint": " -c --config ",
	"drizzle-kit": " --config ", "prisma": " --schema ", "docker-compose": " -f --file ", "stylelint": " --config ", "babel": " --config-file ",
}

// moved are their options for the folder in which a file of settings is looked for.
// Those of the others do not move it.
// Source: https://github.com/vitest-dev/vitest/blob/main/packages/vitest/src/node/create.ts
var moved = map[string]string{"vitest": " -r --root "}

var settingExtensions = map[string]bool{".json": true, ".js": true, ".cjs": true, ".mjs": true, ".ts": true, ".cts": true, ".mts": true, ".yml": true, ".yaml": true,
	".toml": true, ".prisma": true}

// settings notes the files of settings that a program is given, and reports
// whether it is one that is known.
func (w *walker) settings(name string, args []word, at place) bool {
	if name == "docker" && len(args) > 0 && args[0].is("compose") {
		name, args = "docker-compose", args[1:]
	}
	takes, ok := configured[name]
	if !ok {
		return false
	}
	opts, _ := options(args, takes+moved[name], name == "docker-compose") // whose logs -f follows
	for _, o := range opts {
		if strings.Contains(moved[name], " "+o.name+" ") {
			at = at.in(o.value)
		}
	}
	for _, o := range opts {
		if strings.Contains(takes, " "+o.name+" ") && settingExtensions[path.Ext(o.value.text)] {
			w.read(o.value, at)
		}
	}
	return true
}

// read notes a file that a program is given to read.
func (w *walker) read(f word, p place) {
	if !p.known && !f.rooted || !f.plain() {
		return
	}
	if to := p.join(f); !outside(to) && to != "." && !built(to) {
		w.add(snapshot.Ref{Kind: snapshot.RefFile, Path: to}, f, p)
	}
}
