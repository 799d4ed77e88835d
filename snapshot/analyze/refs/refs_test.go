package refs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/shell"
)

// show writes a ref as the tables below have it: kind, target, and * when it is
// guarded.
func show(r snapshot.Ref) string {
	s := string(r.Kind) + " "
	switch {
	case r.Kind == snapshot.RefFile && r.Direct:
		s = "exec " + r.Path
	case r.Kind == snapshot.RefFile:
		s = "file " + r.Path
	case r.Kind == snapshot.RefNPM || r.Kind == snapshot.RefBin:
		if s += r.Name; r.Dir != "." {
			s += " in " + r.Dir
		}
		if r.Path != "" {
			s += " of " + r.Path
		}
	default:
		s += r.Name
	}
	if r.Guarded {
		s += "*"
	}
	return s
}

func showAll(list []snapshot.Ref) string {
	var out []string
	for _, r := range list {
		out = append(out, show(r))
	}
	return strings.Join(out, ", ")
}

var lines = []struct{ line, want string }{
	// npm, pnpm, yarn, bun
	{"npm run build", "npm build"},
	{"npm run-script build -- --prod", "npm build"},
	{"npm --prefix web run build", "npm build in web"},
	{"npm run build --prefix=web", "npm build in web"},
	{"npm run build --prefix web/", "npm build in web"},
	{"npm run build -- --prefix web", "npm build"},
	{"npm -C web test", "npm test in web"},
	{"npm run lint --if-present", "npm lint*"},
	{"npm test", "npm test"},
	{"npm t && npm start", "npm test, npm start"},
	{"npm run build -w @acme/api", "npm build of @acme/api"},
	{"npm run build --workspace=./packages/a -w packages/b", "npm build in packages/a, npm build in packages/b"},
	{"npm run build --workspaces", ""},
	{"npm ci && npm install left-pad && npm publish", ""},
	{"npm run", ""},
	{"npm run \"$TARGET\"", ""},
	{"npm run build:${{ matrix.os }}", ""},
	{"npm exec -- tsx scripts/a.ts", "file scripts/a.ts"},
	{"npm exec -c 'node a.js'", "file a.js"},
	{"pnpm run build", "npm build"},
	{"pnpm build", "npm build"},
	{"pnpm -C web build:prod", "npm build:prod in web"},
	{"pnpm vitest", "bin vitest"},
	{"pnpm --filter @acme/api run build", "npm build of @acme/api"},
	{"pnpm --filter './packages/*' run build", ""},
	{"pnpm --filter api... build", ""},
	{"pnpm -r build", ""},
	{"pnpm install --frozen-lockfile", ""},
	{"pnpm exec tsx a.ts", "file a.ts"},
	{"pnpm build --filter api", "npm build"},
	{"yarn", ""},
	{"yarn build && yarn tsc --noEmit", "npm build, bin tsc"},
	{"yarn run deploy:prod", "npm deploy:prod"},
	{"yarn run tsc", "bin tsc"},
	{"yarn --cwd web start", "npm start in web"},
	{"yarn workspace @acme/web build", "npm build of @acme/web"},
	{"yarn workspace @acme/web add left-pad", ""},
	{"yarn add -D typescript", ""},
	{"bun run src/x.ts", "file src/x.ts"},
	{"bun run dev", "npm dev"},
	{"bun test && bun install", ""},
	{"bun --cwd api index.ts", "file api/index.ts"},
	{"run-s clean build:*", "npm clean"},
	{"npm-run-all --parallel watch:css watch:js", "npm watch:css, npm watch:js"},
	{"concurrently \"npm run api\" 'node web.js' npm:watch npm:watch-*", "npm api, file web.js, npm watch"},
	{"concurrently -k -n \"a,b\" \"npm:a -- --port 3\" \"yarn:b\"", "npm a, npm b"},

	// interpreters and their options
	{"node scripts/a.js --config x.js", "file scripts/a.js"},
	{"node -r tsconfig-paths/register -r ./setup.js src/a.ts", "file src/a.ts"},
	{"node --max-old-space-size=4096 --require=dotenv/config a.mjs", "file a.mjs"},
	{"node --import tsx --env-file .env a.ts", "file a.ts"},
	{"node -e \"require('./a.js')\" b.js", ""},
	{"node -p 1+1", ""},
	{"node --check a.js", "file a.js"},
	{"node --run build", "npm build"},
	{"node -- a.js", "file a.js"},
	{"node server", ""},
	{"node $FLAGS a.js", ""},
	{"node \"$DIR/a.js\"", ""},
	{"node ./dist/server.js", ""},
	{"node node_modules/x/a.js", ""},
	{"node /srv/app/a.js ; node ~/a.js ; node ../a.js", ""},
	{"/usr/bin/node a.js", "file a.js"},
	{"tsx watch src/a.ts", "file src/a.ts"},
	{"ts-node -P tsconfig.json --transpile-only a.ts", "file a.ts"},
	{"ts-node-dev --respawn --watch src a.ts", "file a.ts"},
	{"nodemon --exec 'ts-node a.ts'", "file a.ts"},
	{"nodemon -w src -e ts,js b.js", "file b.js"},
	{"deno run -A --config deno.json a.ts", "file a.ts"},
	{"deno run https://deno.land/x.ts", ""},
	{"deno task build", ""},
	{"python -m pytest tests/a.py", ""},
	{"python3 -um http.server", ""},
	{"python -c 'import a' b.py", ""},
	{"python3 -u -W ignore tools/a.py x.py", "file tools/a.py"},
	{"bash -euo pipefail scripts/a.sh", "file scripts/a.sh"},
	{"bash -lc \"cd web && npm run build\"", "npm build in web"},
	{"sh -c 'node a.js; sh -c \"node b.js\"'", "file a.js, file b.js"},
	{"bash -s < a.sh", ""},
	{"bash <(curl -s https://x/install.sh)", ""},
	{"bash -x +e a.sh", "file a.sh"},
	{"ruby -Ilib -r json a.rb; php -d memory_limit=-1 -f a.php; perl -w a.pl; perl -ne 'print' b.pl", "file a.rb, file a.php, file a.pl"},

	{"pwsh -File scripts/a.ps1 -Env prod", "file scripts/a.ps1"},
	{"powershell -ExecutionPolicy Bypass -NoProfile -f tools/a.ps1", "file tools/a.ps1"},
	{"pwsh ./scripts/a.ps1; pwsh -nop -wd web a.ps1", "file scripts/a.ps1, file web/a.ps1"},
	{"pwsh -Command ./scripts/a.ps1; pwsh -c 'a.ps1'; pwsh -e abc a.ps1; pwsh -v", ""},
	{"powershell -File scripts\\a.ps1; powershell Get-Date; pwsh -File \"$X\"", ""},

	// settings that a program is given
	{"jest --config ./test/e2e.json && cd web && tsc -p tsconfig.build.json", "file test/e2e.json, file web/tsconfig.build.json"},
	{"npx playwright test -c e2e/playwright.config.ts; docker compose -f a.yml -f b.yml up; docker-compose logs -f x.yml", "file e2e/playwright.config.ts, file a.yml, file b.yml"},
	{"vitest run --root packages/a --config vitest.ci.ts; vitest -r=packages/b -c vitest.ci.ts && vite -c vite.ci.ts", "file packages/a/vitest.ci.ts, file packages/b/vitest.ci.ts, file vite.ci.ts"},
	{"vitest --config a.ts --root $DIR; vitest --root ../x -c b.ts; vitest -c c.ts --root", ""},
	{"tsc -p packages/a; jest --config '{\"a\":1}'; eslint -c airbnb .; vite --config $C; rollup -c", ""},

	// direct and sourced
	{"./deploy.sh", "exec deploy.sh"},
	{"./gradlew build", "exec gradlew"},
	{"scripts/deploy prod", "exec scripts/deploy"},
	{"./bin/x", ""},
	{"deploy.sh", ""},
	{". ./env.sh && source scripts/lib.sh", "file env.sh, file scripts/lib.sh"},
	{"source .env", ""},
	{"./scripts/*.sh", ""},
	{"./$NAME.sh", ""},
	{"./scripts/{a,b}.sh", ""},

	// prefixes
	{"sudo -E -u deploy node a.js", "file a.js"},
	{"env -i A=b C=\"$D\" node a.js", ""},
	{"env A=b node a.js", "file a.js"},
	{"A=b B=$C node a.js", "file a.js"},
	{"exec nohup nice -n 10 timeout -k 30 5m ./a.sh &", "exec a.sh"},
	{"time node a.js", "file a.js"},
	{"cross-env NODE_ENV=production A=b node a.js", "file a.js"},
	{"dotenv -e .env.local -- npm run dev", "npm dev"},
	{"npx -y tsx@latest scripts/a.ts", "file scripts/a.ts"},
	{"npx -p typescript tsc", ""},
	{"npx -c 'node a.js'", "file a.js"},
	{"flock -n /tmp/lock -c 'node a.js'", "file a.js"},
	{"flock -n /tmp/lock ./a.sh", "exec a.sh"},
	{"ls | xargs -n 1 node a.js", "file a.js"},
	{"command -v node", ""},
	{"poetry run python a.py && uv run --with rich b.py", "file a.py, file b.py"},
	{"uv run --no-project tools/a.py && uv run tools/b.sh", "file tools/a.py, exec tools/b.sh"},
	{"ssh host 'node a.js'; docker run x node b.js", ""},
	{"echo node a.js", ""},
	{"stdbuf -oL ./a.sh", "exec a.sh"},

	// folders
	{"cd web && npm run build", "npm build in web"},
	{"(cd web && npm run build); npm test", "npm build in web, npm test"},
	{"cd web/a; cd ..; node x.js", "file web/x.js"},
	{"pushd web; node a.js; popd; node b.js", "file web/a.js, file b.js"},
	{"cd \"$DIR\" && npm run build", ""},
	{"cd /srv/app && node a.js", ""},
	{"cd ..; npm test", ""},
	{"cd web || exit 1\nnpm run build", "npm build in web"},
	{"git clone https://x/y.git && cd y && npm run build", ""},
	{"git clone --depth 1 https://x/y.git && bash y/a.sh && bash z/a.sh", "file z/a.sh"},
	{"git clone https://u:$TOKEN@x/o/y && npm run build --prefix y/web", ""},
	{"gh repo clone o/y z && node z/a.js && node y/a.js", "file y/a.js"},
	{"git clone $URL && node y/a.js", "file y/a.js"},
	{"mkdir -p out2 && cd out2 && npm run build", ""},
	{"if [ -n \"$X\" ]; then cd web; fi; npm test", ""},
	{"for d in a b; do (cd $d && npm test); done; npm run x", "npm x"},
	{"cd web & npm test", "npm test"},
	{"cd web | cat; npm test", "npm test"},

	// guards
	{"node a.js || true", "file a.js*"},
	{"node a.js || exit 1", "file a.js"},
	{"node a.js || { echo no; exit 1; }", "file a.js"},
	{"node a.js || false", "file a.js"},
	{"f() { node a.js; }; cd web; f", ""},
	{"f() { node a.js; }; f", "file a.js"},
	{"node a.js || node b.js", "file a.js*, file b.js"},
	{"node a.js && node b.js || true", "file a.js*, file b.js*"},
	{"node a.js || true && node b.js", "file a.js*, file b.js"},
	{"node a.js || true || exit 1", "file a.js*"},
	{"[ -f a.sh ] && ./a.sh", "exec a.sh*"},
	{"test -x ./a.sh && ./a.sh; ./b.sh", "exec a.sh*, exec b.sh"},
	{"if [[ -f a.js ]]; then node a.js; else node b.js; fi; node c.js", "file a.js*, file b.js*, file c.js"},
	{"if [ \"$X\" = 1 ]; then node a.js; fi", "file a.js"},
	{"if node a.js; then node b.js; fi", "file a.js*, file b.js"},
	{"[ -d node_modules ] || npm run setup", "npm setup*"},

	// shell structure
	{"while read -r l; do node a.js \"$l\"; done < list", "file a.js"},
	{"X=$(node a.js) Y=`node b.js`", "file a.js, file b.js"},
	{"export V=$(node a.js)", "file a.js"},
	{"case $1 in x) node a.js;; esac", "file a.js"},
	{"f() { :; }; f; node() { :; }; node b.js", ""},
	{"cat a.js > b.js && node b.js", ""},
	{"curl -fsSLO https://x.test/get.sh?v=1 && bash get.sh", ""},
	{"cat <<EOF\nnode a.js\nEOF\nnode b.js", "file b.js"},
	{"# node a.js\nnode b.js", "file b.js"},
	{"node a.js\r\nnode b.js\r\n", "file a.js, file b.js"},
	{"node a.js\nif then\nnode b.js", "file a.js"},
	{"import os\nos.system('node a.js')\nprint(f\"{x}\")\nfor i in range(3):\n  ./a.sh", ""},
	{"node a.js && node a.js", "file a.js"},

	// starters of other systems
	{"pm2 start app.js --name api -- --port 3", "file app.js"},
	{"pm2 start ecosystem.config.js --only api", "file ecosystem.config.js"},
	{"pm2 startOrReload conf/pm2.json --env production", "file conf/pm2.json"},
	{"pm2 start npm --name web -- run start", "npm start"},
	{"pm2 start \"npm run web\" --name web", "npm web"},
	{"pm2 restart api worker; pm2 reload all; pm2 restart 0; pm2 save; pm2 delete api", "pm2 api, pm2 worker"},
	{"npx netlify functions:invoke hello --no-identity", "function hello"},
	{"netlify functions:invoke --name hello --payload '{}'", "function hello"},
	{"gh workflow run deploy.yml -f x=y --ref main", "workflow deploy.yml"},
	{"gh workflow run 'Nightly build'; gh workflow run 123; gh -R a/b workflow run c.yml", "workflow Nightly build"},
}

