//go:build unix

package collect

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, dir, name, text string, mode os.FileMode) {
	t.Helper()
	p := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), mode), os.Chmod(p, mode))
}

// run runs git as a person would, with no configuration but the repository's.
func run(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args, err, out)
	}
}

// repository is an empty one.
func repository(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	dir := t.TempDir()
	run(t, dir, "init", "-q", "-b", "main")
	return dir
}

func machine(t testing.TB, dir string, env map[string]string) *host.OS {
	t.Helper()
	all := map[string]string{"PATH": os.Getenv("PATH"), "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null"}
	for k, v := range env {
		all[k] = v
	}
	h, err := host.New(dir, func(k string) string { return all[k] }, time.Now)
	must(t, err)
	t.Cleanup(func() { h.Close() })
	return h
}

// tree lists a folder as "state kind path" lines.
func tree(t testing.TB, h host.Host) (lines []string, tr *snapshot.Tree, repo *Repository, reason string) {
	t.Helper()
	tr, repo, reason, err := ReadTree(t.Context(), h)
	must(t, err)
	for _, e := range tr.All() {
		lines = append(lines, fmt.Sprintf("%c%c %q", e.State, e.Kind, e.Path))
	}
	return lines, tr, repo, reason
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadTree_git(t *testing.T) {
	dir := repository(t)
	write(t, dir, ".gitignore", "*.log\nignored/\nforced\n", 0o644)
	for _, name := range []string{"plain", "deleted", "gone/deep", "turned-file", "chmod", "sub/tracked", "hidden", "forced/kept", "we ird\n\"é\t\\", "-dash", "\xff", "sparse", "assumed"} {
		write(t, dir, name, name, 0o644)
	}
	write(t, dir, "exec", "#!", 0o755)
	write(t, dir, "unexec", "#!", 0o755)
	must(t, os.Symlink("plain", filepath.Join(dir, "link")), os.Mkdir(filepath.Join(dir, "module"), 0o755))
	run(t, dir, "add", ".")
	run(t, dir, "add", "-f", "forced/kept")
	run(t, dir, "update-index", "--add", "--cacheinfo", "160000,1111111111111111111111111111111111111111,module")
	run(t, dir, "commit", "-qm", "first")
	run(t, dir, "update-index", "--skip-worktree", "hidden", "sparse")
	run(t, dir, "update-index", "--assume-unchanged", "assumed")
	run(t, dir, "mv", "sub/tracked", "sub/renamed")

	must(t, os.Remove(filepath.Join(dir, "deleted")), os.Remove(filepath.Join(dir, "sparse")), os.Remove(filepath.Join(dir, "assumed")), os.RemoveAll(filepath.Join(dir, "gone")),
		os.Remove(filepath.Join(dir, "turned-file")), os.Symlink("plain", filepath.Join(dir, "turned-file")),
		os.Chmod(filepath.Join(dir, "chmod"), 0o755), os.Chmod(filepath.Join(dir, "unexec"), 0o644),
		os.Symlink("nowhere", filepath.Join(dir, "new-link")))
	write(t, dir, "sub/new", "n", 0o644)
	write(t, dir, "sub/new.sh", "n", 0o700)
	write(t, dir, "new\n\"ü", "n", 0o644)
	write(t, dir, "a.log", "n", 0o644)
	write(t, dir, "run.log", "n", 0o755)
	write(t, dir, "ignored/deep/x", "n", 0o644)
	write(t, dir, "forced/other", "n", 0o644)
	write(t, dir, "nested/file", "n", 0o644)
	run(t, filepath.Join(dir, "nested"), "init", "-q")

	got, tr, repo, reason := tree(t, machine(t, dir, nil))
	same(t, got,
		`tf "-dash"`, `tf ".gitignore"`, `if "a.log"`, `t- "assumed"`, `tx "chmod"`, `t- "deleted"`, `tx "exec"`, `tf "forced/kept"`, `if "forced/other"`,
		`t- "gone/deep"`, `tf "hidden"`, `id "ignored"`, `tl "link"`, `tm "module"`, `um "nested"`, `uf "new\n\"ü"`, `ul "new-link"`,
		`tf "plain"`, `ix "run.log"`, `t- "sparse"`, `uf "sub/new"`, `ux "sub/new.sh"`, `tf "sub/renamed"`, `tl "turned-file"`, `tf "unexec"`,
		`tf "we ird\n\"é\t\\"`, `tf "\xff"`)
	if reason != "" || !tr.Git || repo == nil || len(repo.Commit) != 40 || repo.Branch != "main" || !repo.Dirty {
		t.Errorf("reason %q, git %v, %+v", reason, tr.Git, repo)
	}

	t.Run("from a subfolder", func(t *testing.T) {
		must(t, os.Chmod(filepath.Join(dir, "sub/renamed"), 0o755))
		got, tr, repo, reason := tree(t, machine(t, filepath.Join(dir, "sub"), nil))
		same(t, got, `uf "new"`, `ux "new.sh"`, `tx "renamed"`)
		if reason != "" || !tr.Git || repo.Branch != "main" || !repo.Dirty {
			t.Errorf("reason %q, git %v, %+v", reason, tr.Git, repo)
		}
	})
	t.Run("from a folder that the repository around it ignores", func(t *testing.T) {
		got, tr, repo, reason := tree(t, machine(t, filepath.Join(dir, "ignored"), nil))
		same(t, got, `uf "deep/x"`)
		if reason != "" || tr.Git || repo != nil {
			t.Errorf("reason %q, git %v, %+v", reason, tr.Git, repo)
		}
	})
	t.Run("from an ignored folder with a tracked file", func(t *testing.T) {
		got, tr, _, _ := tree(t, machine(t, filepath.Join(dir, "forced"), nil))
		same(t, got, `tf "kept"`, `if "other"`)
		if !tr.Git {
			t.Error("walked")
		}
	})
}

func TestReadTree_repository_states(t *testing.T) {
	dir := repository(t)
	check := func(what string, want Repository) {
		t.Helper()
		_, _, repo, reason := tree(t, machine(t, dir, nil))
		if repo == nil || (repo.Commit != "") != (want.Commit != "") || repo.Branch != want.Branch || repo.Dirty != want.Dirty || reason != "" {
			t.Errorf("%s: %+v, want %+v; %s", what, repo, want, reason)
		}
	}
	check("empty", Repository{Branch: "main"})
	write(t, dir, "a", "1", 0o644)
	check("untracked only", Repository{Branch: "main"})
	run(t, dir, "add", ".")
	check("staged, no commit", Repository{Branch: "main", Dirty: true})
	run(t, dir, "commit", "-qm", "x")
	check("clean", Repository{Commit: "some", Branch: "main"})
	run(t, dir, "checkout", "-q", "--detach")
	check("detached", Repository{Commit: "some"})
	write(t, dir, "a", "2", 0o644)
	check("changed", Repository{Commit: "some", Dirty: true})
	run(t, dir, "checkout", "-q", "-f", "main")
	run(t, dir, "checkout", "-qb", "other")
	write(t, dir, "a", "other", 0o644)
	run(t, dir, "commit", "-qam", "y")
	run(t, dir, "checkout", "-q", "main")
	write(t, dir, "a", "mine", 0o644)
	run(t, dir, "commit", "-qam", "z")
	cmd := exec.Command("git", "-c", "user.name=a", "-c", "user.email=a@b", "merge", "-q", "other")
	cmd.Dir = dir
	if cmd.Run() == nil {
		t.Fatal("no conflict")
	}
	check("conflict", Repository{Commit: "some", Branch: "main", Dirty: true})
	if got, _, _, _ := tree(t, machine(t, dir, nil)); !slices.Equal(got, []string{`tf "a"`}) {
		t.Errorf("conflict: %q", got)
	}
}

// Whatever a repository's configuration names must not run, and git must not
// refresh the index: looking changes nothing.
func TestReadTree_runs_nothing_and_changes_nothing(t *testing.T) {
	for name, plant := range map[string]func(t *testing.T, dir, cmd string){
		"fsmonitor": func(t *testing.T, dir, cmd string) { run(t, dir, "config", "core.fsmonitor", cmd) },
		"hooks": func(t *testing.T, dir, cmd string) {
			for _, h := range []string{"post-index-change", "fsmonitor-watchman", "post-checkout"} {
				write(t, dir, ".git/hooks/"+h, "#!/bin/sh\n"+cmd+"\n", 0o755)
			}
		},
		"hooks path": func(t *testing.T, dir, cmd string) {
			write(t, dir, "hooks/post-index-change", "#!/bin/sh\n"+cmd+"\n", 0o755)
			run(t, dir, "config", "core.hooksPath", "hooks")
		},
		"clean filter": func(t *testing.T, dir, cmd string) {
			run(t, dir, "config", "filter.x.clean", cmd)
			run(t, dir, "config", "filter.x.required", "true")
		},
		"process filter": func(t *testing.T, dir, cmd string) { run(t, dir, "config", "filter.x.process", cmd) },
		"filter of a file in the tree": func(t *testing.T, dir, cmd string) {
			write(t, dir, "gitconfig", "[filter \"x\"]\nclean = \""+cmd+"\"\n", 0o644)
			run(t, dir, "config", "include.path", "../gitconfig")
		},
		"filter with an odd name": func(t *testing.T, dir, cmd string) {
			write(t, dir, ".gitattributes", "* filter=a=b.c\n", 0o644)
			run(t, dir, "config", "filter.a=b.c.clean", cmd)
		},
		"work tree configuration": func(t *testing.T, dir, cmd string) {
			run(t, dir, "config", "extensions.worktreeConfig", "true")
			run(t, dir, "config", "--worktree", "filter.x.clean", cmd)
		},
		"filter of a submodule": func(t *testing.T, dir, cmd string) {
			sub := filepath.Join(dir, "module")
			must(t, os.Mkdir(sub, 0o755))
			run(t, sub, "init", "-q")
			write(t, sub, ".gitattributes", "* filter=x\n", 0o644)
			write(t, sub, "f", "one", 0o644)
			run(t, sub, "add", ".")
			run(t, sub, "commit", "-qm", "x")
			run(t, sub, "config", "filter.x.clean", cmd)
			run(t, dir, "add", "module")
			write(t, sub, "f", "two", 0o644)
		},
		"promised objects": func(t *testing.T, dir, cmd string) {
			run(t, dir, "config", "remote.origin.url", "file://"+dir)
			run(t, dir, "config", "remote.origin.promisor", "true")
			run(t, dir, "config", "remote.origin.uploadpack", cmd)
			run(t, dir, "config", "extensions.partialClone", "origin")
			run(t, dir, "config", "core.repositoryFormatVersion", "1")
			run(t, dir, "config", "protocol.file.allow", "always")
			out, err := exec.Command("git", "-C", dir, "rev-parse", "HEAD^{tree}").Output()
			must(t, err)
			oid := strings.TrimSpace(string(out))
			must(t, os.Remove(filepath.Join(dir, ".git/objects", oid[:2], oid[2:])))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repository(t)
			canary := filepath.Join(t.TempDir(), "canary")
			write(t, dir, ".gitattributes", "f filter=x\n", 0o644)
			write(t, dir, "f", "one", 0o644)
			run(t, dir, "add", ".")
			run(t, dir, "commit", "-qm", "x")
			plant(t, dir, "touch "+canary+";cat")
			write(t, dir, "f", "two", 0o644) // the same size: only the bytes tell
			index := filepath.Join(dir, ".git/index")
			before, err := os.ReadFile(index)
			must(t, err)
			_, _, repo, reason := tree(t, machine(t, dir, nil))
			if reason == "" && !repo.Dirty {
				t.Error("the change was not seen")
			}
			if name != "promised objects" && reason != "" {
				t.Errorf("walked: %s", reason)
			}
			if _, err := os.Stat(canary); err == nil {
				t.Error("a command of the repository ran")
			}
			if after, err := os.ReadFile(index); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the index was written (%v)", err)
			}
			// The trap works: git by itself steps into it, in particular when it
			// has news to write into the index.
			must(t, os.Chtimes(filepath.Join(dir, ".gitattributes"), time.Unix(1e9, 0), time.Unix(1e9, 0)))
			cmd := exec.Command("git", "status")
			cmd.Dir = dir
			cmd.Run()
			if _, err := os.Stat(canary); err != nil {
				t.Error("git status does not run the planted command either: this case tests nothing")
			}
		})
	}
}

