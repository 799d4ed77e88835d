package collect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// A Repository is what git says of the root.
type Repository struct {
	Commit string // full hash; empty before the first commit
	Branch string // empty when detached
	Dirty  bool   // tracked files differ from the commit
}

var (
	errIgnored   = errors.New("the repository around it ignores this folder")
	errElsewhere = errors.New("the work tree of its repository lies elsewhere (core.worktree)")
)

// maxConfig bounds the GIT_CONFIG_KEY_n that are passed on to git.
const maxConfig = 64

// git runs git read-only: no optional locks, no hooks, no network, no prompt
// (git(1) GIT_OPTIONAL_LOCKS, GIT_ALLOW_PROTOCOL; core.fsmonitor may start a
// daemon). The configuration in set, pairs of name and value, goes by the
// environment, where a name may hold an equals sign.
func git(ctx context.Context, h host.Host, set [][2]string, args ...string) ([]byte, error) {
	out, _, err := gitSays(ctx, h, set, args...)
	return out, err
}

// gitSays is git with its warnings.
func gitSays(ctx context.Context, h host.Host, set [][2]string, args ...string) (out []byte, warnings string, err error) {
	bin, err := h.Look("git")
	if err != nil {
		return nil, "", err
	}
	env := []string{"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=", "GIT_NO_LAZY_FETCH=1",
		"LC_ALL=C", "PATH=" + h.Env("PATH"), "HOME=" + h.Env("HOME")}
	for _, k := range []string{"GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME"} {
		if v := h.Env(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	n, _ := strconv.Atoi(h.Env("GIT_CONFIG_COUNT"))
	n = max(0, min(n, maxConfig))
	for i := range n {
		for _, k := range []string{"GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"} {
			env = append(env, k+strconv.Itoa(i)+"="+h.Env(k+strconv.Itoa(i)))
		}
	}
	for i, s := range set {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n+i, s[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n+i, s[1]))
	}
	env = append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(n+len(set)))
	what := args[0]
	args = append([]string{"--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=false"}, args...)
	res, err := h.Run(ctx, host.Command{Program: bin, Args: args, Env: env, Timeout: gitTimeout, MaxOut: maxListing, MaxMemory: gitMemory, MaxSleep: gitSleep})
	if err != nil {
		return nil, "", err
	}
	if res.Code != 0 {
		line, _, _ := strings.Cut(strings.TrimSpace(string(res.Err)), "\n")
		return nil, "", fmt.Errorf("git %s: exit %d: %s", what, res.Code, line)
	}
	return res.Out, string(res.Err), nil
}

// ask runs one git question beside others.
func ask(f func() ([]byte, error)) func() ([]byte, error) {
	type answer struct {
		out []byte
		err error
	}
	ch := make(chan answer, 1)
	go func() {
		out, err := f()
		ch <- answer{out, err}
	}()
	return func() ([]byte, error) { a := <-ch; return a.out, a.err }
}

// status tells commit, branch and changed files in one process. To compare
// bytes it would run the filters that .gitattributes asks for: those that the
// repository's own configuration defines are switched off, and submodules,
// which have a configuration of their own, are not looked into.
func status(ctx context.Context, h host.Host) ([]byte, error) {
	names, err := git(ctx, h, nil, "config", "--list", "--show-scope", "--name-only", "-z")
	if err != nil {
		return nil, err
	}
	return git(ctx, h, noFilters(string(names)), "status", "--porcelain=v2", "--branch", "--untracked-files=no",
		"--ignore-submodules=dirty", "-z", "--", ".")
}

// noFilters reads scopes and names, each with a NUL, and returns what switches
// off every filter that is not of the machine or its user. An empty process
// keeps git from the clean command too (convert.c, apply_filter).
func noFilters(names string) (set [][2]string) {
	for names != "" {
		var scope, name string
		scope, names, _ = strings.Cut(names, "\x00")
		name, names, _ = strings.Cut(names, "\x00")
		if scope == "system" || scope == "global" || scope == "command" {
			continue
		}
		driver, found := strings.CutPrefix(name, "filter.")
		i := strings.LastIndexByte(driver, '.')
		if !found || i < 0 {
			continue
		}
		if v := driver[i+1:]; v == "clean" || v == "process" {
			d := name[:len("filter.")+i]
			set = append(set, [2]string{d + ".clean", ""}, [2]string{d + ".process", ""}, [2]string{d + ".required", "false"})
		}
	}
	return set
}

