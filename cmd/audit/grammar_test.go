package main

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

// What kong learns of one command alone is what it knows of it among all.
func TestParts(t *testing.T) {
	all, err := newKong(&CLI{}, &Process{})
	if err != nil {
		t.Fatal(err)
	}
	alone := 0
	for _, want := range all.Model.Children {
		part := partOf(want.Name)
		if !part.IsValid() {
			if !want.Hidden && want.Name != "help" && want.Name != "completion" {
				t.Errorf("%s is no part", want.Name)
			}
			continue
		}
		k, err := newKong(part.Interface(), &Process{})
		if err != nil {
			t.Fatalf("%s: %v", want.Name, err)
		}
		if len(k.Model.Children) != 1 || !slices.Equal(said(k.Model.Children[0]), said(want)) {
			t.Errorf("%s: %q\nwant %q", want.Name, said(k.Model.Children[0]), said(want))
		}
		if got, want := flagsOf(k.Model.Node), flagsOf(all.Model.Node); !slices.Equal(got, want) {
			t.Errorf("%s: flags for all %q, want %q", want, got, want)
		}
		alone++
	}
	if alone < 15 {
		t.Errorf("%d commands", alone)
	}
	if partOf("nonsense").IsValid() || partOf("-q").IsValid() {
		t.Error("what is no command is a part")
	}
}

// said is what a command and those below it say of themselves.
func said(n *kong.Node) []string {
	out := append([]string{n.FullPath(), n.Help}, flagsOf(n)...)
	for _, c := range n.Children {
		out = append(out, said(c)...)
	}
	return out
}

func flagsOf(n *kong.Node) (out []string) {
	for _, f := range n.Flags {
		out = append(out, f.Name+" "+f.Help+" "+f.Default)
	}
	return out
}
