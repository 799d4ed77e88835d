//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	bolt "go.etcd.io/bbolt"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/report/reporttest"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/store"
)

// A run is one invocation of the program as a process of its own.
type run struct {
	code     int
	out, err string
	took     time.Duration
}

// invoke runs the program in a folder under an environment as poor as cron's.
func invoke(t *testing.T, dir string, env []string, args ...string) run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "audit", args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + filepath.Join(dir, ".nohome")}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	r := run{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String(), took: time.Since(start)}
	if ctx.Err() != nil {
		t.Fatalf("audit %s did not end (%v)", strings.Join(args, " "), err)
	}
	return r
}

// document audits a folder and returns the validated JSON report.
func document(t *testing.T, dir string, env []string, args ...string) (*report.Document, run) {
	t.Helper()
	r := invoke(t, dir, env, append([]string{"--root", dir, "run", "--format", "json"}, args...)...)
	var d report.Document
	if err := json.Unmarshal([]byte(r.out), &d); err != nil {
		t.Fatalf("exit %d: %v\n%s", r.code, err, r.err)
	}
	if err := reporttest.Validate([]byte(r.out)); err != nil {
		t.Error(err)
	}
	return &d, r
}

// site copies the sample project.
func site(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "testdata", "site"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not on this machine")
	}
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.org"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// Promise 1: no file of the audited project is ever executed, in whatever kind
// of file the canary sits.
func TestNothingOfTheProjectIsExecuted(t *testing.T) {
	dir := t.TempDir()
	canary := filepath.Join(dir, "CANARY")
	sh := "touch " + canary + "\n"
	js := fmt.Sprintf("try { require('fs').writeFileSync(%q, 'x') } catch (e) {}\ntry { process.binding('fs') } catch (e) {}\ntry { require('child_process').execSync('touch %s') } catch (e) {}\n", canary, canary)
	py := fmt.Sprintf("open(%q, 'w').close()\n", canary)
	for name, body := range map[string]string{
		"ecosystem.config.js":          js + "module.exports = {apps: [{name: 'a', script: 'app.js'}]}\n",
		"other/ecosystem.config.cjs":   js + "module.exports = {apps: [{name: 'b', script: 'app.js'}]}\n",
		"third/ecosystem.config.mjs":   js + "export default {apps: [{name: 'c', script: 'app.js'}]}\n",
		"fourth/process.json":          fmt.Sprintf("{apps: [{name: (function(){%s; return 'd'})(), script: 'x.js'}]}", strings.ReplaceAll(js, "\n", ";")),
		"app.js":                       js,
		"netlify.toml":                 "[build]\ncommand = \"" + strings.TrimSpace(sh) + "\"\n[[plugins]]\npackage = \"./plugin\"\n",
		"plugin/index.js":              js,
		"netlify/functions/f.js":       js + "exports.handler = async () => ({statusCode: 200})\n",
		"netlify/functions/g.ts":       js + "export default async () => new Response('x')\n",
		"netlify/edge-functions/e.js":  js + "export default () => {}\n",
		"scripts/a.sh*":                "#!/bin/sh\n" + sh,
		"scripts/b.py*":                "#!/usr/bin/env python3\n" + py,
		"scripts/c.mjs*":               "#!/usr/bin/env node\n" + js,
		"bin/git*":                     "#!/bin/sh\n" + sh,
		"bin/python3*":                 "#!/bin/sh\n" + sh,
		"sitecustomize.py":             py,
		"usercustomize.py":             py,
		"ast.py":                       py,
		"scripts/ast.py":               py,
		"package.json":                 `{"name":"x","scripts":{"preinstall":"` + strings.TrimSpace(sh) + `","test":"sh scripts/a.sh"}}`,
		"crontab":                      "* * * * * " + sh,
		".github/workflows/ci.yml":     "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: \"" + strings.TrimSpace(sh) + "\"}]}}\n",
		".github/actions/x/action.yml": "name: x\nruns: {using: composite, steps: [{run: \"" + strings.TrimSpace(sh) + "\", shell: bash}]}\n",
		".github/actionlint.yaml":      "self-hosted-runner: {labels: []}\n",
		"audit.yaml":                   "version: 1\n",
		".bashrc":                      sh,
		".npmrc":                       "script-shell=" + filepath.Join(dir, "bin/git") + "\n",
	} {
		collecttest.WriteFile(t, dir, name, []byte(body))
	}
	git(t, dir, "init", "-q")
	hook := filepath.Join(dir, ".git", "hooks")
	for _, h := range []string{"post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"} {
		collecttest.WriteFile(t, hook, h+"*", []byte("#!/bin/sh\n"+sh))
	}
	git(t, dir, "config", "core.fsmonitor", filepath.Join(hook, "fsmonitor-watchman"))
	env := []string{"PATH=" + filepath.Join(dir, "bin") + ":/usr/local/bin:/usr/bin:/bin", "PYTHONPATH=" + dir, "NODE_OPTIONS=--require " + filepath.Join(dir, "app.js"), "BASH_ENV=" + filepath.Join(dir, ".bashrc"), "ENV=" + filepath.Join(dir, ".bashrc")}
	d, _ := document(t, dir, env)
	if len(d.Items) < 15 {
		t.Errorf("only %d items: the canaries were not looked at", len(d.Items))
	}
	if _, err := os.Lstat(canary); err == nil {
		t.Fatal("something of the project was executed")
	}
	if left := untracked(t, dir); left != "" {
		t.Errorf("the audit left %s", left)
	}
}

