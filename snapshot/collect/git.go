package collect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
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
	out, _, err := gitSays(ctx, h, set, nil, args...)
	return out, err
}

// gitFed is git with an input.
func gitFed(ctx context.Context, h host.Host, in []byte, args ...string) ([]byte, error) {
	out, _, err := gitSays(ctx, h, nil, in, args...)
	return out, err
}

// gitSays is git with an input and its warnings.
func gitSays(ctx context.Context, h host.Host, set [][2]string, in []byte, args ...string) (out []byte, warnings string, err error) {
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
	res, err := h.Run(ctx, host.Command{Program: bin, Args: args, Env: env, In: in, Timeout: gitTimeout, MaxOut: maxListing, MaxMemory: gitMemory, MaxSleep: gitSleep})
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

// status tells commit, branch, and which files are changed, untracked or
// ignored, in one process and its warnings. To compare bytes it would run the filters that .gitattributes asks for: those that the
// repository's own configuration defines are switched off, and submodules,
// which have a configuration of their own, are not looked into.
func status(ctx context.Context, h host.Host) (out []byte, warnings string, err error) {
	names, err := git(ctx, h, nil, "config", "--list", "--show-scope", "--name-only", "-z")
	if err != nil {
		return nil, "", err
	}
	return gitSays(ctx, h, noFilters(string(names)), nil, "status", "--porcelain=v2", "--branch", "--untracked-files=all", "--ignored=matching",
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
	tracked := ask(func() ([]byte, error) { return git(ctx, h, nil, "ls-files", "-z", "-v", "--stage") })
	// The configuration of the repository may name any folder as its work tree.
	where := ask(func() ([]byte, error) { return git(ctx, h, nil, "rev-parse", "--is-inside-work-tree", "--show-prefix") })
	st, warnings, serr := status(ctx, h)
	list, err := tracked()
	inside, werr := where()
	for _, err := range []error{err, serr, werr} { // they fail for the same reason: one is enough
		if err != nil {
			return nil, nil, err
		}
	}
	is, prefix, _ := strings.Cut(string(inside), "\n")
	if is != "true" {
		return nil, nil, errElsewhere
	}
	now := parseStatus(string(st), strings.TrimSuffix(prefix, "\n"))
	if now.whole && len(list) == 0 && len(now.others) == 0 {
		return nil, nil, errIgnored
	}
	paths := now.index(h, string(list))
	for _, e := range now.others {
		if e.Kind == snapshot.PathFile { // git does not say what kind of file
			if s, err := h.Stat(e.Path); err == nil {
				e.Kind = kindOf(s.Mode)
			}
		}
		paths = append(paths, e)
	}
	tree := snapshot.NewTree(true, seeUnread(h, paths, now.prefix, warnings))
	return tree.Ruled(ignoreRules(h, tree)), &now.Repository, nil
}

// Bounds of the .gitignore files that are read. Where there are more, or one cannot be
// read, it is not known what git would ignore.
const (
	maxIgnoreFiles = 200
	maxIgnoreFile  = 64 << 10
)

// ignoreRules reads the .gitignore files of the project, those of outer folders
// first.
func ignoreRules(h host.Host, tree *snapshot.Tree) (rules []snapshot.IgnoreRule) {
	var files []string
	for _, e := range tree.All() {
		if path.Base(e.Path) == ".gitignore" && e.Kind == snapshot.PathFile && e.State != snapshot.Ignored && !Vendored(e.Path) && !Fixture(e.Path) {
			files = append(files, e.Path)
		}
	}
	slices.SortStableFunc(files, func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") })
	if len(files) > maxIgnoreFiles {
		return nil
	}
	for _, f := range files {
		b, err := h.Read(f, maxIgnoreFile)
		if err != nil {
			return nil
		}
		rules = append(rules, snapshot.IgnoreRules(path.Dir(f), string(b))...)
	}
	return rules
}

var unopened = lazyregexp.New(`(?m)^warning: could not open directory '(.+?)/?': Permission denied$`)

// seeUnread adds the folders that may not be read. git warns of them, takes
// what it tracks in them for deleted, and lists nothing else of them.
func seeUnread(h host.Host, paths []snapshot.TreePath, prefix, warnings string) []snapshot.TreePath {
	unread := map[string]bool{}
	for _, m := range unopened().FindAllStringSubmatch(warnings, -1) {
		if p, ok := strings.CutPrefix(m[1], prefix); ok {
			unread[p] = true
		}
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

// index returns the tracked files as they are on disk.
func (w *workTree) index(h host.Host, list string) []snapshot.TreePath {
	paths := make([]snapshot.TreePath, 0, strings.Count(list, "\x00")+len(w.others))
	for entry := range strings.SplitSeq(list, "\x00") {
		e, unseen, ok := listed(entry)
		if !ok {
			continue
		}
		if m, ok := w.modes[e.Path]; ok {
			e.Kind = gitKind(m)
		}
		if unseen {
			switch s, err := h.Stat(e.Path); {
			case err == nil:
				e.Kind = kindOf(s.Mode)
			case errors.Is(err, fs.ErrNotExist):
				e.Kind = snapshot.PathMissing
			}
		}
		paths = append(paths, e)
	}
	return paths
}

// listed reads one entry of git ls-files -v --stage: "H mode oid stage\tpath".
// unseen are those that git does not look for on disk: of a sparse checkout (S),
// or assumed unchanged (a small letter).
func listed(entry string) (e snapshot.TreePath, unseen, ok bool) {
	head, p, ok := strings.Cut(entry, "\t")
	if !ok || len(head) < 8 || p == "" {
		return snapshot.TreePath{}, false, false
	}
	c := head[0]
	return snapshot.TreePath{Path: p, State: snapshot.Tracked, Kind: gitKind(head[2:8])}, c == 'S' || c >= 'a' && c <= 'z', true
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

// A workTree is how the files in the root stand to the index.
type workTree struct {
	Repository
	prefix string              // of the root, in the paths that git prints
	modes  map[string]string   // of changed files, on disk
	others []snapshot.TreePath // untracked and ignored
	whole  bool                // git ignores the root
}

// parseStatus reads git status --porcelain=v2 --branch -z (git-status(1)): the
// headers, then what is changed, untracked and ignored.
func parseStatus(out, prefix string) *workTree {
	w := &workTree{prefix: prefix, modes: map[string]string{}}
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
				w.Commit = v
			} else if v, ok := strings.CutPrefix(h, "branch.head "); ok && v != "(detached)" {
				w.Branch = v
			}
			continue
		}
		if p, ok := strings.CutPrefix(line, "? "); ok {
			w.other(p, snapshot.Untracked)
			continue
		}
		if p, ok := strings.CutPrefix(line, "! "); ok {
			w.other(p, snapshot.Ignored)
			continue
		}
		n, ok := fields[line[0]]
		if !ok {
			continue
		}
		w.Dirty = true
		if f := strings.SplitN(line, " ", n[0]); len(f) == n[0] {
			w.modes[strings.TrimPrefix(f[n[0]-1], prefix)] = f[n[1]]
		}
		if line[0] == '2' { // the name before comes as a line of its own, and may look like anything
			_, out, _ = strings.Cut(out, "\x00")
		}
	}
	return w
}

// other notes an untracked or ignored path; a folder ends in a slash, and is a
// repository of its own where it is not ignored.
func (w *workTree) other(p string, state snapshot.PathState) {
	p, dir := strings.CutSuffix(p, "/")
	if dir && (p == strings.TrimSuffix(w.prefix, "/") || strings.HasPrefix(w.prefix, p+"/")) {
		w.whole = w.whole || state == snapshot.Ignored
		return
	}
	e := snapshot.TreePath{Path: strings.TrimPrefix(p, w.prefix), State: state, Kind: snapshot.PathFile}
	switch {
	case dir && state == snapshot.Ignored:
		e.Kind = snapshot.PathDir
	case dir:
		e.Kind = snapshot.PathModule
	}
	w.others = append(w.others, e)
}