func TestReadTree_reasons(t *testing.T) {
	none := t.TempDir()
	dir := repository(t)
	write(t, dir, "sub/a", "1", 0o644)
	broken := t.TempDir()
	write(t, broken, ".git", "gitdir: nowhere\n", 0o644)
	flooded := repository(t)
	write(t, flooded, ".gitignore", "", 0o644)
	must(t, os.Truncate(filepath.Join(flooded, ".gitignore"), 2<<30))
	lying := repository(t)
	write(t, lying, "sub/a", "1", 0o644)
	run(t, lying, "config", "core.worktree", t.TempDir())
	corrupt := repository(t)
	write(t, corrupt, ".git/index", "nonsense", 0o644)
	cases := []struct {
		name, root, path, want string
	}{
		{"no repository", none, os.Getenv("PATH"), ""},
		{"no repository, no git", none, none, ""},
		{"no git", dir, none, "git: file does not exist on PATH"},
		{"no git, in a subfolder", filepath.Join(dir, "sub"), none, "git: file does not exist on PATH"},
		{"git only in the project", dir, dir, "git: file does not exist on PATH"},
		{"broken link to the repository", broken, os.Getenv("PATH"), "not a git repository"},
		{"a huge list of what to ignore", flooded, os.Getenv("PATH"), ".gitignore"},
		{"a work tree elsewhere", lying, os.Getenv("PATH"), "core.worktree"},
		{"corrupt index", corrupt, os.Getenv("PATH"), "index file"},
	}
	write(t, dir, "git", "#!/bin/sh\nexit 0\n", 0o755)
	if os.Getuid() == 0 {
		other := repository(t)
		write(t, other, "sub/a", "1", 0o644)
		for _, p := range []string{".", ".git", "sub"} {
			must(t, os.Chown(filepath.Join(other, p), 65534, 65534))
		}
		cases = append(cases, struct{ name, root, path, want string }{"another owner", other, os.Getenv("PATH"), "dubious ownership"},
			struct{ name, root, path, want string }{"another owner, in a subfolder", filepath.Join(other, "sub"), os.Getenv("PATH"), "dubious ownership"})
		t.Run("another owner who is trusted", func(t *testing.T) {
			env := map[string]string{"GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "a",
				"GIT_CONFIG_KEY_1": "safe.directory", "GIT_CONFIG_VALUE_1": "*"}
			if _, tr, _, reason := tree(t, machine(t, other, env)); !tr.Git || reason != "" {
				t.Error(reason)
			}
		})
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			lines, tr, repo, reason := tree(t, machine(t, tc.root, map[string]string{"PATH": tc.path}))
			if tr.Git || repo != nil || !strings.Contains(reason, tc.want) || tc.want == "" && reason != "" {
				t.Errorf("git %v, %+v, reason %q", tr.Git, repo, reason)
			}
			if tc.root == dir && !slices.Contains(lines, `uf "sub/a"`) {
				t.Errorf("not walked: %q", lines)
			}
		})
	}
}

