package trait

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"healthaudit/snapshot/analyze/shell"
)

func TestMarks(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"says only", "#!/bin/sh\nset -e\necho one\ndate\n", "idle 2:1"},
		{"says and fails", "echo no; exit 1", ""},
		{"installs", "npm ci\necho done", ""},
		{"writes", "echo one >> log.txt", ""},
		{"hides every failure", "npm run build || true\necho done", "masks 1:1 npm"},
		{"hides what finds nothing to do", "pkill node || true\nrm x || true", ""},
		{"hides one of two", "make || true\nmake install", ""},
		{"pushes all", "git add -A\ngit commit -m x\ngit -c a=b push origin main", "add-all 1:1\npush 3:1"},
		{"commit -am", "git commit -am x; git commit --amend", "add-all 1:1"},
		{"adds a folder", "git add docs; git add -A docs; git push --dry-run; git commit -m all", ""},
		{"for ever", "while true; do make; sleep 5; done", "forever 1:1"},
		{"for ever in four ways", "until false; do a; done", "forever 1:1"},
		{"arithmetic", "for ((;;)); do a; done; while ((1)); do a; done; while :; do a; done", "forever 1:1\nforever 1:25\nforever 1:50"},
		{"until it is done", "while true; do make && break; done\nwhile true; do exit 1; done; while true; do exec x; done; f() { while :; do return; done; }", ""},
		{"waits for something", "while read x; do a; done; while ! nc -z a 1; do sleep 1; done", ""},
		{"in the background", "while true; do a; done &\nwait", ""},
		{"in a text of its own", "bash -lc 'while true; do make; done'", "forever 1:10"},

		{"says a secret", "echo \"Token: $API_TOKEN\"\nmake", "secret 1:14 API_TOKEN"},
		{"says a part of a secret", "printf 'jwt secret %s\\n' \"${AUTH_SECRET:0:20}\"; make", "secret 1:27 AUTH_SECRET"},
		{"says a little of a secret", "echo \"key ${API_KEY:0:4}… of ${#API_KEY}, ${JWT:+set}\"; make", ""},
		{"gives a secret on", "echo \"login $TOKEN\" | gh auth login; X=$(echo \"a b: $TOKEN\"); echo \"TOKEN=$TOKEN\" >> .env; { echo \"a b: $TOKEN\"; make; } > f", ""},
		{"says a secret with its errors", "echo \"Token: $A_TOKEN\" >&2; { echo \"key: $API_KEY\" 2>&1; make; } 1>&2", "secret 1:14 A_TOKEN\nsecret 1:42 API_KEY"},
		{"says a secret to a file", "echo \"a b: $TOKEN\" >&3; echo \"a b: $TOKEN\" >&log; echo \"a b: $TOKEN\" >&-; echo \"a b: $TOKEN\" 2>&1 >f; (echo \"a b: $TOKEN\" >&2) | cat; make", ""},
		{"answers with a secret", "echo \"$TOKEN\"; printf '%s' \"$TOKEN\"; make", ""},
		{"says what stands in it", "PASSWORD=test1234\necho \"Password: $PASSWORD\"; make", ""},
		{"says the name alone", "echo 'set $API_KEY first'; echo \"API_KEY is not set\"; echo \"::add-mask::$API_KEY\"; make", ""},

		{"says every variable", "env\ncurl -H \"a: $API_TOKEN\" https://x.example", "secret 1:1 *API_TOKEN"},
		{"says every variable in other ways", "curl -u \"$B_TOKEN\" x; set; printenv | sort -u; export -p", "secret 1:23 *B_TOKEN\nsecret 1:28 *B_TOKEN\nsecret 1:48 *B_TOKEN"},
		{"says the settings", "set -a; . ./.env; set +a\nenv | tee /tmp/x", "secret 2:1 *.env"},
		{"looks for secrets", "env | grep -i token", "secret 1:1 *"},
		{"says a secret by its name", "echo 'The token is:'; printenv API_TOKEN HOME", "secret 1:32 API_TOKEN"},
		{"says a secret of a command", "echo \"Token: $(printenv A_TOKEN)\"; printf 'key: %s\\n' \"$(echo \"$API_KEY\")\"", "secret 1:14 A_TOKEN\nsecret 1:56 API_KEY"},
		{"says every variable of a command", "echo \"All of it: $(env)\"; curl -u $A_TOKEN x", "secret 1:18 *A_TOKEN"},
		{"says every variable beside a remark", "env # all\nset 2>&1\necho \"All of it: `env`\"; curl -u $A_TOKEN x", "secret 1:1 *A_TOKEN\nsecret 2:1 *A_TOKEN\nsecret 3:18 *A_TOKEN"},
		{"asks for many secrets", "PASSWORD=x\n" + strings.Repeat("echo $PASSWORD | x\n", 2*maxNamed) + "curl -u $A_TOKEN x; env", "secret 42:21 *A_TOKEN"},
		{"keeps a secret to itself", "API_TOKEN=$(cat f); read -rs B_TOKEN; local C_TOKEN=$(cat g)\nenv | sort; printenv; export -p; curl -u $API_TOKEN:$B_TOKEN:$C_TOKEN x", ""},
		{"exports a secret", "API_TOKEN=$(cat f); export API_TOKEN; env; curl -u $API_TOKEN x", "secret 1:39 *API_TOKEN"},
		{"exports a secret in another way", "declare -x API_TOKEN=$(cat f); env; curl -u $API_TOKEN x", "secret 1:32 *API_TOKEN"},
		{"shows what it keeps to itself", "API_TOKEN=$(cat f); set; declare -p; curl -u $API_TOKEN x", "secret 1:21 *API_TOKEN\nsecret 1:26 *API_TOKEN"},
		{"reads settings for itself", ". ./.env; printenv | sort; echo 'The token is:'; printenv API_TOKEN; curl -u $API_TOKEN x", ""},
		{"reads settings for itself and shows them", ". ./.env; set", "secret 1:11 *.env"},
		{"reads settings for all", "set -o allexport; . ./.env; env", "secret 1:29 *.env"},
		{"knows of no secret", "env; env | sort; set; printenv; PASSWORD=test1234; echo $PASSWORD | x", ""},
		{"says what is harmless", "echo 'The path is:'; printenv PATH; env | grep -v TOKEN; env | grep -q TOKEN && env | grep -c TOKEN; env | grep PATH; curl -u $A_TOKEN x", ""},
		{"gives every variable on", "env > f; X=$(env); env | cut -d= -f1; env | sort | grep -v x; env | sort >f; set -e; env -i x; env A=b x; curl -u $A_TOKEN x", ""},
		{"runs something with it", "env bash -c x; printenv A_TOKEN | docker login; export A_TOKEN; set -- a; declare -A m; curl -u $A_TOKEN x", ""},
		{"says nothing of a command", "echo \"The TOKEN: $() $(# none\n)\"; make", ""},
		{"answers with what it is asked for", "printenv GITHUB_TOKEN", ""},
		{"says a beginning of a command's", "echo \"Token: $(printenv A_TOKEN | cut -c1-4), $(echo \"${API_KEY:0:4}\")\"; printenv | wc -l", ""},

		{"cd and rm", "cd web\nrm -rf src", "unguarded-cd 1:1 rm -r"},
		{"cd and products", "cd web\nrm -rf dist ./node_modules/", "unguarded-cd 1:1 rm -r of build products"},
		{"cd and git", "cd web; git clean -fdx", "unguarded-cd 1:1 git clean"},
		{"cd and reset", "cd \"$APP\"\ngit fetch\ngit reset --hard origin/main", "unguarded-cd 1:1 git reset --hard"},
		{"cd and add", "cd web\nif a; then git add .; fi", "unguarded-cd 1:1 git add -A\nadd-all 2:12"},
		{"cd and find", "cd logs; find . -name '*.log' -delete", "unguarded-cd 1:1 find -delete"},
		{"guarded by or", "cd web || exit 1\nrm -rf src", ""},
		{"guarded by and", "cd web && rm -rf src", ""},
		{"guarded by set -e", "set -euo pipefail\ncd web\nrm -rf src", ""},
		{"guarded by the first line", "#!/bin/bash -e\ncd web\nrm -rf src", ""},
		{"guarded by an option of its name", "set -o errexit\ncd web\nrm -rf src", ""},
		{"guarded by a question", "if [ -d web ]; then cd web; rm -rf src; fi", ""},
		{"guarded by what follows", "cd web\nif [ $? -ne 0 ]; then exit 1; fi\nrm -rf src", ""},
		{"made before", "mkdir -p out/x\ncd out/x\nrm -rf *", ""},
		{"its own folder", "cd \"$(dirname \"$0\")\"\nrm -rf src", ""},
		{"its own folder by name", "HERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nROOT=\"$HERE/..\"\ncd \"$ROOT\"\nrm -rf src", ""},
		{"a new folder", "T=$(mktemp -d)\ncd $T\nrm -rf src", ""},
		{"nothing to lose", "cd web\nnpm test\nrm -rf /tmp/x\nrm -rf $HOME/x\nrm x", ""},
		{"a shell of its own", "(cd web; make)\nrm -rf src", ""},
		{"git elsewhere", "cd web\ngit -C /srv/x clean -fd", ""},
		{"back again", "cd web\nmake\ncd ..\nrm -rf src", "unguarded-cd 1:1 rm -r"},
		{"a safe one after it", "cd web\ncd /srv/x || exit\nrm -rf src", ""},

		{"rm of a variable", "rm -rf \"$DATA\"/*", "dangerous-rm 1:8 DATA"},
		{"rm of a system folder", "rm -rf ${PREFIX_DIR}/usr/x", "dangerous-rm 1:8 PREFIX_DIR"},
		{"rm of an argument", "D=$1\nrm -fr $D/* ; rm -r $2/*", "dangerous-rm 2:8 D\ndangerous-rm 2:21 2"},
		{"which is asked for", "D=$1\n[ -z \"$D\" ] && exit\nrm -fr $D/*", ""},
		{"which is counted", "if [ $# -lt 1 ]; then exit; fi\nrm -fr $1/*", ""},
		{"set -u", "set -u\nrm -rf $DATA/*", ""},
		{"assigned", "DATA=/srv/x\nrm -rf $DATA/*; for f in a b; do rm -rf $f/*; done", ""},
		{"with a message or default", "rm -rf ${DATA:?}/* ${CACHE:-x}/*", ""},
		{"of nothing", "rm -rf $DATA \"$DATA\"/dist \"$DATA/*\" $DATA/", ""},
		{"of some names only", "rm -rf $DATA/*.tmp", ""},
		{"an argument of a function", "clean() { rm -rf \"$1\"/*; }\nclean /tmp/x; find . -exec sh -c 'rm -rf \"$1\"/*' _ {} ';'; rm -rf $2/*", "dangerous-rm 2:67 2"},
		{"always there", "rm -rf $HOME/* $GITHUB_WORKSPACE/*", ""},
		{"from another file", ". ./env.sh\nrm -rf $DATA/*", ""},

		{"curl to bash", "curl -fsSL https://x.example/i | bash -s -- -y", "pipe-shell 1:1"},
		{"without encryption", "wget -qO- http://x.example/i | sudo -E sh", "pipe-shell 1:1 http"},
		{"through a filter", "curl https://x.example/i | gunzip | bash", "pipe-shell 1:1"},
		{"in three ways", "bash <(curl -s https://x.example); sh -c \"$(wget -O- https://x.example)\"; eval \"$(curl https://x.example)\"", "pipe-shell 1:1\npipe-shell 1:36\npipe-shell 1:75"},
		{"of data", "curl https://x.example | python3 -m json.tool; curl https://x.example | node -e 'x'; curl https://x.example | bash tool.sh; curl https://x.example | jq .; X=$(curl https://x.example)", ""},
		{"of this machine", "curl http://localhost:3000/i | sh", ""},

		{"a path of one machine", "# /Users/miami2/x\ncd /Users/miami2/project\nmake\necho /Users/miami2/x", "machine-path 2:4 mac"},
		{"in a value", "X=\"/data/data/com.termux/files/home\"; Y='C:\\Users\\jo\\x'", "machine-path 1:3 termux\nmachine-path 1:41 windows"},
		{"of a home", "tail -f /home/jo/app/log >> /home/jo/out/x", "machine-path 1:9 home\nmachine-path 1:29 home"},
		{"of nobody", "cd /home/runner/work; cd /Users/Shared/x; cd /home/$USER/x; curl https://x.example/Users/jo/x; cat <<E\n/Users/jo/x\nE\n[ -d /Users/jo/x ]", ""},
		{"does not parse", "cd web\nrm -rf src\nif", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, k := range Marks([]byte(c.src), shell.Read([]byte(c.src), shell.Bash)) {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %d:%d %s", k.Kind, k.Line, k.Column, k.Name)))
			}
			if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestInBackground(t *testing.T) {
	for _, c := range []struct {
		src    string
		column int // 0: none
	}{
		{"npm run api & npm run web", 1},
		{"npm run build && node server.js &", 1},
		{"npm run api & npm run web & wait", 0},
		{"node a.js & PID=$!; npm test; kill $PID", 0},
		{"(sleep 2 && open http://localhost:3000) & next dev", 0},
		{"tsc && node x.js 2>&1", 0},
		{"concurrently \"a & b\"", 0},
	} {
		m := InBackground([]byte(c.src), shell.ReadRun([]byte(c.src)))
		if c.column == 0 && m != nil || c.column > 0 && (m == nil || m.Column != c.column) {
			t.Errorf("%s: %v, want column %d", c.src, m, c.column)
		}
	}
}

func TestMachinePath(t *testing.T) {
	for text, want := range map[string]string{
		"/Users/miami2/x": Mac, `C:\Users\jo\x`: Windows, `d:/Users/jo/x`: Windows, "PATH=/a:/Users/jo/bin": Mac, "/home/jo/x": Home, "/data/data/com.termux/files": Termux,
		"/Users/": "", "/Users/username/x": "", "https://a.example/Users/jo/x": "", "/home/runner/x": "", "/srv/home/jo/x": "", "": "",
	} {
		if got := MachinePath(text); got != want {
			t.Errorf("MachinePath(%q) = %q, want %q", text, got, want)
		}
	}
}

// A chain as long as is parsed takes no longer than its length.
func TestMarks_long_chain(t *testing.T) {
	for _, src := range []string{"cd web\n" + strings.Repeat("true && ", 9_000) + "rm -rf src", "curl https://x.example" + strings.Repeat(" | cat", 15_000) + " | sh"} {
		text := shell.Read([]byte(src), shell.Bash)
		if text.Err != nil {
			t.Fatal(text.Err)
		}
		start := time.Now()
		Marks([]byte(src), text)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s… took %s", src[:20], took)
		}
	}
}