// readable refuses the usual files of a repository that git reads or maps whole
// where they are none or too large: the bounds of Run end the rest, but later.
func readable(h host.Host) error {
	for _, p := range []string{".gitignore", ".gitattributes", ".git/HEAD", ".git/config", ".git/index", ".git/packed-refs",
		".git/shallow", ".git/info/attributes", ".git/info/exclude", ".git/objects/info/alternates"} {
		limit := int64(MaxFile)
		if strings.HasPrefix(p, ".git/") {
			limit = maxListing
		}
		if st, err := h.Stat(p); err == nil && (!st.Mode.IsRegular() && st.Mode&fs.ModeSymlink == 0 || st.Size > limit) {
			return fmt.Errorf("%s is no file that git should be given: not regular, or larger than %d MiB", p, limit>>20)
		}
	}
	return nil
}

func gitTree(ctx context.Context, h host.Host) (*snapshot.Tree, *Repository, error) {
	if err := readable(h); err != nil {
		return nil, nil, err
	}
	changed := ask(func() ([]byte, error) { return status(ctx, h) })
	ignored := ask(func() ([]byte, error) {
		return git(ctx, h, nil, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory", "--no-empty-directory")
	})
	// The configuration of the repository may name any folder as its work tree.
	where := ask(func() ([]byte, error) { return git(ctx, h, nil, "rev-parse", "--is-inside-work-tree", "--show-prefix") })
	list, warnings, err := gitSays(ctx, h, nil, "ls-files", "-z", "-t", "--stage", "--cached", "--others", "--deleted", "--exclude-standard")
	ign, ierr := ignored()
	st, serr := changed()
	inside, werr := where()
	for _, err := range []error{err, ierr, serr, werr} { // they fail for the same reason: one is enough
		if err != nil {
			return nil, nil, err
		}
	}
	is, prefix, _ := strings.Cut(string(inside), "\n")
	if is != "true" {
		return nil, nil, errElsewhere
	}
	paths, whole := entries(h, string(list), string(ign))
	if len(list) == 0 && whole {
		return nil, nil, errIgnored
	}
	repo, modes := parseStatus(string(st))
	if len(modes) > 0 {
		onDisk(paths, strings.TrimSuffix(prefix, "\n"), modes)
	}
	return snapshot.NewTree(true, seeUnread(h, paths, warnings)), repo, nil
}

var unopened = regexp.MustCompile(`(?m)^warning: could not open directory '(.+?)/?': Permission denied$`)

// seeUnread adds the folders that may not be read. git warns of them, takes
// what it tracks in them for deleted, and lists nothing else of them.
func seeUnread(h host.Host, paths []snapshot.TreePath, warnings string) []snapshot.TreePath {
	unread := map[string]bool{}
	for _, m := range unopened.FindAllStringSubmatch(warnings, -1) {
		unread[m[1]] = true
	}
	for i, e := range paths {
		if e.Kind != snapshot.PathMissing {
			continue
		}
		if _, err := h.Stat(e.Path); !errors.Is(err, fs.ErrPermission) {
			continue
		}
		paths[i].Kind = snapshot.PathFile
		dir := path.Dir(e.Path)
		for _, err := h.Stat(dir); errors.Is(err, fs.ErrPermission) && dir != "."; _, err = h.Stat(dir) {
			dir = path.Dir(dir)
		}
		unread[dir] = true
	}
	for dir := range unread {
		if dir != "." {
			paths = append(paths, snapshot.TreePath{Path: dir, Kind: snapshot.PathDir, State: snapshot.Unread})
		}
	}
	return paths
}

// entries joins the two listings; whole is true when git ignores the root.
func entries(h host.Host, list, ign string) (paths []snapshot.TreePath, whole bool) {
	paths = make([]snapshot.TreePath, 0, strings.Count(list, "\x00")+16)
	for entry := range strings.SplitSeq(list, "\x00") {
		e, ok := listed(entry)
		if !ok {
			continue
		}
		// git lists untracked entries without their kind, and those that the
		// index says not to look for (sparse checkout) as if they were there.
		if unseen := strings.HasPrefix(entry, "S "); unseen || e.State == snapshot.Untracked && e.Kind == snapshot.PathFile {
			s, err := h.Stat(e.Path)
			switch {
			case err == nil:
				e.Kind = kindOf(s.Mode)
			case unseen && errors.Is(err, fs.ErrNotExist):
				e.Kind = snapshot.PathMissing
			}
		}
		paths = append(paths, e)
	}
	for p := range strings.SplitSeq(ign, "\x00") {
		switch d, dir := strings.CutSuffix(p, "/"); {
		case p == "":
		case p == "./":
			whole = true
		case dir:
			paths = append(paths, snapshot.TreePath{Path: d, Kind: snapshot.PathDir, State: snapshot.Ignored})
		default:
			e := snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Ignored}
			if s, err := h.Stat(p); err == nil {
				e.Kind = kindOf(s.Mode)
			}
			paths = append(paths, e)
		}
	}
	return paths, whole
}

