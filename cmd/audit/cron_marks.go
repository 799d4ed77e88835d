package main

import (
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// byInstall is what the first of audit's lines in a crontab says after its mark.
const byInstall = "written by audit cron install, taken out by audit cron remove"

// A mark is the first and the last of the lines that are audit's in a crontab. The
// first is continued by byInstall.
type mark struct{ begin, end string }

func markOf(root string) mark { return mark{"# BEGIN audit " + root + ": ", "# END audit " + root} }

// marks are those of the project: the one that is written, which names the root as
// a shell would, so that no root is the beginning of another; and the one that was
// written before, without quotes.
func (j *cronJob) marks() []mark { return []mark{markOf(snapshot.ShellWord(j.root)), markOf(j.root)} }

// begins reports whether a line is the first of audit's lines.
func (j *cronJob) begins(line string) bool {
	return slices.ContainsFunc(j.marks(), func(m mark) bool { return line == m.begin+byInstall })
}

func (j *cronJob) ends(line string) bool {
	return slices.ContainsFunc(j.marks(), func(m mark) bool { return line == m.end })
}

// A crontabText is a user's crontab, cut where audit's own lines stand.
type crontabText struct {
	before, own, after string
	none               bool // there is no crontab at all
}

func (c *crontabText) with(block string) string {
	before := c.before
	if block != "" && before != "" && !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	return before + block + c.after
}

func (c *crontabText) text() string { return c.before + c.own + c.after }

// cut finds the lines of this project. Errors: their marks are any other than one
// BEGIN and then one END, so that nobody can say what is audit's.
func (j *cronJob) cut(text string) (*crontabText, error) {
	var begins, ends, from, to, at int
	for line := range strings.Lines(text) {
		switch bare := strings.TrimRight(line, "\r\n"); {
		case j.begins(bare):
			begins, from = begins+1, at
		case j.ends(bare):
			ends, to = ends+1, at+len(line)
		}
		at += len(line)
	}
	switch {
	case begins == 0 && ends == 0:
		return &crontabText{before: text}, nil
	case begins != 1 || ends != 1 || to <= from:
		return nil, &usageError{"the lines of audit in your crontab do not begin and end as audit cron install wrote them", "take them out by hand, crontab -e: from BEGIN audit to END audit"}
	}
	return &crontabText{before: text[:from], own: text[from:to], after: text[to:]}, nil
}
