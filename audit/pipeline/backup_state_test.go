package pipeline

import (
	"slices"
	"testing"

	"healthaudit/snapshot"
)

// Items of an archive, which may come from anywhere, are in canonical order: what is
// found of a fact does not depend on who asked before.
func TestSavedState_order(t *testing.T) {
	it := &snapshot.Item{Key: "scripts/a"}
	for _, name := range []string{"g", "f", "h"} {
		it.Add(snapshot.Semantic, name, snapshot.Text(name))
	}
	s := savedState{Info: &Info{}, Tree: snapshot.NewTree(false, nil).Encode(), Items: [][]byte{it.Encode()}}
	snap, err := s.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, f := range snap.Items[0].Facts.All() {
		names = append(names, f.Name)
	}
	if !slices.IsSorted(names) {
		t.Errorf("facts %q", names)
	}
}
