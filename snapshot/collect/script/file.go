package script

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/collect"
)

func fileItems(ctx context.Context, s *collect.Session, res *collect.Result) {
	res.Sources = append(res.Sources, snapshot.Source{Name: sourceFiles, OK: true})
	f := newFinder(s)
	defer f.close()
	var list []snapshot.TreePath
	over := 0
	for _, e := range s.Tree.All() {
		if !f.script(e) {
			continue
		}
		if len(list) == maxItems {
			over++
			continue
		}
		list = append(list, e)
	}
	if n, where := foreign(s.Tree); n >= minForeign {
		say(res, fmt.Sprintf("%d files below %s are other people's code and left out", n, where))
	}
	if over > 0 {
		say(res, fmt.Sprintf("%d of %d script files are not listed: the limit is %d", over, over+maxItems, maxItems))
	}
	scripts(ctx, s, list, res)
}

// minForeign is the number of files from which it is worth a line that they are
// left out.
const minForeign = 1000

// foreign counts the files that git does not ignore in folders of other people's
// code, and names the folder that has the most.
func foreign(t *snapshot.Tree) (n int, where string) {
	in := map[string]int{}
	for _, e := range t.All() {
		if e.State == snapshot.Ignored || e.Kind == snapshot.PathDir || !collect.Vendored(e.Path) {
			continue
		}
		n++
		for dir := range strings.SplitSeq(path.Dir(e.Path), "/") {
			if collect.Vendored(dir + "/x") {
				in[dir]++
				break
			}
		}
	}
	for dir, count := range in {
		if count > in[where] || count == in[where] && dir < where {
			where = dir
		}
	}
	if len(in) > 1 {
		where += " and the like"
	}
	return n, where
}

func say(res *collect.Result, line string) {
	if res.Reason != "" {
		res.Reason += "; "
	}
	res.Reason += line
}

// abreast is how many files are read together.
const abreast = 16

// scripts adds one item per file. Python files come first: while the interpreter
// reads them, the others are read here.
func scripts(ctx context.Context, s *collect.Session, list []snapshot.TreePath, res *collect.Result) {
	turn := func(e snapshot.TreePath) int {
		if path.Ext(e.Path) == ".py" {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b snapshot.TreePath) int { return turn(a) - turn(b) })
	n := sort.Search(len(list), func(i int) bool { return turn(list[i]) == 1 })
	items := make([]*snapshot.Item, len(list))
	found := make([]analysis, len(list))
	s.Each(ctx, groups(n), func(g int) { readGroup(s, list[:n], items, found, g) })
	s.Each(ctx, groups(len(list)-n)+1, func(g int) {
		if g == 0 {
			judgePython(ctx, s, items[:n], found[:n], res)
			return
		}
		readGroup(s, list[n:], items[n:], found[n:], g-1)
	})
	if ctx.Err() != nil {
		return
	}
	judgePython(ctx, s, items[n:], found[n:], res) // those that only their first line tells
	for i, it := range items {
		describe(s, it, list[i], found[i])
		res.Items = append(res.Items, it)
	}
}

func groups(files int) int { return (files + abreast - 1) / abreast }

// readGroup captures the files of one group and analyses their text, unless that
// is known already.
func readGroup(s *collect.Session, list []snapshot.TreePath, items []*snapshot.Item, found []analysis, group int) {
	from, to := group*abreast, min((group+1)*abreast, len(list))
	r := reader{s: s}
	for i := from; i < to; i++ {
		items[i] = capture(s, list[i])
		r.files = append(r.files, items[i].Files[0])
	}
	for i := from; i < to; i++ {
		it := items[i]
		if it.Unknown != "" || it.Files[0].Link != "" {
			continue
		}
		a := r.analyse(i - from)
		if it.Unknown = a.Unknown; !a.Done {
			it.Unknown = changed
		}
		found[i] = a
	}
}

func capture(s *collect.Session, e snapshot.TreePath) *snapshot.Item {
	it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, snapshot.Escape(e.Path)), Name: e.Path, Kind: "script", Path: e.Path, Source: sourceFiles}
	f, err := s.Files.File(e.Path, snapshot.Own)
	it.Files = []snapshot.File{f}
	if err != nil {
		it.Unknown = unreadable(err)
	}
	return it
}

// describe turns what is known of a script into facts and references.
func describe(s *collect.Session, it *snapshot.Item, e snapshot.TreePath, a analysis) {
	f := it.Files[0]
	if f.Link != "" {
		describeLink(s, it, f)
		return
	}
	if f.SHA256 == "" {
		return
	}
	it.Add(snapshot.Semantic, "content", digest(f))
	it.Add(snapshot.Semantic, "executable", snapshot.Bool(e.Kind == snapshot.PathExec))
	if a.Language != "" {
		it.Add(snapshot.Semantic, "language", snapshot.Text(a.Language))
	}
	if a.Interpreter != "" {
		it.Add(snapshot.Semantic, "interpreter", snapshot.Text(a.Interpreter))
	}
	if a.Unknown != "" {
		return
	}
	switch {
	case a.Assessed:
		addSyntax(it, a.Problems)
	case it.Unknown == "":
		it.Add(snapshot.Semantic, "syntax", snapshot.Text(syntaxNone))
	}
	trait.Keep(it, a.Marks)
	addModule(it, a.Module)
	addRefs(it, append(place(s.Tree, a.Refs, candidates(e.Path)), importRefs(s.Tree, a.Imports)...))
}

// describeLink follows a symbolic link by name only: what it leads to is an
// item of its own.
func describeLink(s *collect.Session, it *snapshot.Item, f snapshot.File) {
	it.Add(snapshot.Semantic, "link", snapshot.Text(f.Link))
	it.Unknown = astray(s, f)
	if to := path.Join(path.Dir(f.Path), f.Link); it.Unknown == "" && s.Tree.HasFile(to) {
		addRefs(it, []snapshot.Ref{{Kind: snapshot.RefFile, Path: to}})
	}
}

// astray says why nobody knows what a symbolic link leads to, be it by others;
// "" when it is a file or folder of the project.
func astray(s *collect.Session, f snapshot.File) string {
	seen := map[string]bool{}
	for p, to := f.Path, f.Link; ; {
		seen[p] = true
		leaves := path.IsAbs(to)
		p = path.Join(path.Dir(p), to)
		why, hidden := s.Tree.Hidden(p)
		switch {
		case leaves, p == "..", strings.HasPrefix(p, "../"):
			return "a symbolic link that leads out of the project"
		case seen[p]:
			return "a symbolic link that leads back to itself"
		case hidden:
			return "a symbolic link, and " + why
		case s.Tree.HasDir(p):
			return ""
		case !s.Tree.HasFile(p):
			return "a symbolic link that leads to nothing in the project"
		}
		if e, _ := s.Tree.At(p); e.Kind != snapshot.PathLink {
			return ""
		}
		var err error
		if to, err = s.Host.Link(p); err != nil {
			return "a symbolic link to one that cannot be read"
		}
	}
}
