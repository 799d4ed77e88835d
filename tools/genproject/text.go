package main

import (
	"fmt"
	"strings"
)

func (p *project) shell() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/usr/bin/env bash\n# %s %s.\nset -euo pipefail\n\ncd \"$(dirname \"$0\")/../..\"\n\n", p.pick(verbs), p.pick(nouns))
	p.fill(&b, func(n int) string {
		v, o := p.pick(verbs), p.pick(nouns)
		return fmt.Sprintf(`%[1]s_%[2]s_%[3]d() {
  local file="${1:-data/%[2]s.json}" limit=%[4]d count=0
  if [ ! -f "$file" ]; then
    echo "%[1]s: $file is not there" >&2
    return 1
  fi
  while IFS= read -r line; do
    case "$line" in
      '#'*|'') continue ;;
      %[2]s:*) count=$((count + 1)) ;;
    esac
    if (( count >= limit )); then break; fi
  done < "$file"
  printf '%%s: %%d\n' '%[2]s' "$count"
}

`, v, strings.ReplaceAll(o, "-", "_"), n, 10+p.rng.IntN(990))
	})
	b.WriteString("for arg in \"$@\"; do\n  echo \"seen $arg\"\ndone\n")
	return b.String()
}

func (p *project) node(esm bool) string {
	var b strings.Builder
	if esm {
		b.WriteString("import { readFile, writeFile } from 'node:fs/promises';\nimport path from 'node:path';\n\n")
	} else {
		b.WriteString("const { readFile, writeFile } = require('fs/promises');\nconst path = require('path');\n\n")
	}
	p.fill(&b, p.jsFunction)
	b.WriteString("readFile(path.join('data', 'input.json'), 'utf8')\n  .then((text) => writeFile('data/output.json', text.trim()))\n  .catch((err) => { console.error(err); process.exitCode = 1; });\n")
	return b.String()
}

func (p *project) jsFunction(n int) string {
	v, o := p.pick(verbs), p.pick(nouns)
	return fmt.Sprintf(`// %[1]s the %[2]s that are older than the limit.
async function %[1]s%[3]d(items, { limit = %[4]d, dryRun = false } = {}) {
  const seen = new Map();
  for (const item of items) {
    if (!item || typeof item.id !== 'string') continue;
    const age = (item.updated ?? 0) / 86_400_000;
    if (age > limit) seen.set(item.id, { ...item, reason: `+"`%[2]s older than ${limit} days`"+` });
  }
  if (dryRun) return [...seen.keys()];
  const results = await Promise.allSettled([...seen.values()].map(async (x) => x.id.replace(/[^a-z0-9]+/gi, '-')));
  return results.filter((r) => r.status === 'fulfilled').map((r) => r.value);
}

`, v, o, n, 5+p.rng.IntN(300))
}

func (p *project) python() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/usr/bin/env python3\n\"\"\"%s %s.\"\"\"\nimport argparse\nimport json\nimport pathlib\n\n\n", p.pick(verbs), p.pick(nouns))
	p.fill(&b, func(n int) string {
		return fmt.Sprintf(`def %[1]s_%[3]d(path, limit=%[4]d):
    """Returns the %[2]s of a file, at most limit."""
    found = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.partition("=")
        found.setdefault(key.strip(), []).append({"value": value.strip(), "kind": "%[2]s"})
        if len(found) >= limit:
            break
    return json.dumps(found, sort_keys=True)


`, p.pick(verbs), p.pick(nouns), n, 10+p.rng.IntN(990))
	})
	b.WriteString("if __name__ == \"__main__\":\n    parser = argparse.ArgumentParser()\n    parser.add_argument(\"files\", nargs=\"*\")\n    for name in parser.parse_args().files:\n        print(name)\n")
	return b.String()
}

func (p *project) workflow(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s %s %d\n\non:\n", p.pick(verbs), p.pick(nouns), n)
	switch p.rng.IntN(3) {
	case 0:
		fmt.Fprintf(&b, "  schedule:\n    - cron: '%d %d * * %d'\n  workflow_dispatch:\n", p.rng.IntN(60), p.rng.IntN(24), p.rng.IntN(7))
	case 1:
		fmt.Fprintf(&b, "  push:\n    branches: [main]\n    paths: ['packages/%s-*/**']\n", p.pick(areas))
	default:
		b.WriteString("  pull_request:\n    types: [opened, synchronize]\n")
	}
	fmt.Fprintf(&b, "\npermissions:\n  contents: read\n\nconcurrency:\n  group: flow-%d-${{ github.ref }}\n  cancel-in-progress: true\n\njobs:\n", n)
	p.fill(&b, func(job int) string { return p.job(n, job) })
	return b.String()
}

