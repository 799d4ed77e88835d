package collect

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/host"
)

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