func TestCommand(t *testing.T) {
	for _, tt := range lines {
		if got := showAll(Command(tt.line, Origin{})); got != tt.want {
			t.Errorf("%q\n got %q\nwant %q", tt.line, got, tt.want)
		}
	}
}

// Commands within words, wherever they hide.
func TestParsed_substitutions(t *testing.T) {
	const text = "echo $A \"b $C\"\necho ${D:-$(./d.sh)}\necho \"$(./e.sh)\"\necho `./f.sh`\necho <(./g.sh) >\"$(./h.sh)\"\ncat <<E\n$(./i.sh)\nE\nJ=$(./j.sh) k\ntouch ~/l.sh\n./l.sh\necho $M[$(./m.sh)]\n"
	got := strings.Split(showAll(Parsed(shell.Read([]byte(text), shell.Zsh), Origin{})), ", ")
	slices.Sort(got)
	const want = "exec d.sh, exec e.sh, exec f.sh, exec g.sh, exec h.sh, exec i.sh, exec j.sh, exec l.sh, exec m.sh"
	if all := strings.Join(got, ", "); all != want {
		t.Errorf("got %s\nwant %s", all, want)
	}
}

func TestCommand_ownFolder(t *testing.T) {
	for text, want := range map[string]string{
		`bash "$(dirname "$0")/a.sh"`: "file tools/ci/a.sh",
		`"$(dirname "$0")/a.sh" --x`:  "exec tools/ci/a.sh",
		`node ${0%/*}/../b.js`:        "file tools/b.js",
		`D="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"; python3 "$D/c.py"`:                "file tools/ci/c.py",
		`D=$(cd -P -- "$(dirname "$(readlink -f "$0")")" >/dev/null && pwd -P); . $D/lib.sh`:  "file tools/ci/lib.sh",
		`readonly D="$(dirname "$BASH_SOURCE")"; R="$(cd "$D/../.." && pwd)"; node "$R/m.js"`: "file m.js",
		`cd "$(dirname "$0")/../.." && node x.js && npm run y`:                                "file x.js, npm y",
		`D="$(dirname "$0")"; R="$(dirname "$D")"; node "$R/x.js"`:                            "file tools/x.js",
		`D="$(dirname "$0")"; D=/tmp; node "$D/x.js"`:                                         "",
		`D="$(dirname "$1")"; node "$D/x.js"`:                                                 "",
		`D="$(dirname "$0")"; node "$D/$NAME.js"; node "${D}x.js"; node "$D"/*.js`:            "",
		`D="$(dirname "$0")"; node "$D/../../../../x.js"`:                                     "",
		`for D in a b; do node "$D/x.js"; done`:                                               "",
		`. "$(dirname "$0")/.husky/_/husky.sh"`:                                               "",
		`[ -f "$(dirname "$0")/a.sh" ] && bash "$(dirname "$0")/a.sh"`:                        "file tools/ci/a.sh*",
	} {
		if got := showAll(Command(text, Origin{Dir: "elsewhere", Self: "tools/ci"})); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
		for _, r := range Command(text, Origin{Dir: "elsewhere"}) {
			if r.Kind == snapshot.RefFile {
				t.Errorf("%q: %s, although the text is no script", text, show(r))
			}
		}
	}
}