// untracked lists what a run added to a folder: nothing but .audit may appear.
func untracked(t *testing.T, dir string) string {
	t.Helper()
	var odd []string
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		name := e.Name()
		if name == ".audit" || name == ".git" {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".pyc") || strings.HasPrefix(name, ".audit") || name == "__pycache__" {
			odd = append(odd, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(odd, ", ")
}

// Promise 3: no secret leaves its place.
func TestNoSecretLeavesItsPlace(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	var secrets []string
	s := func() string {
		v := fmt.Sprintf("hunter%02dS3cret%d", len(secrets), rand.Uint64())
		secrets = append(secrets, v)
		return v
	}
	for name, body := range map[string]string{
		"ecosystem.config.js": "const k = '" + s() + "';\nmodule.exports = {apps: [{name: 'web', script: 'app.js', args: '--token=" + s() + " --port 1 --password " + s() + "', node_args: '--secret=" + s() + "', env: {DB_PASSWORD: '" + s() + "', NODE_ENV: 'production'}, env_production: {API_KEY: '" + s() + "', K: k}}], deploy: {p: {user: 'u', host: 'h', repo: 'https://u:" + s() + "@example.org/r.git'}}}\n",
		"pm2.yml":             "apps:\n  - name: y\n    script: app.js\n    args: [\"--api-key\", \"" + s() + "\"]\n    env: {TOKEN: " + s() + "}\n",
		"process.json":        `{"apps":[{"name":"j","script":"app.js","env":{"SECRET":"` + s() + `"}}]}`,
		"app.js":              "const t = '" + s() + "'\n",
		".env":                "DATABASE_URL=postgres://u:" + s() + "@h/d\n",
		".env.production":     "KEY=" + s() + "\n",
		"web/.env.local":      "KEY=" + s() + "\n",
		".npmrc":              "//example.org/:_authToken=" + s() + "\n",
		"deploy.pem":          "-----BEGIN KEY-----\n" + s() + "\n",
		"netlify.toml":        "[build.environment]\nSECRET = \"" + s() + "\"\n[functions]\nnode_bundler = \"esbuild\"\n",
		"netlify/functions/f.js": "const key = '" + s() + "'\nexports.handler = async () => ({statusCode: 200})\n" +
			"exports.config = {schedule: '@daily'}\n",
		".github/workflows/ci.yml": "name: ci\non: {schedule: [{cron: '1 2 * * *'}]}\nenv:\n  A: " + s() + "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    env: {B: " + s() + "}\n    container: {image: x, credentials: {username: u, password: " + s() + "}}\n    steps:\n" +
			"      - uses: actions/checkout@v4\n        with: {token: " + s() + "}\n      - run: curl -H 'Authorization: " + s() + "' https://u:" + s() + "@example.org\n        env: {C: " + s() + "}\n      - run: DEPLOY_KEY=" + s() + " node missing-script.js --token " + s() + "\n",
		".github/workflows/bad.yml": "on: push\njobs:\n  a: {runs-on: ubuntu-latest, env: {X: " + s() + "}, steps: [{run: 'x'}\n",
		".github/workflows/odd.yml": "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    timeout-minutes: " + s() + "\n    steps:\n      - run: echo ${{ secrets.X == '" + s() + "' && nope( }}\n        shell: " + s() + "\n        env: " + s() + "\n",
		".github/workflows/many.yml": places(s, `on:
  pull_request_target: {}
  workflow_dispatch: {inputs: {a: {default: @, type: choice, options: [@, @]}}}
  workflow_call: {inputs: {b: {type: string, default: @}}, outputs: {o: {value: @}}}
run-name: @
concurrency: {group: x}
permissions: write-all
defaults: {run: {working-directory: x}}
env: {TOKEN: "@", PATH: "${{ secrets.A || '@' }}"}
jobs:
  call:
    uses: ./.github/workflows/called.yml
    with: {b: @, wrong: @}
    secrets: {c: @}
  called:
    uses: org/repo/.github/workflows/x.yml@main
    secrets: inherit
    with: {b: @}
  many:
    name: x
    runs-on: ubuntu-latest
    environment: {name: x, url: "https://u:@@example.org"}
    strategy: {matrix: {v: [@, @], include: [{w: @}], exclude: [{w: @}]}}
    outputs: {x: @}
    services: {db: {image: postgres, credentials: {username: @, password: @}, env: {PGPASSWORD: @}, options: --env X=@}}
    container: {image: node, env: {X: @}, options: -e P=@, volumes: ["/@:/x"], credentials: {username: @, password: @}}
    steps:
      - uses: actions/checkout@v4
        with: {ref: "${{ github.head_ref }}@", ssh-key: @, wrong: @, token: "${{ '@' }}"}
      - uses: docker/login-action@v1
        with: {username: @, password: @}
      - uses: docker://alpine:3
        with: {args: --token @, entrypoint: "/@"}
      - run: |
          curl -H "Authorization: @" -u u:@ https://u:@@example.org/x | sh -s -- --token @
          docker login -u u -p @; docker run -e P=@ alpine --pass @; docker build --build-arg K=@ .
          git clone https://x:@@github.com/a/b; git push https://x:@@github.com/a/b
          npm i -g --registry=https://u:@@example.org tool --token @; npx tool --token @
          npm ci --//example.org/:_authToken=@ || true
          pip install --index-url https://u:@@example.org/simple git+https://u:@@example.org/x.git
          export AWS_SECRET_ACCESS_KEY=@; K=@ make K=@; sudo -u @ make; sudo -p @ -u @ make; exec -a @ make; env -u X -C @ make; time -f @ make
          echo "X=@" >> $GITHUB_ENV; echo ::set-env name=X::@; echo "::set-output name=x::@"
          [ @ == $x ]; case $x in @) a;; @) b;; esac; X=@ | cat; echo @ | cat
          @=@; 1@=2; if [ "@" ]; then cd @; fi; ls | grep @ | xargs rm -rf /@
          find . -name @ -exec cat @ {} \; > @; read < @; ssh @@h "@"; for i in @; do x; done
          func() { echo @ "$1"; }; func; a="@"b"@"; [[ x =~ "@" ]]; trap "echo $x @" EXIT; exit @
          python missing-@.py --key @; node -e 'const k = "@"'; cat <<EOF
          @
          EOF
        env: {A: @, B: "${{ secrets.B == '@' }}", "${{ env.X }}": @}
        shell: bash -e {0}
      - run: echo ${{ github.event.issue.title == '@' && '@' }} ${{ toJSON(secrets) }} ${{ format('@', secrets.A) }} ${{ fromJSON('{"k":"@"}').x }} ${{ inputs.@ }} ${{ secrets['@'] }}
      - run: Write-Output @; $env:X = "@"
        shell: pwsh
        working-directory: x
      - run: if then @
      - uses: ./.github/actions/act
        with: {key: @, other: @}
      - uses: actions/github-script@v7
        with: {script: "const k = '@'; ${{ github.event.issue.body }}"}
`),
		".github/workflows/called.yml": places(s, "on: {workflow_call: {inputs: {b: {type: number, default: @}}}}\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'x @', env: {X: @}, with: @}]}}\n"),
		".github/actions/act/action.yml": places(s, "name: x\ndescription: x @\ninputs: {key: {default: @, description: @}}\noutputs: {o: {value: @, description: @}}\nruns:\n  using: composite\n  steps:\n"+
			"    - run: echo \"${{ inputs.key == '@' }}\" @ $x; node gone.js --token @\n      shell: bash\n      env: {A: @}\n    - uses: actions/cache@v1\n      with: {key: @, path: @}\n"),
		".github/actions/dock/action.yml": places(s, "name: x\ndescription: x\nruns: {using: docker, image: Dockerfile, args: [--token, @], env: {A: @}, entrypoint: @}\n"),
		"waived.sh":                       places(s, "#!/bin/bash\nX=@ # audit: ignore[script-syntax] until=2027-01-01 reason=none\nif [ @\n"),
		"package.json":                    `{"name":"x","scripts":{"deploy":"TOKEN=` + s() + ` node gone.js --key ` + s() + `"}}`,
		"crontab":                         "PASSWORD=" + s() + "\n5 4 * * * curl -u u:" + s() + " https://example.org && sh gone.sh --pass " + s() + "\n",
		"scripts/a.sh":                    "#!/bin/bash\nexport TOKEN=" + s() + "\nif curl -H \"X: " + s() + "\n",
		"scripts/b.py":                    "key = '" + s() + "'\ndef (:\n",
		"scripts/c.js":                    "const key = '" + s() + "'\nfunction (\n",
	} {
		collecttest.WriteFile(t, dir, name, []byte(body))
	}
	collecttest.WriteFile(t, home, "dump.pm2", []byte(`[{"name":"web","pm_exec_path":"/x/app.js","args":["--token=`+s()+`"],"env":{"DB":"`+s()+`"},"DB":"`+s()+`"}]`))
	collecttest.WriteFile(t, home, "module_conf.json", []byte(`{"m":{"key":"`+s()+`"}}`))
	if len(secrets) < 30 {
		t.Fatalf("only %d secrets", len(secrets))
	}
	env := []string{"PM2_HOME=" + home, "DEPLOY=" + s(), "AUDIT_FAIL_ON=never"}
	said := map[string]string{}
	note := func(where string, r run) { said[where], said[where+" (error)"] = r.out, r.err }
	note("run", invoke(t, dir, env, "--root", dir, "run", "-v"))
	note("run again", invoke(t, dir, env, "--root", dir, "run", "-v"))
	for _, args := range [][]string{{"report", "--format", "json"}, {"report", "--items"}, {"list", "--format", "json"}, {"diff", "--format", "json"}, {"journal"},
		{"history", "workflows/ci.yml"}, {"history", "scripts/npm:deploy"}, {"history", "pm2/web"}, {"store", "verify"}, {"restore", "latest", "--dry-run"}, {"report", "--format", "json", "--items"}, {"history", "workflows/many.yml"}} {
		note(strings.Join(args, " "), invoke(t, dir, env, append([]string{"--root", dir}, args...)...))
	}
	for _, f := range report.All {
		note("report --format "+f.Name, invoke(t, dir, env, "--root", dir, "report", "--format", f.Name))
	}
	// Archives in the clear hold no file in which a secret stands, be it of the newest
	// snapshot or of an older one, and not the key of the hashes.
	for _, kind := range []string{"slim", "full"} {
		note("archive create --kind "+kind, invoke(t, dir, env, "--root", dir, "archive", "create", "--kind", kind))
	}
	note("restore --dry-run", invoke(t, dir, env, "--root", dir, "restore", "latest", "--dry-run", "--overwrite", "always", "--target", t.TempDir()))
	note("archive drill", invoke(t, dir, env, "--root", dir, "archive", "drill"))
	made, err := filepath.Glob(filepath.Join(dir, ".audit", "archives", "*.zst"))
	if err != nil || len(made) < 2 {
		t.Fatal(made, err)
	}
	for _, file := range made {
		said["archive "+filepath.Base(file)] = unpacked(t, file)
	}
	lock, err := os.ReadFile(filepath.Join(dir, ".audit", "audit.lock"))
	if err != nil {
		t.Fatal(err)
	}
	said["lock"] = string(lock)
	for where, text := range said {
		for i, v := range secrets {
			if strings.Contains(text, v) {
				t.Errorf("secret %d stands in %s: …%s…", i, where, around(text, v))
			}
		}
	}
	for i, v := range secrets {
		for _, where := range inStore(t, filepath.Join(dir, ".audit", "audit.db"), v) {
			if where != "blob" {
				t.Errorf("secret %d (%s) stands in bucket %s", i, v, where)
			}
		}
	}
	for _, v := range secrets { // of files whose bytes are never kept
		if b, _ := os.ReadFile(filepath.Join(dir, ".env")); bytes.Contains(b, []byte(v)) && len(inStore(t, filepath.Join(dir, ".audit", "audit.db"), v)) > 0 {
			t.Error("the bytes of .env were kept")
		}
	}
}

// unpacked is everything in an archive in the clear, the values of its store taken out.
func unpacked(t *testing.T, file string) (all string) {
	t.Helper()
	_, err := archive.ReadFile(t.Context(), file, nil, func(_ *archive.Manifest, e archive.Entry, r io.Reader) error {
		b, err := io.ReadAll(r)
		if e.Name == archive.StoreName && err == nil {
			db := filepath.Join(t.TempDir(), "audit.db")
			if err := os.WriteFile(db, b, 0o600); err != nil {
				return err
			}
			if _, err := store.Open(db, store.Options{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "its key is missing") {
				t.Errorf("%s: the store in it opens: %v", file, err)
			}
			if _, err := store.Rekey(db); err != nil {
				return err
			}
			st, err := store.Open(db, store.Options{ReadOnly: true})
			if err != nil {
				return err
			}
			defer st.Close()
			return st.View(func(tx *store.Tx) error {
				s, _, err := pipeline.LoadSnapshot(tx, tx.Seq())
				if err != nil {
					return err
				}
				for _, it := range s.Items {
					for _, f := range it.Files {
						if b, err := tx.Blob(f.SHA256); err == nil {
							all += string(b)
						}
					}
				}
				return nil
			})
		}
		all += string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// places puts a new secret into each place of a text that an @ alone marks: one
// of "uses: a/b@v1" is none.
func places(secret func() string, text string) string {
	words := regexp.MustCompile(`@v[0-9]|@main|@@|@`)
	return words.ReplaceAllStringFunc(text, func(m string) string {
		switch m {
		case "@":
			return secret()
		case "@@":
			return secret() + "@"
		}
		return m
	})
}

// openToAll returns a folder that the user nobody may use, where we can become
// that user.
func openToAll(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to become another user")
	}
	dir := shortDir(t)
	for p := dir; p != "/" && p != "/tmp"; p = filepath.Dir(p) {
		os.Chmod(p, 0o777)
	}
	return dir
}

// asNobody audits a folder as a user without any right of its own.
func asNobody(t *testing.T, dir string) *report.Document {
	t.Helper()
	exe, err := exec.LookPath("audit")
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir+"-bin", "audit") // outside of what is audited, and under the program's name
	if _, err := os.Stat(copied); err != nil {
		if err := os.Mkdir(filepath.Dir(copied), 0o755); err != nil {
			t.Fatal(err)
		}
		if os.Link(exe, copied) != nil {
			b, err := os.ReadFile(exe)
			if err == nil {
				err = os.WriteFile(copied, b, 0o755)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { os.RemoveAll(filepath.Dir(copied)) })
	}
	cmd := exec.Command(copied, "--root", dir, "run", "--format", "json", "--fail-on", "never")
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		t.Fatalf("%v %s", err, out)
	}
	var d report.Document
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// Promise 2: what may not be read today is unknown, not gone and not mended.
func TestWhatMayNotBeReadIsNotGone(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	for _, inGit := range []bool{false, true} {
		for _, closed := range []string{".github/workflows", ".github", "netlify/functions", "scripts", "netlify/functions/price-watch.js",
			".github/workflows/weekly-report.yml", "netlify.toml", "package.json", "crontab", "ecosystem.config.js"} {
			if inGit && strings.Contains(path.Base(closed), ".") && closed != ".github" {
				continue // git knows no more of a file than that it is there
			}
			t.Run(fmt.Sprintf("%s/git_%v", closed, inGit), func(t *testing.T) {
				dir := openToAll(t)
				if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "testdata", "site"))); err != nil {
					t.Fatal(err)
				}
				if inGit {
					git(t, dir, "init", "-q")
					git(t, dir, "add", "-A")
					git(t, dir, "commit", "-qm", "x")
				}
				before := asNobody(t, dir)
				if before.Run.Git == nil == inGit {
					t.Fatalf("git: %+v", before.Errors)
				}
				at := filepath.Join(dir, closed)
				if err := os.Chmod(at, 0); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { os.Chmod(at, 0o755) })
				d := asNobody(t, dir)
				for _, f := range d.Findings {
					if f.Status == "resolved" {
						t.Errorf("%s of %s is resolved", f.Check, f.Item)
					}
					if f.Status == "new" && f.Check != "audit-system-unreadable" && f.Location != nil && f.Location.Path != closed {
						t.Errorf("new: %s: %s", f.Check, f.Message)
					}
				}
				for _, c := range d.Changes {
					if c.Op == "removed" {
						t.Errorf("%s is removed", c.Item)
					}
				}
				if *d.Score.Value > *before.Score.Value {
					t.Errorf("the score rose from %v to %v", *before.Score.Value, *d.Score.Value)
				}
			})
		}
	}
}

// Promise 3, where text of files is shown on purpose: no value of a variable,
// no argument and nothing that is called a secret stands in a patch.
func TestPatchShowsNoValue(t *testing.T) {
	dir := t.TempDir()
	n := 0
	s := func() string { n++; return fmt.Sprintf("hunter%02dS3cret", n) }
	files := map[string]string{
		"ecosystem.config.js": "const k = '" + s() + "'\nmodule.exports = {apps: [{name: 'web', script: 'app.js', env: {K: k}}]}\n",
		"pm2.yml":             "apps:\n  - name: y\n    script: app.js\n    args:\n      - " + s() + "\n    env:\n      PLAIN: " + s() + "\n      BLOCK: |\n        " + s() + "\n\n        " + s() + "\n    cwd: here\n",
		"process.json":        "{\"apps\": [{\"name\": \"j\", \"script\": \"app.js\", \"env\": {\"PLAIN\": \"" + s() + "\"}}]}\n",
		"netlify.toml":        "[build.environment]\nPLAIN = \"" + s() + "\"\n[functions]\nnode_bundler = \"esbuild\"\n",
		".github/workflows/ci.yml": "name: ci\non: push\nenv:\n  PLAIN: " + s() + "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" +
			"      - uses: actions/checkout@v4\n        with: {token: " + s() + "}\n      - run: |\n          curl -H 'Authorization: " + s() + "' x\n          npm run build --token " + s() + "\n          git clone https://u:" + s() + "@example.org/r\n",
		"crontab":      "PASSWORD=" + s() + "\n5 4 * * * curl -u u:" + s() + " https://example.org\n",
		"package.json": "{\"name\": \"x\", \"scripts\": {\"deploy\": \"API_KEY=" + s() + " cross-env PLAIN=" + s() + " node a.js\"}}\n",
		"scripts/a.sh": "#!/bin/sh\nexport PLAIN=" + s() + "\nPASS=" + s() + " ./x --pass " + s() + "\n",

		"api/package.json": "{\n  \"name\": \"api\",\n  \"pm2\": {\"apps\": [{\"name\": \"api\", \"script\": \"app.js\", \"args\": [\"" + s() + "\"]}]},\n" +
			"  \"apps\": [\n    {\n      \"name\": \"b\",\n      \"script\": \"app.js\",\n      \"env\": {\n        \"quiet\": \"" + s() + "\",\n        \"other\": \"letmein\"\n      },\n      \"args\": [\n        \"letmein\"\n      ]\n    }\n  ],\n" +
			"  \"scripts\": {\n    \"load\": \"mysql -p" + s() + " -u root shop\",\n    \"get\": \"curl -u user:" + s() + " -H \\\"Authorization: Basic letmein\\\" https://example.org/?k=letmein\",\n    \"work\": \"node app.js " + s() + " --name letmein --mode=letmein\"\n  }\n}\n",
		".github/workflows/use.yml": "name: use\non: push\njobs:\n  call:\n    uses: ./.github/workflows/ci.yml\n    with:\n      place: letmein\n      many: |\n        letmein\n" +
			"  made:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        code: [letmein, " + s() + "]\n        include:\n        - code: letmein\n    steps:\n" +
			"      - uses: docker://alpine\n        with:\n          args: letmein " + s() + "\n          entrypoint: /bin/letmein\n      - run: |\n          mysql -p" + s() + " shop\n          tool --name letmein\n          sh scripts/a.sh " + s() + "\n",
		"site/netlify.toml": "[build]\ncommand = \"make " + s() + "\"\n[[plugins]]\npackage = \"a-plugin\"\n[plugins.inputs]\nsite = \"letmein\"\nlist = [\n  \"letmein\",\n  [\"letmein\"],\n]\n[functions]\nnode_bundler = \"esbuild\"\n",
		"job/crontab":       "5 4 * * * sh scripts/a.sh " + s() + " -k letmein\n",
		"scripts/b.py":      "import os\nname = '" + s() + "'\nos.system('tool --name letmein')\n",
	}
	for name, body := range files {
		collecttest.WriteFile(t, dir, name, []byte(body))
	}
	env := []string{"AUDIT_FAIL_ON=never"}
	invoke(t, dir, env, "--root", dir, "run")
	for name, body := range files { // every line is a changed one
		collecttest.WriteFile(t, dir, name, []byte(strings.NewReplacer("S3cret", "S3cretAgain", "letmein", "letmein-again", "\n", " \n").Replace(body)))
	}
	invoke(t, dir, env, "--root", dir, "run")
	for _, format := range []string{"table", "json"} {
		r := invoke(t, dir, env, "--root", dir, "diff", "--patch", "--format", format)
		for name := range files {
			if !strings.Contains(r.out, name) {
				t.Errorf("%s: no patch of %s", format, name)
			}
		}
		for _, value := range []string{"S3cret", "letmein"} {
			for rest := r.out; strings.Contains(rest, value); {
				i := strings.Index(rest, value)
				t.Errorf("%s shows a value: …%s", format, rest[max(0, i-120):i+20])
				rest = rest[i+len(value):]
			}
		}
		for _, kept := range []string{"node_bundler", "runs-on", "cwd", "place:", "matrix:", "tool --name", "sh scripts/a.sh", "mysql -p", "a-plugin"} {
			if !strings.Contains(r.out, kept) {
				t.Errorf("%s hides %s, which is no value of a variable", format, kept)
			}
		}
	}
}

// A patch stays worth reading: it tells what became of a command, a cron line and
// a permission.
func TestPatchTells(t *testing.T) {
	dir := t.TempDir()
	workflow := "name: ci\non:\n  schedule: [{cron: '5 4 * * 1'}]\npermissions:\n  contents: read\n  id-token: none\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n" +
		"      - uses: actions/checkout@v4\n        with: {token: '${{ secrets.ONE }}'}\n      - run: npm run build\n      - run: node scripts/a.js\n"
	script := "const { readFile } = require('node:fs')\nmodule.exports.handler = async (event) => {\n  if (event.count > 10) return { statusCode: 200 }\n}\n"
	change := strings.NewReplacer("npm run build", "echo done", "5 4 * * 1", "0 3 * * *", "contents: read", "contents: write", "id-token: none", "id-token: write", "ubuntu-24.04", "ubuntu-22.04", "@v4", "@v5",
		"secrets.ONE", "secrets.TWO", "a.js", "b.js", "200", "500")
	put := func(edit func(string) string) {
		for _, name := range []string{"a", "b"} {
			collecttest.WriteFile(t, dir, "scripts/"+name+".js", []byte(edit(script)))
		}
		collecttest.WriteFile(t, dir, ".github/workflows/ci.yml", []byte(edit(workflow)))
		collecttest.WriteFile(t, dir, "crontab", []byte(edit("5 4 * * 1 cd /srv && node scripts/a.js --quiet\n")))
		invoke(t, dir, nil, "--root", dir, "run")
	}
	put(strings.Clone)
	put(change.Replace)
	out := invoke(t, dir, nil, "--root", dir, "diff", "--patch").out
	for _, line := range []string{"-      - run: npm run build", "+      - run: echo done", "-  schedule: [{cron: '5 4 * * 1'}]", "+  schedule: [{cron: '0 3 * * *'}]", "-  contents: read", "+  contents: write",
		"-  id-token: none", "+  id-token: write", "-    runs-on: ubuntu-24.04", "+    runs-on: ubuntu-22.04", "-      - uses: actions/checkout@v4", "+      - uses: actions/checkout@v5",
		"+      - run: node scripts/b.js", "+0 3 * * * cd /srv && node scripts/b.js --quiet", " module.exports.handler = async (event) => {", "+  if (event.count > 10) return { statusCode: 500 }"} {
		if !strings.Contains(out, "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// Output that nobody takes keeps no run from writing, and ends when it is told to.
func TestBlockedReader(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	dir := site(t)
	for i := range 600 {
		collecttest.WriteFile(t, dir, fmt.Sprintf("scripts/more/script%03d.sh", i), []byte("echo\n"))
	}
	invoke(t, dir, nil, "--root", dir, "run")
	for _, args := range [][]string{
		{"report", "--format", "json"},
		{"report", "--format", "json", "--output", "PIPE"},
		{"restore", "latest", "--format", "json"},
		{"restore", "latest", "--format", "json", "--dry-run"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := os.OpenFile(pipe, os.O_RDWR, 0) // hardly read: it takes 64 KiB
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			args := append([]string{"--root", dir}, args...)
			cmd := exec.Command("audit", args...)
			cmd.Env, cmd.Stdout = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, p
			if i := slices.Index(args, "PIPE"); i >= 0 {
				cmd.Args[1+i], cmd.Stdout = pipe, nil
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Read(make([]byte, 1)); err != nil { // it has begun to print
				t.Fatal(err)
			}
			if got := invoke(t, dir, nil, "--root", dir, "run", "--fail-on", "never"); got.code != 0 || got.took > 20*time.Second {
				t.Errorf("a run beside it: exit %d after %v\n%s", got.code, got.took, got.err)
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatalf("it did not block: %v", err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case <-ended:
				if code := cmd.ProcessState.ExitCode(); code != 143 {
					t.Errorf("exit %d, want 143", code)
				}
			case <-time.After(30 * time.Second):
				cmd.Process.Kill()
				t.Error("it does not end")
			}
		})
	}
}

// Bytes that are damaged in the store are named and are exit 4, and keep no other
// file from coming back.
func TestRestoreDamagedBytes(t *testing.T) {
	dir := t.TempDir()
	collecttest.Write(t, dir, "-- scripts/bad.sh --\necho bad\n-- scripts/good.sh --\necho good\n")
	invoke(t, dir, nil, "--root", dir, "run")
	flip(t, filepath.Join(dir, ".audit", "audit.db"), "blob", sha256.Sum256([]byte("echo bad\n")))
	for _, dry := range []bool{true, false} {
		to := filepath.Join(t.TempDir(), "to")
		args := []string{"--root", dir, "restore", "latest", "--target", to}
		if dry {
			args = append(args, "--dry-run")
		}
		r := invoke(t, dir, nil, args...)
		if r.code != exitDamaged || !strings.Contains(r.out, "scripts/bad.sh") || !strings.Contains(r.out, "damaged") {
			t.Errorf("dry run %v: exit %d\n%s%s", dry, r.code, r.out, r.err)
		}
		if _, err := os.Stat(filepath.Join(to, "scripts", "good.sh")); (err == nil) == dry {
			t.Errorf("dry run %v: the other file: %v", dry, err)
		}
	}
}

// flip changes one bit of a value in a store.
func flip(t *testing.T, path, bucket string, key [sha256.Size]byte) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		v := bytes.Clone(b.Get(key[:]))
		if len(v) == 0 {
			return errors.New("no such row")
		}
		v[len(v)-1] ^= 1
		return b.Put(key[:], v)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func around(text, v string) string {
	i := strings.Index(text, v)
	return text[max(0, i-80):i]
}

// inStore names the buckets in which a value holds v, in clear or compressed.
func inStore(t *testing.T, path, v string) (where []string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	holds := func(b []byte) bool {
		if bytes.Contains(b, []byte(v)) {
			return true
		}
		if i := bytes.Index(b, []byte{0x28, 0xb5, 0x2f, 0xfd}); i >= 0 {
			if plain, err := dec.DecodeAll(b[i:], nil); err == nil {
				return bytes.Contains(plain, []byte(v))
			}
		}
		return false
	}
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, val []byte) error {
				if holds(k) || holds(val) {
					where = append(where, string(name))
				}
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(where)
	return slices.Compact(where)
}

// Hostile input costs bounded time and memory, one finding each, and the rest is judged.
func TestHostileProject(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	dir, home := t.TempDir(), shortDir(t)
	write := func(name, body string) { collecttest.WriteFile(t, dir, name, []byte(body)) }
	bomb := "a: &a [x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	good := "on: push\njobs: {a: {runs-on: ubuntu-latest, timeout-minutes: 5, steps: [{run: make}]}}\n"
	write(".github/workflows/good.yml", good)
	write(".github/workflows/huge.yml", "on: push\nname: "+strings.Repeat("x", 100<<20)+"\n")
	write(".github/workflows/bomb.yml", bomb+good)
	write(".github/workflows/odd\nname.yml", good)
	write(".github/workflows/bytes.yml", "\xff\xfe\x00o\x00n\x00")
	write("pm2.yml", bomb+"apps: *j\n")
	write("netlify/functions/deep.js", strings.Repeat("[", 500_000))
	write("netlify/functions/good.js", "exports.handler = async () => ({statusCode: 200})\n")
	write("scripts/good.sh", "echo hi\n")
	write("scripts/deep.sh", strings.Repeat("$(", 200_000))
	write("scripts/nul.py", "x\x00y\n")
	write("package.json", `{"scripts":`+strings.Repeat("[", 300_000))
	for name, body := range map[string]string{
		"loop": "while (true) {}", "regex": "/^(a+)+$/.test('a'.repeat(50) + '!')", "memory": "let s = 'x'.repeat(2**29); let l = []; while (true) l.push(s + l.length)",
		"stack": "(function f() { f() })()", "exit": "process.exit(0)", "throw": "throw new Error('no')",
	} {
		write(name+"/ecosystem.config.js", body+"\nmodule.exports = {apps: []}\n")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(syscall.Mkfifo(filepath.Join(dir, ".github/workflows/fifo.yml"), 0o644))
	must(syscall.Mkfifo(filepath.Join(dir, "scripts/fifo.sh"), 0o644))
	must(os.Symlink("loop.yml", filepath.Join(dir, ".github/workflows/loop.yml")))
	must(os.Symlink("/etc/passwd", filepath.Join(dir, ".github/workflows/out.yml")))
	must(os.Symlink("../..", filepath.Join(dir, "scripts/up")))
	must(os.Symlink("/etc", filepath.Join(dir, "netlify/functions/etc")))
	write("scripts/closed.sh", "echo\n")
	must(os.Chmod(filepath.Join(dir, "scripts/closed.sh"), 0))
	l, err := net.Listen("unix", filepath.Join(home, "rpc.sock")) // accepts and never answers
	must(err)
	defer l.Close()
	d, r := document(t, dir, []string{"PM2_HOME=" + home, "AUDIT_FAIL_ON=never"})
	t.Logf("%d items, %d findings in %s", len(d.Items), len(d.Findings), r.took)
	if r.took > 40*time.Second {
		t.Errorf("it took %s", r.took)
	}
	level := map[string]string{}
	for _, it := range d.Items {
		level[it.Key] = it.Level
	}
	for _, k := range []string{"workflows/good.yml", "functions/good", "scripts/scripts/good.sh"} {
		if level[k] != "ok" {
			t.Errorf("%s is %q, want ok", k, level[k])
		}
	}
	for _, k := range []string{"workflows/huge.yml", "workflows/bomb.yml", "workflows/bytes.yml", "workflows/fifo.yml", "workflows/loop.yml", "workflows/out.yml", "functions/deep"} {
		if l := level[k]; l != "failing" && l != "unknown" && l != "degraded" {
			t.Errorf("%s is %q, want failing or unknown", k, l)
		}
	}
	for _, text := range []string{r.out, r.err} {
		if strings.Contains(text, "root:x:0") {
			t.Error("a file out of the project was read")
		}
	}
	again, r2 := document(t, dir, []string{"PM2_HOME=" + home, "AUDIT_FAIL_ON=never"})
	if len(again.Changes) != 0 {
		t.Errorf("a second look changed %v", again.Changes)
	}
	t.Logf("again in %s", r2.took)
}

// shortDir is a folder whose path is short enough for a Unix socket.
func shortDir(t *testing.T) string {
	d, err := os.MkdirTemp("", "au")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d) })
	return d
}

// Another user's unreadable file is one unknown, not the end of the audit.
func TestUnreadableFile(t *testing.T) {
	dir := openToAll(t)
	collecttest.Write(t, dir, "-- .github/workflows/open.yml --\non: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n-- .github/workflows/closed.yml --\non: push\n-- scripts/closed.sh --\necho\n")
	for _, p := range []string{".github/workflows/closed.yml", "scripts/closed.sh"} {
		if err := os.Chmod(filepath.Join(dir, p), 0); err != nil {
			t.Fatal(err)
		}
	}
	d := asNobody(t, dir)
	for _, it := range d.Items {
		if strings.Contains(it.Key, "closed") && it.Level == "ok" {
			t.Errorf("%s is ok though nobody could read it", it.Key)
		}
		if it.Key == "workflows/open.yml" && it.Level != "ok" {
			t.Errorf("%s is %s", it.Key, it.Level)
		}
	}
}

// A copy of a tree has the same items and the same findings.
func TestCopyKeepsIdentity(t *testing.T) {
	ids := func(dir string) (out []string) {
		d, _ := document(t, dir, nil)
		for _, it := range d.Items {
			out = append(out, it.Key)
		}
		for _, f := range d.Findings {
			out = append(out, f.ID+" "+f.Item)
		}
		return out
	}
	a, b := ids(site(t)), ids(site(t))
	if !slices.Equal(a, b) {
		t.Errorf("%v\nand\n%v", a, b)
	}
	if len(a) < 60 {
		t.Errorf("only %d", len(a))
	}
}

// As cron runs it: from the home folder, with next to no environment.
func TestUnderCron(t *testing.T) {
	dir := site(t)
	git(t, dir, "init", "-q")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-qm", "start")
	before := git(t, dir, "status", "--porcelain", "--ignored")
	cmd := exec.Command("env", "-i", "PATH=/usr/bin:/bin", exePath(t), "--root", dir)
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("score")) || bytes.Contains(out, []byte("\x1b")) {
		t.Errorf("report in a pipe:\n%s", out)
	}
	for line := range strings.Lines(string(out)) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	after := strings.ReplaceAll(git(t, dir, "status", "--porcelain", "--ignored"), "!! .audit/\n", "")
	if before != after {
		t.Errorf("git says %q, said %q", after, before)
	}
}

func exePath(t *testing.T) string {
	t.Helper()
	p, err := exec.LookPath("audit")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Of two runs at once one ends with 75 at once; reading goes on meanwhile.
func TestTwoAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	dir := t.TempDir()
	collecttest.Write(t, dir, "-- scripts/a.sh --\necho\n-- ecosystem.config.js --\nwhile (true) {}\n")
	document(t, dir, nil)
	slow := exec.Command("audit", "--root", dir, "-q")
	slow.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
	// The configuration loops, so the first run lasts until its child is killed.
	collecttest.Write(t, dir, "-- ecosystem.config.js --\nwhile (true) { }\n")
	if err := slow.Start(); err != nil {
		t.Fatal(err)
	}
	holder := []byte(fmt.Sprintf(`"pid":%d`, slow.Process.Pid))
	for end := time.Now().Add(20 * time.Second); ; {
		if b, _ := os.ReadFile(filepath.Join(dir, ".audit", "audit.lock")); bytes.Contains(b, holder) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the first run never took the lock")
		}
	}
	busy := invoke(t, dir, nil, "--root", dir, "-q")
	if busy.code != exitBusy || !strings.Contains(busy.err, strconv.Itoa(slow.Process.Pid)) {
		t.Errorf("exit %d, %q: want 75 and the number of the process that runs", busy.code, busy.err)
	}
	for _, args := range [][]string{{"report"}, {"list"}} {
		if r := invoke(t, dir, nil, append([]string{"--root", dir}, args...)...); r.code != exitOK {
			t.Errorf("%v meanwhile: exit %d, %s", args, r.code, r.err)
		}
	}
	slow.Wait()
	if r := invoke(t, dir, nil, "--root", dir, "-q", "--wait", "30s", "--fail-on", "never"); r.code != exitOK {
		t.Errorf("afterwards: exit %d, %s", r.code, r.err)
	}
}

// noise is text that does not compress.
func noise() string {
	b := make([]byte, 200)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz012345"[rand.IntN(32)]
	}
	return string(b)
}

