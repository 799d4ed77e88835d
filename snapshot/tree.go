package snapshot

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
)

// A PathKind says what stands at a path of the tree.
type PathKind byte

const (
	PathFile    PathKind = 'f' // regular file
	PathExec    PathKind = 'x' // regular file with an executable bit
	PathLink    PathKind = 'l' // symbolic link
	PathModule  PathKind = 'm' // git submodule
	PathDir     PathKind = 'd' // a folder that is ignored as a whole: what is in it is not listed
	PathMissing PathKind = '-' // tracked by git, not on disk
	PathOther   PathKind = 'o' // socket, FIFO, device
)

// A PathState says what git thinks of a path.
type PathState byte

const (
	Tracked   PathState = 't'
	Untracked PathState = 'u' // project, but not committed (everything, where there is no git)
	Ignored   PathState = 'i'
	Unread    PathState = 'x' // a folder that may not be read: what is in it is not known
)

// A TreePath is one entry of a Tree.
type TreePath struct {
	Path  string // slash-separated, relative to the root
	Kind  PathKind
	State PathState
}

// A Tree is every path of the project, so that "is there such a file?" can be
// asked purely and of the past. Folders are implied by what is in them; an
// ignored folder is one entry. The nil Tree has nothing.
type Tree struct {
	Git   bool // git decided what is project; otherwise a walk with the usual exclusions
	paths []TreePath
	torn  bool // there are folders that may not be read
	rules []IgnoreRule

	once sync.Once
	fold map[string]string // lower case → path as it stands
	dirs map[string]bool

	exact sync.Once
	at    map[string]int32 // path → index in paths

	ruled   sync.Once
	ignores *ignores
}

// NewTree returns a tree of these paths; of two entries for one path the later
// one stands.
func NewTree(git bool, paths []TreePath) *Tree {
	p := slices.Clone(paths)
	sort.SliceStable(p, func(i, j int) bool { return p[i].Path < p[j].Path })
	out := p[:0]
	for _, e := range p {
		if n := len(out); n > 0 && out[n-1].Path == e.Path {
			out[n-1] = e
			continue
		}
		out = append(out, e)
	}
	return &Tree{Git: git, paths: out, torn: slices.ContainsFunc(out, func(e TreePath) bool { return e.State == Unread })}
}

// All returns every entry in path order. The slice is not to be changed.
func (t *Tree) All() []TreePath {
	if t == nil {
		return nil
	}
	return t.paths
}

// Len returns the number of entries.
func (t *Tree) Len() int { return len(t.All()) }

// At returns the entry at exactly that path.
func (t *Tree) At(p string) (TreePath, bool) {
	if t == nil {
		return TreePath{}, false
	}
	t.exact.Do(func() {
		t.at = make(map[string]int32, len(t.paths))
		for i, e := range t.paths {
			t.at[e.Path] = int32(i)
		}
	})
	i, ok := t.at[p]
	if !ok {
		return TreePath{}, false
	}
	return t.paths[i], true
}

// HasFile reports whether a file (or link) of the project is on disk at that path.
func (t *Tree) HasFile(p string) bool {
	e, ok := t.At(p)
	return ok && e.Kind != PathMissing && e.Kind != PathDir
}

// HasDir reports whether that folder is there; "." always is.
func (t *Tree) HasDir(p string) bool {
	if p == "." || p == "" {
		return true
	}
	t.index()
	if e, ok := t.At(strings.TrimSuffix(p, "/")); ok && (e.Kind == PathDir || e.Kind == PathModule) {
		return true
	}
	return t != nil && t.dirs[p]
}

// InIgnored reports whether the path is ignored or lies in an ignored folder or
// a submodule, or is hidden: the tree does not know whether it is there.
func (t *Tree) InIgnored(p string) bool {
	if _, hidden := t.Hidden(p); hidden {
		return true
	}
	for ; p != "." && p != "/" && p != ""; p = path.Dir(p) {
		if e, ok := t.At(p); ok && (e.State == Ignored || e.Kind == PathModule) {
			return true
		}
	}
	return false
}

// Hidden says, for a person, why what is at a path could not be seen, although
// it may be project: the folder may not be read, or there is a link in the way.
func (t *Tree) Hidden(p string) (why string, ok bool) {
	if dir, ok := t.InUnread(p); ok {
		return dir + " may not be read", true
	}
	if link, ok := t.Behind(p); ok {
		return link + " is a symbolic link, which is not followed", true
	}
	return "", false
}

