package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
)

type project struct {
	shape
	dir   string
	rng   *rand.Rand
	err   error
	files int
	bytes int

	scripts []string // paths of script files
	folders []string // package folders, "." for the root
}

var (
	areas = []string{"billing", "catalogue", "content", "deploy", "images", "ledger", "mail", "metrics", "orders", "search", "stock", "users"}
	verbs = []string{"audit", "build", "check", "clean", "collect", "export", "import", "index", "merge", "notify", "prune", "publish", "refresh", "report", "scan", "sync", "update", "verify"}
	nouns = []string{"accounts", "backlog", "carts", "changelog", "coupons", "feeds", "invoices", "labels", "links", "logs", "pages", "prices", "queues", "rates", "reviews", "sitemap", "tokens", "translations"}
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

func (p *project) pick(list []string) string { return list[p.rng.IntN(len(list))] }

// name returns a name that is unique by its number.
func (p *project) name(n int) string {
	return fmt.Sprintf("%s-%s-%d", p.pick(verbs), p.pick(nouns), n)
}

// size draws a length in bytes: log-normal around the median, which is
// what the workflow and script folders of large projects look like.
func (p *project) size() int {
	return int(min(max(p.median*math.Exp(p.rng.NormFloat64()*p.spread), 500), p.largest))
}

// fill appends blocks until the text has the drawn size.
func (p *project) fill(b *strings.Builder, block func(n int) string) {
	want := p.size()
	for n := 1; b.Len() < want; n++ {
		b.WriteString(block(n))
	}
}

func (p *project) generate() {
	p.folders = []string{"."}
	for n := 1; n < p.packages; n++ {
		p.folders = append(p.folders, fmt.Sprintf("packages/%s-%d", p.pick(areas), n))
	}
	for n := range p.shells {
		p.script(n, ".sh", 0o755, p.shell)
	}
	for n := range p.nodes {
		ext := []string{".mjs", ".mjs", ".cjs", ".js"}[n%4]
		p.script(p.shells+n, ext, 0o644, func() string { return p.node(ext == ".mjs") })
	}
	for n := range p.pythons {
		p.script(p.shells+p.nodes+n, ".py", 0o755, p.python)
	}
	p.manifests()
	for n := range p.workflows {
		p.write(".github/workflows/"+p.name(n)+".yml", p.workflow(n), 0o644)
	}
	p.netlify()
	p.schedulers()
	p.write(".gitignore", "node_modules/\ndist/\nlogs/\n.env\n.audit/\n", 0o644)
	p.write("README.md", "# A grown project\n\nMade by genproject for the benchmark.\n", 0o644)
}

func (p *project) script(n int, ext string, mode os.FileMode, body func() string) {
	path := "scripts/" + p.pick(areas) + "/" + p.name(n) + ext
	p.scripts = append(p.scripts, path)
	p.write(path, body(), mode)
}

// manifests writes a package.json per folder. Every name task-1 … task-25
// exists in each, so that workflows can start them; a few tasks start nothing.
func (p *project) manifests() {
	for i, dir := range p.folders {
		up := ""
		if dir != "." {
			up = "../../"
		}
		scripts := map[string]string{}
		for n := 1; n <= p.npm; n++ {
			scripts[fmt.Sprintf("task-%d", n)] = p.npmCommand(n, up)
		}
		name := fmt.Sprintf("package-%d", i)
		b, err := json.MarshalIndent(map[string]any{
			"name": name, "version": "1.0.0", "private": true, "scripts": scripts,
			"devDependencies": map[string]string{"eslint": "9.32.0", "typescript": "5.9.2"},
		}, "", "  ")
		if err != nil {
			p.err = err
			return
		}
		p.write(strings.TrimPrefix(dir+"/package.json", "./"), string(b)+"\n", 0o644)
		p.write(strings.TrimPrefix(dir+"/package-lock.json", "./"), fmt.Sprintf("{\n  \"name\": %q,\n  \"lockfileVersion\": 3,\n  \"packages\": {}\n}\n", name), 0o644)
	}
}

func (p *project) npmCommand(n int, up string) string {
	script := p.pick(p.scripts)
	switch k := p.rng.IntN(100); {
	case k < 55:
		return interpreter(script) + " " + up + script
	case k < 70 && n > 1:
		return fmt.Sprintf("npm run task-%d && npm run task-%d", 1+p.rng.IntN(n-1), 1+p.rng.IntN(n-1))
	case k < 85:
		return "tsc --noEmit && eslint src"
	case k < 99:
		return "cross-env NODE_ENV=production " + interpreter(script) + " " + up + script + " --quiet"
	default:
		return "node " + up + "scripts/removed/" + p.name(n) + ".mjs"
	}
}

func interpreter(script string) string {
	switch script[strings.LastIndexByte(script, '.'):] {
	case ".sh":
		return "bash"
	case ".py":
		return "python3"
	}
	return "node"
}

// schedulers writes the PM2 apps and the crontab.
func (p *project) schedulers() {
	var b strings.Builder
	b.WriteString("const path = require('path');\n\nmodule.exports = {\n  apps: [\n")
	for n := range p.apps {
		fmt.Fprintf(&b, "    {\n      name: '%s',\n      script: '%s',\n      max_memory_restart: '%dM',\n      min_uptime: '20s',\n      out_file: path.join(__dirname, 'logs', 'app-%d.log'),\n      env: { NODE_ENV: 'production', PORT: %d },\n    },\n",
			p.name(n), p.scripts[p.shells+n*7], 150+50*p.rng.IntN(8), n, 4000+n)
	}
	b.WriteString("  ],\n};\n")
	p.write("ecosystem.config.js", b.String(), 0o644)

	b.Reset()
	b.WriteString("SHELL=/bin/bash\nPATH=/usr/local/bin:/usr/bin:/bin\n")
	for range p.crons {
		s := p.pick(p.scripts)
		fmt.Fprintf(&b, "%d %d * * * cd /srv/project && %s %s >> logs/cron.log 2>&1\n", p.rng.IntN(60), p.rng.IntN(24), interpreter(s), s)
	}
	p.write("crontab", b.String(), 0o644)
}