func TestCommandPlaces(t *testing.T) {
	text := "echo ${{ github.sha }} &&\n  node 'a b.js'; bash -c \"node c.js\"\nnpm run x"
	o := Origin{Dir: "web", File: ".github/workflows/ci.yml", Line: 10, Column: 11, Where: "job/step"}
	var got []string
	for _, r := range Command(text, o) {
		if r.File != o.File || r.Where != o.Where {
			t.Errorf("%s: File %q, Where %q", show(r), r.File, r.Where)
		}
		got = append(got, fmt.Sprintf("%s @%d:%d", show(r), r.Line, r.Column))
	}
	want := []string{"file web/a b.js @11:18", "file web/c.js @11:42", "npm x in web @12:19"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, r := range Command(text, Origin{}) {
		if r.Line != 0 || r.Column != 0 {
			t.Errorf("%s has a place although the origin has none", show(r))
		}
	}
}

func TestCommandOrigin(t *testing.T) {
	for _, tt := range []struct {
		o    Origin
		want string
	}{
		{Origin{Dir: "a/b/"}, "file a/b/x.js, npm y in a/b"},
		{Origin{Dir: "../a"}, ""},
		{Origin{Dir: "/srv"}, ""},
		{Origin{Guarded: true}, "file x.js*, npm y*"},
	} {
		if got := showAll(Command("node x.js; npm run y", tt.o)); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.o, got, tt.want)
		}
	}
}