// Behind returns the symbolic link that stands on the way to a path: what is
// behind one is not listed.
func (t *Tree) Behind(p string) (link string, ok bool) {
	for d := path.Dir(p); d != "." && d != "/"; d = path.Dir(d) {
		if e, is := t.At(d); is && e.Kind == PathLink {
			return d, true
		}
	}
	return "", false
}

// Unread returns the folders that may not be read, in path order.
func (t *Tree) Unread() (out []string) {
	for _, e := range t.All() {
		if e.State == Unread {
			out = append(out, e.Path)
		}
	}
	return out
}

// InUnread returns the folder that may not be read and that a path is or lies in.
func (t *Tree) InUnread(p string) (dir string, ok bool) {
	if t == nil || !t.torn {
		return "", false
	}
	for ; p != "." && p != "/" && p != ""; p = path.Dir(p) {
		if e, is := t.At(p); is && e.State == Unread {
			return p, true
		}
	}
	return "", false
}

// OtherCase returns the path that differs from p only by letter case, if p
// itself is not there.
func (t *Tree) OtherCase(p string) (string, bool) {
	if t == nil || t.HasFile(p) {
		return "", false
	}
	t.index()
	q, ok := t.fold[strings.ToLower(p)]
	return q, ok
}

// Under returns the entries below a folder ("." for all), in path order.
func (t *Tree) Under(dir string) []TreePath {
	all := t.All()
	if dir == "." || dir == "" {
		return all
	}
	lo := sort.Search(len(all), func(i int) bool { return all[i].Path >= dir+"/" })
	hi := sort.Search(len(all), func(i int) bool { return all[i].Path >= dir+"0" }) // '0' follows '/'
	return all[lo:hi]
}

func (t *Tree) index() {
	if t == nil {
		return
	}
	t.once.Do(func() {
		t.fold = make(map[string]string, len(t.paths))
		t.dirs = map[string]bool{}
		for _, e := range t.paths {
			if e.Kind != PathMissing {
				t.fold[strings.ToLower(e.Path)] = e.Path
				for d := path.Dir(e.Path); d != "." && !t.dirs[d]; d = path.Dir(d) {
					t.dirs[d] = true
				}
			}
		}
	})
}

// treeMagic begins a tree, treeRuled one that has rules: who does not know of those
// shall not read it as one without git.
const (
	treeMagic = "audit.tree/1 "
	treeRuled = "audit.tree/2 "
)

// Encode returns the canonical bytes of the tree: a header line, in which a NUL
// stands before the folder and the line of each rule of .gitignore files, then
// per entry kind, state, path and a NUL.
func (t *Tree) Encode() []byte {
	var b bytes.Buffer
	git := "walk"
	if t != nil && t.Git {
		git = "git"
	}
	magic := treeMagic
	if t != nil && len(t.rules) > 0 {
		magic = treeRuled
	}
	b.WriteString(magic + git)
	if t != nil {
		for _, r := range t.rules {
			b.WriteString("\x00" + r.Dir + "\x00" + r.Line)
		}
	}
	b.WriteByte('\n')
	for _, e := range t.All() {
		b.WriteByte(byte(e.Kind))
		b.WriteByte(byte(e.State))
		b.WriteString(e.Path)
		b.WriteByte(0)
	}
	return b.Bytes()
}

// DecodeTree reads what Encode wrote.
func DecodeTree(b []byte) (*Tree, error) {
	head, rest, ok := bytes.Cut(b, []byte("\n"))
	said, isTree := strings.CutPrefix(string(head), treeMagic)
	if !isTree {
		said, isTree = strings.CutPrefix(string(head), treeRuled)
	}
	parts := strings.Split(said, "\x00")
	if !ok || !isTree || len(parts)%2 == 0 {
		return nil, fmt.Errorf("not a project tree (starts %.20q)", head)
	}
	text := string(rest)
	t := &Tree{Git: parts[0] == "git", paths: make([]TreePath, 0, strings.Count(text, "\x00"))}
	for i := 1; i < len(parts); i += 2 {
		t.rules = append(t.rules, IgnoreRule{parts[i], parts[i+1]})
	}
	for len(text) > 0 {
		i := strings.IndexByte(text, 0)
		if i < 3 {
			return nil, fmt.Errorf("project tree: torn entry after %d paths", len(t.paths))
		}
		e := TreePath{Path: text[2:i], Kind: PathKind(text[0]), State: PathState(text[1])}
		if n := len(t.paths); n > 0 && t.paths[n-1].Path >= e.Path {
			return nil, fmt.Errorf("project tree: entry %d is out of order", n)
		}
		t.torn = t.torn || e.State == Unread
		t.paths = append(t.paths, e)
		text = text[i+1:]
	}
	return t, nil
}
