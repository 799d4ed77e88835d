package refs

import (
	"errors"
	"testing"

	"healthaudit/snapshot"
)

type contents map[string]string // by digest

func (c contents) Bytes(sum string) ([]byte, error) {
	if b, ok := c[sum]; ok {
		return []byte(b), nil
	}
	return nil, errors.New("not kept")
}

// site is a small project with everything a ref can point at.
func site() *snapshot.Snapshot {
	c := contents{}
	s := &snapshot.Snapshot{Content: c}
	paths := []snapshot.TreePath{}
	add := func(path string, kind snapshot.PathKind, state snapshot.PathState) {
		paths = append(paths, snapshot.TreePath{Path: path, Kind: kind, State: state})
	}
	for _, p := range []string{"scripts/a.sh", "scripts/Upper.js", "scripts/typed.ts", "api/server.js", ".github/workflows/ci.yml",
		".github/actions/x/action.yml", "docs/readme.md", "bin/tool.js", "gradlew"} {
		add(p, snapshot.PathFile, snapshot.Tracked)
	}
	add("scripts/gone.sh", snapshot.PathMissing, snapshot.Tracked)
	add("generated", snapshot.PathDir, snapshot.Ignored)
	add("vendored", snapshot.PathModule, snapshot.Tracked)
	add("linked", snapshot.PathLink, snapshot.Tracked)
	for dir, text := range map[string]string{
		".":          "{\"scripts\":{\"build\":\"x\",\"Deploy\":\"y\",\"a:b\":\"z\"}}",
		"web":        "\ufeff{\"name\":\"@acme/web\",\"scripts\":{\"build\":\"x\",\"dev\":\"y\"}}",
		"api":        "{\"name\":\"api\"}",
		"broken":     "{\"scripts\":{\"build\":",
		"unreadable": "",
	} {
		p := dir + "/package.json"
		if dir == "." {
			p = "package.json"
		}
		add(p, snapshot.PathFile, snapshot.Tracked)
		f := snapshot.File{Path: p, SHA256: snapshot.Sum([]byte(text)), Size: int64(len(text))}
		if text != "" {
			c[f.SHA256] = text
		}
		s.Context = append(s.Context, f)
	}
	s.Tree = snapshot.NewTree(true, paths)
	item := func(key, name, path string) {
		s.Items = append(s.Items, &snapshot.Item{Key: snapshot.Key(key), Name: name, Path: path})
	}
	item("scripts/scripts/a.sh", "scripts/a.sh", "scripts/a.sh")
	item("scripts/npm:build", "build", "package.json")
	item("scripts/web/npm:build", "build", "web/package.json")
	item("functions/hello", "hello", "netlify/functions/hello.js")
	item("workflows/ci.yml", "CI", ".github/workflows/ci.yml")
	item("workflows/action:.github/actions/x", "x", ".github/actions/x/action.yml")
	item("pm2/api", "api", "")
	s.Systems = []snapshot.SystemState{{System: snapshot.Functions, Status: snapshot.StatusOK}}
	s.Sort()
	return s
}

