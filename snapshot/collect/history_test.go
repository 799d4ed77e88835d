//go:build unix

package collect

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// session is one on a repository, as the pipeline makes it.
func session(t testing.TB, dir string) *Session {
	t.Helper()
	h := machine(t, dir, nil)
	tr, repo, _, err := ReadTree(t.Context(), h)
	must(t, err)
	return &Session{Host: h, Tree: tr, Repository: repo}
}

// told is a history as lines "path: bytes, bytes", newest first; what was deleted is "-".
func told(t testing.TB, s *Session, h *History, paths ...string) (lines []string) {
	t.Helper()
	for _, p := range paths {
		var names, texts []string
		for _, r := range h.Of(p) {
			names = append(names, r.Blob)
		}
		blobs, err := s.Blobs(t.Context(), slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" }))
		must(t, err)
		for _, n := range names {
			if n == "" {
				texts = append(texts, "-")
			} else {
				texts = append(texts, string(blobs[n]))
			}
		}
		lines = append(lines, p+": "+strings.Join(texts, ", "))
	}
	return lines
}

func TestReadHistory(t *testing.T) {
	dir := repository(t)
	commit := func(files map[string]string, gone ...string) {
		for p, text := range files {
			write(t, dir, p, text, 0o644)
		}
		for _, p := range gone {
			must(t, os.Remove(filepath.Join(dir, p)))
		}
		run(t, dir, "add", "-A")
		run(t, dir, "commit", "-qm", "x")
	}
	commit(map[string]string{"in/a": "a1", "in/b é\n\t\"": "b1", "out/c": "c1", "in/twin": "same"})
	commit(map[string]string{"in/a": "a2", "out/c": "c2", "in/other": "same"}, "in/twin")
	commit(map[string]string{"in/moved": "a2", "in/back": "1"}, "in/a")
	commit(map[string]string{"in/moved": "a3"}, "in/back")
	commit(map[string]string{"in/back": "2", "in/\x02odd": "o"})
	s := session(t, dir)
	h, err := s.ReadHistory(t.Context(), "in")
	must(t, err)
	same(t, told(t, s, h, "in/moved", "in/a", "in/b é\n\t\"", "out/c", "in/back", "in/other", "in/\x02odd", "in/none"),
		"in/moved: a3, a2, a2, a1", "in/a: -, a2, a1", "in/b é\n\t\": b1", "out/c: ", "in/back: 2, -, 1", "in/other: same, same", "in/\x02odd: o", "in/none: ")
	if r := h.Of("in/moved"); h.Shallow || r[0].Author != "a" || r[0].At.IsZero() || len(r[0].Commit) != 40 || r[3].Path != "in/a" {
		t.Errorf("%+v", r)
	}

	// From a folder of the repository, and from a clone that ends early.
	s = session(t, filepath.Join(dir, "in"))
	h, err = s.ReadHistory(t.Context(), "a", "moved")
	must(t, err)
	same(t, told(t, s, h, "moved", "back"), "moved: a3, a2, a2, a1", "back: ")
	cut := t.TempDir()
	run(t, cut, "clone", "-q", "--depth", "1", "file://"+dir, ".")
	s = session(t, cut)
	h, err = s.ReadHistory(t.Context(), "in")
	must(t, err)
	same(t, told(t, s, h, "in/moved"), "in/moved: a3")
	if !h.Shallow {
		t.Error("a shallow clone is not called one")
	}
	if _, err := session(t, repository(t)).ReadHistory(t.Context(), "."); !errors.Is(err, ErrNoHistory) {
		t.Errorf("before the first commit: %v", err)
	}
	if _, err := (&Session{}).ReadHistory(t.Context(), "."); !errors.Is(err, ErrNoHistory) {
		t.Errorf("without git: %v", err)
	}
}

// What a repository's configuration names must not run when its past is read.
func TestReadHistory_runs_nothing(t *testing.T) {
	for name, plant := range map[string]struct {
		set  []string // pairs of name and value
		trap []string // the git command that steps into it
	}{
		"signatures":     {[]string{"log.showSignature", "true", "gpg.program", "CANARY"}, []string{"log"}},
		"text by a tool": {[]string{"diff.x.textconv", "CANARY"}, []string{"log", "-p"}},
		"external diff":  {[]string{"diff.external", "CANARY"}, []string{"log", "-p", "--ext-diff"}},
		"pager":          {[]string{"core.pager", "CANARY", "pager.log", "CANARY"}, []string{"--paginate", "log"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := repository(t)
			canary := filepath.Join(t.TempDir(), "canary")
			tool := filepath.Join(t.TempDir(), "tool")
			write(t, filepath.Dir(tool), "tool", "#!/bin/sh\ntouch "+canary+"\nprintf '\\n[GNUPG:] SIG_CREATED \\n' >&2\ncat\n", 0o755)
			write(t, dir, ".gitattributes", "f diff=x\n", 0o644)
			write(t, dir, "f", "one", 0o644)
			run(t, dir, "add", ".")
			run(t, dir, "commit", "-qm", "x")
			if name == "signatures" { // a commit that says it is signed
				out, err := exec.Command("git", "-C", dir, "cat-file", "commit", "HEAD").Output()
				must(t, err)
				head, rest, _ := strings.Cut(string(out), "\n\n")
				cmd := exec.Command("git", "-C", dir, "hash-object", "-t", "commit", "-w", "--stdin")
				cmd.Stdin = strings.NewReader(head + "\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n\n" + rest)
				id, err := cmd.Output()
				must(t, err)
				run(t, dir, "reset", "-q", "--soft", strings.TrimSpace(string(id)))
			}
			for i := 0; i < len(plant.set); i += 2 {
				run(t, dir, "config", plant.set[i], strings.ReplaceAll(plant.set[i+1], "CANARY", tool))
			}
			s := session(t, dir)
			h, err := s.ReadHistory(t.Context(), "f")
			must(t, err)
			same(t, told(t, s, h, "f"), "f: one")
			if _, err := os.Stat(canary); err == nil {
				t.Error("a command of the repository ran")
			}
			cmd := exec.Command("git", append([]string{"-C", dir}, plant.trap...)...)
			cmd.Env = append(os.Environ(), "GIT_PAGER_IN_USE=1")
			out, _ := cmd.CombinedOutput()
			if _, err := os.Stat(canary); err != nil && name != "pager" { // which needs a terminal
				t.Errorf("the trap does not work:\n%s", out)
			}
		})
	}
}

func FuzzParseHistory(f *testing.F) {
	f.Add("\x02" + oid + "\x00Ada\x002026-11-29T15:29:25+00:00\x00\n:100644 000000 " + oid + " " + strings.Repeat("0", 40) + " D\x00a\x00:000000 100644 " + strings.Repeat("0", 40) + " " + oid + " A\x00b\x00")
	f.Add("\x02\x00\x00\x00:a b c d e\x00")
	f.Fuzz(func(t *testing.T, out string) {
		h := parseHistory(out)
		n := 0
		for p, list := range h.of {
			n += len(list)
			for _, r := range list {
				if r.Path != p || r.Commit == "" || !strings.Contains(out, p) {
					t.Fatalf("%q: %+v", p, r)
				}
			}
			if got := h.Of(p); len(got) < len(list) || !slices.Equal(got[:len(list)], list) {
				t.Fatalf("%q is %v, not %v", p, got, list)
			}
		}
		if n > strings.Count(out, ":") {
			t.Fatal(fmt.Sprint(n, " revisions"))
		}
	})
}