func (p *project) job(n, job int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  job-%d:\n    runs-on: ubuntu-latest\n    timeout-minutes: %d\n", job, 5+p.rng.IntN(40))
	if job > 1 && p.rng.IntN(2) == 0 {
		fmt.Fprintf(&b, "    needs: [job-%d]\n", job-1)
	}
	if p.rng.IntN(4) == 0 {
		b.WriteString("    strategy:\n      fail-fast: false\n      matrix:\n        node: [20, 22, 24]\n")
	}
	b.WriteString("    steps:\n      - uses: actions/checkout@v4\n      - uses: actions/setup-node@v4\n        with:\n          node-version: 22\n          cache: npm\n      - run: npm ci\n")
	for step := range 2 + p.rng.IntN(4) {
		b.WriteString(p.step(n, step))
	}
	return b.String()
}

func (p *project) step(n, step int) string {
	script := p.pick(p.scripts)
	switch k := p.rng.IntN(200); {
	case k < 80:
		return fmt.Sprintf("      - name: Step %d\n        run: %s %s --area %s\n", step, interpreter(script), script, p.pick(areas))
	case k < 130:
		return fmt.Sprintf("      - name: Step %d\n        working-directory: %s\n        run: npm run task-%d\n        env:\n          AREA: %s\n          API_TOKEN: ${{ secrets.%s_TOKEN }}\n",
			step, p.pick(p.folders), 1+p.rng.IntN(p.npm), p.pick(areas), strings.ToUpper(p.pick(areas)))
	case k < 199:
		return fmt.Sprintf("      - name: Step %d\n        if: ${{ github.event_name != 'pull_request' && !cancelled() }}\n        run: |\n          mkdir -p out/%[2]s\n          for part in a b c; do\n            %[3]s %[4]s \"$part\" > \"out/%[2]s/$part.txt\"\n          done\n          wc -l out/%[2]s/*.txt\n",
			step, p.pick(areas), interpreter(script), script)
	default:
		return fmt.Sprintf("      - name: Step %d\n        run: node scripts/removed/%s.mjs\n", step, p.name(n))
	}
}

func (p *project) netlify() {
	var toml strings.Builder
	toml.WriteString("[build]\n  command = \"npm run task-1\"\n  publish = \"dist\"\n\n[functions]\n  directory = \"netlify/functions\"\n")
	for n := range p.functions {
		name := p.name(n)
		path, text := p.function(n, name)
		p.write("netlify/functions/"+path, text, 0o644)
		if n%10 == 0 && !strings.HasSuffix(path, ".mjs") {
			fmt.Fprintf(&toml, "\n[functions.%q]\n  schedule = \"%d %d * * *\"\n", name, p.rng.IntN(60), p.rng.IntN(24))
		}
	}
	p.write("netlify.toml", toml.String(), 0o644)
	p.write("netlify/lib/shared.js", "exports.clean = (text) => String(text).trim();\n", 0o644)
}

func (p *project) function(n int, name string) (path, text string) {
	var b strings.Builder
	switch n % 9 {
	case 0, 1, 2, 3:
		b.WriteString("const { clean } = require('../lib/shared');\n\n")
		p.fill(&b, p.jsFunction)
		b.WriteString("exports.handler = async (event) => ({ statusCode: 200, body: clean(event.body) });\n")
		return name + ".js", b.String()
	case 4, 5:
		p.fill(&b, p.jsFunction)
		fmt.Fprintf(&b, "export default async (request) => new Response(request.url);\n\nexport const config = { path: '/api/%s' };\n", name)
		return name + ".mjs", b.String()
	case 6, 7:
		b.WriteString("import type { Handler } from '@netlify/functions';\n\n")
		p.fill(&b, func(n int) string {
			return strings.ReplaceAll(strings.ReplaceAll(p.jsFunction(n), "(items, {", "(items: any[], {"), "} = {}) {", "}: { limit?: number; dryRun?: boolean } = {}): Promise<string[]> {")
		})
		b.WriteString("export const handler: Handler = async (event) => ({ statusCode: 200, body: event.path });\n")
		return name + ".ts", b.String()
	default:
		b.WriteString("const { clean } = require('../../lib/shared');\n\n")
		p.fill(&b, p.jsFunction)
		b.WriteString("exports.handler = async () => ({ statusCode: 204, body: clean('') });\n")
		return name + "/" + name + ".js", b.String()
	}
}
