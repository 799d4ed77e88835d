package snapshot_test

import (
	"testing"

	"healthaudit/snapshot"
)

// TestDerive_panic: what could not be made is no zero value for those who ask later.
func TestDerive_panic(t *testing.T) {
	d := &snapshot.Derived{}
	asked := func(ask func()) (fell bool) {
		defer func() { fell = recover() != nil }()
		ask()
		return false
	}
	for range 3 {
		if !asked(func() { snapshot.Derive(d, "x", 1, []string{"a"}, func() int { panic("it falls") }) }) {
			t.Error("Derive returned a value that nobody made")
		}
		if !asked(func() { snapshot.Once(d, "key", func() int { panic("it falls") }) }) {
			t.Error("Once returned a value that nobody made")
		}
	}
	if snapshot.Derive(d, "x", 1, []string{"b"}, func() int { return 7 }) != 7 || snapshot.Once(d, "other", func() int { return 8 }) != 8 {
		t.Error("others fell as well")
	}
}
