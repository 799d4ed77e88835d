package snapshot

import (
	"fmt"
	"testing"
	"time"
)

// A megabyte of steps that were all renamed is compared in time, and one of them
// that does something else is seen.
func TestCompare_manySteps(t *testing.T) {
	const n = 20_000
	workflow := func(name string, odd int) *Item {
		it := &Item{Key: "workflows/a.yml", Kind: "workflow"}
		steps := make([]string, n)
		for i := range n {
			steps[i] = fmt.Sprint(name, i)
			run := i
			if i == odd {
				run = -1
			}
			it.Add(Semantic, "jobs.a.step["+steps[i]+"].run", Text(fmt.Sprint(run)))
			it.Add(Semantic, "jobs.a.step["+steps[i]+"].if", Text("always()"))
		}
		it.Add(Semantic, "jobs.a.steps", List(steps...))
		it.Sort()
		return it
	}
	old, same, other := workflow("x", -2), workflow("y", -2), workflow("y", n-1)
	begin := time.Now()
	if c := Compare(old, same, true, nil); c != nil {
		t.Errorf("%d facts changed by names alone", len(c.Facts))
	}
	if c := Compare(old, other, true, nil); c == nil || len(c.Facts) != 4*n+1 {
		t.Error("a step that does something else goes unseen")
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
