package collect

import (
	"slices"
	"testing"

	"healthaudit/snapshot"
)

func TestUnowned(t *testing.T) {
	own := []snapshot.File{{Path: "netlify/functions/a.js", Role: snapshot.Own}, {Path: "shared.js", Role: snapshot.Shared}}
	items := []*snapshot.Item{
		{Key: "functions/a", Files: own, Refs: []snapshot.Ref{
			{Kind: snapshot.RefFile, Path: "src/lib.js", Where: snapshot.Import}, {Kind: snapshot.RefFile, Path: "netlify/functions/a.js"}}},
		{Key: "pm2/api", Refs: []snapshot.Ref{{Kind: snapshot.RefFile, Path: "src/server.js"}, {Kind: snapshot.RefNPM, Name: "build"}}},
		{Key: "workflows/ci.yml", Refs: []snapshot.Ref{{Kind: snapshot.RefFile, Path: "src/server.js"}, {Kind: snapshot.RefFile, Path: "shared.js"}}},
	}
	if got, want := Unowned(items), []string{"shared.js", "src/server.js"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