func TestArgv(t *testing.T) {
	for _, tt := range []struct {
		argv []string
		want string
	}{
		{[]string{"node", "--inspect", "a.js", "b.js"}, "file a.js"},
		{[]string{"npm", "run", "start"}, "npm start"},
		{[]string{"bash", "-c", "cd web && node a.js"}, "file web/a.js"},
		{[]string{"./a b.sh"}, "exec a b.sh"},
		{[]string{"node", "a*.js"}, "file a*.js"},
		{nil, ""},
	} {
		if got := showAll(Argv(tt.argv, Origin{})); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.argv, got, tt.want)
		}
	}
}

// TestCommandKeepsNoArguments plants secrets wherever a line can have one.
func TestCommandKeepsNoArguments(t *testing.T) {
	text := `TOKEN=s3cret1 node a.js --key s3cret2 "s3cret3"; curl -H "Authorization: s3cret4" https://u:s3cret5@x/y.sh
env PASS=s3cret6 npm run deploy -- --token=s3cret7; pm2 start app.js --name s3cret8 -- s3cret9
sudo -p s3cretA ./x.sh s3cretB <<< s3cretC; gh workflow run ci.yml -f k=s3cretD; bash -c "X=s3cretE node b.js s3cretF"
npx cross-env K=s3cretG tsx c.ts s3cretH; netlify functions:invoke hello --payload s3cretI; node -e "s3cretJ"`
	list := Command(text, Origin{})
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "s3cret") {
		t.Errorf("a ref holds a secret: %s", b)
	}
	if len(list) != 8 {
		t.Errorf("%d refs, want 8: %s", len(list), showAll(list))
	}
}

