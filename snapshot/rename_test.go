package snapshot

import (
	"fmt"
	"testing"
)

// Items of other kinds that come and go do not keep workflows from being followed.
func TestRenames_amongOthers(t *testing.T) {
	workflow := func(name, last string) *Item {
		it := &Item{Key: Key("workflows/" + name), Kind: "workflow", Path: name, Files: []File{{Path: name, SHA256: last}}}
		for i := range 9 {
			it.Add(Semantic, fmt.Sprint("f", i), Text(name[:1]))
		}
		it.Add(Semantic, "last", Text(last))
		return it
	}
	gone, added := []*Item{workflow("a.yml", "x")}, []*Item{workflow("a2.yml", "y")}
	for i := range 200 {
		gone = append(gone, &Item{Key: Key(fmt.Sprint("scripts/old", i)), Kind: "script"})
		added = append(added, &Item{Key: Key(fmt.Sprint("scripts/new", i)), Kind: "script"})
	}
	if got := Renames(gone, added); len(got) != 1 || got["workflows/a.yml"] != "workflows/a2.yml" {
		t.Errorf("%v", got)
	}
}
