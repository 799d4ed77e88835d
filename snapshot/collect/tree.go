package collect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// Bounds of a project: more paths, or a listing that takes longer, is an error.
const (
	maxPaths    = 2_000_000
	maxListing  = 256 << 20
	gitTimeout  = 60 * time.Second
	maxWalkDeep = 64
)

// A Repository is what git says of the root.
type Repository struct {
	Commit string // full hash; empty before the first commit
	Branch string // empty when detached
	Dirty  bool   // tracked files differ from the commit
}

// git runs git read-only: no optional locks, no hooks, no network, no prompt
// (facts: git(1) GIT_OPTIONAL_LOCKS; core.fsmonitor may start a daemon).
func git(ctx context.Context, h host.Host, args ...string) ([]byte, error) {
	bin, err := h.Look("git")
	if err != nil {
		return nil, err
	}
	env := []string{"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "PATH=" + h.Env("PATH"), "HOME=" + h.Env("HOME")}
	for _, k := range []string{"GIT_CONFIG_GLOBAL", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0", "XDG_CONFIG_HOME"} {
		if v := h.Env(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	args = append([]string{"--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never", "-c", "core.quotePath=false"}, args...)
	res, err := h.Run(ctx, host.Command{Program: bin, Args: args, Env: env, Timeout: gitTimeout, MaxOut: maxListing})
	if err != nil {
		return nil, err
	}
	if res.Code != 0 {
		line, _, _ := strings.Cut(strings.TrimSpace(string(res.Err)), "\n")
		return nil, fmt.Errorf("git %s: exit %d: %s", args[9], res.Code, line)
	}
	return res.Out, nil
}

// ReadTree lists the project: by git where the root lies in a work tree, else
// by a walk with the usual exclusions. The reason says why git was not used
// although there is a repository; it is empty otherwise.
func ReadTree(ctx context.Context, h host.Host) (tree *snapshot.Tree, repo *Repository, reason string, err error) {
	tree, repo, gerr := gitTree(ctx, h)
	if gerr == nil {
		return tree, repo, "", nil
	}
	if ctx.Err() != nil {
		return nil, nil, "", ctx.Err()
	}
	if _, serr := h.Stat(".git"); serr == nil {
		reason = "git could not list the project, so it was walked: " + gerr.Error()
	}
	tree, err = walkTree(ctx, h)
	return tree, nil, reason, err
}

func gitTree(ctx context.Context, h host.Host) (*snapshot.Tree, *Repository, error) {
	type answer struct {
		out []byte
		err error
	}
	ask := func(args ...string) chan answer {
		ch := make(chan answer, 1)
		go func() {
			out, err := git(ctx, h, args...)
			ch <- answer{out, err}
		}()
		return ch
	}
	// "status" is asked beside the listings: it tells commit, branch and dirtiness in one process.
	status := ask("status", "--porcelain=v2", "--branch", "--untracked-files=no", "-z", "--", ".")
	ignored := ask("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory", "--no-empty-directory")
	list, err := git(ctx, h, "ls-files", "-z", "-t", "--stage", "--cached", "--others", "--deleted", "--exclude-standard")
	ign, st := <-ignored, <-status
	if err != nil {
		return nil, nil, err
	}
	if ign.err != nil {
		return nil, nil, ign.err
	}
	if st.err != nil {
		return nil, nil, st.err
	}
	paths := make([]snapshot.TreePath, 0, bytes.Count(list, []byte{0})+16)
	text := string(list)
	for len(text) > 0 {
		entry, rest, _ := strings.Cut(text, "\x00")
		text = rest
		if p, ok := listed(entry); ok {
			paths = append(paths, p)
		}
	}
	for p := range strings.SplitSeq(string(ign.out), "\x00") {
		if p == "" {
			continue
		}
		kind := snapshot.PathFile
		if d, ok := strings.CutSuffix(p, "/"); ok {
			p, kind = d, snapshot.PathDir
		}
		paths = append(paths, snapshot.TreePath{Path: p, Kind: kind, State: snapshot.Ignored})
	}
	// git lists neither sockets nor FIFOs, and untracked entries without their kind.
	for i := range paths {
		if e := &paths[i]; e.State != snapshot.Tracked && e.Kind == snapshot.PathFile {
			if s, err := h.Stat(e.Path); err == nil {
				e.Kind = kindOf(s.Mode)
			}
		}
	}
	if len(list) == 0 && len(paths) > 0 { // the root itself is ignored by a repository around it
		return nil, nil, errors.New("the repository around it ignores this folder")
	}
	return snapshot.NewTree(true, paths), parseStatus(string(st.out)), nil
}

// listed reads one entry of git ls-files -t --stage: "H mode oid stage\tpath",
// "R …" for a deleted file, "? path" for an untracked one. A deleted file is
// listed twice; NewTree keeps the later entry, which git prints last.
func listed(entry string) (snapshot.TreePath, bool) {
	if p, ok := strings.CutPrefix(entry, "? "); ok {
		// An untracked repository inside is listed as a folder.
		if d, ok := strings.CutSuffix(p, "/"); ok {
			return snapshot.TreePath{Path: d, Kind: snapshot.PathModule, State: snapshot.Untracked}, true
		}
		return snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Untracked}, p != ""
	}
	head, p, ok := strings.Cut(entry, "\t")
	if !ok || len(head) < 8 {
		return snapshot.TreePath{}, false
	}
	e := snapshot.TreePath{Path: p, State: snapshot.Tracked, Kind: snapshot.PathFile}
	switch {
	case head[0] == 'R':
		e.Kind = snapshot.PathMissing
	case head[2:8] == "100755":
		e.Kind = snapshot.PathExec
	case head[2:8] == "120000":
		e.Kind = snapshot.PathLink
	case head[2:8] == "160000":
		e.Kind = snapshot.PathModule
	}
	return e, true
}

func parseStatus(out string) *Repository {
	r := &Repository{}
	for line := range strings.SplitSeq(out, "\x00") {
		if v, ok := strings.CutPrefix(line, "# branch.oid "); ok {
			if v != "(initial)" {
				r.Commit = v
			}
		} else if v, ok := strings.CutPrefix(line, "# branch.head "); ok {
			if v != "(detached)" {
				r.Branch = v
			}
		} else if line != "" && !strings.HasPrefix(line, "# ") {
			r.Dirty = true
		}
	}
	return r
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
			paths = append(paths, snapshot.TreePath{Path: dir, Kind: snapshot.PathDir, State: snapshot.Ignored})
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