// A pipe or a flood where git reads a file costs seconds, not minutes or all
// memory, and is told from git's deadline: the project is walked.
func TestReadTree_what_git_must_not_read(t *testing.T) {
	pipe := func(names ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, name := range names {
				p := filepath.Join(dir, name)
				must(t, os.MkdirAll(filepath.Dir(p), 0o755), os.RemoveAll(p), syscall.Mkfifo(p, 0o644))
			}
		}
	}
	flood := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			write(t, dir, name, "", 0o644)
			must(t, os.Truncate(filepath.Join(dir, name), 3<<30))
		}
	}
	for name, tc := range map[string]struct {
		plant func(t *testing.T, dir string)
		want  string
	}{
		"pipe: alternates":           {pipe(".git/objects/info/alternates"), "alternates"},
		"pipe: exclusions":           {pipe(".git/info/exclude"), "exclude"},
		"pipe: branch":               {pipe(".git/refs/heads/main"), "named pipe"},
		"pipe: what to ignore below": {pipe("sub/.gitignore"), "named pipe"},
		"pipe: alternates behind a link": {func(t *testing.T, dir string) {
			pipe("pipe")(t, dir)
			must(t, os.Symlink("../../../pipe", filepath.Join(dir, ".git/objects/info/alternates")))
		}, "named pipe"},
		"pipe: included configuration": {func(t *testing.T, dir string) {
			run(t, dir, "config", "include.path", "../pipe")
			pipe("pipe")(t, dir)
		}, "named pipe"},
		"flood: what to ignore below": {flood("sub/.gitignore"), "git status: exit"},
		"flood: references":           {flood(".git/packed-refs"), "packed-refs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := repository(t)
			write(t, dir, "sub/a", "1", 0o644)
			run(t, dir, "add", ".")
			run(t, dir, "commit", "-qm", "x")
			tc.plant(t, dir)
			lines, tr, _, reason := tree(t, machine(t, dir, nil))
			late := strings.HasPrefix(name, "flood") && strings.HasSuffix(reason, "deadline exceeded") // a busy machine reads no flood to its end
			if tr.Git || !late && !strings.Contains(reason, tc.want) || strings.Contains(reason, "\n") {
				t.Errorf("git %v, reason %q", tr.Git, reason)
			}
			if !slices.Contains(lines, `uf "sub/a"`) {
				t.Errorf("not walked: %q", lines)
			}
		})
	}
}

