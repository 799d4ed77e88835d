package workflow

import (
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/shell"
)

// A ShellText is the script of one run step, as it is given to shellcheck.
type ShellText struct {
	Dialect string // bash, sh, dash or ksh
	Text    string // GitHub's expressions are words of the same length
	Where   string // job and step key
	Pos     Pos    // of its first line in the file

	raw, src []string // the lines of the text as it stands, and of the file
}

// ShellTexts returns the shell scripts of the document's steps, in its order.
// They may hold secrets: they are for a tool on this machine, never kept.
func (d *Document) ShellTexts() []ShellText {
	if d.Broken() {
		return nil
	}
	m := d.outline()
	src := d.lines()
	var out []ShellText
	for i := range m.Jobs {
		j := &m.Jobs[i]
		for k := range j.Steps {
			s := &j.Steps[k]
			sh := effectiveShell(m, j, s)
			if s.run == "" || !shellLike(sh) {
				continue
			}
			dialect := shellName(sh)
			switch dialect {
			case ".": // the default of a Unix runner, and of an action
				dialect = "bash"
			case "zsh": // which shellcheck does not know
				continue
			}
			out = append(out, ShellText{Dialect: dialect, Text: string(shell.Neutralize([]byte(s.run))), Where: strings.TrimPrefix(j.ID+"/"+s.Key, "/"), Pos: s.RunPos,
				raw: strings.Split(s.run, "\n"), src: src})
		}
	}
	return out
}

// Place returns where a place of the text stands in the file: exactly where its
// line is one of the file's, else where the text begins. Both are 1-based.
func (t *ShellText) Place(line, column int) Pos {
	n := t.Pos.Line + line - 1
	if line < 1 || line > len(t.raw) || n < 1 || n > len(t.src) {
		return t.Pos
	}
	text := strings.TrimSpace(t.raw[line-1])
	i := strings.Index(t.src[n-1], text)
	if text == "" || i < 0 {
		return t.Pos
	}
	indent := len(t.raw[line-1]) - len(strings.TrimLeft(t.raw[line-1], " \t"))
	return Pos{n, max(1, i+column-indent)}
}

// A ShellMessage is what shellcheck says of one place of a file.
type ShellMessage struct {
	Pos
	Code  int    `json:"c"` // of SC2086: 2086
	Error bool   `json:"e,omitempty"`
	Where string `json:"w,omitempty"`
	Text  string `json:"m"`
}

// A ShellVerdict is what one shellcheck says of a file. It holds no value of it.
type ShellVerdict struct {
	Tool string         `json:"t"` // which one, and how it was told to look
	Said []ShellMessage `json:"s,omitempty"`
}

func shellKey(sha string) string { return "workflow.shellcheck:" + sha[:min(len(sha), 40)] }

// ShellSaid returns what shellcheck said of a file of that content, in this run
// or the last that asked; ok is false when none did.
func ShellSaid(d *snapshot.Derived, sha string) (v ShellVerdict, ok bool) {
	return snapshot.Recall[ShellVerdict](d, shellKey(sha))
}

// KeepShell keeps what shellcheck says of a file of that content.
func KeepShell(d *snapshot.Derived, sha string, v ShellVerdict) {
	snapshot.Remember(d, shellKey(sha), v, sha)
}
