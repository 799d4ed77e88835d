package workflow

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// An origin is since when a file is broken, as far as git knows.
type origin struct {
	known             bool
	by, author, day   string   // the commit; by is empty where the change is not committed
	with              []string // paths of the other files that it broke, the first of them
	more              int      // how many there are beside these
	valid, then, path string   // the last version that works; empty where there was none
}

func originOf(it *snapshot.Item) (o origin) {
	by, known := it.Fact("broken-by")
	o.known = known
	if l := by.Strings(); len(l) == 3 {
		o.by, o.author, o.day = l[0], l[1], l[2]
	}
	if v, ok := it.Fact("valid-at"); ok {
		if l := v.Strings(); len(l) == 3 {
			o.valid, o.then, o.path = l[0], l[1], l[2]
		}
	}
	if v, ok := it.Fact("broken-with"); ok {
		o.with = v.Strings()
	}
	if v, ok := it.Fact("broken-with-more"); ok {
		n, _ := v.Num()
		o.more = int(n)
	}
	return o
}

// brief is a commit as a person writes it.
func brief(commit string) string { return commit[:min(len(commit), 10)] }

// named is a commit with what is known of it.
func named(commit string, what ...string) string {
	what = slices.DeleteFunc(what, func(s string) bool { return s == "" })
	if len(what) == 0 {
		return brief(commit)
	}
	return fmt.Sprintf("%s (%s)", brief(commit), strings.Join(what, ", "))
}

func (o origin) commit() string { return named(o.by, o.author, o.day) }

// since completes a finding on a file that does not work: since which commit,
// with which others, and how the last version that worked comes back.
func since(it *snapshot.Item, r audit.Report) audit.Report {
	if it == nil {
		return r
	}
	o := originOf(it)
	if !o.known {
		return r
	}
	switch {
	case o.by == "" && o.valid == "":
		return r // it was never committed
	case o.by == "":
		r.Message += ". The change that did this is not committed"
	case o.valid == "":
		r.Message += fmt.Sprintf(". It never worked since it was added in commit %s", o.commit())
	default:
		r.Message += fmt.Sprintf(". Broken since commit %s", o.commit())
	}
	if n := len(o.with); n > 0 {
		r.Message += fmt.Sprintf(", together with %s", plural(n+o.more, "other file"))
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "broken together with", Value: andMore(o.with, o.more)})
	}
	if o.by != "" {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "broken by", Value: o.by})
	}
	if o.valid != "" {
		r.Message += fmt.Sprintf("; the last valid version is that of commit %s", named(o.valid, o.then))
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "last valid version", Value: o.valid + ":" + o.path})
		r.Hint = wayBack(it, o)
	}
	return r
}

// sinceAll completes a finding on many files: by which commit most of them broke.
func sinceAll(list []damage, r audit.Report, hint string) audit.Report {
	r.Hint = hint
	by := map[string]int{}
	var most origin
	for _, d := range list {
		if d.file == nil {
			return r
		}
		o := originOf(d.file)
		if by[o.by]++; o.by != "" && (most.by == "" || by[o.by] > by[most.by] || by[o.by] == by[most.by] && o.by < most.by) {
			most = o
		}
	}
	if most.by == "" {
		return r
	}
	n := fmt.Sprint(by[most.by])
	if by[most.by] == len(list) {
		n = "all"
	}
	r.Message += fmt.Sprintf("; %s of them since commit %s", n, most.commit())
	r.Evidence = append(r.Evidence, audit.Evidence{Name: "broken by", Value: most.by})
	r.Hint = fmt.Sprintf("`git show %s` shows the change that did this; undo it once (`git revert`) instead of file by file.", brief(most.by))
	return r
}

// wayBack says how to see, and to bring back, the last version that worked.
func wayBack(it *snapshot.Item, o origin) string {
	if o.path != it.Path {
		return fmt.Sprintf("`git show %s:./%s` shows the last valid version; correct the file, or take that one over.", brief(o.valid), snapshot.ShellWord(o.path))
	}
	return fmt.Sprintf("`git diff %[1]s -- %[2]s` shows what changed since the last valid version, `git checkout %[1]s -- %[2]s` brings it back; or correct the file.", brief(o.valid), snapshot.ShellWord(it.Path))
}
