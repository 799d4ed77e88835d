//go:build unix

package collect

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"healthaudit/snapshot/host"
)

func TestReadTree_walk(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "sub/deep/b", "new\nline\"é", "-dash", "node_modules/x/y", "sub/dist/z", ".git2/kept", "build/x", "nested/.git/HEAD", "nested/f", "locked/secret", "distribution"} {
		write(t, dir, name, "x", 0o644)
	}
	write(t, dir, "run.sh", "#!", 0o755)
	deep := strings.Repeat("d/", maxWalkDeep+3)
	write(t, dir, deep+"x", "x", 0o644)
	must(t, os.Symlink("sub", filepath.Join(dir, "link")), os.Symlink("/", filepath.Join(dir, "world")), os.Symlink("nothing", filepath.Join(dir, "vendor")),
		os.Mkdir(filepath.Join(dir, "empty"), 0o755), syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644),
		os.Chmod(filepath.Join(dir, "locked"), 0), os.Chmod(filepath.Dir(dir), 0o755))
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "locked"), 0o755) })
	l, err := net.Listen("unix", filepath.Join(dir, "sock"))
	must(t, err)
	defer l.Close()

	var got []string
	asNobody(t, func() {
		var reason string
		got, _, _, reason = tree(t, machine(t, dir, nil))
		if reason != "" {
			t.Errorf("reason %q", reason)
		}
	})
	same(t, got, `uf "-dash"`, `uf ".git2/kept"`, `uf "a"`, `id "build"`, `id "`+strings.TrimSuffix(strings.Repeat("d/", maxWalkDeep+1), "/")+`"`,
		`uf "distribution"`, `uo "fifo"`, `ul "link"`, `xd "locked"`, `id "nested/.git"`, `uf "nested/f"`, `uf "new\nline\"é"`, `id "node_modules"`,
		`ux "run.sh"`, `uo "sock"`, `uf "sub/deep/b"`, `id "sub/dist"`, `ul "vendor"`, `ul "world"`)
}

func TestReadTree_fails_only_without_a_root(t *testing.T) {
	dir := t.TempDir()
	h := machine(t, dir, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := ReadTree(ctx, h); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, _, _, err := ReadTree(t.Context(), unlistable{h}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("unreadable root: %v", err)
	}
}

type unlistable struct{ host.Host }

func (unlistable) List(string, int) ([]fs.DirEntry, error) { return nil, fs.ErrPermission }