// onDisk corrects the kinds of tracked files that differ from the index.
func onDisk(paths []snapshot.TreePath, prefix string, modes map[string]string) {
	for i := range paths {
		if m, ok := modes[prefix+paths[i].Path]; ok && paths[i].State == snapshot.Tracked {
			paths[i].Kind = gitKind(m)
		}
	}
}

// gitKind reads a mode as git prints it (gitformat-index(5)); zeros are absence.
func gitKind(mode string) snapshot.PathKind {
	switch mode {
	case "100755":
		return snapshot.PathExec
	case "120000":
		return snapshot.PathLink
	case "160000":
		return snapshot.PathModule
	case "000000":
		return snapshot.PathMissing
	}
	return snapshot.PathFile
}

// listed reads one entry of git ls-files -t --stage: "H mode oid stage\tpath",
// "R …" for a deleted file, "? path" for an untracked one. A deleted file is
// listed twice; NewTree keeps the later entry, which git prints last.
func listed(entry string) (snapshot.TreePath, bool) {
	if p, ok := strings.CutPrefix(entry, "? "); ok {
		// An untracked repository inside is listed as a folder.
		if d, ok := strings.CutSuffix(p, "/"); ok {
			return snapshot.TreePath{Path: d, Kind: snapshot.PathModule, State: snapshot.Untracked}, d != ""
		}
		return snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Untracked}, p != ""
	}
	head, p, ok := strings.Cut(entry, "\t")
	if !ok || len(head) < 8 || p == "" {
		return snapshot.TreePath{}, false
	}
	e := snapshot.TreePath{Path: p, State: snapshot.Tracked, Kind: gitKind(head[2:8])}
	if head[0] == 'R' {
		e.Kind = snapshot.PathMissing
	}
	return e, true
}

// parseStatus reads git status --porcelain=v2 --branch -z (git-status(1)): the
// headers, then the changed entries. It returns too the mode on disk of every
// changed file, by its path from the top of the work tree.
func parseStatus(out string) (*Repository, map[string]string) {
	r, modes := &Repository{}, map[string]string{}
	// How many fields an entry has, and which is the mode on disk.
	fields := map[byte][2]int{'1': {9, 5}, '2': {10, 5}, 'u': {11, 6}}
	for out != "" {
		var line string
		line, out, _ = strings.Cut(out, "\x00")
		if line == "" {
			continue
		}
		if h, ok := strings.CutPrefix(line, "# "); ok {
			if v, ok := strings.CutPrefix(h, "branch.oid "); ok && v != "(initial)" {
				r.Commit = v
			} else if v, ok := strings.CutPrefix(h, "branch.head "); ok && v != "(detached)" {
				r.Branch = v
			}
			continue
		}
		n, ok := fields[line[0]]
		if !ok {
			continue
		}
		r.Dirty = true
		if f := strings.SplitN(line, " ", n[0]); len(f) == n[0] {
			modes[f[n[0]-1]] = f[n[1]]
		}
		if line[0] == '2' { // the name before comes as a line of its own, and may look like anything
			_, out, _ = strings.Cut(out, "\x00")
		}
	}
	return r, modes
}
