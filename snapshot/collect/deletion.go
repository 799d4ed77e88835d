package collect

import (
	"context"
	"strconv"
	"strings"

	"healthaudit/snapshot/host"
)

// maxDeletions is how many paths are asked about: they go to git as arguments.
const maxDeletions = 500

// Deletions says which of some files the commit head no longer has, each with the
// commit that deleted it; "" where no commit after since did, as on another
// branch. What head still has was deleted on disk or in the index only. Of more
// than maxDeletions paths only the first are looked at. Like everything that is
// asked of git it runs nothing that the repository names.
func Deletions(ctx context.Context, h host.Host, since, head string, paths []string) (map[string]string, error) {
	paths = paths[:min(len(paths), maxDeletions)]
	literal := make([]string, len(paths))
	for i, p := range paths {
		literal[i] = ":(literal)" + p
	}
	kept, err := git(ctx, h, nil, append([]string{"ls-tree", "-z", "--name-only", head, "--"}, paths...)...)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, p := range paths {
		out[p] = ""
	}
	for p := range strings.SplitSeq(string(kept), "\x00") {
		delete(out, p)
	}
	log, err := git(ctx, h, [][2]string{{"log.follow", "false"}, {"log.showRoot", "true"}, {"diff.orderFile", "/dev/null"}},
		append([]string{"log", "-z", "--name-only", "-c", "--diff-filter=D", "--no-renames", "--relative", "--no-color", "--no-show-signature", "--no-mailmap",
			"--no-ext-diff", "--no-textconv", "--format=%x02%H", "-n", strconv.Itoa(maxCommits), since + ".." + head, "--"}, literal...)...)
	if err != nil {
		return nil, err
	}
	commit := ""
	for field := range strings.SplitSeq(string(log), "\x00") {
		field = strings.TrimPrefix(field, "\n")
		if hash, ok := strings.CutPrefix(field, "\x02"); ok {
			commit, _, _ = strings.Cut(hash, "\n")
			continue
		}
		if by, gone := out[field]; gone && by == "" { // the newest comes first
			out[field] = commit
		}
	}
	return out, nil
}
