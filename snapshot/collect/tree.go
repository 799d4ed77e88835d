package collect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// Bounds of a project: more paths, or a listing that takes more, is an error.
const (
	maxPaths    = 2_000_000
	maxListing  = 256 << 20
	gitTimeout  = 20 * time.Second
	gitSleep    = 3 * time.Second // git never waits but for a disk
	gitMemory   = 400 << 20       // a million tracked files take 300 MB; two of git's processes may meet the same huge file
	maxWalkDeep = 64
)

// ReadTree lists the project: by git where the root lies in a work tree, else
// by a walk with the usual exclusions. The reason says why git was not used
// although there is a repository; it is empty otherwise.
func ReadTree(ctx context.Context, h host.Host) (tree *snapshot.Tree, repo *Repository, reason string, err error) {
	is, sure := repositoryAbove(h)
	if is || !sure {
		tree, repo, gerr := gitTree(ctx, h)
		if gerr == nil {
			return tree, repo, "", nil
		}
		if ctx.Err() != nil {
			return nil, nil, "", ctx.Err()
		}
		if is && !errors.Is(gerr, errIgnored) {
			reason = "git could not list the project, so it was walked: " + gerr.Error()
		}
	}
	tree, err = walkTree(ctx, h)
	return tree, nil, reason, err
}

// repositoryAbove reports whether the root or a folder around it has a .git, and
// whether all of them could be asked.
func repositoryAbove(h host.Host) (is, sure bool) {
	sure = true
	for dir := h.Root(); ; dir = filepath.Dir(dir) {
		f, err := h.Outside(dir)
		if err == nil {
			_, err = f.Stat(".git")
			f.Close()
		}
		switch {
		case err == nil:
			return true, true
		case !errors.Is(err, fs.ErrNotExist):
			sure = false
		}
		if dir == filepath.Dir(dir) {
			return false, sure
		}
	}
}

func kindOf(m fs.FileMode) snapshot.PathKind {
	switch {
	case m&fs.ModeSymlink != 0:
		return snapshot.PathLink
	case m.IsDir():
		return snapshot.PathDir
	case !m.IsRegular():
		return snapshot.PathOther
	case m&0o111 != 0:
		return snapshot.PathExec
	}
	return snapshot.PathFile
}

// Excluded are the folders that are never project where no git says so.
var Excluded = []string{".git", ".hg", ".svn", ".audit", "node_modules", "bower_components", "vendor", "third_party",
	".venv", "venv", "__pycache__", "site-packages", ".next", ".nuxt", ".netlify", ".cache", ".history", "dist", "build", "out", "coverage", "target"}

func walkTree(ctx context.Context, h host.Host) (*snapshot.Tree, error) {
	var paths []snapshot.TreePath
	var walk func(dir string, depth int) error
	walk = func(dir string, depth int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		list, err := h.List(dir, maxPaths)
		if err != nil {
			if dir == "." {
				return err
			}
			paths = append(paths, snapshot.TreePath{Path: dir, Kind: snapshot.PathDir, State: snapshot.Unread})
			return nil // an unreadable folder is one unknown, not the end of the audit
		}
		for _, e := range list {
			p := path.Join(dir, e.Name())
			if len(paths) > maxPaths {
				return fmt.Errorf("more than %d paths: %w", maxPaths, host.ErrTooLarge)
			}
			if !e.IsDir() {
				mode := e.Type()
				if mode.IsRegular() {
					if info, err := e.Info(); err == nil {
						mode = info.Mode()
					}
				}
				paths = append(paths, snapshot.TreePath{Path: p, Kind: kindOf(mode), State: snapshot.Untracked})
				continue
			}
			if slices.Contains(Excluded, e.Name()) || depth >= maxWalkDeep {
				paths = append(paths, snapshot.TreePath{Path: p, Kind: snapshot.PathDir, State: snapshot.Ignored})
				continue
			}
			if err := walk(p, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(".", 0); err != nil {
		return nil, err
	}
	return snapshot.NewTree(false, paths), nil
}
