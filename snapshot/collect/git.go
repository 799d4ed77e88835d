package collect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	Slug   string `json:",omitempty"` // owner/name, as the address of origin has it; empty when that is none of a server
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
func status(ctx context.Context, h host.Host, config string) (out []byte, warnings string, err error) {
	return gitSays(ctx, h, noFilters(config), nil, "status", "--porcelain=v2", "--branch", "--untracked-files=all", "--ignored=matching",
		"--ignore-submodules=dirty", "-z", "--", ".")
}

// settings returns the configuration that git goes by here: of each its scope, and its
// name and value on lines of their own, both with a NUL. It may hold secrets.
func settings(ctx context.Context, h host.Host) (string, error) {
	out, err := git(ctx, h, nil, "config", "--list", "--show-scope", "-z")
	return string(out), err
}

// noFilters reads what settings returns, and returns what switches off every filter
// that is not of the machine or its user. An empty process keeps git from the clean
// command too (convert.c, apply_filter).
func noFilters(config string) (set [][2]string) {
	for config != "" {
		var scope, name string
		scope, config, _ = strings.Cut(config, "\x00")
		name, config, _ = strings.Cut(config, "\x00")
		name, _, _ = strings.Cut(name, "\n")
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
	config, cerr := settings(ctx, h)
	var st []byte
	var warnings string
	var serr error
	if cerr == nil {
		st, warnings, serr = status(ctx, h, config)
	}
	list, err := tracked()
	inside, werr := where()
	for _, err := range []error{err, cerr, serr, werr} { // they fail for the same reason: one is enough
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
	now.Slug = slug(config)
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