// TestCommandIsBounded: each of these takes minutes where something is
// quadratic, or ends the process where a recursion has no bound.
func TestCommandIsBounded(t *testing.T) {
	const size = 200_000
	for _, unit := range []string{"a&&", "a|", "[ -f x ] && ", "pushd a;", "${{a}} ", "node a.js;", "bash -c 'bash -c \"node a.js\"';", "if ", "if a; then ",
		"$(", "x=$(a) ", "cd a;", "f() { a; };", "sudo ", "concurrently 'a' ", "a || ", "{ ", "! a;"} {
		Command(strings.Repeat(unit, size/len(unit)), Origin{})
	}
	deep := 5000
	Command(strings.Repeat("if a; then ", deep)+"node a.js"+strings.Repeat("; fi", deep), Origin{})
	Command(strings.Repeat("if ", deep)+"a"+strings.Repeat("; then b; fi", deep), Origin{})
	Command(strings.Repeat("$(", deep)+"node a.js"+strings.Repeat(")", deep), Origin{})
}

func BenchmarkCommand(b *testing.B) {
	for b.Loop() {
		for _, tt := range lines {
			Command(tt.line, Origin{})
		}
	}
}

func FuzzCommand(f *testing.F) {
	for _, tt := range lines {
		f.Add(tt.line, ".")
	}
	f.Add("cd web && ./x.sh", "\x02")
	f.Fuzz(func(t *testing.T, text, dir string) {
		o := Origin{Dir: dir, Line: 3, Column: 2}
		got := Command(text, o)
		if again := Command(text, o); !slices.Equal(got, again) {
			t.Fatalf("two answers: %v and %v", got, again)
		}
		if len(got) > maxRefs {
			t.Fatalf("%d refs", len(got))
		}
		lines := 3 + strings.Count(text, "\n")
		for _, r := range got {
			if r.Line < 3 || r.Line > lines || r.Column < 1 {
				t.Fatalf("%s at %d:%d of lines 3 to %d", show(r), r.Line, r.Column, lines)
			}
			if r.Kind == snapshot.RefFile && (r.Path == "" || outside(r.Path)) || r.Kind == snapshot.RefNPM && (r.Name == "" || outside(r.Dir)) {
				t.Fatalf("%+v leads nowhere", r)
			}
		}
	})
}

func TestCommand_args(t *testing.T) {
	for line, want := range map[string]bool{
		"node a.js":                     false,
		"node -r dotenv/config a.js":    false,
		"node a.js --full":              true,
		"node a.js $MODE":               true,
		"node a.js > a.log 2>&1":        false,
		"./a.sh":                        false,
		`./a.sh "$@"`:                   true,
		"timeout 60 bash a.sh":          false,
		"source ./a.sh x":               true,
		"npm run a":                     false,
		"npm run a --silent":            false,
		"npm run a -- --full":           true,
		"npm test -- --watch":           true,
		"yarn a --full":                 true,
		"yarn run a":                    false,
		"bun run a.ts --full":           true,
		"pm2 start a.js -- --full":      true,
		"pm2 start a.js --name a":       false,
		"cd web && python3 a.py -v":     true,
		"bash -c 'node a.js --full'":    true,
		"concurrently 'npm:a' 'node b'": false,
	} {
		got := Command(line, Origin{})
		if len(got) != 1 || got[0].Args != want {
			t.Errorf("%q: %+v, want args %v", line, got, want)
		}
	}
}