// What is not there is ignored exactly where git says that it would be.
func TestReadTree_would_ignore_what_git_would(t *testing.T) {
	dir := repository(t)
	write(t, dir, ".gitignore", "node_modules\n/made/\n*.log\n!keep.log\nlib/**\n!lib/own.js\ndocs/*.html\n**/tmp/*\nonly/\na?c[0-9]\n\\!bang\nsp\\ ace\n", 0o644)
	write(t, dir, "web/.gitignore", "/public\n*.css\n!app.css\n", 0o644)
	write(t, dir, "web/deep/.gitignore", "*\n!x.js\n", 0o644)
	write(t, dir, "src/a.js", "", 0o644)
	run(t, dir, "add", "-f", "-A")
	run(t, dir, "commit", "-qm", "x")
	_, tr, _, _ := tree(t, machine(t, dir, nil))
	var ask []string
	for _, in := range []string{"", "made/", "lib/", "docs/", "docs/old/", "tmp/", "web/tmp/", "web/", "web/public/", "public/", "web/deep/", "web/deep/er/", "src/", "src/made/", "node_modules/x/", "src/node_modules/"} {
		for _, name := range []string{"a.js", "x.log", "keep.log", "own.js", "p.html", "app.css", "b.css", "abc1", "axc", "!bang", "sp ace", "x.js", "f/g.js", "f/x.log", "only", "only/x", "made"} {
			if _, there := tr.At(in + name); !there {
				ask = append(ask, in+name)
			}
		}
	}
	cmd := exec.Command("git", "check-ignore", "--no-index", "--stdin", "-z")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(strings.Join(ask, "\x00"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.Output()
	must(t, err)
	git := strings.Split(string(out), "\x00")
	if len(git) < 100 || len(git) > len(ask)-50 {
		t.Fatalf("git ignores %d of %d paths", len(git), len(ask))
	}
	for _, p := range ask {
		if want := slices.Contains(git, p); tr.WouldIgnore(p) != want {
			t.Errorf("%s: git ignores it: %v", p, want)
		}
	}
}
