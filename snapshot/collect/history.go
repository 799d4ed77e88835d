package collect

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of what is asked of the history of a repository.
const (
	maxCommits = 20_000
	maxBlobs   = 20_000 // of one call of Blobs
	maxAuthor  = 100    // bytes of a name: it is kept with every file that a commit broke
)

// A Revision is one state of a file in the history of the project.
type Revision struct {
	Commit string
	Author string // name, as it stands in the commit, without what is beyond maxAuthor
	At     time.Time
	Path   string // then
	Blob   string // git's name of the bytes; empty: the file was deleted
}

// A History is what git knows of some files of the project.
type History struct {
	Shallow bool // the clone ends before the history does

	of   map[string][]Revision // newest first, by path
	left map[departure]state
}

// A departure is a file of some bytes that a commit deleted; a state is a
// revision of a path.
type departure struct{ commit, blob string }
type state struct {
	path  string
	index int
}

// ErrNoHistory is returned where there is no git, no repository, or no commit.
var ErrNoHistory = errors.New("there is no history")

// ReadHistory reads the history of everything at or below some paths, with one
// git log. It runs nothing that the repository's configuration names (git-log(1):
// gpg by log.showSignature, external diffs, textconv).
func (s *Session) ReadHistory(ctx context.Context, paths ...string) (*History, error) {
	if s.Repository == nil || s.Repository.Commit == "" {
		return nil, ErrNoHistory
	}
	shallow := ask(func() ([]byte, error) { return git(ctx, s.Host, nil, "rev-parse", "--is-shallow-repository") })
	out, err := git(ctx, s.Host, [][2]string{{"log.follow", "false"}, {"log.showRoot", "true"}, {"diff.orderFile", "/dev/null"}},
		append([]string{"log", "-z", "--raw", "-c", "--no-abbrev", "--no-renames", "--relative", "--no-color", "--no-show-signature", "--no-mailmap",
			"--no-ext-diff", "--no-textconv", "--format=%x02%H%x00%an%x00%aI", "-n", strconv.Itoa(maxCommits), s.Repository.Commit, "--"}, paths...)...)
	is, serr := shallow()
	if err = errors.Join(err, serr); err != nil {
		return nil, err
	}
	h := parseHistory(string(out))
	h.Shallow = strings.TrimSpace(string(is)) == "true"
	return h, nil
}

// parseHistory reads git log -z --raw in the format of ReadHistory: of each commit
// "\x02hash", author and date, then for each file "\n:modes blob blob letter"
// and its path, each with a NUL. Of a merge only what it made of its own is told,
// with a colon, a mode, a blob and a letter for each parent (git-diff-tree(1), -c).
func parseHistory(out string) *History {
	h := &History{of: map[string][]Revision{}, left: map[departure]state{}}
	next := func() (field string) { field, out, _ = strings.Cut(out, "\x00"); return field }
	var at Revision
	for out != "" {
		switch field := strings.TrimPrefix(next(), "\n"); {
		case strings.HasPrefix(field, "\x02"):
			at = Revision{Commit: field[1:], Author: name(next())}
			at.At, _ = time.Parse(time.RFC3339, next())
		case strings.HasPrefix(field, ":"):
			r, f := at, strings.Fields(field)
			parents := len(field) - len(strings.TrimLeft(field, ":"))
			if r.Path = next(); len(f) == 2*parents+3 && r.Commit != "" {
				if r.Blob = f[2*parents+1]; strings.Trim(r.Blob, "0") == "" {
					r.Blob = ""
				}
				h.of[r.Path] = append(h.of[r.Path], r)
			}
		}
	}
	for p, list := range h.of {
		for i := 0; i+1 < len(list); i++ {
			d := departure{list[i].Commit, list[i+1].Blob}
			if was, ok := h.left[d]; list[i].Blob == "" && d.blob != "" && (!ok || p < was.path) {
				h.left[d] = state{p, i + 1}
			}
		}
	}
	return h
}

// name is the name of an author that may be of any length and encoding.
func name(s string) string {
	if len(s) > maxAuthor {
		s = s[:maxAuthor] + "…"
	}
	return strings.ToValidUTF8(s, "")
}

// Of returns the states of a file, newest first. It follows the file over a
// commit that gave it another name and left its bytes alone.
func (h *History) Of(path string) []Revision {
	var out []Revision
	seen := map[string]bool{}
	for list := h.of[path]; len(list) > 0 && !seen[path]; {
		seen[path] = true
		added := list[len(list)-1]
		out = append(out, list...)
		list, path = h.before(added)
	}
	return out
}

// before returns what a file was under another name before it was added.
func (h *History) before(added Revision) (older []Revision, path string) {
	was, ok := h.left[departure{added.Commit, added.Blob}]
	if !ok {
		return nil, ""
	}
	return h.of[was.path][was.index:], was.path
}

// Blobs returns the bytes of some blobs, those of at most MaxFile each that are
// there. Of more than a few thousand only the first are asked for.
func (s *Session) Blobs(ctx context.Context, names []string) (map[string][]byte, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) == 0 {
		return nil, nil
	}
	if len(names) > maxBlobs {
		names = names[:maxBlobs]
	}
	sizes, err := gitFed(ctx, s.Host, []byte(strings.Join(names, "\n")+"\n"), "cat-file", "--batch-check")
	if err != nil {
		return nil, err
	}
	var ask []string
	total := 0
	for line := range strings.Lines(string(sizes)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[1] != "blob" {
			continue
		}
		if n, err := strconv.Atoi(f[2]); err == nil && n <= MaxFile && total+n <= maxListing/4 {
			total += n
			ask = append(ask, f[0])
		}
	}
	out := map[string][]byte{}
	if len(ask) == 0 {
		return out, nil
	}
	all, err := gitFed(ctx, s.Host, []byte(strings.Join(ask, "\n")+"\n"), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	for len(all) > 0 {
		head, rest, _ := bytes.Cut(all, []byte("\n"))
		f := strings.Fields(string(head))
		if len(f) != 3 {
			return nil, fmt.Errorf("git cat-file: %q is no header", head)
		}
		n, err := strconv.Atoi(f[2])
		if err != nil || n < 0 || n >= len(rest) {
			return nil, fmt.Errorf("git cat-file: %q is no header", head)
		}
		out[f[0]], all = rest[:n], rest[n+1:]
	}
	return out, nil
}

// SameBlob reports whether bytes are those that git has under a name, be it
// with the ends of lines that a checkout made (gitattributes(5), eol).
func SameBlob(b []byte, name string) bool {
	return blobName(b, name) == name || blobName(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), name) == name
}

func blobName(b []byte, like string) string {
	var h hash.Hash = sha1.New()
	if len(like) > 2*sha1.Size {
		h = sha256.New()
	}
	h.Write([]byte("blob " + strconv.Itoa(len(b)) + "\x00"))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}
