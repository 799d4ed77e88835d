package script

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/crontab"
)

func tree(paths ...string) *snapshot.Tree {
	var list []snapshot.TreePath
	for _, p := range paths {
		list = append(list, snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Tracked})
	}
	return snapshot.NewTree(true, list)
}

func TestPlace(t *testing.T) {
	file := func(p string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.RefFile, Path: p} }
	npm := func(dir string) snapshot.Ref {
		return snapshot.Ref{Kind: snapshot.RefNPM, Dir: dir, Name: "build"}
	}
	project := tree("package.json", "scripts/a.sh", "scripts/b.sh", "web/package.json", "web/scripts/c.js", "web/bin/run.sh")
	for _, c := range []struct {
		name string
		from string
		refs []snapshot.Ref
		want []string
	}{
		{"from the root when all is found there", "web/bin/run.sh", []snapshot.Ref{file("\x02/scripts/a.sh"), file("\x02/scripts/gone.sh")}, []string{"scripts/a.sh", "scripts/gone.sh"}},
		{"from the package when more is found there", "web/bin/run.sh", []snapshot.Ref{file("\x02/scripts/c.js"), file("\x02/scripts/gone.js")}, []string{"web/scripts/c.js", "web/scripts/gone.js"}},
		{"from its own folder", "scripts/x.sh", []snapshot.Ref{file("\x02/a.sh"), file("\x02/b.sh")}, []string{"scripts/a.sh", "scripts/b.sh"}},
		{"from the root when nothing is found anywhere", "web/bin/run.sh", []snapshot.Ref{file("\x02/gone.sh")}, []string{"gone.sh"}},
		{"an npm script by its package.json", "web/bin/run.sh", []snapshot.Ref{npm("\x02/web")}, []string{"npm run build in web"}},
		{"absolute paths that end like files of the project", "ops/crontab", []snapshot.Ref{file("\x02/\x1fsrv/shop/scripts/a.sh"), file("\x02/\x1fsrv/shop/scripts/gone.sh")}, []string{"scripts/a.sh", "scripts/gone.sh"}},
		{"absolute folder that was changed into", "ops/crontab", []snapshot.Ref{npm("\x02/\x1fsrv/shop"), file("\x02/\x1fsrv/shop/scripts/gone.sh")}, []string{"npm run build", "scripts/gone.sh"}},
		{"absolute paths elsewhere are not the project's", "ops/crontab", []snapshot.Ref{file("\x02/\x1fopt/agent/run.sh")}, nil},
		{"a folder above the unknown one is unknown", "scripts/x.sh", []snapshot.Ref{file("a.sh"), file("../a.sh"), npm("."), npm("..")}, nil},
		{"a name needs no folder", "scripts/x.sh", []snapshot.Ref{{Kind: snapshot.RefApp, Name: "api"}}, []string{"pm2 api"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, r := range place(project, c.refs, candidates(c.from)) {
				got = append(got, r.Target())
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	env := []crontab.Env{{Name: "APP", Value: "/srv/old", Line: 1}, {Name: "APP", Value: "/srv/shop", Line: 2}, {Name: "KEY", Value: "s3cret x", Line: 3}, {Name: "LATE", Value: "/x", Line: 9}}
	for command, want := range map[string]string{
		"cd $APP && ${APP}/x.sh":   "cd /srv/shop && /srv/shop/x.sh",
		"echo $APPS $KEY $LATE $1": "echo $APPS $KEY $LATE $1",
		"echo '$APP'":              "echo '$APP'",
	} {
		if got := expand(crontab.Entry{Command: command, Line: 5}, env); got != want {
			t.Errorf("%s: %s", command, got)
		}
	}
}

func TestConflict(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line       int
	}{
		{"three markers", "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n", 2},
		{"with the base between", "<<<<<<< HEAD\n||||||| base\n=======\n>>>>>>> x", 1},
		{"with CRLF", "<<<<<<< HEAD\r\n=======\r\n>>>>>>> x\r\n", 1},
		{"markers out of order", ">>>>>>> x\n=======\n<<<<<<< HEAD\n", 0},
		{"indented", " <<<<<<< HEAD\n =======\n >>>>>>> x\n", 0},
		{"an underlined heading", "<<<<<<< HEAD\n========\n>>>>>>> x\n", 0},
		{"without an end", "<<<<<<< HEAD\n=======\n", 0},
	} {
		if got := conflict([]byte(c.text)); got != c.line {
			t.Errorf("%s: line %d, want %d", c.name, got, c.line)
		}
	}
}

func TestImportRefs(t *testing.T) {
	project := tree("scripts/a.ts", "scripts/b.mjs", "scripts/lib/index.js", "scripts/mod.py", "scripts/pkg/package.json")
	for _, c := range []struct {
		name string
		in   localImport
		want string
	}{
		{"as written", localImport{Path: "scripts/b.mjs"}, "scripts/b.mjs"},
		{"without its extension", localImport{Path: "scripts/b"}, "scripts/b.mjs"},
		{"as TypeScript is imported", localImport{Path: "scripts/a.js"}, "scripts/a.ts"},
		{"a folder's index", localImport{Path: "scripts/lib"}, "scripts/lib/index.js"},
		{"a Python module", localImport{Path: "scripts/mod", Module: true}, "scripts/mod.py"},
		{"missing", localImport{Path: "scripts/gone"}, "scripts/gone"},
		{"a missing Python module may be installed", localImport{Path: "scripts/gone", Module: true}, ""},
		{"a product", localImport{Path: "dist/x.js"}, ""},
		{"data", localImport{Path: "scripts/x.json"}, ""},
		{"out of the project", localImport{Path: "../x"}, ""},
	} {
		got := ""
		for _, r := range importRefs(project, []localImport{c.in}) {
			got = r.Path
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFinder(t *testing.T) {
	for p, want := range map[string]bool{
		"scripts/a.sh": true, "scripts/deep/er/a.mjs": true, ".github/scripts/a.py": true, "root.sh": true, "web/scripts/a.ts": true, "packages/x/bin/a.js": true,
		"src/a.js": false, "src/scripts/a.js": false, "root.js": false, "scripts/a.json": false, "scripts/a.test.ts": false, "scripts/types.d.ts": false,
		"scripts/a.js.bak": false, "scripts/a.backup.js": false, "scripts/.history/a.js": false, "scripts/a copy.js": false, "scripts/db-backup.sh": true,
		"scripts/backup/run.sh": true, "scripts/node_modules/a.js": false, "tools/dist/a.js": false, "deploy/ecosystem.config.js": false, "scripts/crontab": false,
		"scripts/fixtures/a.sh": false, "scripts/workflows.disabled/a.sh": false,
	} {
		s := session(t, "-- web/package.json --\n{}\n-- packages/x/package.json --\n{}\n-- scripts/a.js --\n1\n")
		f := newFinder(s)
		if got := f.script(snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Tracked}); got != want {
			t.Errorf("%s: %v", p, got)
		}
		f.close()
	}
}

func FuzzText(f *testing.F) {
	f.Add("cd /srv/shop && /usr/bin/node /srv/shop/x.js >> /var/log/x")
	f.Add("<<<<<<< a\n=======\n>>>>>>> b")
	f.Fuzz(func(t *testing.T, text string) {
		if got := markAbsolute(text); len(got) != len(text) || !strings.Contains(text, absolute) && strings.ReplaceAll(got, absolute, "/") != text {
			t.Fatalf("%q became %q", text, got)
		}
		if n := conflict([]byte(text)); n < 0 || n > bytes.Count([]byte(text), []byte("\n"))+1 {
			t.Fatalf("conflict on line %d", n)
		}
		var a analysis
		a.shebang([]byte(text))
	})
}