// A full disk is a clear error, and what was there stays readable.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the program too often for a short run")
	}
	dir := site(t)
	document(t, dir, nil)
	st, err := os.Stat(filepath.Join(dir, ".audit", "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		collecttest.WriteFile(t, dir, fmt.Sprintf("scripts/more%d.sh", i), []byte("echo "+strings.Join([]string{noise(), noise(), noise(), noise(), noise(), noise(), noise(), noise()}, " ")+"\n"))
	}
	limit := st.Size()/512 + 8 // blocks of 512 bytes, as POSIX ulimit counts
	cmd := exec.Command("sh", "-c", fmt.Sprintf("ulimit -f %d; trap '' XFSZ; exec %s --root %s -q", limit, exePath(t), dir))
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exitAction || !bytes.Contains(out, []byte("earlier snapshots are intact")) {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, args := range [][]string{{"report"}, {"store", "verify"}, {"restore", "latest", "--dry-run"}} {
		if r := invoke(t, dir, nil, append([]string{"--root", dir}, args...)...); r.code != exitOK {
			t.Errorf("%v: exit %d, %s", args, r.code, r.err)
		}
	}
	if d, _ := document(t, dir, nil); d.Run.Seq != 2 {
		t.Errorf("the next run is #%d, want #2", d.Run.Seq)
	}
}
