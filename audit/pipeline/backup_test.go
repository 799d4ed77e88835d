package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Digests are kept of the archives that are there, and of some that may be on a disk
// which is not; not of all that ever were.
func TestBackupState_made(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var b backupState
	for i := range 3 * maxAbsent {
		b.made(madeState{File: fmt.Sprint(i)}, nil, t.Name(), dir)
	}
	if n := len(b.Sums); n != maxAbsent+2 || b.Sums[0].File != "0" || b.Sums[1].File != "99" || b.Sums[n-1].File != "149" {
		t.Errorf("%d: %v", n, b.Sums)
	}
}