func TestResolve(t *testing.T) {
	table := NewTable(site(), nil)
	file := func(p string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.RefFile, Path: p} }
	npm := func(dir, name string) snapshot.Ref {
		return snapshot.Ref{Kind: snapshot.RefNPM, Dir: dir, Name: name}
	}
	space := func(sel, name string) snapshot.Ref {
		return snapshot.Ref{Kind: snapshot.RefNPM, Dir: ".", Path: sel, Name: name}
	}
	named := func(k snapshot.RefKind, name string) snapshot.Ref { return snapshot.Ref{Kind: k, Name: name} }
	for _, tt := range []struct {
		name   string
		ref    snapshot.Ref
		status Status
		item   snapshot.Key
		other  string
	}{
		{"file", file("scripts/a.sh"), Found, "scripts/scripts/a.sh", ""},
		{"file without item", file("docs/readme.md"), Found, "", ""},
		{"file not there", file("scripts/b.sh"), Missing, "", ""},
		{"file deleted on disk", file("scripts/gone.sh"), Missing, "", ""},
		{"file of other letter case", file("scripts/upper.js"), Missing, "", "scripts/Upper.js"},
		{"file compiled from TypeScript", file("scripts/typed.js"), Unknown, "", ""},
		{"file in an ignored folder", file("generated/a.js"), Unknown, "", ""},
		{"file in a submodule", file("vendored/a.js"), Unknown, "", ""},
		{"file behind a symbolic link", file("linked/a.js"), Unknown, "", ""},
		{"folder", file("scripts"), Unknown, "", ""},
		{"build output there", file("bin/tool.js"), Found, "", ""},
		{"build output not there", file("bin/other.js"), Unknown, "", ""},
		{"executable that may be built", snapshot.Ref{Kind: snapshot.RefFile, Path: "tool", Direct: true}, Unknown, "", ""},
		{"script executed and not there", snapshot.Ref{Kind: snapshot.RefFile, Path: "tool.sh", Direct: true}, Missing, "", ""},

		{"npm script", npm(".", "build"), Found, "scripts/npm:build", ""},
		{"npm script of a folder", npm("web", "build"), Found, "scripts/web/npm:build", ""},
		{"npm script without item", npm("web", "dev"), Found, "", ""},
		{"npm script not there", npm("web", "lint"), Missing, "", ""},
		{"npm script of other letter case", npm(".", "deploy"), Missing, "", "Deploy"},
		{"npm walks up", npm("docs", "build"), Found, "scripts/npm:build", ""},
		{"npm walks up and does not find", npm("docs", "dev"), Missing, "", ""},
		{"npm in a folder not there", npm("backend", "build"), Missing, "", ""},
		{"npm in a folder of other letter case", npm("Web", "build"), Missing, "", "web"},
		{"npm in an ignored folder", npm("generated", "build"), Unknown, "", ""},
		{"npm with a broken package.json", npm("broken", "build"), Unknown, "", ""},
		{"npm with an unreadable package.json", npm("unreadable", "build"), Unknown, "", ""},
		{"npm start runs server.js", npm("api", "start"), Found, "", ""},
		{"npm start without server.js", npm("web", "start"), Missing, "", ""},
		{"npm restart", npm("web", "restart"), Unknown, "", ""},
		{"workspace by package name", space("@acme/web", "build"), Found, "scripts/web/npm:build", ""},
		{"workspace by folder", space("web", "build"), Found, "scripts/web/npm:build", ""},
		{"workspace without the script", space("api", "build"), Missing, "", ""},
		{"workspace not there", space("@acme/none", "build"), Unknown, "", ""},
		{"program that is a script", snapshot.Ref{Kind: snapshot.RefBin, Dir: "web", Name: "build"}, Found, "scripts/web/npm:build", ""},
		{"program", snapshot.Ref{Kind: snapshot.RefBin, Dir: "web", Name: "vitest"}, Unknown, "", ""},

		{"function", named(snapshot.RefFunction, "hello"), Found, "functions/hello", ""},
		{"function not there", named(snapshot.RefFunction, "bye"), Missing, "", ""},
		{"function pattern", named(snapshot.RefFunction, "api-*"), Unknown, "", ""},
		{"workflow by file", named(snapshot.RefWorkflow, "ci.yml"), Found, "workflows/ci.yml", ""},
		{"workflow by name", named(snapshot.RefWorkflow, "CI"), Found, "workflows/ci.yml", ""},
		{"workflow not there", named(snapshot.RefWorkflow, "cd.yml"), Missing, "", ""},
		{"workflow of other letter case", named(snapshot.RefWorkflow, "CI.yml"), Missing, "", "ci.yml"},
		{"workflow name not listed", named(snapshot.RefWorkflow, "Nightly"), Unknown, "", ""},
		{"action", snapshot.Ref{Kind: snapshot.RefAction, Path: ".github/actions/x"}, Found, "workflows/action:.github/actions/x", ""},
		{"action not there", snapshot.Ref{Kind: snapshot.RefAction, Path: ".github/actions/y"}, Missing, "", ""},
		{"folder without action.yml", snapshot.Ref{Kind: snapshot.RefAction, Path: "docs"}, Missing, "", ""},
		{"app", named(snapshot.RefApp, "api"), Found, "pm2/api", ""},
		{"app not there", named(snapshot.RefApp, "worker"), Unknown, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := table.Resolve(tt.ref)
			if got.Status != tt.status || got.Item != tt.item || got.OtherCase != tt.other {
				t.Errorf("%+v: %+v, want %s, item %q, other case %q", tt.ref, got, tt.status, tt.item, tt.other)
			}
			if got.Status == Unknown && got.Why == "" {
				t.Error("Unknown without a reason")
			}
		})
	}
}

// What is behind a link, or in a system that was not read whole, is not there
// for anyone to see: it is not missing, and what was missing is not found.
func TestResolveHidden(t *testing.T) {
	s := site()
	s.Tree = snapshot.NewTree(true, append(s.Tree.All(), snapshot.TreePath{Path: ".github", Kind: snapshot.PathLink, State: snapshot.Untracked}))
	for i := range s.Systems {
		s.Systems[i].Status = snapshot.StatusPartial
	}
	table := NewTable(s, nil)
	for _, r := range []snapshot.Ref{
		{Kind: snapshot.RefFile, Path: "linked/a.sh"}, {Kind: snapshot.RefFile, Path: "linked/b/a.sh", Direct: true},
		{Kind: snapshot.RefNPM, Dir: "linked", Name: "x"}, {Kind: snapshot.RefNPM, Dir: "linked/b", Name: "x"},
		{Kind: snapshot.RefAction, Path: "linked"}, {Kind: snapshot.RefAction, Path: "linked/b"}, {Kind: snapshot.RefAction, Path: ".github/actions/y"},
		{Kind: snapshot.RefWorkflow, Name: "cd.yml"}, {Kind: snapshot.RefFunction, Name: "bye"},
	} {
		if got := table.Resolve(r); got.Status != Unknown || !got.Unread || got.Why == "" {
			t.Errorf("%+v is %+v", r, got)
		}
	}
}

func TestResolveKnowsNothing(t *testing.T) {
	for name, s := range map[string]*snapshot.Snapshot{"nil": nil, "empty": {}} {
		table := NewTable(s, nil)
		for _, r := range Command("node a.js; npm run b; pm2 restart c; gh workflow run d.yml; netlify functions:invoke e", Origin{}) {
			if got := table.Resolve(r); got.Status != Unknown {
				t.Errorf("%s snapshot: %s is %+v, want unknown", name, show(r), got)
			}
		}
	}
}

// TestNewTableReadsAgain: bytes that could not be read in one run must not be
// missed in the next one, whatever the analysis cache kept.
func TestNewTableReadsAgain(t *testing.T) {
	s, d := site(), &snapshot.Derived{}
	next := site()
	s.Content = nil
	r := snapshot.Ref{Kind: snapshot.RefNPM, Dir: ".", Name: "build"}
	if got := NewTable(s, d).Resolve(r); got.Status != Unknown {
		t.Errorf("without bytes: %+v, want unknown", got)
	}
	if got := NewTable(next, d).Resolve(r); got.Status != Found {
		t.Errorf("with bytes: %+v, want found", got)
	}
}
