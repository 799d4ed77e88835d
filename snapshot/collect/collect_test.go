package collect

import (
	"slices"
	"testing"

	"healthaudit/snapshot"
)

func TestUnowned(t *testing.T) {
	own := []snapshot.File{{Path: "netlify/functions/a.js", Role: snapshot.Own}, {Path: "shared.js", Role: snapshot.Shared}}
	file := func(path string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.RefFile, Path: path} }
	loaded := file("src/lib.js")
	loaded.Where = snapshot.Import
	items := []*snapshot.Item{
		{Key: "functions/a", Files: own, Refs: snapshot.PartsOf(loaded, file("netlify/functions/a.js"))},
		{Key: "pm2/api", Refs: snapshot.PartsOf(file("src/server.js"), snapshot.Ref{Kind: snapshot.RefNPM, Name: "build"})},
		{Key: "workflows/ci.yml", Refs: snapshot.PartsOf(file("src/server.js"), file("shared.js"))},
	}
	if got, want := Unowned(items), []string{"shared.js", "src/server.js"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
