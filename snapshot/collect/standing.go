package collect

import (
	"context"
	"strings"

	"healthaudit/snapshot/host"
)

// A Standing is how git stands to one path.
type Standing struct {
	Staged bool   // the index differs from the last commit
	Blob   string // git's name of what the last commit holds there; empty: nothing
}

// busy are the files in the folder of git that tell of something unfinished
// (gitrepository-layout(5); sequencer.c, wt-status.c).
var busy = []struct{ file, what string }{{"MERGE_HEAD", "merge"}, {"CHERRY_PICK_HEAD", "cherry-pick"}, {"REVERT_HEAD", "revert"},
	{"rebase-merge", "rebase"}, {"rebase-apply", "rebase"}, {"BISECT_LOG", "bisect"}, {"index.lock", "change of its index"}}

// ReadBusy returns what git is in the middle of: a merge, a rebase …; empty is
// nothing.
func ReadBusy(ctx context.Context, h host.Host) (what string, err error) {
	dir, err := git(ctx, h, nil, "rev-parse", "--absolute-git-dir")
	if err != nil {
		return "", err
	}
	files, err := h.Outside(strings.TrimRight(string(dir), "\n"))
	if err != nil {
		return "", err
	}
	defer files.Close()
	for _, b := range busy {
		if _, err := files.Stat(b.file); err == nil {
			return b.what, nil
		}
	}
	return "", nil
}

// ReadStanding asks git about a path of the project that has a commit. It runs
// nothing that the repository's configuration names: no file of the work tree is
// compared.
func ReadStanding(ctx context.Context, h host.Host, path string) (s Standing, err error) {
	literal := ":(literal)" + path
	staged, err := git(ctx, h, nil, "diff-index", "--cached", "--raw", "-z", "--no-ext-diff", "--no-textconv", "--no-renames", "--relative", "HEAD", "--", literal)
	if err != nil {
		return s, err
	}
	s.Staged = len(staged) > 0
	list, err := git(ctx, h, nil, "ls-tree", "-z", "HEAD", "--", path)
	if err != nil {
		return s, err
	}
	if head, _, ok := strings.Cut(string(list), "\t"); ok {
		if f := strings.Fields(head); len(f) == 3 && f[1] == "blob" {
			s.Blob = f[2]
		}
	}
	return s, nil
}
